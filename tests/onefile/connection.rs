//! The connection test says in words what is wrong.

use picsbridge::sandbox::{Sandbox, SandboxOptions};
use serde_json::{Value, json};

use crate::support::on_runtime;
use crate::support::onefile::{SETTINGS, TEST, builder, connected, sandbox};

#[tokio::test]
async fn it_names_the_customer() {
    let app = connected().await;
    assert_eq!(app.get("/onefile").await.expect(200)["connection"]["state"], "untested");
    let test = app.post(TEST, &Value::Null).await.expect(200);
    assert_eq!((&test["ok"], &test["problem"]), (&json!(true), &Value::Null), "{test:#}");
    assert!(test["detail"].as_str().unwrap().contains("Copperfold Training Group"), "{test:#}");
    let page = app.get("/onefile").await.expect(200);
    assert_eq!(page["connection"]["state"], "ok");
    assert_eq!(page["budget"]["perMinute"], 60000);
}

#[tokio::test]
async fn without_a_token_it_says_so() {
    let app = builder().start().await;
    let test = app.post(TEST, &Value::Null).await.expect(200);
    assert_eq!((&test["ok"], &test["problem"]["code"]), (&json!(false), &json!("integrationNotConfigured")));
    assert_eq!(app.get("/onefile").await.expect(200)["budget"], Value::Null);
}

#[tokio::test]
async fn a_wrong_token_and_one_of_another_environment_are_told_in_words() {
    let app = connected().await;
    for (token, code, status) in [
        ("wrong", "upstreamUnauthorised", 401),
        ("sandbox-beta", "upstreamUnauthorised", 401),
        ("disabled", "upstreamForbidden", 403),
    ] {
        app.put(SETTINGS, &sandbox(token)).await.expect(200);
        let test = app.post(TEST, &Value::Null).await.expect(200);
        assert_eq!((&test["ok"], &test["problem"]["code"]), (&json!(false), &json!(code)), "{test:#}");
        assert_eq!(
            test["problem"]["upstream"],
            json!({"name": "onefile", "status": status, "message": null})
        );
        let detail = test["detail"].as_str().unwrap();
        for part in ["`sandbox`", "a Live token does not work in Beta or Practice"] {
            assert!(detail.contains(part), "{part}: {detail}");
        }
        assert_eq!(app.get("/onefile").await.expect(200)["connection"]["state"], code);
        // A caller gets the same text without a test.
        let problem = app.get("/onefile/centres").await.refused(502, code);
        assert_eq!(problem["detail"], *detail);
    }
}

#[tokio::test]
async fn a_live_token_on_beta_or_practice_is_told_and_theirs_serve_there() {
    let options = SandboxOptions {
        listen: "127.0.0.1:0".parse().unwrap(),
        onefile_calls_per_minute: None,
        ..SandboxOptions::default()
    };
    let other = on_runtime(Sandbox::start(options)).await.unwrap();
    let url = other.url();
    let app = builder()
        .setting(move |raw| {
            raw.onefile_live_url = Some(format!("{url}/onefile/api/v2.1"));
            raw.onefile_practice_url = Some(format!("{url}/onefile/practice/api/v2.1"));
            raw.onefile_beta_url = Some(format!("{url}/onefile/beta/api/v2.1"));
        })
        .start()
        .await;
    for (environment, token, good) in [
        ("live", "sandbox-college", true),
        ("practice", "sandbox-college", false),
        ("practice", "sandbox-practice", true),
        ("beta", "sandbox-college", false),
        ("beta", "sandbox-beta", true),
        ("live", "sandbox-beta", false),
    ] {
        let body = json!({"enabled": false, "environment": environment, "customerToken": token});
        app.put(SETTINGS, &body).await.expect(200);
        let test = app.post(TEST, &Value::Null).await.expect(200);
        assert_eq!(test["ok"], good, "{environment} with {token}: {test:#}");
        assert!(test["detail"].as_str().unwrap().contains(environment), "{test:#}");
    }
    on_runtime(other.stop()).await;
}

#[tokio::test]
async fn a_onefile_that_is_not_there_is_unavailable() {
    let app = builder()
        .setting(|raw| {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            raw.onefile_live_url = Some(format!("http://{free}/api/v2.1"));
        })
        .start()
        .await;
    app.put(SETTINGS, &json!({"enabled": false, "customerToken": "x"})).await.expect(200);
    let test = app.post(TEST, &Value::Null).await.expect(200);
    assert_eq!(test["problem"]["code"], "upstreamUnavailable", "{test:#}");
    app.get("/onefile/centres").await.refused(503, "upstreamUnavailable");
}
