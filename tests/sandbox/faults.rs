//! The fault switch.

use std::time::{Duration, Instant};

use reqwest::{Error, Method, Response};
use serde_json::{Value, json};

use crate::support::sandbox::{Running, apprentice};

async fn list(sandbox: &Running) -> Result<Response, Error> {
    sandbox.request(Method::GET, "/apprentices", "sandbox").send().await
}

async fn create(sandbox: &Running) -> Result<Response, Error> {
    sandbox.request(Method::POST, "/apprentices", "sandbox").json(&apprentice()).send().await
}

/// A response with a fault that no contract covers: status, content type, body.
async fn raw(answer: Result<Response, Error>) -> (u16, String, String) {
    let answer = answer.unwrap();
    let kind = answer.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
    (answer.status().as_u16(), kind, answer.text().await.unwrap())
}

async fn records(sandbox: &Running) -> Value {
    sandbox.state().await["records"].clone()
}

#[tokio::test]
async fn a_status_is_answered_as_often_as_it_was_ordered_and_nothing_is_done() {
    let sandbox = Running::start().await;
    sandbox
        .fault(json!({ "upstream": "ace360", "operation": "createApprentice", "times": 1,
            "kind": { "status": { "status": 503, "body": { "message": "later" }, "retryAfter": 7 } } }))
        .await;
    let answer = sandbox.create(&apprentice()).await;
    assert_eq!((answer.status, answer.retry_after.as_deref()), (503, Some("7")));
    assert_eq!(answer.body, json!({ "message": "later" }));
    assert_eq!(records(&sandbox).await, 0);
    sandbox.created(&apprentice()).await;
    assert_eq!(sandbox.get("/apprentices").await.status, 200, "other operations are not touched");
    let rules = sandbox.control(Method::GET, "/faults", Value::Null).await.body;
    assert_eq!((&rules[0]["seen"], &rules[0]["fired"]), (&json!(2), &json!(1)));
    assert_eq!(sandbox.state().await["faultsFired"], 1);
}

#[tokio::test]
async fn a_status_can_come_with_plain_text_of_any_type() {
    let sandbox = Running::start().await;
    sandbox.fault(json!({ "kind": { "status": { "status": 500, "body": "oops" } } })).await;
    assert_eq!(raw(list(&sandbox).await).await, (500, "text/plain; charset=UTF-8".into(), "oops".into()));
    sandbox
        .fault(json!({ "kind": { "status": { "status": 422, "body": "<p>", "contentType": "text/html" } } }))
        .await;
    assert_eq!(raw(list(&sandbox).await).await, (422, "text/html".into(), "<p>".into()));
}

#[tokio::test]
async fn the_first_calls_are_let_through_when_a_rule_says_so() {
    let sandbox = Running::start().await;
    sandbox.fault(json!({ "skip": 2, "times": 1, "kind": { "status": { "status": 500 } } })).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(list(&sandbox).await.unwrap().status().as_u16());
    }
    assert_eq!(seen, [200, 200, 500, 200]);
}

#[tokio::test]
async fn a_reset_closes_the_connection_before_anything_is_done() {
    let sandbox = Running::start().await;
    sandbox.fault(json!({ "times": 1, "kind": { "reset": {} } })).await;
    let error = create(&sandbox).await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout() && !error.is_connect(), "{error:?}");
    assert_eq!(records(&sandbox).await, 0);
    sandbox.created(&apprentice()).await;
}

