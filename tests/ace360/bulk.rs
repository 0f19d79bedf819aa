//! Bulk uploads: each learner gets its outcome, and no learner is sent twice.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use picsbridge::auth::scope::Scope;
use serde_json::{Value, json};

use crate::support::ace360::{
    counts, later, outcomes, put_many, ran_with, ready, ready_with, tab, typed, uploaded,
};
use crate::support::people::{self, but};
use crate::support::{TestApp, faults};

const UPLOAD: &str = "/ace360/learners:upload";

fn told(id: &str, outcome: &str, code: Option<&str>) -> (String, String, Option<String>) {
    (id.to_owned(), outcome.to_owned(), code.map(str::to_owned))
}

fn done(ids: &[&str]) -> Vec<(String, String, Option<String>)> {
    ids.iter().map(|id| told(id, "succeeded", Some("uploaded"))).collect()
}

async fn creates(app: &TestApp) -> i64 {
    app.sandbox_state().await["calls"]["createApprentice"].as_i64().unwrap()
}

async fn state(app: &TestApp, id: &str) -> Value {
    app.get(&tab(id)).await.expect(200)["state"].clone()
}

/// One learner of each kind: ready, incomplete, on another programme, uploaded, created by hand in
/// ACE360.
async fn one_of_each(app: &TestApp) -> Value {
    put_many(app, 5).await;
    app.put("/learners/L2", &but(people::learner(2), json!({"uln": null}))).await.good();
    app.put("/learners/L3", &but(people::learner(3), json!({"programme": null}))).await.good();
    app.post(&tab("L4"), &json!({})).await.expect(201);
    app.sandbox_create(typed(5)).await;
    json!(["L5", "L4", "nobody", "L3", "L2", "L1"])
}

/// `ready`: the outcome of the learner that is ready.
fn of_each(ready: &str) -> Vec<(String, String, Option<String>)> {
    vec![
        told("L1", "succeeded", Some(ready)),
        told("L2", "failed", Some("fieldsMissing")),
        told("L3", "skipped", Some("notEligible")),
        told("L4", "skipped", Some("alreadyUploaded")),
        told("L5", "failed", Some("likelyDuplicate")),
        told("nobody", "failed", Some("notFound")),
    ]
}

#[tokio::test]
async fn each_learner_that_is_named_has_an_outcome_and_they_add_up_to_the_total() {
    let app = ready().await;
    let ids = one_of_each(&app).await;
    let run = ran_with(&app, UPLOAD, &json!({ "learnerIds": ids })).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("partial"), [6, 6, 1, 0, 3, 2]), "{run:#}");
    assert_eq!(outcomes(&app, &run).await, of_each("uploaded"));
    let failed = app.get(&format!("/runs/{}/records?outcome=failed", run["id"].as_str().unwrap())).await;
    let failed = failed.expect(200);
    assert!(failed["items"][0]["problem"]["errors"].to_string().contains("Learner > ULN"), "{failed:#}");
    assert_eq!((creates(&app).await, state(&app, "L1").await), (2, json!("uploaded")));
}

#[tokio::test]
async fn validating_tells_what_would_come_of_each_and_sends_nothing() {
    let app = ready().await;
    let ids = one_of_each(&app).await;
    let body = json!({ "learnerIds": ids, "validateOnly": true });
    let run = ran_with(&app, UPLOAD, &body).await;
    assert_eq!((&run["state"], &run["validateOnly"]), (&json!("partial"), &json!(true)));
    assert_eq!((outcomes(&app, &run).await, counts(&run)), (of_each("wouldUpload"), [6, 6, 1, 0, 3, 2]));
    let again = app.post(&format!("/runs/{}:retry", run["id"].as_str().unwrap()), &Value::Null).await.good();
    let again = app.wait_run(again["id"].as_str().unwrap()).await;
    assert_eq!((&again["validateOnly"], counts(&again)), (&json!(true), [3, 3, 0, 0, 3, 0]), "{again:#}");
    assert_eq!((creates(&app).await, state(&app, "L1").await), (1, json!("notUploaded")));
    assert_eq!(app.get("/intents").await.expect(200)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_filter_takes_those_that_are_not_uploaded_or_were_rejected_and_the_next_run_takes_nobody() {
    let app = ready().await;
    put_many(&app, 6).await;
    app.post(&tab("L1"), &json!({})).await.expect(201);
    app.fault(json!({"operation": "createApprentice", "times": 1, "kind": {"status": {"status": 422}}}))
        .await;
    app.post(&tab("L2"), &json!({})).await.refused(422, "upstreamRejected");
    let only = json!({"filter": {"ace360": "rejected"}, "validateOnly": true});
    assert_eq!(
        outcomes(&app, &ran_with(&app, UPLOAD, &only).await).await,
        [told("L2", "succeeded", Some("wouldUpload"))]
    );
    let run = ran_with(&app, UPLOAD, &json!({"filter": {}})).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [5, 5, 5, 0, 0, 0]), "{run:#}");
    assert_eq!(outcomes(&app, &run).await, done(&["L2", "L3", "L4", "L5", "L6"]));
    let run = ran_with(&app, UPLOAD, &json!({"filter": {}})).await;
    assert_eq!(
        (&run["state"], counts(&run), creates(&app).await),
        (&json!("succeeded"), [0; 6], 7),
        "{run:#}"
    );
}

