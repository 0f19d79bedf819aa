//! The daily exchange: once a night, outside OneFile's release window, and repeated if it failed.

use chrono::{DateTime, TimeDelta, Timelike as _};
use chrono_tz::Europe::London;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::onefile::exchange::{exchanging_in, wrong};
use crate::support::onefile::working;

async fn daily(at: &str) -> TestApp {
    let app = exchanging_in(working(), json!({"dailySync": {"enabled": true, "at": at}})).await;
    app.tick().await;
    app
}

/// The exchanges so far, newest first, after they have ended.
async fn exchanges(app: &TestApp) -> Vec<Value> {
    let ended =
        |page: &Value| page["items"].as_array().unwrap().iter().all(|run| !run["finishedAt"].is_null());
    let page = app.eventually("/runs?pageSize=100", ended).await;
    let items = page["items"].as_array().unwrap().iter();
    items.filter(|run| run["kind"] == "onefile.exchange").cloned().collect()
}

async fn next(app: &TestApp) -> DateTime<chrono::Utc> {
    let next = app.get("/onefile").await.expect(200)["nextSyncAt"].clone();
    DateTime::parse_from_rfc3339(next.as_str().unwrap()).unwrap().to_utc()
}

/// Moves the clock to this time after the next night's run.
async fn go_past_the_next_night(app: &TestApp, by: TimeDelta) {
    let now = app.parts.store.now().await.unwrap();
    app.clock_advance(next(app).await - now + by).await;
}

#[tokio::test]
async fn a_night_has_one_exchange_however_often_it_is_looked_for() {
    let app = daily("12:40").await;
    assert!(exchanges(&app).await.is_empty(), "no night has passed since it was switched on");
    go_past_the_next_night(&app, TimeDelta::minutes(1)).await;
    let second = app.second().await;
    tokio::join!(app.tick(), second.tick(), app.tick(), second.tick());
    let first = exchanges(&app).await;
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!((&first[0]["trigger"], &first[0]["state"]), (&json!("schedule"), &json!("succeeded")));
    app.clock_advance(TimeDelta::hours(5)).await;
    tokio::join!(app.tick(), second.tick());
    assert_eq!(exchanges(&app).await.len(), 1);
    // One run makes up for several missed nights.
    app.clock_advance(TimeDelta::days(3)).await;
    for _ in 0..3 {
        app.tick().await;
    }
    assert_eq!(exchanges(&app).await.len(), 2);
    assert!(app.get("/onefile").await.expect(200)["lastSyncedAt"].is_string());
    app.put(
        "/onefile/settings",
        &json!({"enabled": true, "environment": "sandbox", "dailySync": {"enabled": false, "at": "12:40"}}),
    )
    .await
    .good();
    assert_eq!(app.get("/onefile").await.expect(200)["nextSyncAt"], Value::Null);
}

#[tokio::test]
async fn nothing_of_the_schedule_begins_in_the_release_window() {
    let app = daily("07:10").await;
    let local = next(&app).await.with_timezone(&London);
    assert_eq!((local.hour(), local.minute()), (7, 30));
    // The service stops at night, and returns within the window of the next morning.
    let app = daily("05:00").await;
    go_past_the_next_night(&app, TimeDelta::minutes(130)).await;
    app.tick().await;
    assert!(exchanges(&app).await.is_empty());
    app.clock_advance(TimeDelta::minutes(25)).await;
    app.tick().await;
    assert_eq!(exchanges(&app).await.len(), 1);
}

#[tokio::test]
async fn a_night_that_failed_is_caught_up() {
    let app = daily("12:40").await;
    crate::support::onefile::exchange::linked(&app, "L1", "OLD-001", json!({})).await;
    wrong(&app, json!([{"operation": "searchUsers", "kind": {"status": {"status": 403}}}])).await;
    go_past_the_next_night(&app, TimeDelta::minutes(1)).await;
    app.tick().await;
    assert_eq!(exchanges(&app).await[0]["state"], "failed");
    app.no_faults().await;
    app.tick().await;
    assert_eq!(exchanges(&app).await.len(), 1, "not at once");
    app.clock_advance(TimeDelta::minutes(61)).await;
    tokio::join!(app.tick(), app.tick());
    let all = exchanges(&app).await;
    assert_eq!((all.len(), &all[0]["state"]), (2, &json!("succeeded")), "{all:#?}");
    app.clock_advance(TimeDelta::minutes(61)).await;
    app.tick().await;
    assert_eq!(exchanges(&app).await.len(), 2, "what was caught up is done");
}

#[tokio::test]
async fn one_that_is_going_on_still_is_not_doubled() {
    let app = daily("12:40").await;
    crate::support::onefile::exchange::linked(&app, "L1", "OLD-001", json!({})).await;
    wrong(
        &app,
        json!([{"operation": "searchUsers", "kind": {"status": {"status": 429, "retryAfter": 800}}}]),
    )
    .await;
    go_past_the_next_night(&app, TimeDelta::minutes(1)).await;
    app.tick().await;
    let runs = |page: &Value| -> Vec<Value> {
        let all = page["items"].as_array().unwrap().iter();
        all.filter(|run| run["kind"] == "onefile.exchange").cloned().collect()
    };
    app.eventually("/runs?pageSize=100", |page| runs(page).iter().any(|run| run["state"] == "waiting")).await;
    app.clock_advance(TimeDelta::hours(23) + TimeDelta::minutes(50)).await;
    app.tick().await;
    app.tick().await;
    let page = app.get("/runs?pageSize=100").await.expect(200);
    assert_eq!(runs(&page).len(), 1, "{page:#}");
}
