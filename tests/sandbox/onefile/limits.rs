//! The limit of calls per minute.

use picsbridge::sandbox::{LimitWindow, SandboxOptions};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::sandbox::Running;
use crate::support::sandbox::onefile::{BASE, OneFile, authenticate};

#[tokio::test]
async fn three_hundred_calls_a_minute_are_the_limit_and_authentication_counts() {
    let onefile = OneFile::with(SandboxOptions::default()).await;
    // Two calls were made at the start: one for the session, one for the centres.
    for _ in 0..298 {
        assert_eq!(onefile.get("/Customer").await.status, 200);
    }
    assert_eq!(onefile.get("/Customer").await.status, 429);
    assert_eq!(authenticate(&onefile.running, BASE, "sandbox").await.0, 429);
    assert_eq!(authenticate(&onefile.running, BASE, "sandbox-two").await.0, 200, "a limit of its own");
    let state = onefile.state().await;
    assert_eq!((&state["limited"], &state["calls"]["getCustomer"]), (&json!(2), &json!(299)));
    assert_eq!(state["customers"]["sandbox"]["callsThisMinute"], 300);
}

#[tokio::test]
async fn the_minute_passes_in_either_window() {
    for limit_window in [LimitWindow::Fixed, LimitWindow::Sliding] {
        let options =
            SandboxOptions { onefile_calls_per_minute: Some(3), limit_window, ..SandboxOptions::default() };
        let onefile = OneFile::with(options).await;
        assert_eq!(onefile.get("/Customer").await.status, 200);
        assert_eq!(onefile.get("/Customer").await.status, 429);
        onefile.settings(json!({ "clockAheadSeconds": 61 })).await;
        assert_eq!(onefile.get("/Customer").await.status, 200);
        assert_eq!(onefile.state().await["customers"]["sandbox"]["callsThisMinute"], 1);
    }
}

#[tokio::test]
async fn a_429_says_when_to_come_again_only_if_it_is_to() {
    let options = SandboxOptions { onefile_calls_per_minute: Some(2), ..SandboxOptions::default() };
    let onefile = OneFile::with(options).await;
    let refused = onefile.get("/Customer").await;
    assert_eq!((refused.status, refused.retry_after), (429, None));
    onefile.settings(json!({ "retryAfter": true })).await;
    let wait: u64 = onefile.get("/Customer").await.retry_after.unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn the_limits_of_the_two_upstreams_are_apart() {
    let running = Running::start().await;
    running
        .control(Method::PUT, "/settings", json!({ "callsPerMinute": 1, "onefile": { "callsPerMinute": 1 } }))
        .await;
    assert_eq!(authenticate(&running, BASE, "sandbox").await.0, 200);
    assert_eq!(running.get("/apprentices").await.status, 200);
    assert_eq!(authenticate(&running, BASE, "sandbox").await.0, 429);
    assert_eq!(running.get("/apprentices").await.status, 429);
    let lifted = json!({ "onefile": { "callsPerMinute": Value::Null } });
    running.control(Method::PUT, "/settings", lifted).await;
    assert_eq!(authenticate(&running, BASE, "sandbox").await.0, 200);
}
