//! Enrolments with lost responses, refused steps and concurrent creations. Each record is created
//! once, and OneFile's message is shown.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::onefile::enrolment::{CENTRE, enrol, enrolling_in, learner, made, tab};
use crate::support::onefile::{behave, calls, end_sessions, records};
use crate::support::{TestApp, people};

const QUICK: &str = "call=1s,lease=4s,job=6s,retry=1s,absence=10m";

/// The steps that create something, each with its operation and the number of earlier calls.
const CREATIONS: [(&str, u64, &str); 6] = [
    ("createUser", 0, "assessor:OFF"),
    ("createPlacement", 0, "placement:ORG"),
    ("createClassroom", 0, "classroom"),
    ("createUser", 1, "user"),
    ("assignStandard", 0, "aim:105AS"),
    ("createReview", 0, "review:R"),
];

async fn quick() -> TestApp {
    enrolling_in(
        crate::support::onefile::working().timings(QUICK),
        json!({"classroomFromMainTag": true, "createMissingClassrooms": true, "additionalAssessors": ["Internal Verifier"]}),
    )
    .await
}

/// A learner who needs its own officer, organisation and classroom.
async fn apart(app: &TestApp, n: u64) {
    let officer = people::but(
        people::officer(),
        json!({"ident": format!("I{n}"), "email": format!("o{n}@example.com"), "lastName": format!("Zeta{n} Quill")}),
    );
    app.put(&format!("/officers/OFF{n}X"), &officer).await.good();
    let named = format!("Unheard Of Place Number {n}");
    let place = people::but(
        people::organisation(),
        json!({"ident": format!("P{n}"), "name": named, "mainContactId": null}),
    );
    app.put(&format!("/organisations/ORG{n}X"), &place).await.good();
    let own = json!({
        "mainOfficerId": format!("OFF{n}X"), "employerId": format!("ORG{n}X"), "mainTag": format!("Tag {n}"), "officers": null,
        "placements": [{"organisationId": format!("ORG{n}X"), "type": "P", "startDate": "2025-09-01"}],
        "qualifications": [{"qualificationId": "Q", "vqReference": "105AS", "startDate": "2025-09-01"}],
        "reviews": [{"reviewId": "R", "type": "Normal", "scheduledDate": "2026-12-01", "officerId": format!("OFF{n}X")}],
    });
    learner(app, n, own).await;
}

async fn later(app: &TestApp, by: TimeDelta) {
    app.clock_advance(by).await;
    app.tick().await;
}

async fn until(app: &TestApp, n: u64, state: &str) -> Value {
    app.eventually(&tab(n), |tab| tab["state"] == state).await
}

/// The number of this learner's records of each kind.
async fn counts(app: &TestApp, n: u64) -> Value {
    let named = |record: &&Value, name: &str, value: &str| record["fields"][name] == value;
    let users = made(app, "user").await;
    let user = users.iter().find(|user| user["fields"]["MISID"] == format!("L{n}"));
    let id = user.map(|user| user["id"].clone()).unwrap_or_default();
    let of = |all: Vec<Value>, field: &str| all.iter().filter(|own| own["fields"][field] == id).count();
    json!({
        "assessors": users.iter().filter(|user| named(user, "MISID", &format!("I{n}"))).count(),
        "users": users.iter().filter(|user| named(user, "MISID", &format!("L{n}"))).count(),
        "placements": made(app, "placement").await.iter().filter(|own| named(own, "MISID", &format!("P{n}"))).count(),
        "classrooms": made(app, "classroom").await.iter().filter(|own| named(own, "Name", &format!("Tag {n}"))).count(),
        "aims": of(made(app, "learningAim").await, "UserID"),
        "visits": of(made(app, "visit").await, "LearnerID"),
        "reviews": of(made(app, "review").await, "LearnerID"),
    })
}

fn one_of_each() -> Value {
    json!({"assessors": 1, "users": 1, "placements": 1, "classrooms": 1, "aims": 1, "visits": 1, "reviews": 1})
}

