//! Moving over from PICS Desktop: what the first synchronisation would push and overwrite, before it does.

use std::collections::{BTreeMap, BTreeSet};

use picsbridge::auth::scope::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::onefile::links::{LINKS, request, with_mis};
use crate::support::onefile::{SETTINGS, all_calls, behave, calls, connected_with, records, state, working};

const MIGRATION: &str = "/onefile/migration";

/// The learning aims are read; reviews go both ways.
async fn app() -> TestApp {
    let app = connected_with(working()).await;
    let run = app.post("/onefile/qualifications:refresh", &Value::Null).await.good();
    app.wait_run(run["id"].as_str().unwrap()).await;
    choose(&app, json!({"uploadReviews": true, "downloadReviews": true})).await;
    app
}

async fn choose(app: &TestApp, more: Value) {
    let mut settings = json!({"enabled": false, "environment": "sandbox"});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.put(SETTINGS, &settings).await.expect(200);
}

/// A learner who is in learning, linked to this user.
async fn linked(app: &TestApp, id: &str, user: &str, more: Value) {
    let mut body = json!({
        "firstName": "Esme", "lastName": "Marlpit", "status": "live", "programme": {"startDate": "2025-09-01"}
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.put(&format!("/learners/{id}"), &body).await.good();
    app.post(LINKS, &request("learner", id, user)).await.expect(201);
}

async fn user(app: &TestApp, mis: &str) -> String {
    with_mis(app, mis).await.remove(0).0
}

/// What happens to a learner in OneFile's own pages.
async fn moved(app: &TestApp, user: &str, what: Value) -> Value {
    app.sandbox_call(Method::POST, &format!("/learners/{user}:progress"), Some(what)).await
}

/// So many more learners in OneFile, linked to as many here; the ids here.
async fn many(app: &TestApp, count: u32, aims: u32, reviews: u32) -> Vec<String> {
    let more = json!({"learners": count, "aimsPerLearner": aims, "reviewsPerLearner": reviews});
    let made = app.sandbox_call(Method::POST, "/onefile/records:more", Some(more)).await;
    let mut ids = Vec::new();
    for (n, user) in made["learners"].as_array().unwrap().iter().enumerate() {
        let id = format!("M-{n:03}");
        linked(app, &id, &user.to_string(), json!({})).await;
        ids.push(id);
    }
    ids
}

/// OneFile goes wrong in all of these ways.
async fn wrong(app: &TestApp, rules: Value) {
    app.sandbox_call(Method::PUT, "/faults", Some(rules)).await;
}

/// `learner record.field: before > after @side`, of all items.
fn changes(page: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for item in page["items"].as_array().unwrap() {
        for change in item["changes"].as_array().unwrap() {
            let text = |name: &str| change[name].as_str().unwrap_or("-").to_owned();
            found.push(format!(
                "{} {}.{}: {} > {} @{}",
                item["learnerId"].as_str().unwrap(),
                text("record"),
                text("field"),
                text("before"),
                text("after"),
                text("side")
            ));
        }
    }
    found
}

fn notes(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.flat_map(|item| item["notes"].as_array().unwrap()).map(|note| note.as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_would_be_pushed_and_overwritten_is_told_before_it_is() {
    let app = app().await;
    let user = user(&app, "OLD-001").await;
    let there = moved(
        &app,
        &user,
        json!({"aim": {"RegistrationNumber": "THEIRS", "RegistrationDate": "2025-09-30T23:00:00.000Z", "TotalElements": 20, "ElementsDone": 9}}),
    )
    .await;
    let held = there["reviews"].as_array().unwrap().iter().find(|it| !it["StartedOn"].is_null()).unwrap();
    linked(
        &app,
        "L-1",
        &user,
        json!({
            "qualifications": [
                {"qualificationId": "Q-1", "vqReference": "105 as", "registrationNumber": "OURS", "totalElements": 20},
                {"qualificationId": "Q-2", "vqReference": "105OP", "registrationNumber": "THEIRS", "registrationDate": "2025-10-01",
                 "certificateAppliedForDate": "2026-01-10", "totalElements": 20, "elementsDone": 9},
            ],
            "reviews": [
                {"reviewId": "R-1", "type": "Normal", "scheduledDate": "2025-11-10"},
                {"reviewId": "R-2", "type": "Normal", "scheduledDate": "2025-12-01", "attendance": "attended"},
                {"reviewId": "R-3", "oneFileId": held["ID"], "type": "Normal"},
            ],
        }),
    )
    .await;
    let before = state(&app).await;
    let page = app.get(MIGRATION).await.expect(200);
    assert_eq!(
        changes(&page),
        [
            "L-1 qualification.registrationNumber: OURS > THEIRS @picsWeb",
            "L-1 qualification.registrationDate: - > 2025-10-01 @picsWeb",
            "L-1 qualification.elementsDone: - > 9 @picsWeb",
            "L-1 qualification.certificateAppliedForDate: - > 2026-01-10 @oneFile",
            "L-1 review.attendance: - > attended @picsWeb",
        ],
        "{page:#}"
    );
    let item = &page["items"][0];
    assert_eq!((&item["userId"], &item["centreId"].is_string()), (&json!(user), &true));
    let [pushed] = item["reviewsPushed"].as_array().unwrap().as_slice() else { panic!("{page:#}") };
    assert_eq!((&pushed["reviewId"], &pushed["scheduledDate"]), (&json!("R-1"), &json!("2025-11-10")));
    // OneFile has one that day: probably the same.
    let [pulled] = item["reviewsPulled"].as_array().unwrap().as_slice() else { panic!("{page:#}") };
    assert_eq!(pushed["sameDay"], json!([pulled["oneFileId"]]));
    assert_eq!(pulled["attended"], false);
    assert_eq!(
        (&page["linked"], &page["counts"]["learners"], &page["counts"]["reviewsPushed"]),
        (&json!(1), &json!(1), &json!(1))
    );
    // The user, two lists, two learning aims, two reviews; and nothing but reads.
    assert_eq!(page["calls"], 7);
    let mut asked: BTreeMap<String, Value> =
        serde_json::from_value(state(&app).await["calls"].clone()).unwrap();
    asked.retain(|operation, count| before["calls"].get(operation) != Some(count));
    let operations: Vec<_> = asked.keys().map(String::as_str).collect();
    assert_eq!(operations, ["getLearningAim", "getReview", "getUser", "searchLearningAims", "searchReviews"]);
    let changes = app.get("/changes").await.expect(200);
    let types: BTreeSet<_> =
        changes["items"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["link.created", "run.finished"].into());
}

#[tokio::test]
async fn it_goes_by_the_settings_as_they_are() {
    let app = app().await;
    let user = user(&app, "OLD-001").await;
    linked(
        &app,
        "L-1",
        &user,
        json!({
            "email": "esme@example.com",
            "reviews": [{"reviewId": "R-1", "type": "Normal", "scheduledDate": "2025-11-10"}]
        }),
    )
    .await;
    choose(&app, json!({})).await;
    let page = app.get(MIGRATION).await.expect(200);
    assert_eq!((changes(&page).len(), &page["counts"]["reviewsPushed"]), (0, &json!(0)));
    assert_eq!(calls(&app, "searchReviews").await, 0, "they are not asked for where they do not matter");
    choose(&app, json!({"uploadReviews": true})).await;
    let page = app.get(MIGRATION).await.expect(200);
    assert_eq!(page["counts"]["reviewsPushed"], 1);
    assert_eq!(page["items"][0]["reviewsPushed"][0]["sameDay"].as_array().unwrap().len(), 1);
    assert_eq!(calls(&app, "getReview").await, 0, "the list tells their days");
    choose(&app, json!({"learnerDemographics": "pushed"})).await;
    let page = app.get(MIGRATION).await.expect(200);
    assert!(
        changes(&page)
            .contains(&"L-1 learner.email: learner1@example.org > esme@example.com @oneFile".to_owned()),
        "{page:#}"
    );
}

#[tokio::test]
async fn each_linked_learner_is_on_one_page_and_a_page_costs_little_more_than_100_calls() {
    let app = app().await;
    // Four calls, five learning aims and six reviews: 14 calls each.
    let ids = many(&app, 20, 5, 6).await;
    let before = all_calls(&app).await;
    let (mut seen, mut pages, mut token, mut told) = (Vec::new(), 0, String::new(), 0);
    loop {
        let page = app.get(&format!("{MIGRATION}?pageSize=15{token}")).await.expect(200);
        pages += 1;
        told += page["calls"].as_u64().unwrap();
        assert!(page["calls"].as_u64().unwrap() < 100 + 14, "{}", page["calls"]);
        assert_eq!(page["linked"], 20);
        let items = page["items"].as_array().unwrap();
        assert_eq!(page["counts"]["learners"], items.len());
        seen.extend(items.iter().map(|item| item["learnerId"].as_str().unwrap().to_owned()));
        match page["nextPageToken"].as_str() {
            Some(next) => token = format!("&pageToken={next}"),
            None => break,
        }
    }
    assert_eq!((seen, pages), (ids, 3));
    assert_eq!(all_calls(&app).await - before, told, "each call is told");
}

#[tokio::test]
async fn a_page_by_size_goes_on_with_the_next_learner() {
    let app = app().await;
    let ids = many(&app, 4, 1, 1).await;
    let first = app.get(&format!("{MIGRATION}?pageSize=2")).await.expect(200);
    let next = first["nextPageToken"].as_str().unwrap();
    let second = app.get(&format!("{MIGRATION}?pageSize=2&pageToken={next}")).await.expect(200);
    assert_eq!(second["nextPageToken"], Value::Null);
    assert_eq!(first["items"][1]["learnerId"], ids[1]);
    assert_eq!(second["items"][0]["learnerId"], ids[2]);
    app.get(&format!("{MIGRATION}?pageSize=0&x=1&pageToken=*")).await.refused(400, "invalidParameter");
}

#[tokio::test]
async fn learners_whom_it_leaves_alone_cost_no_call() {
    let app = app().await;
    let ended = json!({"programme": {"startDate": "2023-09-01", "actualEndDate": "2024-07-01"}});
    linked(&app, "L-1", &user(&app, "OLD-001").await, json!({"status": "dormant"})).await;
    linked(&app, "L-2", &user(&app, "OLD-002").await, ended).await;
    let page = app.get(MIGRATION).await.expect(200);
    assert_eq!((&page["calls"], &page["items"], &page["linked"]), (&json!(0), &json!([]), &json!(2)));
    assert_eq!((&page["counts"]["learners"], &page["counts"]["notEligible"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn a_learner_or_a_record_that_onefile_cannot_show_spoils_nothing_else() {
    let app = app().await;
    many(&app, 4, 2, 1).await;
    let plan = json!([
        {"vqReference": "105AS", "registrationNumber": "R"}, {"vqReference": "105OP", "registrationNumber": "R"}
    ]);
    for id in ["M-000", "M-001", "M-002", "M-003"] {
        let own = json!({"firstName": "Esme", "lastName": "Marlpit", "status": "live", "programme": {"startDate": "2025-09-01"}, "qualifications": plan});
        app.put(&format!("/learners/{id}"), &own).await.expect(200);
    }
    let once = |operation: &str, status: u16, message: &str| {
        let kind = json!({"status": {"status": status, "body": {"message": message}}});
        json!({"operation": operation, "times": 1, "kind": kind})
    };
    // The first has a user that is gone, the second one that OneFile does not show; the third a learning aim and a review
    // that it does not.
    wrong(
        &app,
        json!([
            once("getUser", 404, ""),
            once("getUser", 400, "Not this one."),
            once("getLearningAim", 400, "Nor this."),
            once("getReview", 400, "Nor that.")
        ]),
    )
    .await;
    let page = app.get(MIGRATION).await.expect(200);
    let unread: Vec<_> = page["unread"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["learnerId"].as_str().unwrap(), it["code"].as_str().unwrap()))
        .collect();
    assert_eq!(unread, [("M-000", "upstreamMissing"), ("M-001", "upstreamRejected")], "{page:#}");
    assert!(page["unread"][1]["message"].as_str().unwrap().contains("Not this one."), "{page:#}");
    let filled: Vec<_> = changes(&page).into_iter().filter(|it| it.contains("registrationNumber")).collect();
    assert_eq!(filled.len(), 3, "one of the third, two of the fourth: {filled:?}");
    let last = page["items"].as_array().unwrap().last().unwrap();
    let which: BTreeSet<_> =
        last["changes"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(
        which,
        ["105AS", "105OP"].into(),
        "a qualification without an id is named by its VQ reference"
    );
    let notes = notes(&page).join("\n");
    for word in
        ["Learning aim ", "Nor this.", "is not compared: its learning aim could not be read", "Review "]
    {
        assert!(notes.contains(word), "{word}: {notes}");
    }
    assert!(!notes.contains("has no learning aim"), "{notes}");
    assert_eq!(page["counts"]["learners"], 2);
}

#[tokio::test]
async fn odd_answers_are_read_as_far_as_they_go() {
    let app = app().await;
    let user = user(&app, "OLD-001").await;
    linked(&app, "L-1", &user, json!({"qualifications": [{"vqReference": "105AS"}]})).await;
    let learner: u64 = user.parse().unwrap();
    let rows = json!([{"ID": 1, "UserID": learner, "StandardID": {"a": 1}}, {"UserID": learner}, 7, {"ID": 2, "UserID": 1}]);
    let aims = json!({"operation": "searchLearningAims", "kind": {"replaceBody": {"body": rows}}});
    let aim = json!({"operation": "getLearningAim", "kind": {"replaceBody": {"body": {"id": "1", "progress": "half"}}}});
    let reviews = json!({"operation": "searchReviews", "kind": {"html": {}}});
    wrong(&app, json!([aims, aim, reviews])).await;
    let page = app.get(MIGRATION).await.expect(200);
    assert_eq!(page["unread"][0]["code"], "upstreamFailed", "{page:#}");
    wrong(&app, json!([aims, aim])).await;
    let page = app.get(MIGRATION).await.expect(200);
    let notes = notes(&page).join("\n");
    for word in
        ["rows that cannot be read", "Learning aim 1 has no code", "OneFile has no learning aim [105AS]"]
    {
        assert!(notes.contains(word), "{word}: {notes}");
    }
}

#[tokio::test]
async fn a_list_that_is_empty_or_cut_off_is_not_believed() {
    let app = app().await;
    let id = many(&app, 1, 2, 70).await.remove(0);
    assert_eq!(id, "M-000");
    behave(&app, json!({"pageCap": 20})).await;
    let nothing =
        |operation: &str| json!({"operation": operation, "times": 1, "kind": {"status": {"status": 204}}});
    wrong(&app, json!([nothing("searchLearningAims"), nothing("searchReviews")])).await;
    let page = app.get(MIGRATION).await.expect(200);
    let item = &page["items"][0];
    assert_eq!(item["reviewsPulled"].as_array().unwrap().len(), 70, "{page:#}");
    assert_eq!(calls(&app, "getReview").await, 60, "of very many not all are looked into");
    let notes = notes(&page).join("\n");
    assert!(notes.contains("whether they were held was looked up for 60"), "{notes}");
    assert!(notes.contains("105AS"), "the learning aims were found: {notes}");
}

#[tokio::test]
async fn a_limit_ends_the_page_with_what_was_found_and_the_next_one_tells_of_it() {
    let app = app().await;
    many(&app, 3, 1, 1).await;
    app.fault(json!({"operation": "getUser", "skip": 1, "times": 1, "kind": {"status": {"status": 429, "retryAfter": 50}}})).await;
    let page = app.get(MIGRATION).await.expect(200);
    assert_eq!(page["counts"]["learners"], 1);
    let next = format!("{MIGRATION}?pageToken={}", page["nextPageToken"].as_str().unwrap());
    let refused = app.get(&next).await;
    assert!(refused.header("retry-after").is_some());
    refused.refused(503, "upstreamLimited");
}

#[tokio::test]
async fn it_needs_the_token_the_learning_aims_and_the_scope() {
    let app = working().start().await;
    app.get(MIGRATION).await.refused(409, "integrationNotConfigured");
    let app = connected_with(working()).await;
    let refused = app.get(MIGRATION).await.refused(409, "integrationNotConfigured");
    assert!(refused["detail"].as_str().unwrap().contains("/onefile/qualifications:refresh"));
    app.with_scopes(&[Scope::RecordsRead]).await.get(MIGRATION).await.refused(403, "scopeMissing");
    let other = app.second_provider().await;
    other.get(MIGRATION).await.refused(409, "integrationNotConfigured");
    assert!(records(&app, "user").await.iter().all(|user| user["origin"] != "api"));
}
