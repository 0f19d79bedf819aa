//! The simulated upstreams of an app: reads them, changes them, and makes them fail.

use reqwest::Method;
use serde_json::{Value, json};

use super::running::TestApp;
use super::wait::PATIENCE;

impl TestApp {
    pub fn sandbox_url(&self) -> String {
        self.sandbox.url()
    }

    /// The state of the sandbox in numbers.
    pub async fn sandbox_state(&self) -> Value {
        self.sandbox_call(Method::GET, "/state", None).await
    }

    /// The sandbox's records in full, newest first.
    pub async fn sandbox_records(&self) -> Vec<Value> {
        let records = self.sandbox_call(Method::GET, "/apprentices?limit=1000", None).await;
        records.as_array().unwrap().clone()
    }

    /// Moves an ACE360 record to its next status.
    pub async fn sandbox_advance(&self, id: i64) -> Value {
        self.sandbox_change(id, json!({})).await
    }

    /// Changes an ACE360 record: `{"statusId":6,"overallGrade":"pass"}`, `{"archive":true}`,
    /// `{"remove":true}`.
    pub async fn sandbox_change(&self, id: i64, change: Value) -> Value {
        self.sandbox_call(Method::POST, &format!("/apprentices/{id}:advance"), Some(change)).await
    }

    /// Creates a record in ACE360 by hand. Missing fields are invented.
    pub async fn sandbox_create(&self, fields: Value) -> Value {
        self.sandbox_call(Method::POST, "/apprentices", Some(fields)).await
    }

    /// Makes the sandbox fail:
    /// `{"operation":"createApprentice","times":1,"kind":{"commitThenReset":{}}}`.
    pub async fn fault(&self, rule: Value) {
        self.sandbox_call(Method::PUT, "/faults", Some(json!([rule]))).await;
    }

    /// Switches all faults off.
    pub async fn no_faults(&self) {
        self.sandbox_call(Method::PUT, "/faults", Some(json!([]))).await;
    }

    /// Deletes all data of the sandbox, then invents apprentices. The first one's id is 248.
    pub async fn sandbox_seed(&self, apprentices: u32) {
        let body = json!({ "seedApprentices": apprentices });
        self.sandbox_call(Method::POST, "/reset", Some(body)).await;
    }

    /// Changes the sandbox: `{"credits":0}`, `{"callsPerMinute":60}`, `{"hideArchived":true}`.
    pub async fn sandbox_settings(&self, change: Value) {
        self.sandbox_call(Method::PUT, "/settings", Some(change)).await;
    }

    /// Any call of the sandbox's control API.
    pub async fn sandbox_call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request = reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .request(method, format!("{}/control{path}", self.sandbox.url()))
            .timeout(PATIENCE);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "the sandbox's {path}: {status} {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }
}
