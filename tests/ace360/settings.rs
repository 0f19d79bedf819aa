//! The integration's settings, its connection and its page.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta};
use picsbridge::auth::scope::Scope;
use serde_json::{Value, json};

use crate::support::ace360::{later, ran, ready, ready_with, tab, uploaded};
use crate::support::{TestApp, faults};

const SETTINGS: &str = "/ace360/settings";
const TEST: &str = "/ace360/connection:test";

fn sandbox(token: Option<&str>) -> Value {
    let mut body =
        json!({"enabled": true, "environment": "sandbox", "dailySync": {"enabled": false, "at": "05:00"}});
    if let Some(token) = token {
        body["token"] = json!(token);
    }
    body
}

/// An app whose live ACE360 is a port without a listener.
async fn without_live() -> TestApp {
    let builder = TestApp::builder().setting(|raw| {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        raw.ace360_live_url = Some(format!("http://{free}"));
    });
    ready_with(builder).await
}

#[tokio::test]
async fn the_token_is_never_shown_and_stays_when_it_is_not_sent() {
    let app = TestApp::start().await;
    let secret = "sandbox-Nw7Qx41kPlanted";
    let kept = app.put(SETTINGS, &sandbox(Some(secret))).await.expect(200);
    assert_eq!(
        kept,
        json!({"enabled": true, "environment": "sandbox", "tokenSet": true, "dailySync": {"enabled": false, "at": "05:00"}})
    );
    for body in [sandbox(None), {
        let mut null = sandbox(None);
        null["token"] = Value::Null;
        null
    }] {
        assert_eq!(app.put(SETTINGS, &body).await.expect(200)["tokenSet"], true);
    }
    assert_eq!(app.get(SETTINGS).await.expect(200), kept);
    assert_eq!(app.post(TEST, &Value::Null).await.expect(200)["ok"], true, "it is still that one");
    for path in [SETTINGS, "/ace360", "/changes", "/runs"] {
        assert!(!app.get(path).await.text.contains(secret), "{path}");
    }
    // The database has it only in sealed form.
    let mut sql = app.sql().await;
    let row: String = sqlx::query_scalar("select ace360_settings::text from ace360_settings")
        .fetch_one(&mut sql)
        .await
        .unwrap();
    let hex = secret.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    assert!(!row.contains(secret) && !row.contains(&hex), "{row}");
}

#[tokio::test]
async fn all_faults_of_the_settings_are_told_at_once() {
    let app = TestApp::start().await;
    let before = app.get(SETTINGS).await.expect(200);
    let body = json!({"enabled": true, "environment": "sandbox", "token": " ", "dailySync": {"enabled": true, "at": "25:00"}});
    let problem = app.put(SETTINGS, &body).await.refused(422, "invalidRequest");
    let expected = [("/token", "blank"), ("/dailySync/at", "invalidTime")]
        .map(|(at, code)| (at.to_owned(), code.to_owned()));
    assert_eq!(faults(&problem), BTreeSet::from(expected));
    for body in [
        json!({}),
        json!({"enabled": "yes"}),
        json!({"enabled": true, "environment": "moon"}),
        json!({"enabled": true, "dailySync": {"enabled": true, "at": "5:00"}}),
        json!({"enabled": true, "token": "two words"}),
        json!({"enabled": true, "token": "x".repeat(4097)}),
        json!({"enabled": true, "customerToken": "x"}),
    ] {
        let problem = app.put(SETTINGS, &body).await.refused(422, "invalidRequest");
        assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem:#}");
        assert!(!problem.to_string().contains("two words"));
    }
    assert_eq!(app.get(SETTINGS).await.expect(200), before);
}

#[tokio::test]
async fn who_names_no_environment_means_the_present_one() {
    let app = TestApp::start().await;
    // Created for the sandbox. In live an upload would cost money.
    let kept = app.put(SETTINGS, &json!({"enabled": true})).await.expect(200);
    assert_eq!((&kept["environment"], &kept["tokenSet"]), (&json!("sandbox"), &json!(true)));
    assert_eq!(kept["dailySync"], json!({"enabled": true, "at": "05:00"}));
    app.put(SETTINGS, &json!({"enabled": false, "environment": "live"})).await.expect(200);
    let kept = app.put(SETTINGS, &json!({"enabled": false})).await.expect(200);
    assert_eq!(kept["environment"], "live");
}

