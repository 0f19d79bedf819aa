//! The daily run: once a night, whatever else happens.

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use crate::support::TestApp;

/// Sets the daily run.
async fn daily(app: &TestApp, integration: bool, daily: bool) {
    let body = json!({"enabled": integration, "environment": "sandbox", "dailySync": {"enabled": daily, "at": "12:30"}});
    app.put("/ace360/settings", &body).await.good();
}

/// All runs, newest first, after they have ended.
async fn runs(app: &TestApp) -> Vec<Value> {
    let ended =
        |page: &Value| page["items"].as_array().unwrap().iter().all(|run| !run["finishedAt"].is_null());
    let page = app.eventually("/runs", ended).await;
    page["items"].as_array().unwrap().clone()
}

/// Moves the clock to this time after the next night's run.
async fn go_past_the_next_night(app: &TestApp, by: TimeDelta) {
    let next = app.get("/ace360").await.expect(200)["nextSyncAt"].clone();
    let next = DateTime::parse_from_rfc3339(next.as_str().unwrap()).unwrap().to_utc();
    let now = app.parts.store.now().await.unwrap();
    app.clock_advance(next - now + by).await;
}

#[tokio::test]
async fn a_night_has_one_run_however_often_it_is_looked_for() {
    let app = TestApp::start().await;
    let second = app.second().await;
    daily(&app, true, true).await;
    app.tick().await;
    assert_eq!(runs(&app).await, Vec::<Value>::new(), "no night has passed since it was switched on");
    go_past_the_next_night(&app, TimeDelta::minutes(-2)).await;
    app.tick().await;
    assert_eq!(runs(&app).await.len(), 0);
    go_past_the_next_night(&app, TimeDelta::minutes(1)).await;
    tokio::join!(app.tick(), second.tick(), app.tick(), second.tick());
    let first = runs(&app).await;
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(
        (&first[0]["trigger"], &first[0]["kind"], &first[0]["state"]),
        (&json!("schedule"), &json!("ace360.statusSync"), &json!("succeeded"))
    );
    for _ in 0..3 {
        app.clock_advance(TimeDelta::hours(5)).await;
        tokio::join!(app.tick(), second.tick());
    }
    assert_eq!(runs(&app).await.len(), 1);
    go_past_the_next_night(&app, TimeDelta::minutes(1)).await;
    tokio::join!(app.tick(), second.tick());
    assert_eq!(runs(&app).await.len(), 2);
}

#[tokio::test]
async fn nights_that_were_missed_are_made_up_for_by_one_run() {
    let app = TestApp::start().await;
    daily(&app, true, true).await;
    go_past_the_next_night(&app, TimeDelta::minutes(1)).await;
    app.tick().await;
    assert_eq!(runs(&app).await.len(), 1);
    app.clock_advance(TimeDelta::days(3)).await;
    for _ in 0..3 {
        app.tick().await;
    }
    assert_eq!(runs(&app).await.len(), 2);
    // The next night has its own run again.
    go_past_the_next_night(&app, TimeDelta::minutes(1)).await;
    app.tick().await;
    assert_eq!(runs(&app).await.len(), 3);
}

#[tokio::test]
async fn while_it_is_switched_off_nothing_runs_and_nothing_is_made_up_for_afterwards() {
    let app = TestApp::start().await;
    for (integration, at_night) in [(true, false), (false, true)] {
        daily(&app, integration, at_night).await;
        assert_eq!(app.get("/ace360").await.expect(200)["nextSyncAt"], Value::Null);
        app.clock_advance(TimeDelta::days(2)).await;
        app.tick().await;
        assert_eq!(runs(&app).await.len(), 0);
    }
    daily(&app, true, true).await;
    app.tick().await;
    assert_eq!(runs(&app).await.len(), 0);
    go_past_the_next_night(&app, TimeDelta::minutes(1)).await;
    app.tick().await;
    assert_eq!(runs(&app).await.len(), 1);
}

#[tokio::test]
async fn a_run_that_somebody_has_begun_is_the_nights_run() {
    let app = TestApp::builder().no_worker().start().await;
    daily(&app, true, true).await;
    go_past_the_next_night(&app, TimeDelta::minutes(1)).await;
    let asked = app.post("/ace360/status:sync", &Value::Null).await.expect(202);
    app.tick().await;
    app.tick().await;
    let page = app.get("/runs").await.expect(200);
    let ids: Vec<_> = page["items"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect();
    assert_eq!(ids, [asked["id"].clone()]);
}

#[tokio::test]
async fn each_provider_has_its_own_nights() {
    let app = TestApp::start().await;
    let other = app.second_provider().await;
    daily(&app, true, true).await;
    go_past_the_next_night(&app, TimeDelta::minutes(1)).await;
    app.tick().await;
    assert_eq!(runs(&app).await.len(), 1);
    assert_eq!(other.get("/runs").await.expect(200)["items"], json!([]));
}
