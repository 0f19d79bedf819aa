//! The common start of most enrolment tests.

use serde_json::{Value, json};

use super::{SETTINGS, connected_with, entries, records, working};
use crate::support::app::AppBuilder;
use crate::support::{TestApp, people};

pub const CENTRE: &str = "1001";

/// The first classroom of a centre.
pub async fn classroom(app: &TestApp, centre: &str) -> String {
    let rooms = entries(app, &format!("/onefile/classrooms?centreId={centre}&archived=false")).await;
    rooms.into_keys().next().unwrap()
}

pub fn settings(classroom: &str, change: &Value) -> Value {
    people::but(
        json!({"enabled": true, "environment": "sandbox", "customerToken": "sandbox", "uploadReviews": true,
               "defaultClassrooms": {CENTRE: classroom}}),
        change.clone(),
    )
}

/// An app whose OneFile integration is on, with the records that [`people::learner`] needs, and
/// without links.
pub async fn enrolling() -> TestApp {
    enrolling_with(json!({})).await
}

pub async fn enrolling_with(change: Value) -> TestApp {
    enrolling_in(working(), change).await
}

pub async fn enrolling_in(builder: AppBuilder, change: Value) -> TestApp {
    let app = connected_with(builder).await;
    let room = classroom(&app, CENTRE).await;
    let run = app.post("/onefile/qualifications:refresh", &Value::Null).await.good();
    app.wait_run(run["id"].as_str().unwrap()).await;
    app.put(
        SETTINGS,
        &json!({"enabled": false, "environment": "sandbox", "defaultClassrooms": {CENTRE: room}}),
    )
    .await
    .good();
    let forced = json!({"force": true, "reason": "A test", "actor": "jane.roe"});
    app.post("/onefile:enable", &forced).await.good();
    app.put(SETTINGS, &settings(&room, &change)).await.good();
    app.put(&format!("/officers/{}", people::OFFICER), &people::officer()).await.good();
    app.put(&format!("/organisations/{}", people::ORGANISATION), &people::organisation()).await.good();
    app
}

pub fn tab(n: u64) -> String {
    format!("/learners/L{n}/onefile")
}

pub async fn learner(app: &TestApp, n: u64, change: Value) {
    app.put(&format!("/learners/L{n}"), &people::but(people::learner(n), change)).await.good();
}

pub async fn enrol(app: &TestApp, n: u64) -> Value {
    app.post(&tab(n), &json!({"centreId": CENTRE})).await.expect(201)
}

/// The customer's records of a kind that calls created.
pub async fn made(app: &TestApp, kind: &str) -> Vec<Value> {
    records(app, kind).await.into_iter().filter(|record| record["origin"] == "api").collect()
}