#[tokio::test]
async fn a_connection_test_says_what_is_wrong_in_words() {
    let app = without_live().await;
    uploaded(&app, "L1", 1).await;
    let test = app.post(TEST, &Value::Null).await.expect(200);
    assert_eq!((&test["ok"], &test["problem"]), (&json!(true), &Value::Null));
    assert_eq!(test["detail"], "ACE360 (sandbox) answers: 1 apprentices.");
    assert_eq!(app.get("/ace360").await.expect(200)["connection"]["state"], "ok");
    for (body, code, status) in [
        (sandbox(Some("wrong")), "upstreamUnauthorised", json!(401)),
        (sandbox(Some("disabled")), "upstreamForbidden", json!(403)),
        (json!({"enabled": false, "environment": "live"}), "upstreamUnavailable", Value::Null),
    ] {
        app.put(SETTINGS, &body).await.good();
        assert_eq!(
            app.get("/ace360").await.expect(200)["connection"]["state"],
            "untested",
            "settings have changed"
        );
        // The test also works while the integration is off.
        let test = app.post(TEST, &Value::Null).await.expect(200);
        assert_eq!((&test["ok"], &test["problem"]["code"]), (&json!(false), &json!(code)), "{test:#}");
        assert_eq!(test["problem"]["upstream"]["status"], status);
        assert!(!test["detail"].as_str().unwrap().is_empty());
        assert_eq!(app.get("/ace360").await.expect(200)["connection"]["state"], code);
    }
    let reader = app.with_scopes(&[Scope::Ace360Read, Scope::Ace360Sync]).await;
    reader.post(TEST, &Value::Null).await.refused(403, "scopeMissing");
    reader.put(SETTINGS, &sandbox(None)).await.refused(403, "scopeMissing");
    reader.get(SETTINGS).await.expect(200);
}

#[tokio::test]
async fn what_was_done_in_the_sandbox_is_out_of_sight_in_live_and_comes_back() {
    let app = without_live().await;
    let record = uploaded(&app, "L1", 1).await;
    let live =
        json!({"enabled": true, "environment": "live", "dailySync": {"enabled": false, "at": "05:00"}});
    app.put(SETTINGS, &live).await.good();
    let now = app.get(&tab("L1")).await.expect(200);
    assert_eq!(
        (&now["state"], &now["recordId"], &now["problem"]),
        (&json!("notUploaded"), &Value::Null, &Value::Null)
    );
    assert_eq!(app.get("/ace360/standards").await.expect(200)["items"], json!([]));
    assert_eq!(app.get("/learners?ace360=uploaded").await.expect(200)["items"], json!([]));
    assert_eq!(app.get("/ace360").await.expect(200)["counts"]["uploaded"], 0);
    app.post("/learners/L1/ace360:sync", &Value::Null).await.refused(409, "notUploaded");
    app.delete("/learners/L1/ace360/link").await.refused(404, "notFound");
    app.put(SETTINGS, &sandbox(None)).await.good();
    let back = app.get(&tab("L1")).await.expect(200);
    assert_eq!((&back["state"], &back["recordId"]), (&json!("uploaded"), &json!(record)), "{back:#}");
    assert_eq!(app.get("/ace360/standards").await.expect(200)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_lost_upload_is_looked_for_where_it_was_sent_whatever_the_settings_say_now() {
    let builder = TestApp::builder().timings("call=1s,lease=4s").setting(|raw| {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        raw.ace360_live_url = Some(format!("http://{free}"));
    });
    let app = ready_with(builder).await;
    app.put_ready("L1", 1).await;
    app.fault(json!({"operation": "createApprentice", "times": 1, "kind": {"commitThenReset": {}}})).await;
    app.post(&tab("L1"), &json!({})).await.expect(202);
    app.put(
        SETTINGS,
        &json!({"enabled": true, "environment": "live", "dailySync": {"enabled": false, "at": "05:00"}}),
    )
    .await
    .good();
    later(&app, TimeDelta::seconds(2)).await;
    app.eventually("/intents", |page| page["items"][0]["state"] == "done").await;
    assert_eq!(app.get(&tab("L1")).await.expect(200)["state"], "notUploaded");
    app.put(SETTINGS, &sandbox(None)).await.good();
    assert_eq!(app.get(&tab("L1")).await.expect(200)["state"], "uploaded");
}

#[tokio::test]
async fn the_page_tells_when_the_next_night_is_and_what_is_to_be_done() {
    let app = ready().await;
    let summary = app.get("/ace360").await.expect(200);
    assert_eq!(
        (&summary["enabled"], &summary["environment"], &summary["nextSyncAt"]),
        (&json!(true), &json!("sandbox"), &Value::Null)
    );
    assert_eq!(summary["attention"], json!([]));
    assert_eq!(summary["counts"], json!({"learners": 0, "uploaded": 0, "byStatus": []}));
    let mut daily = sandbox(None);
    daily["dailySync"] = json!({"enabled": true, "at": "12:30"});
    app.put(SETTINGS, &daily).await.good();
    let next = app.get("/ace360").await.expect(200)["nextSyncAt"].clone();
    let next = DateTime::parse_from_rfc3339(next.as_str().unwrap()).unwrap().to_utc();
    let now = app.parts.store.now().await.unwrap();
    assert!(next > now && next - now <= TimeDelta::hours(25), "{next} after {now}");
    uploaded(&app, "L1", 1).await;
    app.put_ready("L2", 2).await;
    ran(&app, "/ace360/status:sync").await;
    let summary = app.get("/ace360").await.expect(200);
    assert_eq!((&summary["counts"]["learners"], &summary["counts"]["uploaded"]), (&json!(2), &json!(1)));
    assert_eq!(summary["connection"]["state"], "ok");
    assert!(summary["lastSyncAt"].is_string() && summary["connection"]["testedAt"].is_string());
}
