//! An exchange with OneFile whose process is killed in the middle: another one goes on where it was, and every learner is told once.

use std::time::Duration;

use picsbridge::sandbox::SandboxOptions;
use reqwest::Method;
use serde_json::{Value, json};

use crate::processes::{Place, Process, Role, TIMINGS, until};
use crate::support::TestApp;

const PATIENCE: Duration = Duration::from_mins(1);
const LEARNERS: usize = 24;

/// The app works no jobs; OneFile is on, and learners are linked.
async fn stage() -> TestApp {
    let options = SandboxOptions { onefile_calls_per_minute: None, ..SandboxOptions::default() };
    let app = TestApp::builder()
        .sandbox(options)
        .setting(|raw| raw.onefile_calls_per_minute = Some("60000".to_owned()))
        .no_worker()
        .timings(TIMINGS)
        .start()
        .await;
    let mut helper = Process::start(&Place::of(&app), Role::Worker).await;
    let settings = json!({"enabled": false, "environment": "sandbox", "customerToken": "sandbox"});
    app.put("/onefile/settings", &settings).await.good();
    let run = app.post("/onefile/qualifications:refresh", &Value::Null).await.good();
    app.wait_run(run["id"].as_str().unwrap()).await;
    helper.kill().await;
    let forced = json!({"force": true, "reason": "A test", "actor": "jane.roe"});
    app.post("/onefile:enable", &forced).await.good();
    let settings = json!({"enabled": true, "environment": "sandbox", "downloadReviews": true,
        "dailySync": {"enabled": false, "at": "05:00"}});
    app.put("/onefile/settings", &settings).await.good();
    let more = json!({"learners": LEARNERS, "aimsPerLearner": 2, "reviewsPerLearner": 1});
    let made = app.sandbox_call(Method::POST, "/onefile/records:more", Some(more)).await;
    for (n, user) in made["learners"].as_array().unwrap().iter().enumerate() {
        let learner = json!({
            "firstName": "Esme", "lastName": "Marlpit", "status": "live", "programme": {"startDate": "2025-09-01"},
            "qualifications": [{"vqReference": "105AS"}, {"vqReference": "105OP"}]
        });
        app.put(&format!("/learners/L{n}"), &learner).await.good();
        let link = json!({"kind": "learner", "localId": format!("L{n}"), "remoteId": user.to_string()});
        app.post("/onefile/links", &link).await.expect(201);
    }
    app
}

async fn calls(app: &TestApp, operation: &str) -> u64 {
    app.sandbox_state().await["onefile"]["calls"][operation].as_u64().unwrap_or(0)
}

#[tokio::test]
async fn killed_in_the_middle_another_process_goes_on_and_each_learner_is_told_once() {
    let app = stage().await;
    let mut first = Process::start(&Place::of(&app), Role::Worker).await;
    // From some learning aim on OneFile is slow to answer.
    app.fault(json!({"operation": "getLearningAim", "skip": 20, "kind": {"delay": {"ms": 700}}})).await;
    let run = app.post("/onefile/learners:sync", &Value::Null).await.good();
    until("it is in the middle", PATIENCE, async || (calls(&app, "getLearningAim").await > 24).then_some(()))
        .await;
    first.kill().await;
    app.no_faults().await;
    let _second = Process::start(&Place::of(&app), Role::Worker).await;
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    let run = until("the run ends", PATIENCE, async || {
        let run = app.get(&path).await.expect(200);
        (!run["finishedAt"].is_null()).then_some(run)
    })
    .await;
    let counts = ["total", "done", "succeeded", "failed", "skipped"].map(|name| run[name].as_u64().unwrap());
    let all = LEARNERS as u64;
    assert_eq!((&run["state"], counts), (&json!("succeeded"), [all, all, all, 0, 0]), "{run:#}");
    let page = app.get(&format!("{path}/records?pageSize=500")).await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), LEARNERS);
    app.tick().await;
    let feed = app.get("/changes?pageSize=500").await.expect(200);
    let told = feed["items"].as_array().unwrap().iter();
    let progress = told.filter(|item| item["type"] == "onefile.progressChanged").count();
    assert_eq!(progress, LEARNERS * 4, "two counts of two learning aims, once each");
}