async fn post(app: &TestApp, n: u64) -> Value {
    app.post(&tab(n), &json!({"centreId": CENTRE})).await.expect(202)
}

#[tokio::test]
async fn a_step_whose_answer_was_lost_is_found_and_the_enrolment_goes_on_by_itself() {
    let app = quick().await;
    for (n, (operation, skip, step)) in (1..).zip(CREATIONS) {
        apart(&app, n).await;
        app.fault(json!({"operation": operation, "skip": skip, "times": 1, "kind": {"commitThenReset": {}}}))
            .await;
        let told = post(&app, n).await;
        let own = told["steps"].as_array().unwrap().iter().find(|own| own["state"] == "unknown").unwrap();
        assert!(own["name"].as_str().unwrap().starts_with(step), "{operation}: {told:#}");
        assert_eq!(own["problem"]["code"], "upstreamFailed", "{operation}");
        app.no_faults().await;
        later(&app, TimeDelta::seconds(5)).await;
        until(&app, n, "enrolled").await;
        assert_eq!(counts(&app, n).await, one_of_each(), "{operation}");
    }
    let open = app.get("/intents?state=unknown").await.expect(200);
    assert_eq!(open["items"], json!([]));
}

#[tokio::test]
async fn a_step_that_was_not_made_is_sent_once_more_after_two_looks() {
    let app = quick().await;
    for (n, (operation, skip, _)) in (1..).zip(CREATIONS) {
        apart(&app, n).await;
        app.fault(json!({"operation": operation, "skip": skip, "times": 1, "kind": {"reset": {}}})).await;
        post(&app, n).await;
        app.no_faults().await;
        later(&app, TimeDelta::seconds(5)).await;
        app.eventually("/intents?state=unknown", |page| {
            !page["items"][0]["nextLookAt"].is_null()
                && page["items"][0]["nextLookAt"].as_str() > page["items"][0]["sentAt"].as_str()
        })
        .await;
        for _ in 0..2 {
            later(&app, TimeDelta::minutes(11)).await;
        }
        until(&app, n, "enrolled").await;
        assert_eq!(counts(&app, n).await, one_of_each(), "{operation}");
    }
}

#[tokio::test]
async fn a_step_whose_session_was_refused_before_its_answer_was_lost_is_sent_once_more() {
    let app = quick().await;
    apart(&app, 1).await;
    for kind in [json!({"status": {"status": 401}}), json!({"reset": {}})] {
        app.fault(json!({"operation": "createPlacement", "times": 1, "kind": kind})).await;
    }
    post(&app, 1).await;
    app.no_faults().await;
    let lost = app.get("/intents?state=unknown").await.expect(200)["items"][0].clone();
    assert_eq!(
        (&lost["step"], &lost["sends"]),
        (&json!(format!("placement@{CENTRE}")), &json!(1)),
        "{lost:#}"
    );
    for wait in [TimeDelta::seconds(5), TimeDelta::minutes(11), TimeDelta::minutes(11)] {
        later(&app, wait).await;
    }
    until(&app, 1, "enrolled").await;
    assert_eq!(counts(&app, 1).await, one_of_each());
}

#[tokio::test]
async fn a_step_that_was_not_made_is_not_sent_once_more_while_another_record_looks_like_it() {
    let app = quick().await;
    apart(&app, 1).await;
    app.fault(json!({"operation": "createPlacement", "times": 1, "kind": {"reset": {}}})).await;
    post(&app, 1).await;
    // A person creates it by hand, without the MIS value.
    let by_hand = json!([{"ID": 4711, "Name": "unheard of place number 1"}]);
    app.fault(json!({"operation": "searchPlacements", "kind": {"replaceBody": {"body": by_hand}}})).await;
    later(&app, TimeDelta::seconds(5)).await;
    app.eventually("/intents?state=unknown", |page| {
        page["items"][0]["nextLookAt"].as_str() > page["items"][0]["sentAt"].as_str()
    })
    .await;
    later(&app, TimeDelta::minutes(11)).await;
    let page = app
        .eventually("/intents?state=unknown", |page| {
            page["items"].as_array().is_some_and(|all| !all.is_empty())
                && page["items"][0]["nextLookAt"].is_null()
        })
        .await;
    let left = &page["items"][0];
    assert_eq!(left["sends"], 1, "{left:#}");
    assert!(left["problem"].as_str().unwrap().contains("4711"), "{left:#}");
    assert_eq!(counts(&app, 1).await["placements"], 0);
}

