//! A run or an upload reports what it waits for, and stops reporting it afterwards.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::ace360::{later, ready_with, tab, uploaded};
use crate::support::people::{self, but};

const UPLOAD: &str = "/ace360/learners:upload";

fn time(value: &Value) -> chrono::DateTime<chrono::Utc> {
    value.as_str().unwrap_or_else(|| panic!("{value} is no time")).parse().unwrap()
}

#[tokio::test]
async fn a_second_run_of_a_kind_says_behind_which_it_waits() {
    let app = ready_with(TestApp::builder().no_worker()).await;
    app.put_ready("L1", 1).await;
    let first = app.post(UPLOAD, &json!({"filter": {}})).await.expect(202);
    assert_eq!((&first["state"], &first["queuedBehind"]), (&json!("queued"), &Value::Null), "{first:#}");
    let second = app.post(UPLOAD, &json!({"filter": {}})).await.expect(202);
    assert_eq!((&second["state"], &second["queuedBehind"]), (&json!("queued"), &first["id"]), "{second:#}");
    let words = second["problem"].as_str().unwrap();
    assert!(words.contains(first["id"].as_str().unwrap()) && words.contains(":cancel"), "{words}");
    // A run that only checks does not wait.
    let look = app.post(UPLOAD, &json!({"filter": {}, "validateOnly": true})).await.expect(202);
    assert_eq!(look["queuedBehind"], Value::Null);

    let worker = app.second_with(true).await;
    worker.tick().await;
    let (first, second) = (first["id"].as_str().unwrap(), second["id"].as_str().unwrap());
    let (first, second) = (worker.wait_run(first).await, worker.wait_run(second).await);
    assert_eq!(first["succeeded"].as_i64().unwrap() + second["succeeded"].as_i64().unwrap(), 1);
    for ended in [first, second] {
        assert_eq!((&ended["queuedBehind"], &ended["problem"]), (&Value::Null, &Value::Null), "{ended:#}");
    }
    assert_eq!(app.sandbox_state().await["creditsUsed"], 1);
}

#[tokio::test]
async fn a_run_that_waits_says_when_it_may_have_ended() {
    let app = ready_with(TestApp::builder().timings("call=1s,lease=4s,absence=10m")).await;
    app.put_ready("L1", 1).await;
    app.fault(json!({"operation": "createApprentice", "times": 1, "kind": {"reset": {}}})).await;
    let run = app.post(UPLOAD, &json!({"learnerIds": ["L1"]})).await.expect(202);
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    let waiting = app.eventually(&path, |run| run["state"] == "waiting").await;
    assert!(waiting["problem"].as_str().unwrap().contains("1 upload that was sent"), "{waiting:#}");
    let intent = app.get("/intents?learnerId=L1").await.expect(200)["items"][0].clone();
    assert!(time(&waiting["estimatedEndAt"]) >= time(&intent["nextLookAt"]), "{waiting:#} {intent:#}");
}

#[tokio::test]
async fn one_learners_intents_are_listed_alone_and_one_that_is_done_has_no_problem_left() {
    let app = ready_with(TestApp::builder().timings("call=1s,lease=4s,absence=10m")).await;
    uploaded(&app, "L2", 2).await;
    app.put_ready("L1", 1).await;
    app.fault(json!({"operation": "createApprentice", "times": 1, "kind": {"commitThenReset": {}}})).await;
    app.post(&tab("L1"), &json!({})).await.expect(202);
    let open = app.get("/intents?learnerId=L1").await.expect(200);
    assert_eq!(open["items"].as_array().unwrap().len(), 1, "{open:#}");
    assert_eq!(
        (&open["items"][0]["subject"]["id"], &open["items"][0]["problemCode"]),
        (&json!("L1"), &json!("upstreamFailed"))
    );
    let shown = app.get(&tab("L1")).await.expect(200);
    // ACE360 sent no message, so the observation of this service must not appear as its words.
    assert_eq!(shown["problem"]["upstream"]["message"], Value::Null, "{shown:#}");
    assert!(!shown["problem"]["message"].as_str().unwrap().is_empty());
    later(&app, TimeDelta::seconds(2)).await;
    let done = app.eventually("/intents?learnerId=L1", |page| page["items"][0]["state"] == "done").await;
    assert_eq!(
        (&done["items"][0]["problem"], &done["items"][0]["problemCode"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(app.get("/intents?learnerId=L1&state=unknown").await.expect(200)["items"], json!([]));
    assert_eq!(app.get("/intents?learnerId=nobody").await.expect(200)["items"], json!([]));
    app.get("/intents?learnerId=a:b").await.refused(400, "invalidParameter");
}

#[tokio::test]
async fn what_a_person_found_is_told_as_that_and_not_as_the_upstreams_word() {
    let app = ready_with(TestApp::builder().timings("call=1s,lease=4s,absence=10m")).await;
    app.put_ready("L1", 1).await;
    app.fault(json!({"operation": "createApprentice", "times": 1, "kind": {"reset": {}}})).await;
    app.post(&tab("L1"), &json!({})).await.expect(202);
    let intent = app.get("/intents?learnerId=L1").await.expect(200)["items"][0]["id"].clone();
    let path = format!("/intents/{}:resolve", intent.as_str().unwrap());
    let settled = app.post(&path, &json!({"outcome": "notDone"})).await.expect(200);
    assert_eq!(
        (&settled["state"], &settled["sends"], &settled["problemCode"]),
        (&json!("notSent"), &json!(1), &json!("settledByHand"))
    );
    let shown = app.get(&tab("L1")).await.expect(200);
    assert_eq!(
        (&shown["problem"]["code"], &shown["problem"]["upstream"]),
        (&json!("settledByHand"), &Value::Null)
    );
    app.get("/problems/settledByHand").await.expect(200);
}

#[tokio::test]
async fn before_the_catalogue_was_fetched_the_preview_says_that_and_what_to_call() {
    let app = TestApp::start().await;
    app.put_ready("L1", 1).await;
    let empty = app.get(&format!("{}/preview", tab("L1"))).await.expect(200);
    let words = empty["missing"][0]["message"].as_str().unwrap();
    assert!(words.contains("is empty") && words.contains("POST /ace360/standards:refresh"), "{empty:#}");
    assert_eq!(empty["notReady"][0]["code"], "fieldsMissing");
    let problem = app.post(&tab("L1"), &json!({})).await.refused(422, "fieldsMissing");
    assert!(problem["detail"].as_str().unwrap().starts_with("2 fields are missing"), "{problem:#}");
    for fault in problem["errors"].as_array().unwrap() {
        assert!(fault["message"].as_str().unwrap().contains("is empty"), "standard and sector: {problem:#}");
    }
    app.put("/organisations/ORG7", &but(people::organisation(), json!({"provisions": null}))).await.good();
    let problem = app.post(&tab("L1"), &json!({})).await.refused(422, "fieldsMissing");
    assert!(problem["detail"].as_str().unwrap().starts_with("1 field is missing"), "{problem:#}");
    app.refresh_standards().await;
    assert_eq!(app.get(&format!("{}/preview", tab("L1"))).await.expect(200)["ready"], true);
}