#[tokio::test]
async fn a_filter_by_time_takes_those_that_were_written_after_it() {
    let app = ready().await;
    put_many(&app, 2).await;
    let before = app.get("/learners").await.expect(200)["items"][1]["updatedAt"].clone();
    app.clock_advance(TimeDelta::hours(1)).await;
    app.put("/learners/L3", &people::learner(3)).await.good();
    let run = ran_with(&app, UPLOAD, &json!({"filter": {"updatedAfter": before}})).await;
    assert_eq!((outcomes(&app, &run).await, creates(&app).await), (done(&["L3"]), 1));
}

#[tokio::test]
async fn a_request_that_does_not_say_clearly_whom_is_refused_and_makes_no_run() {
    let app = ready().await;
    for (body, place, code) in [
        (json!({}), "", "required"),
        (json!({"validateOnly": true}), "", "required"),
        (json!({"learnerIds": []}), "/learnerIds", "required"),
        (json!({"learnerIds": ["L1"], "filter": {}}), "/filter", "conflict"),
        (json!({"learnerIds": ["L1", "L2", "L1"]}), "/learnerIds/2", "duplicateId"),
        (json!({"filter": {"ace360": "lost"}}), "/filter/ace360", "invalidValue"),
        (json!({"filter": {}, "limit": 5}), "/limit", "unknownField"),
    ] {
        let problem = app.post(UPLOAD, &body).await.refused(422, "invalidRequest");
        assert_eq!(faults(&problem), BTreeSet::from([(place.to_owned(), code.to_owned())]), "{body}");
    }
    assert_eq!(app.get("/runs").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_retry_takes_only_the_failed_and_needs_the_scope_that_an_upload_needs() {
    let app = ready().await;
    put_many(&app, 3).await;
    app.put("/learners/L2", &but(people::learner(2), json!({"uln": null}))).await.good();
    let first = ran_with(&app, UPLOAD, &json!({"learnerIds": ["L1", "L2", "L3"]})).await;
    assert_eq!((&first["state"], counts(&first)), (&json!("partial"), [3, 3, 2, 0, 1, 0]));
    let retry = format!("/runs/{}:retry", first["id"].as_str().unwrap());
    let other = app.with_scopes(&[Scope::Ace360Sync]).await;
    let refused = other.post(&retry, &Value::Null).await.refused(403, "scopeMissing");
    assert!(refused["detail"].as_str().unwrap().contains("ace360:write"), "{refused:#}");
    app.put("/learners/L2", &people::learner(2)).await.good();
    let again = app.post(&retry, &Value::Null).await.good();
    let again = app.wait_run(again["id"].as_str().unwrap()).await;
    assert_eq!((&again["retryOf"], &again["trigger"]), (&first["id"], &json!("retry")));
    assert_eq!((outcomes(&app, &again).await, creates(&app).await), (done(&["L2"]), 3));
    let retry = format!("/runs/{}:retry", again["id"].as_str().unwrap());
    app.post(&retry, &Value::Null).await.refused(409, "nothingToRetry");
}

#[tokio::test]
async fn a_run_that_is_cancelled_tells_of_each_that_it_sent_and_sends_no_more() {
    let app = ready().await;
    put_many(&app, 12).await;
    // The second four are being sent when the run is asked to stop.
    app.fault(json!({"operation": "createApprentice", "skip": 4, "kind": {"delay": {"ms": 1500}}})).await;
    let run = app.post(UPLOAD, &json!({"filter": {}})).await.expect(202);
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    app.eventually(&path, |run| run["done"].as_i64().unwrap() >= 4).await;
    app.post(&format!("{path}:cancel"), &Value::Null).await.expect(200);
    let run = app.wait_run(run["id"].as_str().unwrap()).await;
    let made = creates(&app).await;
    assert_eq!((&run["state"], &run["total"]), (&json!("cancelled"), &json!(12)), "{run:#}");
    assert_eq!(counts(&run)[1..], [made, made, 0, 0, 0], "{run:#}");
    assert!(made < 12, "{made} were sent");
    assert_eq!(outcomes(&app, &run).await.len(), usize::try_from(made).unwrap());
    app.no_faults().await;
    let rest = ran_with(&app, UPLOAD, &json!({"filter": {}})).await;
    assert_eq!(counts(&rest), [12 - made, 12 - made, 12 - made, 0, 0, 0], "{rest:#}");
    assert_eq!(app.sandbox_state().await["creditsUsed"], 12);
}

#[tokio::test]
async fn one_that_is_cancelled_while_it_waits_for_an_outcome_tells_of_it() {
    let app = ready_with(TestApp::builder().timings("call=1s,lease=4s")).await;
    put_many(&app, 2).await;
    app.fault(json!({"operation": "createApprentice", "times": 1, "kind": {"reset": {}}})).await;
    let run = app.post(UPLOAD, &json!({"learnerIds": ["L1", "L2"]})).await.expect(202);
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    app.eventually(&path, |run| run["state"] == "waiting").await;
    let run = app.post(&format!("{path}:cancel"), &Value::Null).await.expect(200);
    let run = app.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("cancelled"), [2, 2, 1, 0, 1, 0]), "{run:#}");
    let mut codes: Vec<_> =
        outcomes(&app, &run).await.into_iter().map(|(_, _, code)| code.unwrap()).collect();
    codes.sort();
    assert_eq!(codes, ["unknownOutcome", "uploaded"]);
}

