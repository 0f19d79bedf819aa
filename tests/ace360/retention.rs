//! Data past its retention period is deleted. Open work stays, however old.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::ace360::lost::lose;
use crate::support::ace360::{ready_with, tab};

/// A done upload, an upload with unknown outcome, and an ended run. No worker runs, so only the
/// clock moves.
async fn history() -> (TestApp, String) {
    let retained = TestApp::builder().timings("call=1s,lease=4s").no_worker().setting(|raw| {
        raw.retain_payloads_days = Some("10".to_owned());
        raw.retain_runs_days = Some("20".to_owned());
        raw.retain_changes_days = Some("30".to_owned());
        raw.retain_audit_days = Some("40".to_owned());
    });
    let app = ready_with(retained).await;
    app.put_ready("L1", 1).await;
    app.post(&tab("L1"), &json!({})).await.expect(201);
    lose(&app, "L2", 2, &json!({"reset": {}})).await;
    let run = app.post("/ace360/status:sync", &Value::Null).await.expect(202);
    let run = format!("/runs/{}", run["id"].as_str().unwrap());
    app.post(&format!("{run}:cancel"), &Value::Null).await.expect(200);
    app.tick().await;
    (app, run)
}

async fn days(app: &TestApp, days: i64) {
    app.clock_advance(TimeDelta::days(days)).await;
    app.tick().await;
}

async fn intents(app: &TestApp) -> Vec<Value> {
    let page = app.get("/intents").await.expect(200);
    page["items"].as_array().unwrap().iter().map(|intent| intent["subject"]["id"].clone()).collect()
}

async fn audited(app: &TestApp) -> i64 {
    let mut sql = app.sql().await;
    sqlx::query_scalar("select count(*) from audit").fetch_one(&mut sql).await.unwrap()
}

#[tokio::test]
async fn each_kind_goes_when_its_own_days_are_over_and_what_is_open_stays() {
    let (app, run) = history().await;
    let feed = app.get("/changes?pageSize=1").await.expect(200);
    let position = format!("/changes?after={}", feed["nextAfter"].as_str().unwrap());
    days(&app, 9).await;
    assert_eq!(intents(&app).await, ["L1", "L2"]);
    days(&app, 2).await;
    assert_eq!(intents(&app).await, ["L2"], "its outcome is not known");
    app.get(&run).await.expect(200);
    days(&app, 10).await;
    app.get(&run).await.refused(404, "notFound");
    assert!(!app.get(&position).await.expect(200)["items"].as_array().unwrap().is_empty());
    days(&app, 10).await;
    app.get(&position).await.refused(410, "expired");
    let feed = app.get("/changes").await.expect(200);
    assert_eq!(feed["items"], json!([]));
    assert!(audited(&app).await > 0);
    days(&app, 10).await;
    assert_eq!(audited(&app).await, 0);
    assert_eq!(intents(&app).await, ["L2"]);
    for (id, state) in [("L1", "uploaded"), ("L2", "unknown")] {
        assert_eq!(app.get(&tab(id)).await.expect(200)["state"], state, "{id}");
    }
    // The feed continues from there.
    app.delete("/learners/L1/ace360/link").await.expect(204);
    app.tick().await;
    let after = format!("/changes?after={}", feed["nextAfter"].as_str().unwrap());
    assert_eq!(app.get(&after).await.expect(200)["items"][0]["type"], "link.removed");
}

#[tokio::test]
async fn a_run_that_has_not_ended_is_not_removed() {
    let (app, _) = history().await;
    let run = app.post("/ace360/status:sync", &Value::Null).await.expect(202);
    days(&app, 100).await;
    let run = app.get(&format!("/runs/{}", run["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(run["state"], "queued");
}
