//! What tests of exchanges with OneFile begin with.

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

/// OneFile is on, its learning aims are read; reviews come down, and nothing else is chosen but this.
pub async fn exchanging(change: Value) -> TestApp {
    exchanging_in(working(), change).await
}

pub async fn exchanging_in(builder: AppBuilder, change: Value) -> TestApp {
    let choice = json!({"uploadReviews": false, "downloadReviews": true, "dailySync": {"enabled": false, "at": "05:00"}});
    enrolling_in(builder, people::but(choice, change)).await
}

/// A learner in learning with two qualifications, one of which is only in PICSWeb's plan until OneFile has it.
pub fn own(more: Value) -> Value {
    people::but(
        json!({
            "firstName": "Esme", "lastName": "Marlpit", "status": "live", "programme": {"startDate": "2025-09-01"},
            "qualifications": [{"qualificationId": "Q1", "vqReference": "105AS"}, {"qualificationId": "Q2", "vqReference": "105OP"}]
        }),
        more,
    )
}

/// The learner, linked to the seeded user with this MIS value; its id there.
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

/// OneFile goes wrong in all of these ways.
pub async fn wrong(app: &TestApp, rules: Value) {
    app.sandbox_call(Method::PUT, "/faults", Some(rules)).await;
}

/// An exchange of all that has ended.
pub async fn exchange(app: &TestApp, body: &Value) -> Value {
    let run = app.post(SYNC, body).await.good();
    app.wait_run(run["id"].as_str().unwrap()).await
}

pub fn counts(run: &Value) -> [i64; 5] {
    ["total", "succeeded", "unchanged", "failed", "skipped"].map(|name| run[name].as_i64().unwrap_or(-1))
}

/// What the run says of each record: its code and words.
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

/// So many more learners in OneFile, linked to as many here, `M-000` and so on; their users.
pub async fn many(app: &TestApp, count: u32, aims: u32, reviews: u32) -> Vec<String> {
    let more = json!({"learners": count, "aimsPerLearner": aims, "reviewsPerLearner": reviews});
    let made = app.sandbox_call(Method::POST, "/onefile/records:more", Some(more)).await;
    let users: Vec<String> = made["learners"].as_array().unwrap().iter().map(Value::to_string).collect();
    for (n, user) in users.iter().enumerate() {
        app.put(&format!("/learners/M-{n:03}"), &own(json!({}))).await.good();
        app.post(LINKS, &request("learner", &format!("M-{n:03}"), user)).await.expect(201);
    }
    // They were made long ago: what changed a moment before an exchange is looked at once more by the next.
    later(app, TimeDelta::hours(2)).await;
    users
}

/// Both clocks, ours and OneFile's, go on.
pub async fn later(app: &TestApp, by: TimeDelta) {
    app.clock_advance(by).await;
    let state = app.sandbox_call(Method::GET, "/settings", None).await;
    let ahead = state["onefile"]["clockAheadSeconds"].as_i64().unwrap();
    behave(app, json!({"clockAheadSeconds": ahead + by.num_seconds()})).await;
}
