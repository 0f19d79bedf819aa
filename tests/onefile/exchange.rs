//! The exchange of one learner: what comes down, what goes up, and what is left alone.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::onefile::enrolment::made;
use crate::support::onefile::exchange::{exchanging, linked, moved, news, own, record, sync, wrong};
use crate::support::onefile::links::{LINKS, request, with_mis};
use crate::support::onefile::{all_calls, behave, calls, records};
use crate::support::{TestApp, people};

async fn aim_id(app: &TestApp, user: &str, at: usize) -> u64 {
    let state = moved(app, user, json!({"aim": {}})).await;
    state["aims"][at]["ID"].as_u64().unwrap()
}

#[tokio::test]
async fn a_review_that_was_held_before_its_day_comes_down_when_its_learner_is_asked_for() {
    let app = exchanging(json!({"uploadReviews": true})).await;
    let planned = (chrono::Utc::now() + chrono::TimeDelta::days(20)).date_naive().to_string();
    let review = json!({"reviews": [{"reviewId": "R1", "type": "Normal", "scheduledDate": planned}]});
    let user = linked(&app, "L1", "OLD-001", review).await;
    sync(&app, "L1").await;
    let id = record(&app, "L1").await["reviews"][0]["oneFileId"].as_str().unwrap().parse::<u64>().unwrap();
    moved(&app, &user, json!({"reviewId": id, "review": {"StartedOn": "2026-01-10T09:05:00.000Z"}})).await;
    sync(&app, "L1").await;
    assert_eq!(record(&app, "L1").await["reviews"][0]["attendance"], "attended");
}

#[tokio::test]
async fn element_counts_come_down_and_are_told_with_before_and_after() {
    let app = exchanging(json!({"downloadReviews": false})).await;
    let user = linked(&app, "L1", "OLD-001", json!({})).await;
    let tab = sync(&app, "L1").await;
    let counts = |tab: &Value, at: usize| {
        (
            tab["qualifications"][at]["totalElements"].clone(),
            tab["qualifications"][at]["elementsDone"].clone(),
        )
    };
    assert_eq!(counts(&tab, 0), (json!(20), json!(0)), "{tab:#}");
    assert!(tab["lastExchangedAt"].is_string() && tab["problem"].is_null(), "{tab:#}");
    moved(&app, &user, json!({})).await;
    let tab = sync(&app, "L1").await;
    assert_eq!(counts(&tab, 0), (json!(20), json!(2)));
    let kept = record(&app, "L1").await;
    assert_eq!(kept["qualifications"][1]["elementsDone"], 2);
    app.tick().await;
    assert_eq!(
        news(&app).await,
        [
            "progressChanged 105AS totalElements null > 20",
            "progressChanged 105AS elementsDone null > 0",
            "progressChanged 105OP totalElements null > 20",
            "progressChanged 105OP elementsDone null > 0",
            "progressChanged 105AS elementsDone 0 > 2",
            "progressChanged 105OP elementsDone 0 > 2",
        ]
    );
}

#[tokio::test]
async fn counts_of_a_qualification_that_picsweb_adds_later_are_told_and_those_that_it_set_back_are_not() {
    let app = exchanging(json!({"downloadReviews": false})).await;
    let one = json!({"qualifications": [{"qualificationId": "Q1", "vqReference": "105AS"}]});
    linked(&app, "L1", "OLD-001", one).await;
    sync(&app, "L1").await;
    app.tick().await;
    let told = news(&app).await;
    // Its learning aim is known, and was read.
    app.put("/learners/L1", &own(json!({}))).await.good();
    let tab = sync(&app, "L1").await;
    assert_eq!(tab["qualifications"][1]["totalElements"], 20, "{tab:#}");
    app.tick().await;
    assert_eq!(
        news(&app).await[told.len()..],
        ["progressChanged 105OP totalElements null > 20", "progressChanged 105OP elementsDone null > 0"]
    );
    let told = news(&app).await;
    app.put("/learners/L1", &own(json!({}))).await.good();
    sync(&app, "L1").await;
    app.tick().await;
    assert_eq!(record(&app, "L1").await["qualifications"][1]["totalElements"], 20);
    assert_eq!(news(&app).await, told);
}

