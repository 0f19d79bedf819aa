//! The fault switch of OneFile.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::sandbox::onefile::{BASE, OneFile, authenticate};

async fn users(onefile: &OneFile) -> Value {
    onefile.state().await["customers"]["sandbox"]["records"]["User"].clone()
}

#[tokio::test]
async fn a_status_is_answered_and_nothing_is_done() {
    let onefile = OneFile::start().await;
    let (before, body) = (users(&onefile).await, onefile.learner().await);
    onefile
        .running
        .fault(json!({ "upstream": "onefile", "operation": "createUser", "times": 1,
            "kind": { "status": { "status": 400, "body": { "message": "no" } } } }))
        .await;
    assert_eq!(onefile.refusal("/User", body.clone()).await, "no");
    assert_eq!(users(&onefile).await, before);
    onefile.made("/User", body).await;
}

#[tokio::test]
async fn a_create_can_be_done_and_its_answer_lost() {
    let onefile = OneFile::start().await;
    let (before, body) = (users(&onefile).await.as_u64().unwrap(), onefile.learner().await);
    onefile
        .running
        .fault(json!({ "operation": "createUser", "times": 1, "kind": { "commitThenReset": {} } }))
        .await;
    let error = onefile.request(Method::POST, "/User").json(&body).send().await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout() && !error.is_connect(), "{error:?}");
    assert_eq!(users(&onefile).await, before + 1);
}

#[tokio::test]
async fn authentication_and_paged_searches_go_wrong_as_well() {
    let onefile = OneFile::start().await;
    onefile
        .running
        .fault(json!({ "operation": "authenticate", "kind": { "status": { "status": 403 } } }))
        .await;
    assert_eq!(authenticate(&onefile.running, BASE, "sandbox").await.0, 403);
    onefile
        .running
        .fault(json!({ "operation": "searchUsers", "kind": { "status": { "status": 503 } } }))
        .await;
    for path in ["/User/Search", "/User/Search/1/10"] {
        assert_eq!(onefile.post(path, json!({})).await.status, 503, "{path}");
    }
}

#[tokio::test]
async fn a_rule_for_one_upstream_leaves_the_other_alone() {
    let onefile = OneFile::start().await;
    onefile.running.fault(json!({ "upstream": "onefile", "kind": { "status": { "status": 500 } } })).await;
    assert_eq!(onefile.running.get("/standards/101").await.status, 200);
    assert_eq!(onefile.get("/Customer").await.status, 500);
    onefile.running.fault(json!({ "upstream": "ace360", "kind": { "status": { "status": 500 } } })).await;
    assert_eq!(onefile.running.get("/standards/101").await.status, 500);
    assert_eq!(onefile.get("/Customer").await.status, 200);
    for rule in [
        json!({ "upstream": "onefile", "operation": "createApprentice", "kind": { "reset": {} } }),
        json!({ "upstream": "ace360", "operation": "createUser", "kind": { "reset": {} } }),
    ] {
        assert_eq!(
            onefile.running.control(Method::PUT, "/faults", json!([rule])).await.status,
            422,
            "{rule}"
        );
    }
}

#[tokio::test]
async fn an_answer_can_be_mistyped() {
    let onefile = OneFile::start().await;
    onefile.running.fault(json!({ "operation": "searchOrganisations", "kind": { "wrongTypes": {} } })).await;
    let answer = onefile.request(Method::POST, "/Organisation/Search").send().await.unwrap();
    assert!(answer.json::<Value>().await.unwrap().is_object(), "a list became an object");
}