#[tokio::test]
async fn a_create_can_be_done_and_its_answer_lost() {
    let sandbox = Running::start().await;
    sandbox
        .fault(json!({ "operation": "createApprentice", "times": 1, "kind": { "commitThenReset": {} } }))
        .await;
    let error = create(&sandbox).await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout() && !error.is_connect(), "{error:?}");
    let state = sandbox.state().await;
    assert_eq!((&state["records"], &state["creditsUsed"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_create_can_be_done_and_its_answer_come_too_late() {
    let sandbox = Running::start().await;
    sandbox.fault(json!({ "times": 1, "kind": { "commitThenSilence": { "ms": 60_000 } } })).await;
    let request = sandbox.request(Method::POST, "/apprentices", "sandbox").json(&apprentice());
    let error = request.timeout(Duration::from_millis(500)).send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(records(&sandbox).await, 1);
    sandbox.fault(json!({ "times": 1, "kind": { "commitThenSilence": { "ms": 50 } } })).await;
    sandbox.created(&apprentice()).await;
}

#[tokio::test]
async fn silence_does_nothing_and_ends_in_a_closed_connection() {
    let sandbox = Running::start().await;
    sandbox.fault(json!({ "kind": { "silence": { "ms": 50 } } })).await;
    let start = Instant::now();
    assert!(create(&sandbox).await.unwrap_err().is_request());
    assert!(start.elapsed() >= Duration::from_millis(50));
    assert_eq!(records(&sandbox).await, 0);
}

#[tokio::test]
async fn a_delay_is_only_that() {
    let sandbox = Running::start().await;
    sandbox.fault(json!({ "kind": { "delay": { "ms": 50 } } })).await;
    let start = Instant::now();
    sandbox.created(&apprentice()).await;
    assert!(start.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn an_answer_can_be_html_cut_off_mistyped_or_another() {
    let sandbox = Running::start().await;
    sandbox.created(&apprentice()).await;
    sandbox.fault(json!({ "kind": { "html": {} } })).await;
    let (status, kind, body) = raw(list(&sandbox).await).await;
    assert!(status == 200 && kind.starts_with("text/html") && body.starts_with("<!DOCTYPE"));

    sandbox.fault(json!({ "kind": { "truncated": {} } })).await;
    let (status, kind, body) = raw(list(&sandbox).await).await;
    assert!(status == 200 && kind == "application/json" && body.starts_with("{\"total\":1"), "{body}");
    assert!(serde_json::from_str::<Value>(&body).unwrap_err().is_eof());

    sandbox.fault(json!({ "kind": { "wrongTypes": {} } })).await;
    let (_, _, body) = raw(list(&sandbox).await).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert!(body["total"].is_string() && body["data"].is_object(), "{body}");

    sandbox.fault(json!({ "kind": { "replaceBody": { "body": { "data": null } } } })).await;
    assert_eq!(raw(list(&sandbox).await).await, (200, "application/json".into(), "{\"data\":null}".into()));
}

#[tokio::test]
async fn an_answer_can_be_huge() {
    let sandbox = Running::start().await;
    sandbox.fault(json!({ "kind": { "huge": { "bytes": 1_000_000 } } })).await;
    let answer = list(&sandbox).await.unwrap();
    assert_eq!(answer.content_length(), None);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["message"].as_str().unwrap().len(), 1_000_000);
}

#[tokio::test]
async fn faults_are_off_when_they_are_switched_off() {
    let sandbox = Running::start().await;
    sandbox.fault(json!({ "operation": "*", "chance": 1.0, "kind": { "reset": {} } })).await;
    assert!(list(&sandbox).await.is_err());
    assert_eq!(sandbox.control(Method::DELETE, "/faults", Value::Null).await.status, 204);
    assert_eq!(sandbox.get("/apprentices").await.status, 200);
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_is_refused() {
    let sandbox = Running::start().await;
    for (rule, status) in [
        (json!({ "operation": "deleteApprentice", "kind": { "reset": {} } }), 422),
        (json!({ "chance": 2, "kind": { "reset": {} } }), 422),
        (json!({ "kind": { "explode": {} } }), 400),
        (json!({ "kind": { "reset": {} }, "often": 1 }), 400),
    ] {
        assert_eq!(sandbox.control(Method::PUT, "/faults", json!([rule])).await.status, status, "{rule}");
    }
}