#[tokio::test]
async fn a_visit_whose_answer_was_lost_stays_unknown_until_a_person_settles_it() {
    let app = quick().await;
    apart(&app, 1).await;
    app.fault(json!({"operation": "createVisit", "times": 1, "kind": {"commitThenReset": {}}})).await;
    let told = post(&app, 1).await;
    assert_eq!(told["state"], "incomplete", "{told:#}");
    later(&app, TimeDelta::minutes(1)).await;
    let intents =
        app.eventually("/intents?state=unknown", |page| page["items"][0]["nextLookAt"].is_null()).await;
    let intent = &intents["items"][0];
    assert_eq!((&intent["step"], &intent["upstream"]), (&json!("visit:R"), &json!("onefile")));
    let told = app
        .eventually(&tab(1), |tab| {
            tab["state"] == "incomplete" && tab["problem"]["message"].to_string().contains(":resolve")
        })
        .await;
    assert!(told["problem"]["message"].to_string().contains(intent["id"].as_str().unwrap()));
    // Another call sends nothing again.
    assert_eq!(post(&app, 1).await["state"], "incomplete");
    later(&app, TimeDelta::hours(3)).await;
    assert_eq!(counts(&app, 1).await["visits"], 1);
    let visit = made(&app, "visit").await[0]["id"].clone();
    let resolve = format!("/intents/{}:resolve", intent["id"].as_str().unwrap());
    let reader = app.with_scopes(&[picsbridge::auth::scope::Scope::Ace360Write]).await;
    reader.post(&resolve, &json!({"outcome": "notDone"})).await.refused(403, "scopeMissing");
    app.post(&resolve, &json!({"outcome": "done", "remoteId": visit})).await.expect(200);
    later(&app, TimeDelta::seconds(1)).await;
    until(&app, 1, "enrolled").await;
    assert_eq!(counts(&app, 1).await, one_of_each());
    assert_eq!(made(&app, "review").await[0]["fields"]["VisitID"], visit);
}

#[tokio::test]
async fn a_step_that_onefile_refuses_stops_it_with_onefiles_words_and_goes_on_when_it_was_mended() {
    let app = quick().await;
    for (n, (operation, skip, state)) in (1..).zip([
        ("createUser", 0, "rejected"),
        ("createPlacement", 0, "rejected"),
        ("createUser", 1, "rejected"),
        ("assignStandard", 0, "incomplete"),
        ("updateLearningAim", 0, "incomplete"),
        ("createVisit", 0, "incomplete"),
        ("createReview", 0, "incomplete"),
    ]) {
        apart(&app, n).await;
        let no = json!({"status": {"status": 400, "body": {"message": "Not on a Sunday."}}});
        app.fault(json!({"operation": operation, "skip": skip, "times": 1, "kind": no})).await;
        let answer = app.post(&tab(n), &json!({"centreId": CENTRE})).await;
        if state == "rejected" {
            let problem = answer.refused(422, "upstreamRejected");
            assert_eq!(problem["upstream"]["message"], "Not on a Sunday.", "{problem:#}");
        } else {
            answer.expect(202);
        }
        let told = app.get(&tab(n)).await.expect(200);
        assert_eq!(told["state"], state, "{operation}: {told:#}");
        assert_eq!(told["problem"]["upstream"]["message"], "Not on a Sunday.");
        enrol(&app, n).await;
        assert_eq!(counts(&app, n).await, one_of_each(), "{operation}");
    }
}