#[tokio::test]
async fn what_is_unchanged_is_written_neither_here_nor_there() {
    let app = exchanging(json!({})).await;
    linked(&app, "L1", "OLD-001", json!({})).await;
    sync(&app, "L1").await;
    app.tick().await;
    let (before, told, writes) =
        (record(&app, "L1").await, news(&app).await, calls(&app, "updateLearningAim").await);
    sync(&app, "L1").await;
    app.tick().await;
    assert_eq!((record(&app, "L1").await, news(&app).await), (before, told));
    assert_eq!((calls(&app, "updateLearningAim").await, calls(&app, "updateUser").await), (writes, 0));
    // Counts that PICSWeb sets back are set again, and that is no news.
    app.put("/learners/L1", &own(json!({}))).await.good();
    sync(&app, "L1").await;
    app.tick().await;
    assert_eq!(record(&app, "L1").await["qualifications"][0]["totalElements"], 20);
    assert_eq!(news(&app).await.len(), 6, "two reviews and four counts, once");
}

#[tokio::test]
async fn blanks_are_filled_on_both_sides_and_where_both_have_a_value_onefile_wins() {
    let app = exchanging(json!({"downloadReviews": false})).await;
    let mine = json!({"qualifications": [{
        "qualificationId": "Q1", "vqReference": "105AS", "registrationNumber": "OURS", "registrationDate": "2025-10-01",
        "certificateAppliedForDate": "2026-06-01"
    }]});
    let user = linked(&app, "L1", "OLD-001", mine).await;
    let aim = aim_id(&app, &user, 0).await;
    moved(
        &app,
        &user,
        json!({"aimId": aim, "aim": {"RegistrationNumber": "THEIRS", "CertificateReceivedDate": "2026-07-01"}}),
    )
    .await;
    let tab = sync(&app, "L1").await;
    let own = &tab["qualifications"][0];
    let fields =
        ["registrationNumber", "registrationDate", "certificateAppliedForDate", "certificateReceivedDate"];
    assert_eq!(
        fields.map(|field| own[field].clone()),
        [json!("THEIRS"), json!("2025-10-01"), json!("2026-06-01"), json!("2026-07-01")],
        "{tab:#}"
    );
    let theirs = records(&app, "learningAim").await;
    let theirs = &theirs.iter().find(|record| record["id"] == aim).unwrap()["fields"];
    assert_eq!(
        (&theirs["RegistrationNumber"], &theirs["RegistrationDate"], &theirs["CertificateAppliedDate"]),
        (&json!("THEIRS"), &json!("2025-10-01T00:00:00.000Z"), &json!("2026-06-01T00:00:00.000Z"))
    );
    app.tick().await;
    let told = news(&app).await;
    assert!(
        told.contains(&"registrationChanged 105AS registrationNumber \"OURS\" > \"THEIRS\"".to_owned()),
        "{told:?}"
    );
    assert!(
        told.contains(&"certificateChanged 105AS certificateReceivedDate null > \"2026-07-01\"".to_owned())
    );
    let writes = calls(&app, "updateLearningAim").await;
    assert_eq!(writes, 1, "what goes up of a learning aim goes in one call");
}

