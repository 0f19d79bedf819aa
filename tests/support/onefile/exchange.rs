//! The common start of exchange tests.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::enrolment::enrolling_in;
use super::links::{LINKS, request, with_mis};
use super::{behave, working};
use crate::support::app::AppBuilder;
use crate::support::{TestApp, people};

pub const SYNC: &str = "/onefile/learners:sync";

/// OneFile is on, and its learning aims are read. Reviews are taken over; all other settings come
/// from `change`.
pub async fn exchanging(change: Value) -> TestApp {
    exchanging_in(working(), change).await
}

pub async fn exchanging_in(builder: AppBuilder, change: Value) -> TestApp {
    let choice = json!({"uploadReviews": false, "downloadReviews": true, "dailySync": {"enabled": false, "at": "05:00"}});
    enrolling_in(builder, people::but(choice, change)).await
}

/// A learner in learning with two qualifications, one of which OneFile does not have yet.
pub fn own(more: Value) -> Value {
    people::but(
        json!({
            "firstName": "Esme", "lastName": "Marlpit", "status": "live", "programme": {"startDate": "2025-09-01"},
            "qualifications": [{"qualificationId": "Q1", "vqReference": "105AS"}, {"qualificationId": "Q2", "vqReference": "105OP"}]
        }),
        more,
    )
}

/// Stores the learner, links it to the seeded user with this MIS value, and returns the user's id.
pub async fn linked(app: &TestApp, id: &str, mis: &str, more: Value) -> String {
    let user = with_mis(app, mis).await.remove(0).0;
    app.put(&format!("/learners/{id}"), &own(more)).await.good();
    app.post(LINKS, &request("learner", id, &user)).await.expect(201);
    user
}

/// What happens to a learner in OneFile's own pages.
pub async fn moved(app: &TestApp, user: &str, what: Value) -> Value {
    app.sandbox_call(Method::POST, &format!("/learners/{user}:progress"), Some(what)).await
}

pub async fn sync(app: &TestApp, id: &str) -> Value {
    app.post(&format!("/learners/{id}/onefile:sync"), &Value::Null).await.expect(200)
}

/// What the feed says about OneFile, besides links: type, field, before and after.
pub async fn news(app: &TestApp) -> Vec<String> {
    let page = app.get("/changes?pageSize=500").await.expect(200);
    let items = page["items"].as_array().unwrap().iter();
    let own = items.filter(|item| item["type"].as_str().unwrap().starts_with("onefile."));
    own.map(|item| {
        let data = &item["data"];
        let of = data["vqReference"].as_str().or(data["reviewId"].as_str()).unwrap_or("-");
        format!(
            "{} {of} {} {} > {}",
            item["type"].as_str().unwrap().trim_start_matches("onefile."),
            data["field"].as_str().unwrap_or("-"),
            data["before"],
            data["after"]
        )
    })
    .collect()
}

pub async fn record(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/learners/{id}")).await.expect(200)
}

/// Makes OneFile fail in all of these ways.
pub async fn wrong(app: &TestApp, rules: Value) {
    app.sandbox_call(Method::PUT, "/faults", Some(rules)).await;
}

/// Runs an exchange of all learners to its end.
pub async fn exchange(app: &TestApp, body: &Value) -> Value {
    let run = app.post(SYNC, body).await.good();
    app.wait_run(run["id"].as_str().unwrap()).await
}

pub fn counts(run: &Value) -> [i64; 5] {
    ["total", "succeeded", "unchanged", "failed", "skipped"].map(|name| run[name].as_i64().unwrap_or(-1))
}

/// The code and text that the run reports for each record.
pub async fn told(app: &TestApp, run: &Value) -> BTreeMap<String, (String, String)> {
    let path = format!("/runs/{}/records?pageSize=500", run["id"].as_str().unwrap());
    let page = app.get(&path).await.expect(200);
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            let words = item["problem"]["message"].as_str().or(item["message"].as_str()).unwrap_or_default();
            (
                item["subject"]["id"].as_str().unwrap().to_owned(),
                (item["code"].as_str().unwrap().to_owned(), format!("{words} {item}")),
            )
        })
        .collect()
}

/// Creates more learners in OneFile, linked to `M-000` and so on here, and returns their users.
pub async fn many(app: &TestApp, count: u32, aims: u32, reviews: u32) -> Vec<String> {
    let more = json!({"learners": count, "aimsPerLearner": aims, "reviewsPerLearner": reviews});
    let made = app.sandbox_call(Method::POST, "/onefile/records:more", Some(more)).await;
    let users: Vec<String> = made["learners"].as_array().unwrap().iter().map(Value::to_string).collect();
    for (n, user) in users.iter().enumerate() {
        app.put(&format!("/learners/M-{n:03}"), &own(json!({}))).await.good();
        app.post(LINKS, &request("learner", &format!("M-{n:03}"), user)).await.expect(201);
    }
    // They were created long ago, because the next exchange reads recent changes once more.
    later(app, TimeDelta::hours(2)).await;
    users
}

/// Moves both clocks, ours and OneFile's.
pub async fn later(app: &TestApp, by: TimeDelta) {
    app.clock_advance(by).await;
    let state = app.sandbox_call(Method::GET, "/settings", None).await;
    let ahead = state["onefile"]["clockAheadSeconds"].as_i64().unwrap();
    behave(app, json!({"clockAheadSeconds": ahead + by.num_seconds()})).await;
}