#[tokio::test]
async fn two_learners_who_share_a_new_officer_at_the_same_moment_have_one_assessor() {
    let app = quick().await;
    apart(&app, 1).await;
    for n in 2..5 {
        apart(&app, n).await;
        let shared = json!({"mainOfficerId": "OFF1X", "mainTag": "Tag 1", "officers": null, "employerId": "ORG1X",
            "placements": [{"organisationId": "ORG1X", "type": "P"}], "qualifications": [], "reviews": []});
        learner(&app, n, shared).await;
    }
    let enrolments = (1..5).map(|n| {
        let path = tab(n);
        let call = app.call(Method::POST, &path).json(&json!({"centreId": CENTRE}));
        async move { call.send().await.expect(201) }
    });
    futures_util::future::join_all(enrolments).await;
    let all = counts(&app, 1).await;
    assert_eq!(
        (&all["assessors"], &all["placements"], &all["classrooms"]),
        (&json!(1), &json!(1), &json!(1))
    );
    let learners = made(&app, "user").await.iter().filter(|user| user["fields"]["Role"] == 1).count();
    assert_eq!(learners, 4);
}

#[tokio::test]
async fn what_is_open_in_another_environment_is_waited_for_and_not_asked_about_without_end() {
    let app = quick().await;
    apart(&app, 1).await;
    app.fault(json!({"operation": "createPlacement", "times": 1, "kind": {"reset": {}}})).await;
    post(&app, 1).await;
    app.no_faults().await;
    let mut sql = app.sql().await;
    sqlx::query("update intents set environment = 'practice' where state = 'unknown'")
        .execute(&mut sql)
        .await
        .unwrap();
    apart(&app, 2).await;
    let shared = json!({"mainOfficerId": "OFF2X", "mainTag": "Tag 2", "officers": null, "employerId": "ORG1X",
        "placements": [{"organisationId": "ORG1X", "type": "P"}], "qualifications": [], "reviews": []});
    learner(&app, 2, shared).await;
    let told = post(&app, 2).await;
    let step = told["steps"].as_array().unwrap().iter().find(|own| own["state"] == "unknown").unwrap();
    assert_eq!(step["name"], "placement:ORG1X", "{told:#}");
}

#[tokio::test]
async fn a_classroom_that_another_enrolment_made_while_ours_searched_for_it_is_not_made_again() {
    let app = enrolling_in(
        crate::support::onefile::working().timings("call=5s,lease=9s,job=12s,retry=1s,absence=10m"),
        json!({"classroomFromMainTag": true, "createMissingClassrooms": true}),
    )
    .await;
    for n in 1..3 {
        apart(&app, n).await;
        let shared = json!({"mainOfficerId": "OFF1X", "mainTag": "Tag 1", "officers": null, "employerId": "ORG1X",
            "placements": [{"organisationId": "ORG1X", "type": "P"}], "qualifications": [], "reviews": []});
        learner(&app, n, shared).await;
    }
    // The first search finds nothing. Its creation is in progress while the second enrolment
    // creates the classroom.
    let late = json!({"commitThenSilence": {"ms": 3000}});
    app.fault(json!({"operation": "searchClassrooms", "times": 1, "kind": late})).await;
    let before = calls(&app, "searchClassrooms").await;
    let path = tab(1);
    let first = app.call(Method::POST, &path).json(&json!({"centreId": CENTRE})).send();
    let second = async {
        app.eventually_in_sandbox(|state| state["onefile"]["calls"]["searchClassrooms"] == before + 1).await;
        app.post(&tab(2), &json!({"centreId": CENTRE})).await.expect(201);
    };
    let (first, ()) = tokio::join!(first, second);
    first.expect(201);
    assert_eq!(counts(&app, 1).await["classrooms"], 1);
}