#[tokio::test]
async fn a_progress_over_a_hundred_or_null_or_text_does_no_harm() {
    let app = exchanging(json!({"downloadReviews": false})).await;
    behave(&app, json!({"elementCounts": false})).await;
    let user = linked(&app, "L1", "OLD-001", json!({})).await;
    let (aim, owner) = (aim_id(&app, &user, 0).await, user.parse::<u64>().unwrap());
    for (progress, expected) in
        [(json!(130), json!(100)), (json!(41.7), json!(41)), (json!(-3), json!(0)), (json!("55"), json!(55))]
    {
        wrong(
            &app,
            json!([{"operation": "getLearningAim", "kind": {"replaceBody": {"body":
            {"ID": aim, "UserID": owner, "StandardID": null, "Progress": progress}}}}]),
        )
        .await;
        sync(&app, "L1").await;
        let kept = record(&app, "L1").await["qualifications"][0].clone();
        assert_eq!((&kept["totalElements"], &kept["elementsDone"]), (&json!(100), &expected), "{progress}");
    }
    for progress in [json!(null), json!("most of it"), json!([1]), json!({"done": 3})] {
        wrong(
            &app,
            json!([{"operation": "getLearningAim", "kind": {"replaceBody": {"body":
            {"ID": aim, "UserID": owner, "Progress": progress}}}}]),
        )
        .await;
        sync(&app, "L1").await;
        let kept = record(&app, "L1").await["qualifications"][0].clone();
        assert_eq!(kept["elementsDone"], 55, "{progress}: what is not said changes nothing");
    }
}

#[tokio::test]
async fn a_date_on_the_night_that_the_clocks_change_is_londons() {
    let app = exchanging(json!({"downloadReviews": false, "uploadReviews": true})).await;
    let mine = json!({"reviews": [
        {"reviewId": "R1", "type": "Normal", "scheduledDate": "2027-03-28", "startTime": "01:30"},
        {"reviewId": "R2", "type": "Normal", "scheduledDate": "2027-10-31", "startTime": "01:30"},
    ]});
    let user = linked(&app, "L1", "OLD-001", mine).await;
    let aim = aim_id(&app, &user, 0).await;
    // Half past midnight in London, where summer time has not ended yet; and in winter.
    moved(&app, &user, json!({"aimId": aim, "aim":
        {"RegistrationDate": "2026-10-24T23:30:00.000Z", "CertificateAppliedDate": "2027-03-27T23:30:00.000Z"}}))
    .await;
    let tab = sync(&app, "L1").await;
    let kept = &tab["qualifications"][0];
    assert_eq!(
        (&kept["registrationDate"], &kept["certificateAppliedForDate"]),
        (&json!("2026-10-25"), &json!("2027-03-27"))
    );
    let reviews = made(&app, "review").await;
    let mut times: Vec<_> =
        reviews.iter().map(|review| review["fields"]["ScheduledFor"].as_str().unwrap().to_owned()).collect();
    times.sort();
    // A time that does not exist is an hour later; of one that exists twice it is the first.
    assert_eq!(times, ["2027-03-28T01:30:00.000Z", "2027-10-31T00:30:00.000Z"]);
}

#[tokio::test]
async fn reviews_come_down_and_stay_though_picsweb_sends_the_learner_anew() {
    let app = exchanging(json!({})).await;
    let user = linked(&app, "L1", "OLD-001", json!({})).await;
    let tab = sync(&app, "L1").await;
    let reviews = tab["reviews"].as_array().unwrap().clone();
    assert_eq!(reviews.len(), 2, "{tab:#}");
    assert_eq!((reviews[0]["startedOn"].is_string(), reviews[1]["startedOn"].is_null()), (true, true));
    app.put("/learners/L1", &own(json!({}))).await.good();
    assert_eq!(app.get("/learners/L1/onefile").await.expect(200)["reviews"].as_array().unwrap().len(), 2);
    // PICSWeb claims one by its OneFile System ID; attendance comes down into the record.
    let claimed =
        json!({"reviews": [{"reviewId": "R1", "oneFileId": reviews[1]["oneFileId"], "type": "Normal"}]});
    app.put("/learners/L1", &own(claimed)).await.good();
    moved(
        &app,
        &user,
        json!({"reviewId": reviews[1]["oneFileId"].as_str().unwrap().parse::<u64>().unwrap(),
        "review": {"StartedOn": "2025-11-10T09:05:00.000Z"}}),
    )
    .await;
    let tab = sync(&app, "L1").await;
    assert_eq!(tab["reviews"].as_array().unwrap().len(), 1, "{tab:#}");
    assert_eq!(record(&app, "L1").await["reviews"][0]["attendance"], "attended");
    app.tick().await;
    let told = news(&app).await;
    assert_eq!(told.last().unwrap(), "reviewChanged R1 attendance null > \"attended\"", "{told:?}");
}

