//! The limit of calls per minute.

use picsbridge::sandbox::{LimitWindow, SandboxOptions};
use reqwest::Method;
use serde_json::json;

use crate::support::sandbox::Running;

#[tokio::test]
async fn beyond_the_limit_a_call_is_told_when_to_come_again() {
    for limit_window in [LimitWindow::Fixed, LimitWindow::Sliding] {
        let options =
            SandboxOptions { ace360_calls_per_minute: Some(3), limit_window, ..SandboxOptions::default() };
        let sandbox = Running::with(options).await;
        for _ in 0..3 {
            assert_eq!(sandbox.get("/apprentices").await.status, 200);
        }
        let refused = sandbox.get("/apprentices").await;
        assert_eq!(refused.status, 429);
        let wait: u64 = refused.retry_after.unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        assert_eq!(sandbox.get_as("sandbox-two", "/apprentices").await.status, 200, "a limit of its own");
        assert_eq!(sandbox.state().await["limited"], 1);
    }
}

#[tokio::test]
async fn the_limit_can_be_lifted_while_the_sandbox_runs() {
    let sandbox = Running::start().await;
    let set =
        sandbox.control(Method::PUT, "/settings", json!({ "callsPerMinute": 1, "window": "fixed" })).await;
    assert_eq!((&set.body["callsPerMinute"], &set.body["window"]), (&json!(1), &json!("fixed")));
    assert_eq!(sandbox.get("/apprentices").await.status, 200);
    assert_eq!(sandbox.get("/apprentices").await.status, 429);
    sandbox.control(Method::PUT, "/settings", json!({ "callsPerMinute": null })).await;
    assert_eq!(sandbox.get("/apprentices").await.status, 200);
}