#[tokio::test]
async fn one_learner_enrolled_twice_at_the_same_moment_is_made_once() {
    let app = quick().await;
    apart(&app, 1).await;
    let path = tab(1);
    let calls = (0..4).map(|_| app.call(Method::POST, &path).json(&json!({"centreId": CENTRE})).send());
    for answer in futures_util::future::join_all(calls).await {
        assert!([201, 202, 409].contains(&answer.status), "{answer:?}");
    }
    until(&app, 1, "enrolled").await;
    assert_eq!(counts(&app, 1).await, one_of_each());
}

#[tokio::test]
async fn a_mis_value_that_two_assessors_share_is_told_before_onefile_refuses_it() {
    let app = quick().await;
    let two = records(&app, "user")
        .await
        .into_iter()
        .filter(|user| user["fields"]["MISID"] == "O-05" && user["centreId"] == 1001)
        .collect::<Vec<_>>();
    assert!(two.len() > 1, "the sandbox has such a pair");
    apart(&app, 1).await;
    let link = json!({"kind": "officer", "localId": "OFF1X", "remoteId": two[1]["id"].to_string()});
    app.post("/onefile/links", &link).await.good();
    let problem = app.post(&tab(1), &json!({"centreId": CENTRE})).await.refused(422, "fieldsMissing");
    assert!(
        problem["errors"][0]["message"].as_str().unwrap().contains("share the MIS value O-05"),
        "{problem:#}"
    );
    assert!(made(&app, "user").await.is_empty());
    // If the duplicate appeared after our search, OneFile refuses the creation, and its message is
    // shown.
    let no = json!({"status": {"status": 400, "body": {"message": "The default assessor's MIS value is shared."}}});
    app.delete(&format!("/onefile/links/{}", link_id(&app).await)).await.expect(204);
    app.fault(json!({"operation": "createUser", "skip": 1, "times": 1, "kind": no})).await;
    let problem = app.post(&tab(1), &json!({"centreId": CENTRE})).await.refused(422, "upstreamRejected");
    assert_eq!(problem["upstream"]["message"], "The default assessor's MIS value is shared.");
}

async fn link_id(app: &TestApp) -> String {
    let links = app.get("/onefile/links?kind=officer").await.expect(200);
    links["items"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_that_ends_within_is_renewed_and_nothing_is_made_twice() {
    let app = quick().await;
    for (n, (operation, skip, _)) in (1..).zip(CREATIONS) {
        apart(&app, n).await;
        end_sessions(&app).await;
        app.fault(
            json!({"operation": operation, "skip": skip, "times": 1, "kind": {"status": {"status": 401}}}),
        )
        .await;
        enrol(&app, n).await;
        assert_eq!(counts(&app, n).await, one_of_each(), "{operation}");
    }
}

#[tokio::test]
async fn too_many_calls_put_an_enrolment_off_and_it_goes_on() {
    let app = quick().await;
    for (n, after) in
        (1..).zip([json!(31_536_000), json!(-5), json!("Sun, 22 Nov 2020 09:00:00 GMT"), Value::Null])
    {
        apart(&app, n).await;
        let mut status = json!({"status": 429});
        if !after.is_null() {
            status["retryAfter"] = after;
        }
        app.fault(json!({"operation": "createPlacement", "times": 1, "kind": {"status": status}})).await;
        let call =
            app.call(Method::POST, &tab(n)).header("prefer", "wait=1").json(&json!({"centreId": CENTRE}));
        assert_eq!(call.send().await.expect(202)["state"], "enrolling");
        app.no_faults().await;
        app.clock_advance(TimeDelta::minutes(16)).await;
        app.tick().await;
        until(&app, n, "enrolled").await;
        assert_eq!(counts(&app, n).await, one_of_each());
    }
}

#[tokio::test]
async fn no_match_without_a_body_is_no_match() {
    let app = quick().await;
    behave(&app, json!({"pageCap": 10})).await;
    apart(&app, 1).await;
    enrol(&app, 1).await;
    assert_eq!(counts(&app, 1).await, one_of_each());
}