#[tokio::test]
async fn a_review_goes_up_once_ever_also_when_picsweb_forgets_its_id() {
    let app = exchanging(json!({"uploadReviews": true})).await;
    let mine = json!({"reviews": [{"reviewId": "R1", "type": "Normal", "scheduledDate": "2026-12-10"},
        {"reviewId": "R2", "type": "Normal", "scheduledDate": "2026-12-11", "attendance": "attended"},
        {"reviewId": "R3", "type": "Exit", "scheduledDate": "2026-12-11"}]});
    linked(&app, "L1", "OLD-001", mine.clone()).await;
    sync(&app, "L1").await;
    let reviews = made(&app, "review").await;
    assert_eq!((reviews.len(), made(&app, "visit").await.len()), (1, 1));
    assert_eq!(record(&app, "L1").await["reviews"][0]["oneFileId"], reviews[0]["id"].to_string());
    app.put("/learners/L1", &own(mine)).await.good();
    let tab = sync(&app, "L1").await;
    assert_eq!(made(&app, "review").await.len(), 1);
    assert_eq!(tab["reviews"].as_array().unwrap().len(), 2, "only those that OneFile had: {tab:#}");
}

#[tokio::test]
async fn a_review_deleted_on_one_side_is_said_and_not_made_again() {
    let app = exchanging(json!({"uploadReviews": true})).await;
    let mine = json!({"reviews": [{"reviewId": "R1", "type": "Normal", "scheduledDate": "2026-12-10"}]});
    linked(&app, "L1", "OLD-001", mine.clone()).await;
    sync(&app, "L1").await;
    let remote = made(&app, "review").await[0]["id"].to_string();
    // In PICSWeb.
    app.put("/learners/L1", &own(json!({}))).await.good();
    let tab = sync(&app, "L1").await;
    assert_eq!(
        tab["notes"],
        json!([format!("Review R1 was deleted in PICSWeb; OneFile has it still, as {remote}.")])
    );
    assert!(
        !tab["reviews"].as_array().unwrap().iter().any(|review| review["oneFileId"] == remote.as_str()),
        "{tab:#}"
    );
    // In OneFile.
    app.put("/learners/L1", &own(mine)).await.good();
    wrong(
        &app,
        json!([{"operation": "searchReviews", "kind": {"replaceBody": {"body": []}}},
        {"operation": "getReview", "kind": {"status": {"status": 404}}}]),
    )
    .await;
    let tab = sync(&app, "L1").await;
    let notes = tab["notes"].to_string();
    assert!(notes.contains(&format!("OneFile has no review {remote}")), "{tab:#}");
    assert_eq!(tab["reviews"], json!([]));
    assert_eq!(made(&app, "review").await.len(), 1);
    app.tick().await;
    let gone = news(&app).await.into_iter().filter(|line| line.ends_with("> null")).count();
    assert_eq!(gone, 3, "each that is gone is told");
}