#[tokio::test]
async fn likely_duplicates_are_made_only_when_that_is_said() {
    let app = ready().await;
    put_many(&app, 1).await;
    app.sandbox_create(typed(1)).await;
    let run = ran_with(&app, UPLOAD, &json!({"filter": {}})).await;
    assert_eq!(outcomes(&app, &run).await, [told("L1", "failed", Some("likelyDuplicate"))]);
    let run = ran_with(&app, UPLOAD, &json!({"filter": {}, "allowDuplicate": true})).await;
    assert_eq!((outcomes(&app, &run).await, creates(&app).await), (done(&["L1"]), 1));
    let run = ran_with(&app, UPLOAD, &json!({"learnerIds": ["L1"], "allowDuplicate": true})).await;
    assert_eq!(outcomes(&app, &run).await, [told("L1", "skipped", Some("alreadyUploaded"))]);
}

#[tokio::test]
async fn one_whose_answer_was_lost_delays_nobody_and_is_told_of_at_the_end() {
    let app = ready_with(TestApp::builder().timings("call=5s,lease=8s")).await;
    put_many(&app, 6).await;
    app.fault(json!({"operation": "createApprentice", "times": 1, "kind": {"commitThenReset": {}}})).await;
    let run = app.post(UPLOAD, &json!({"filter": {}})).await.expect(202);
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    app.eventually(&path, |run| run["done"].as_i64() >= Some(5)).await;
    later(&app, TimeDelta::seconds(15)).await;
    app.eventually("/intents?state=unknown", |page| page["items"] == json!([])).await;
    later(&app, TimeDelta::seconds(15)).await;
    let run = app.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [6, 6, 6, 0, 0, 0]), "{run:#}");
    assert_eq!(app.sandbox_state().await["creditsUsed"], 6);
}

#[tokio::test]
async fn one_that_was_erased_while_its_outcome_was_open_is_counted_and_not_named() {
    let app = ready_with(TestApp::builder().timings("call=1s,lease=4s").no_worker()).await;
    put_many(&app, 1).await;
    app.fault(json!({"operation": "createApprentice", "times": 1, "kind": {"reset": {}}})).await;
    let worker = app.second_with(true).await;
    let run = app.post(UPLOAD, &json!({"learnerIds": ["L1"]})).await.expect(202);
    app.eventually(&format!("/runs/{}", run["id"].as_str().unwrap()), |run| run["state"] == "waiting").await;
    worker.stop().await;
    let intent = app.get("/intents").await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
    app.post(&format!("/intents/{intent}:resolve"), &json!({"outcome": "notDone"})).await.expect(200);
    app.delete("/learners/L1").await.expect(204);
    let _worker = app.second_with(true).await;
    later(&app, TimeDelta::seconds(15)).await;
    let run = app.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("partial"), [1, 1, 0, 0, 1, 0]), "{run:#}");
    assert_eq!(outcomes(&app, &run).await, []);
}

#[tokio::test]
async fn too_many_requests_make_it_wait_and_fail_no_learner() {
    let app = ready().await;
    put_many(&app, 6).await;
    app.fault(json!({"operation": "createApprentice", "times": 1, "skip": 1,
        "kind": {"status": {"status": 429, "retryAfter": 300}}}))
        .await;
    let run = app.post(UPLOAD, &json!({"filter": {}})).await.expect(202);
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    let waiting = app.eventually(&path, |run| run["state"] == "waiting").await;
    assert_eq!(waiting["failed"], 0, "{waiting:#}");
    later(&app, TimeDelta::seconds(310)).await;
    let run = app.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [6, 6, 6, 0, 0, 0]), "{run:#}");
    assert_eq!(app.sandbox_state().await["creditsUsed"], 6);
}

#[tokio::test]
async fn a_token_that_ace360_does_not_accept_ends_it_before_all_have_failed_of_it() {
    let app = ready().await;
    put_many(&app, 9).await;
    uploaded(&app, "L1", 1).await;
    app.fault(json!({"operation": "createApprentice", "kind": {"status": {"status": 401}}})).await;
    let run = ran_with(&app, UPLOAD, &json!({"filter": {}})).await;
    assert_eq!((&run["state"], &run["total"]), (&json!("failed"), &json!(8)), "{run:#}");
    let tried = creates(&app).await - 1;
    assert!((1..=4).contains(&tried), "{tried} were tried");
    assert_eq!(counts(&run)[1..], [tried, 0, 0, tried, 0], "{run:#}");
}
