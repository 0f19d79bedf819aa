//! The service never exceeds ACE360's limit.

use std::time::Instant;

use picsbridge::sandbox::SandboxOptions;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::ace360::{linked, ready_with, tab};

#[tokio::test]
async fn runs_and_people_together_stay_below_ace360s_limit() {
    let limited = SandboxOptions { ace360_calls_per_minute: Some(60), ..SandboxOptions::default() };
    let app = ready_with(TestApp::builder().calls_per_minute(60).sandbox(limited)).await;
    // The preparation uses another account without the limit.
    app.sandbox_seed(300).await;
    app.sandbox_settings(json!({"callsPerMinute": 60})).await;
    let begun = Instant::now();
    linked(&app, &["L1", "L2", "L3"], 248..).await;
    let run = app.call(Method::POST, "/ace360/status:sync").header("prefer", "wait=60").send();
    let people = async {
        for _ in 0..5 {
            for id in ["L1", "L2", "L3"] {
                app.post(&format!("{}:sync", tab(id)), &Value::Null).await.expect(200);
            }
        }
    };
    let (run, ()) = tokio::join!(run, people);
    assert_eq!(run.expect(200)["state"], "succeeded");
    let elapsed = begun.elapsed().as_secs_f64();
    let state = app.sandbox_state().await;
    let calls: u64 = state["calls"].as_object().unwrap().values().map(|many| many.as_u64().unwrap()).sum();
    assert_eq!((calls, &state["limited"]), (21, &json!(0)), "{state:#}");
    // Ten at once, then one each second.
    assert!(elapsed >= 9.5, "{calls} calls in {elapsed} s");
}
