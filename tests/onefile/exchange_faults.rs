//! The exchange while OneFile fails: an affected learner shows the reason, the others continue, and
//! nothing is duplicated.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::onefile::enrolment::made;
use crate::support::onefile::exchange::{SYNC, counts, exchange, later, many, told};
use crate::support::onefile::exchange::{exchanging, linked, record, wrong};
use crate::support::onefile::{all_calls, calls, end_sessions};

#[tokio::test]
async fn a_session_that_ends_within_is_renewed_and_nobody_fails() {
    let app = exchanging(json!({})).await;
    many(&app, 12, 2, 1).await;
    end_sessions(&app).await;
    // One call of each kind. Two refusals of the same call with a new session would mean an invalid
    // token.
    let ended = |operation: &str, skip: u32| json!({"operation": operation, "skip": skip, "times": 1, "kind": {"status": {"status": 401}}});
    wrong(
        &app,
        json!([ended("getLearningAim", 5), ended("searchLearningAims", 2), ended("searchReviews", 3)]),
    )
    .await;
    let run = exchange(&app, &Value::Null).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [12, 12, 0, 0, 0]), "{run:#}");
}

#[tokio::test]
async fn answers_of_any_other_kind_fail_their_learner_alone_or_nobody() {
    for kind in [
        json!({"html": {}}),
        json!({"replaceBody": {"body": ""}}),
        json!({"replaceBody": {"body": []}}),
        json!({"replaceBody": {"body": {"ID": "another"}}}),
        json!({"wrongTypes": {}}),
        json!({"truncated": {}}),
        json!({"status": {"status": 204}}),
        json!({"status": {"status": 500}}),
        json!({"huge": {"bytes": 40_000_000}}),
    ] {
        let app = exchanging(json!({})).await;
        many(&app, 4, 1, 0).await;
        wrong(&app, json!([{"operation": "getLearningAim", "times": 3, "kind": kind}])).await;
        let run = exchange(&app, &Value::Null).await;
        let [total, succeeded, unchanged, failed, _] = counts(&run);
        assert_eq!((total, succeeded + unchanged + failed), (4, 4), "{kind}: {run:#}");
        assert!(failed <= 3, "{kind}: {run:#}");
        app.no_faults().await;
        let run = exchange(&app, &Value::Null).await;
        assert_eq!(counts(&run)[3], 0, "{kind}: {run:#}");
        for n in 0..4 {
            assert_eq!(
                record(&app, &format!("M-{n:03}")).await["qualifications"][0]["totalElements"],
                20,
                "{kind}"
            );
        }
    }
}

#[tokio::test]
async fn no_match_is_204_and_a_learner_who_has_nothing_there_is_no_fault() {
    let app = exchanging(json!({})).await;
    many(&app, 3, 0, 0).await;
    let run = exchange(&app, &Value::Null).await;
    assert_eq!((&run["state"], counts(&run)[3]), (&json!("succeeded"), 0), "{run:#}");
    let words = told(&app, &run).await;
    assert!(words["M-000"].1.contains("OneFile has no learning aim"), "{words:?}");
}

#[tokio::test]
async fn a_429_with_an_absurd_retry_after_fails_nobody() {
    let app = exchanging(json!({"downloadReviews": false})).await;
    many(&app, 4, 1, 0).await;
    for retry_after in
        [json!(31_536_000), json!(-5), json!("Wed, 21 Oct 2015 07:28:00 GMT"), json!("soon"), json!(null)]
    {
        let rule = json!({"status": {"status": 429, "retryAfter": retry_after}});
        wrong(&app, json!([{"operation": "searchLearningAims", "times": 1, "kind": rule}])).await;
        let run = app.post(SYNC, &json!({"full": true})).await.good();
        let path = format!("/runs/{}", run["id"].as_str().unwrap());
        // The run waits a quarter of an hour at most, not a year.
        app.eventually(&path, |run| run["state"] == "waiting" || !run["finishedAt"].is_null()).await;
        app.clock_advance(TimeDelta::minutes(16)).await;
        app.tick().await;
        let run = app.wait_run(run["id"].as_str().unwrap()).await;
        assert_eq!((&run["state"], counts(&run)[3]), (&json!("succeeded"), 0), "{retry_after}: {run:#}");
    }
}

