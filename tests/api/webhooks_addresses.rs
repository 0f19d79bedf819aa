//! Allowed addresses of webhooks: the public internet, unless the operator allows more.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::webhook_receiver::{Receiver, Reply, app, change, deliveries, path, webhook};

#[tokio::test]
async fn private_and_local_addresses_are_refused_in_every_spelling() {
    let app = TestApp::start().await;
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "[::1]",
        "[::]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fd00::1]",
        "[fe80::1]",
        "[ff02::1]",
    ] {
        let body = json!({"url": format!("https://{host}/hook")});
        let problem = app.post("/webhooks", &body).await.refused(422, "invalidRequest");
        assert_eq!(
            (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
            (&json!("/url"), &json!("notPublic")),
            "{host}"
        );
        assert!(!problem["errors"].to_string().contains(host), "faults do not repeat values");
    }
    assert_eq!(app.get("/webhooks").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_not_called_unless_the_operator_allows_it() {
    let receiver = Receiver::start().await;
    let port = receiver.url.split(':').nth(2).unwrap().to_owned();
    let strict = TestApp::start().await;
    let made =
        strict.post("/webhooks", &json!({"url": format!("https://localhost:{port}")})).await.expect(201);
    let tried = strict.post(&format!("{}:test", path(&made)), &Value::Null).await.expect(200);
    assert_eq!((&tried["state"], &tried["lastStatus"]), (&json!("failed"), &Value::Null));
    assert!(tried["error"].as_str().unwrap().contains("not on the public internet"), "{tried:#}");
    change(&strict, "ace360.uploaded", "L1").await;
    strict.deliver().await;
    let due = deliveries(&strict, &made).await;
    assert_eq!((&due[0]["state"], &due[0]["attempts"]), (&json!("pending"), &json!(1)), "{due:#?}");

    let lax = app().await;
    let made = lax.post("/webhooks", &json!({"url": format!("http://localhost:{port}")})).await.expect(201);
    let tried = lax.post(&format!("{}:test", path(&made)), &Value::Null).await.expect(200);
    assert_eq!(tried["state"], "delivered", "{tried:#}");
    assert_eq!(receiver.got().len(), 1, "only the one that was allowed");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let app = app().await;
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    let made = webhook(&app, &receiver, json!({})).await;
    for status in [301, 302, 303, 307, 308] {
        let to = elsewhere.url.clone();
        receiver.answers(move |_| Reply::With(status, "location", to.clone()));
        let tried = app.post(&format!("{}:test", path(&made)), &Value::Null).await.expect(200);
        assert_eq!((&tried["state"], &tried["lastStatus"]), (&json!("failed"), &json!(status)));
        assert!(tried["error"].as_str().unwrap().contains("redirects are not followed"), "{tried:#}");
    }
    assert_eq!((receiver.got().len(), elsewhere.got().len()), (5, 0));
}
