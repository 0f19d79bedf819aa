//! A token belongs to one provider. Another provider's data does not exist for it, on any route.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people;
use crate::support::{Api, TestApp};

/// What a provider sees of its own data.
async fn view(api: &Api) -> Vec<Value> {
    let mut seen = Vec::new();
    for path in [
        "/learners",
        "/learners/L1",
        "/learners/L1/ace360",
        "/learners/L1/ace360/history",
        "/learners/L1/ace360/preview",
        "/officers",
        "/organisations",
        "/runs",
        "/intents",
        "/changes",
        "/webhooks",
        "/ace360/settings",
        "/ace360/standards?pageSize=1",
    ] {
        seen.push(api.get(path).await.expect(200));
    }
    seen
}

#[tokio::test]
async fn nothing_of_another_provider_can_be_read_changed_or_guessed_at_by_any_route() {
    let app = TestApp::start().await;
    let hook = json!({"url": "https://receiver.example/"});
    let webhook = app.post("/webhooks", &hook).await.expect(201)["id"].as_str().unwrap().to_owned();
    app.refresh_standards().await;
    app.put_ready("L1", 1).await;
    app.post("/learners/L1/ace360", &json!({})).await.expect(201);
    let run = app.post("/ace360/status:sync", &Value::Null).await.body["id"].as_str().unwrap().to_owned();
    app.wait_run(&run).await;
    let tokens = app.get("/tokens").await.expect(200);
    let token = tokens["items"][0]["id"].as_str().unwrap();
    let intents = app.get("/intents").await.expect(200);
    let intent = intents["items"][0]["id"].as_str().unwrap();

    let settings = json!({"enabled": false, "environment": "sandbox", "customerToken": "sandbox"});
    app.put("/onefile/settings", &settings).await.expect(200);
    let assessors = app.get("/onefile/assessors?pageSize=1").await.expect(200);
    let assessor = &assessors["items"][0];
    let linked = json!({"kind": "officer", "localId": people::OFFICER, "centreId": assessor["centreId"], "remoteId": assessor["id"]});
    let linked = app.post("/onefile/links:import", &json!({"items": [linked]})).await.expect(200);
    let links = app.get("/onefile/links").await.expect(200);
    let link = links["items"][0]["id"].as_str().unwrap_or_else(|| panic!("no link: {linked:#}"));

    // Each change becomes a delivery once it has its position in the feed.
    app.get("/changes").await.expect(200);
    let deliveries = format!("/webhooks/{webhook}/deliveries");
    let delivered = app.get(&deliveries).await.expect(200);
    let delivery = delivered["items"][0]["id"].as_str().unwrap();

    let other = app.second_provider().await;
    let theirs = view(&app).await;
    let mut tried = 0;
    for (path, item) in app.document()["paths"].as_object().unwrap() {
        let id = match path.split("/{id}").next().unwrap() {
            "/tokens" => token,
            "/intents" => intent,
            "/runs" => &run,
            "/webhooks" => &webhook,
            "/onefile/links" => link,
            known if known == path => "",
            _ => panic!("{path}: say in this test which of the first provider's things stands there"),
        };
        let real = path
            .replace("{learnerId}", "L1")
            .replace("{officerId}", people::OFFICER)
            .replace("{organisationId}", people::ORGANISATION)
            .replace("{id}", id)
            .replace("{deliveryId}", delivery);
        if real == *path || path.contains("{code}") {
            continue;
        }
        for method in item.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let body = match path.as_str() {
                "/learners/{learnerId}/ace360/link" if method == Method::PUT => json!({"recordId": 1}),
                "/intents/{id}:resolve" => json!({"outcome": "notDone"}),
                "/webhooks/{id}" if method == Method::PUT => hook.clone(),
                // A put of a record would create the caller's own record.
                _ if method == Method::PUT => continue,
                _ => Value::Null,
            };
            let strangers = async |path: &str| {
                let call = other.call(method.clone(), path);
                let call = if body.is_null() { call } else { call.json(&body) };
                call.send().await.refused(404, "notFound")
            };
            let answer = strangers(&real).await;
            // The response is the same as for a missing resource.
            let nobody =
                real.replace("L1", "N0").replace(people::OFFICER, "N0").replace(people::ORGANISATION, "N0");
            let nobody = if id.is_empty() {
                nobody
            } else {
                nobody.replace(id, "0190b0a0-0000-7000-8000-000000000000")
            };
            assert_eq!(strangers(&nobody).await["detail"], answer["detail"], "{method} {real}");
            tried += 1;
        }
    }
    assert!(tried >= 15, "{tried} routes were tried");
    assert_eq!(view(&app).await, theirs);
    assert_eq!(app.get(&deliveries).await.expect(200), delivered);
    assert_eq!(app.get("/tokens").await.expect(200)["items"][0]["id"], token);
    // Their lists are empty.
    for path in ["/learners", "/officers", "/organisations", "/runs", "/intents", "/changes", "/webhooks"] {
        assert_eq!(other.get(path).await.expect(200)["items"], json!([]), "{path}");
    }
}

#[tokio::test]
async fn a_position_or_page_token_of_another_provider_shows_nothing_of_it() {
    let app = TestApp::start().await;
    for n in 1..=3 {
        app.put(&format!("/learners/L{n}"), &people::learner(n)).await.expect(201);
    }
    let other = app.second_provider().await;
    let page = app.get("/learners?pageSize=1").await.expect(200);
    let token = page["nextPageToken"].as_str().unwrap();
    let theirs = other.get(&format!("/learners?pageSize=1&pageToken={token}")).await;
    theirs.refused(400, "invalidParameter");
}