#[tokio::test]
async fn an_outage_of_six_hours_is_waited_for_and_caught_up_without_a_storm() {
    let app = exchanging(json!({"downloadReviews": false})).await;
    many(&app, 20, 1, 0).await;
    exchange(&app, &Value::Null).await;
    later(&app, TimeDelta::days(8)).await;
    // Everything is due, and OneFile accepts no connection after the lists.
    wrong(&app, json!([{"operation": "searchLearningAims", "skip": 3, "kind": {"status": {"status": 429, "retryAfter": 900}}}])).await;
    let run = app.post(SYNC, &Value::Null).await.good();
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    app.eventually(&path, |run| run["state"] == "waiting").await;
    let mut during = all_calls(&app).await;
    for _ in 0..6 {
        later(&app, TimeDelta::hours(1)).await;
        app.tick().await;
        let due = |run: &Value| run["state"] == "waiting";
        app.eventually(&path, due).await;
    }
    during = all_calls(&app).await - during;
    assert!(during <= 30, "{during} calls in six hours of an outage");
    app.no_faults().await;
    let before = all_calls(&app).await;
    later(&app, TimeDelta::hours(1)).await;
    app.tick().await;
    let run = app.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!((&run["state"], counts(&run)[3]), (&json!("succeeded"), 0), "{run:#}");
    assert!(all_calls(&app).await - before <= 60, "each learner is read once");
    let page = app.get("/runs?pageSize=100").await.expect(200);
    let runs = page["items"].as_array().unwrap().iter();
    assert_eq!(runs.filter(|run| run["kind"] == "onefile.exchange").count(), 2, "it was not doubled");
}

#[tokio::test]
async fn a_visit_whose_answer_was_lost_is_told_and_not_sent_again() {
    let app = exchanging(json!({"uploadReviews": true})).await;
    let mine = json!({"reviews": [{"reviewId": "R1", "type": "Normal", "scheduledDate": "2026-12-10"},
        {"reviewId": "R2", "type": "Normal", "scheduledDate": "2026-12-17"}]});
    linked(&app, "L1", "OLD-001", mine).await;
    wrong(&app, json!([{"operation": "createVisit", "times": 1, "kind": {"commitThenReset": {}}}])).await;
    let run = exchange(&app, &Value::Null).await;
    let words = told(&app, &run).await;
    assert_eq!(words["L1"].0, "unknownOutcome", "{words:?}");
    assert_eq!((made(&app, "visit").await.len(), made(&app, "review").await.len()), (2, 1));
    let before = calls(&app, "createVisit").await;
    later(&app, TimeDelta::days(1)).await;
    exchange(&app, &Value::Null).await;
    assert_eq!(calls(&app, "createVisit").await, before);
    // The rest of the learner was exchanged anyway.
    assert_eq!(record(&app, "L1").await["qualifications"][0]["totalElements"], 20);
    // A person says that the visit exists, and the review follows.
    let intents = app.get("/intents?state=unknown").await.expect(200);
    let visits = made(&app, "visit").await;
    let used = made(&app, "review").await[0]["fields"]["VisitID"].clone();
    let lost = visits.iter().find(|visit| visit["id"] != used).unwrap()["id"].clone();
    let id = intents["items"][0]["id"].as_str().unwrap().to_owned();
    app.post(&format!("/intents/{id}:resolve"), &json!({"outcome": "done", "remoteId": lost})).await.good();
    later(&app, TimeDelta::days(1)).await;
    let run = exchange(&app, &Value::Null).await;
    assert_eq!(counts(&run)[3], 0, "{run:#}");
    assert_eq!(made(&app, "review").await.len(), 2);
}
