//! Invalid responses of ACE360. A read is retried and then fails with a clear message, and no data
//! changes. A creation that met the rate limit was not sent. `lost.rs` tests creations whose
//! response was lost.

use std::time::Instant;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::ace360::{ready_with, tab, uploaded};
use crate::support::app::PATIENCE;
use crate::support::{TestApp, on_runtime};

/// Seconds until the date in the `Retry-After` header.
const DATE: i64 = 100;
const SYNC: &str = "/learners/L1/ace360:sync";

async fn app() -> TestApp {
    ready_with(TestApp::builder().timings("call=1s,lease=4s")).await
}

async fn now(app: &TestApp) -> picsbridge::store::Time {
    let store = app.parts.store.clone();
    on_runtime(async move { store.now().await.unwrap() }).await
}

/// Values of `Retry-After` in a 429, and the seconds that the service then waits.
async fn limits(app: &TestApp) -> [(Value, i64); 7] {
    let soon = (now(app).await + TimeDelta::seconds(DATE)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    [
        // This case comes first, because the clock moves past each.
        (json!(soon), DATE),
        (Value::Null, 60),
        (json!(30), 30),
        (json!("0"), 1),
        (json!(999_999_999), 900),
        (json!("Sun, 22 Nov 2099 09:00:00 GMT"), 900),
        (json!("when it suits you"), 60),
    ]
}

fn limited(operation: &str, retry_after: &Value) -> Value {
    let mut status = json!({"status": 429, "body": {"message": "Too Many Attempts."}});
    if !retry_after.is_null() {
        status["retryAfter"] = retry_after.clone();
    }
    json!({"operation": operation, "times": 1, "kind": {"status": status}})
}

/// Makes a call that meets each of the limits in turn. It reports when to try again, and then
/// succeeds.
async fn meets_limits(app: &TestApp, operation: &str, path: &str) {
    for (retry_after, seconds) in limits(app).await {
        app.fault(limited(operation, &retry_after)).await;
        let before = app.sandbox_state().await["calls"][operation].as_i64().unwrap();
        let answer = app.post(path, &Value::Null).await;
        let told: i64 = answer.header("retry-after").unwrap().parse().unwrap();
        // The date comes nearer while the test runs.
        let least = if seconds == DATE { 1 } else { seconds };
        assert!((least..=seconds).contains(&told), "{retry_after}: {told}");
        assert_eq!(answer.refused(503, "upstreamLimited")["retryable"], true);
        let calls = app.sandbox_state().await["calls"][operation].as_i64().unwrap();
        assert_eq!(calls - before, 1, "{retry_after}: it is not asked again");
        app.clock_advance(TimeDelta::seconds(seconds + 1)).await;
    }
}

#[tokio::test]
async fn a_read_that_was_limited_says_when_to_come_again_whatever_ace360_says() {
    let app = app().await;
    uploaded(&app, "L1", 1).await;
    let before = app.get(&tab("L1")).await.expect(200);
    meets_limits(&app, "getApprentice", SYNC).await;
    assert_eq!(app.get(&tab("L1")).await.expect(200), before);
    app.post(SYNC, &Value::Null).await.expect(200);
}

#[tokio::test]
async fn a_create_that_was_limited_was_not_sent_whatever_ace360_says() {
    let app = app().await;
    app.put_ready("L1", 1).await;
    meets_limits(&app, "createApprentice", &tab("L1")).await;
    assert_eq!(app.get(&tab("L1")).await.expect(200)["state"], "notUploaded");
    let intents = app.get("/intents").await.expect(200);
    assert!(intents["items"].as_array().unwrap().iter().all(|it| it["state"] == "notSent"), "{intents:#}");
    app.post(&tab("L1"), &Value::Null).await.expect(201);
    assert_eq!(app.sandbox_state().await["creditsUsed"], 1);
}

fn broken() -> [Value; 9] {
    [
        json!({"status": {"status": 500, "body": {"message": "Server Error"}}}),
        json!({"status": {"status": 503, "retryAfter": 5}}),
        json!({"status": {"status": 302}}),
        json!({"html": {}}),
        json!({"truncated": {}}),
        json!({"wrongTypes": {}}),
        json!({"huge": {"bytes": 50_000_000}}),
        json!({"reset": {}}),
        json!({"silence": {"ms": 3000}}),
    ]
}

#[tokio::test]
async fn a_read_whose_answers_cannot_be_used_is_given_up_in_words_and_the_tab_stays() {
    let app = app().await;
    uploaded(&app, "L1", 1).await;
    let before = app.get(&tab("L1")).await.expect(200);
    for kind in broken() {
        app.fault(json!({"operation": "getApprentice", "kind": kind})).await;
        let calls = app.sandbox_state().await["calls"]["getApprentice"].as_i64().unwrap();
        let begun = Instant::now();
        let problem = app.post(SYNC, &Value::Null).await.refused(502, "upstreamFailed");
        assert!(begun.elapsed() < PATIENCE, "{kind}: {:?}", begun.elapsed());
        assert_eq!(problem["retryable"], true, "{kind}");
        let words = problem["detail"].to_string();
        assert!(!words.contains("<h1>"), "{kind}: {words}");
        assert_eq!(words.contains("larger than 8 MiB"), kind.get("huge").is_some(), "{kind}: {words}");
        let tried = app.sandbox_state().await["calls"]["getApprentice"].as_i64().unwrap() - calls;
        assert_eq!(tried, 3, "{kind}");
        assert_eq!(app.get(&tab("L1")).await.expect(200), before, "{kind}");
    }
}

#[tokio::test]
async fn a_read_whose_first_answer_cannot_be_used_is_asked_again() {
    let app = app().await;
    let record = uploaded(&app, "L1", 1).await;
    for (kind, status) in broken().iter().zip(2..) {
        app.sandbox_change(record, json!({"statusId": status})).await;
        app.fault(json!({"operation": "getApprentice", "times": 1, "kind": kind})).await;
        let tab = app.post(SYNC, &Value::Null).await.expect(200);
        assert_eq!(tab["status"]["id"], status, "{kind}");
    }
}