#[tokio::test]
async fn details_go_by_their_mode() {
    let app = exchanging(json!({"downloadReviews": false})).await;
    let user = linked(&app, "L1", "OLD-001", json!({"email": "esme@example.com"})).await;
    let theirs = async |app: &TestApp| {
        let users = records(app, "user").await;
        users.into_iter().find(|record| record["id"].as_u64() == user.parse().ok()).unwrap()["fields"].clone()
    };
    let before = theirs(&app).await;
    sync(&app, "L1").await;
    assert_eq!(theirs(&app).await, before, "ignored: neither way");
    let choose = async |app: &TestApp, mode: &str| {
        let settings = json!({"enabled": true, "environment": "sandbox", "learnerDemographics": mode});
        app.put("/onefile/settings", &settings).await.good();
    };
    choose(&app, "pushed").await;
    sync(&app, "L1").await;
    let pushed = theirs(&app).await;
    assert_eq!((&pushed["FirstName"], &pushed["Email"]), (&json!("Esme"), &json!("esme@example.com")));
    assert_eq!(pushed["ULN"], before["ULN"], "a blank replaces nothing");
    assert_eq!(calls(&app, "updateUser").await, 1);
    choose(&app, "pulled").await;
    sync(&app, "L1").await;
    let kept = record(&app, "L1").await;
    assert_eq!(kept["dateOfBirth"], before["DOB"].as_str().unwrap()[..10]);
    assert_eq!(kept["uln"], Value::Null, "a ULN is never pulled");
    app.tick().await;
    assert!(news(&app).await.iter().any(|line| line.starts_with("detailsChanged - dateOfBirth null > ")));
}

#[tokio::test]
async fn a_new_main_officer_and_placement_go_up_where_they_are_linked() {
    let app = exchanging(json!({"downloadReviews": false, "pushChanges": true})).await;
    let user = linked(&app, "L1", "OLD-001", json!({"mainOfficerId": people::OFFICER})).await;
    sync(&app, "L1").await;
    assert_eq!(calls(&app, "updateUser").await, 0, "an officer who is not linked is nobody there");
    let other = with_mis(&app, "O-08").await.remove(0).0;
    app.post(LINKS, &request("officer", people::OFFICER, &other)).await.expect(201);
    for _ in 0..2 {
        sync(&app, "L1").await;
    }
    let users = records(&app, "user").await;
    let theirs = users.iter().find(|record| record["id"].as_u64() == user.parse().ok()).unwrap();
    assert_eq!(theirs["fields"]["DefaultAssessorID"].to_string(), other);
    assert_eq!(calls(&app, "updateUser").await, 1);
}

#[tokio::test]
async fn a_qualification_that_is_added_later_is_assigned_once() {
    let app = exchanging(json!({"downloadReviews": false})).await;
    let quals = |codes: &[&str]| {
        let all = codes
            .iter()
            .map(|code| json!({"qualificationId": code, "vqReference": code, "startDate": "2026-01-05"}));
        json!({"qualifications": all.collect::<Vec<_>>()})
    };
    // What OneFile lacks of a learner who was linked by hand is not made at the first exchange.
    linked(&app, "L1", "OLD-001", quals(&["105AS", "105GW"])).await;
    let tab = sync(&app, "L1").await;
    assert_eq!(made(&app, "learningAim").await.len(), 0);
    assert!(tab["notes"].to_string().contains("OneFile has no learning aim [105GW]"), "{tab:#}");
    // Of several pathways none is taken.
    app.put("/learners/L1", &own(quals(&["105AS", "105GW", "105EP", "196AS"]))).await.good();
    for _ in 0..2 {
        sync(&app, "L1").await;
    }
    let aims = made(&app, "learningAim").await;
    assert_eq!(aims.len(), 1, "{aims:#?}");
    assert_eq!(aims[0]["fields"]["StartDate"], "2026-01-05T00:00:00.000Z");
    let tab = app.get("/learners/L1/onefile").await.expect(200);
    assert_eq!(tab["qualifications"][2]["learningAimId"], aims[0]["id"].to_string());
    assert!(tab["notes"].to_string().contains("several pathways"), "{tab:#}");
}

