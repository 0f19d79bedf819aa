//! The common start of OneFile link tests.

use serde_json::{Value, json};

use super::records;
use crate::support::{Api, TestApp, people};

pub const LINKS: &str = "/onefile/links";

pub async fn officer(api: &Api, id: &str, ident: &str) {
    let own = people::but(
        people::officer(),
        json!({"ident": ident, "email": null, "lastName": format!("Qqq{id}"), "firstName": null}),
    );
    api.put(&format!("/officers/{id}"), &own).await.good();
}

/// OneFile's users with this MIS value, as `(id, centre)`.
pub async fn with_mis(app: &TestApp, mis: &str) -> Vec<(String, String)> {
    let users = records(app, "user").await;
    let found = users.iter().filter(|user| user["fields"]["MISID"] == mis && user["archived"] == false);
    let mut found: Vec<_> =
        found.map(|user| (user["id"].to_string(), user["centreId"].to_string())).collect();
    found.sort();
    found
}

pub fn request(kind: &str, local: &str, remote: &str) -> Value {
    json!({"kind": kind, "localId": local, "remoteId": remote})
}

/// The events about links in the feed.
pub async fn told(api: &Api) -> Vec<Value> {
    let changes = api.get("/changes").await.expect(200);
    let items = changes["items"].as_array().unwrap().clone();
    items.into_iter().filter(|item| item["type"].as_str().unwrap().starts_with("link.")).collect()
}
