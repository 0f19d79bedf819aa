//! Uploads whose response was lost.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ready_with, tab};
use crate::support::TestApp;

pub const QUICK: &str = "call=1s,lease=4s,absence=10m";

pub async fn quick() -> TestApp {
    ready_with(TestApp::builder().timings(QUICK)).await
}

pub fn once(kind: &Value) -> Value {
    json!({"operation": "createApprentice", "times": 1, "kind": kind})
}

/// Checks that the API created exactly this number of records, and no duplicate.
pub async fn made(app: &TestApp, credits: i64) {
    let state = app.sandbox_state().await;
    assert_eq!(
        (&state["creditsUsed"], &state["invariants"]["duplicateUlns"]),
        (&json!(credits), &json!([])),
        "{state:#}"
    );
}

/// Uploads the learner while ACE360 fails in this way, and checks what is known then.
pub async fn lose(app: &TestApp, id: &str, n: u64, kind: &Value) {
    app.put_ready(id, n).await;
    app.fault(once(kind)).await;
    let answer = app.post(&tab(id), &json!({})).await;
    assert_eq!(answer.header("location"), Some(tab(id).as_str()), "{kind}: {answer:?}");
    let tab = answer.expect(202);
    assert_eq!((&tab["state"], &tab["recordId"]), (&json!("unknown"), &Value::Null), "{kind}");
    assert_eq!(tab["problem"]["code"], "upstreamFailed", "{kind}");
    // The reconciliation may have begun by now, but the intent is listed until it is settled.
    let listed = app.get("/intents?pageSize=500").await.expect(200);
    assert!(listed["items"].as_array().unwrap().iter().any(|intent| intent["subject"]["id"] == id), "{kind}");
}

/// Checks that another call for the same upload does nothing, and returns its state.
pub async fn under_way(app: &TestApp, id: &str, state: &str) {
    for body in [json!({}), json!({"allowDuplicate": true})] {
        let again = app.call(Method::POST, &tab(id)).header("prefer", "wait=0").json(&body).send().await;
        assert_eq!(again.expect(202)["state"], state);
    }
}

pub async fn intent(app: &TestApp, id: &str) -> Value {
    let intents = app.get("/intents?pageSize=500").await.expect(200);
    let of = intents["items"].as_array().unwrap().iter().rfind(|intent| intent["subject"]["id"] == id);
    of.unwrap_or_else(|| panic!("no intent of {id}")).clone()
}

pub async fn until_intent(app: &TestApp, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let of = |page: &Value| {
        page["items"].as_array().unwrap().iter().rfind(|intent| intent["subject"]["id"] == id).cloned()
    };
    let page =
        app.eventually("/intents?pageSize=500", |page| of(page).is_some_and(|intent| wanted(&intent))).await;
    of(&page).unwrap()
}

pub async fn until(app: &TestApp, id: &str, state: &str) -> Value {
    app.eventually(&tab(id), |tab| tab["state"] == state).await
}

/// The time between two times of an intent, in minutes.
pub fn minutes(from: &Value, to: &Value) -> i64 {
    let time = |text: &Value| chrono::DateTime::parse_from_rfc3339(text.as_str().unwrap()).unwrap();
    (time(to) - time(from)).num_minutes()
}