#[tokio::test]
async fn details_of_an_assigned_qualification_that_were_refused_go_up_later_and_replace_nothing() {
    let app = exchanging(json!({"downloadReviews": false})).await;
    let user = linked(&app, "L1", "OLD-001", json!({})).await;
    sync(&app, "L1").await;
    let mut mine = own(json!({}));
    let added = json!({"vqReference": "105EP", "startDate": "2026-01-05", "registrationNumber": "OURS"});
    mine["qualifications"].as_array_mut().unwrap().push(added);
    app.put("/learners/L1", &mine).await.good();
    let no = json!({"status": {"status": 400, "body": {"message": "Not today."}}});
    wrong(&app, json!([{"operation": "updateLearningAim", "kind": no}])).await;
    let tab = sync(&app, "L1").await;
    assert_eq!(tab["problem"]["upstream"]["message"], "Not today.", "{tab:#}");
    app.no_faults().await;
    // Meanwhile somebody registers the learner there.
    let aim = made(&app, "learningAim").await[0]["id"].as_u64().unwrap();
    moved(&app, &user, json!({"aimId": aim, "aim": {"RegistrationNumber": "THEIRS"}})).await;
    let tab = sync(&app, "L1").await;
    assert_eq!(tab["problem"], Value::Null, "{tab:#}");
    assert_eq!(record(&app, "L1").await["qualifications"][2]["registrationNumber"], "THEIRS");
    let aims = made(&app, "learningAim").await;
    assert_eq!(aims.len(), 1);
    let fields = ["StartDate", "RegistrationNumber"].map(|name| aims[0]["fields"][name].clone());
    assert_eq!(fields, [json!("2026-01-05T00:00:00.000Z"), json!("THEIRS")]);
    // Sent once, it is not sent again.
    let writes = calls(&app, "updateLearningAim").await;
    sync(&app, "L1").await;
    assert_eq!(calls(&app, "updateLearningAim").await, writes);
}

#[tokio::test]
async fn a_user_who_is_archived_or_gone_is_said_and_nothing_is_sent() {
    let app = exchanging(json!({})).await;
    for (id, mis, what, state) in [
        ("L1", "OLD-001", "archive", "enrolled"),
        ("L2", "OLD-002", "remove", "gone"),
        ("L3", "OLD-003", "merge", "gone"),
    ] {
        let user = linked(&app, id, mis, json!({})).await;
        let into = with_mis(&app, "OLD-004").await.remove(0).0;
        let body = (what == "merge").then(|| json!({"into": into.parse::<u64>().unwrap()}));
        app.sandbox_call(Method::POST, &format!("/users/{user}:{what}"), body).await;
        let tab = sync(&app, id).await;
        assert_eq!((&tab["state"], &tab["archived"]), (&json!(state), &json!(what == "archive")), "{tab:#}");
        assert_eq!(
            tab["problem"]["code"],
            if what == "archive" { json!(null) } else { json!("upstreamMissing") }
        );
        let before = all_calls(&app).await;
        sync(&app, id).await;
        assert_eq!(all_calls(&app).await, before + 1, "it is only looked whether the user is back");
    }
    app.tick().await;
    let told = news(&app).await;
    assert_eq!(told, ["archived - - null > null", "gone - - null > null", "gone - - null > null"]);
    let user = with_mis(&app, "OLD-001").await;
    assert!(user.is_empty());
}

#[tokio::test]
async fn only_learners_in_learning_who_are_linked_are_exchanged() {
    let app = exchanging(json!({})).await;
    app.post("/learners/L9/onefile:sync", &Value::Null).await.refused(404, "notFound");
    app.put("/learners/L9", &own(json!({}))).await.good();
    app.post("/learners/L9/onefile:sync", &Value::Null).await.refused(409, "notEnrolled");
    linked(&app, "L1", "OLD-001", json!({"status": "dormant"})).await;
    let before = all_calls(&app).await;
    app.post("/learners/L1/onefile:sync", &Value::Null).await.refused(422, "notEligible");
    app.put(
        "/learners/L1",
        &own(json!({"programme": {"startDate": "2025-09-01", "actualEndDate": "2026-01-31"}})),
    )
    .await
    .good();
    app.post("/learners/L1/onefile:sync", &Value::Null).await.refused(422, "notEligible");
    assert_eq!(all_calls(&app).await, before);
    app.put("/onefile/settings", &json!({"enabled": false, "environment": "sandbox"})).await.good();
    app.post("/learners/L1/onefile:sync", &Value::Null).await.refused(409, "integrationDisabled");
}
