//! The common start of most OneFile tests.

pub mod enrolment;
pub mod exchange;
pub mod links;

use std::collections::BTreeMap;

use picsbridge::sandbox::SandboxOptions;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::AppBuilder;
use crate::support::{Api, TestApp};

pub const SETTINGS: &str = "/onefile/settings";
pub const TEST: &str = "/onefile/connection:test";

/// An app without call limits on both sides.
pub fn builder() -> AppBuilder {
    working().no_worker()
}

/// The same, with a worker.
pub fn working() -> AppBuilder {
    let options = SandboxOptions { onefile_calls_per_minute: None, ..SandboxOptions::default() };
    TestApp::builder().sandbox(options).setting(|raw| raw.onefile_calls_per_minute = Some("60000".to_owned()))
}

/// An app whose OneFile is the sandbox. The integration is off.
pub async fn connected() -> TestApp {
    connected_with(builder()).await
}

pub async fn connected_with(builder: AppBuilder) -> TestApp {
    let app = builder.start().await;
    app.put(SETTINGS, &sandbox("sandbox")).await.expect(200);
    app
}

pub fn sandbox(token: &str) -> Value {
    json!({"enabled": false, "environment": "sandbox", "customerToken": token})
}

/// The state of the simulated OneFile in numbers.
pub async fn state(app: &TestApp) -> Value {
    app.sandbox_state().await["onefile"].clone()
}

/// The number of calls of an operation.
pub async fn calls(app: &TestApp, operation: &str) -> u64 {
    state(app).await["calls"][operation].as_u64().unwrap_or(0)
}

pub async fn all_calls(app: &TestApp) -> u64 {
    let state = state(app).await;
    state["calls"].as_object().unwrap().values().map(|many| many.as_u64().unwrap()).sum()
}

/// Changes the behaviour of the simulated OneFile: `{"pageCap": 10}`.
pub async fn behave(app: &TestApp, change: Value) {
    app.sandbox_settings(json!({ "onefile": change })).await;
}

/// OneFile's records in full, newest first.
pub async fn records(app: &TestApp, kind: &str) -> Vec<Value> {
    let path = format!("/onefile/records?kind={kind}&limit=1000");
    app.sandbox_call(Method::GET, &path, None).await.as_array().unwrap().clone()
}

pub async fn end_sessions(app: &TestApp) {
    app.sandbox_call(Method::POST, "/sessions:end", None).await;
}

/// All entries of a look-up, by their ids.
pub async fn entries(api: &Api, path: &str) -> BTreeMap<String, Value> {
    let mark = if path.contains('?') { '&' } else { '?' };
    let mut found = BTreeMap::new();
    let mut token = String::new();
    loop {
        let page = api.get(&format!("{path}{mark}pageSize=500{token}")).await.expect(200);
        for item in page["items"].as_array().unwrap() {
            let twice = found.insert(item["id"].as_str().unwrap().to_owned(), item.clone());
            assert!(twice.is_none(), "{item} stands there twice");
        }
        match page["nextPageToken"].as_str() {
            Some(next) => token = format!("&pageToken={next}"),
            None => return found,
        }
        // Only the first page reads it again.
        assert!(!path.contains("refresh=true"), "ask for what was refreshed in a call of its own");
    }
}

/// Reads a part again.
pub async fn refresh(api: &Api, part: &str) -> Value {
    api.get(&format!("/onefile/{part}?refresh=true&pageSize=1")).await.expect(200)
}
