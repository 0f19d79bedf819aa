//! Testing a webhook, requesting a delivery again, and changing the secret.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::people;
use crate::support::webhook_receiver::{Receiver, Reply, app, change, deliveries, later, path, webhook};

#[tokio::test]
async fn a_test_is_sent_at_once_and_tells_what_came_of_it() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let made = webhook(&app, &receiver, json!({"enabled": false, "types": ["run.finished"]})).await;
    let test = format!("{}:test", path(&made));
    let tried = app.post(&test, &Value::Null).await.expect(200);
    assert_eq!((&tried["state"], &tried["type"]), (&json!("delivered"), &json!("webhook.test")));
    let got = receiver.got();
    assert_eq!((got[0].signed_by(&made["secret"]), &got[0].body["type"]), (1, &json!("webhook.test")));
    assert_eq!(got[0].subject(), made["id"].as_str().unwrap());
    assert_eq!(got[0].id, tried["id"].as_str().unwrap());

    receiver.answers(|_| Reply::Status(500));
    let tried = app.post(&test, &Value::Null).await.expect(200);
    assert_eq!((&tried["state"], &tried["lastStatus"]), (&json!("failed"), &json!(500)));
    // A test is not retried, and does not affect the webhook's health.
    let on = app.put(&path(&made), &json!({"url": receiver.url})).await.expect(200);
    assert!(on["failingSince"].is_null());
    later(&app, TimeDelta::hours(1)).await;
    assert_eq!(receiver.got().len(), 2);
    assert_eq!(deliveries(&app, &made).await.len(), 2);
    // A repeated call does not send it again.
    for _ in 0..2 {
        app.call(Method::POST, &test).header("idempotency-key", "one").send().await.expect(200);
    }
    assert_eq!(receiver.got().len(), 3);
}

#[tokio::test]
async fn a_delivery_is_sent_again_on_demand_whatever_came_of_it() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let made = webhook(&app, &receiver, json!({})).await;
    change(&app, "ace360.uploaded", "L1").await;
    app.deliver().await;
    let line = deliveries(&app, &made).await.remove(0);
    let resend = format!("{}/deliveries/{}:resend", path(&made), line["id"].as_str().unwrap());
    let due = app.post(&resend, &Value::Null).await.expect(202);
    assert_eq!((&due["state"], &due["attempts"], &due["id"]), (&json!("pending"), &json!(0), &line["id"]));
    receiver.answers(|_| Reply::Status(500));
    app.deliver().await;
    // It has its own attempts like any other delivery.
    receiver.answers(|_| Reply::Status(200));
    later(&app, TimeDelta::seconds(7)).await;
    let got = receiver.got();
    assert_eq!(got.len(), 3);
    assert!(got.iter().all(|message| message.id == got[0].id && message.bytes == got[0].bytes));
    assert_eq!(deliveries(&app, &made).await[0]["attempts"], 2);

    let nobodys = format!("{}/deliveries/{}:resend", path(&made), Uuid::now_v7());
    app.post(&nobodys, &Value::Null).await.refused(404, "notFound");
    app.post(&format!("{}/deliveries/x:resend", path(&made)), &Value::Null)
        .await
        .refused(400, "invalidParameter");
    app.put(&path(&made), &json!({"url": receiver.url, "enabled": false})).await.expect(200);
    app.post(&resend, &Value::Null).await.refused(409, "webhookDisabled");
    app.deliver().await;
    assert_eq!(receiver.got().len(), 3);
}

#[tokio::test]
async fn one_that_was_given_up_is_sent_again_on_demand() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let made = webhook(&app, &receiver, json!({})).await;
    receiver.answers(|_| Reply::Status(410));
    change(&app, "ace360.uploaded", "L1").await;
    app.deliver().await;
    receiver.answers(|_| Reply::Status(200));
    app.put(&path(&made), &json!({"url": receiver.url})).await.expect(200);
    app.deliver().await;
    assert_eq!(receiver.got().len(), 1, "what failed stays failed");
    let failed = app.get(&format!("{}/deliveries?state=failed", path(&made))).await.expect(200);
    let id = failed["items"][0]["id"].as_str().unwrap();
    app.post(&format!("{}/deliveries/{id}:resend", path(&made)), &Value::Null).await.expect(202);
    app.deliver().await;
    assert_eq!(receiver.subjects(), ["L1", "L1"]);
    let failed = app.get(&format!("{}/deliveries?state=failed,pending", path(&made))).await.expect(200);
    assert_eq!(failed["items"], json!([]));
    app.get(&format!("{}/deliveries?state=lost", path(&made))).await.refused(400, "invalidParameter");
}

#[tokio::test]
async fn an_answer_that_names_a_learner_goes_when_the_learner_is_erased() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let made = webhook(&app, &receiver, json!({})).await;
    app.put("/learners/L1", &people::learner(1)).await.expect(201);
    change(&app, "ace360.uploaded", "L1").await;
    app.deliver().await;
    let id = deliveries(&app, &made).await[0]["id"].as_str().unwrap().to_owned();
    let resend = format!("{}/deliveries/{id}:resend", path(&made));
    let resend = async || app.call(Method::POST, &resend).header("idempotency-key", "one").send().await;
    resend().await.expect(202);
    assert_eq!(resend().await.header("idempotent-replayed"), Some("true"));
    app.delete("/learners/L1").await.expect(204);
    resend().await.refused(404, "notFound");
}

#[tokio::test]
async fn for_a_day_after_its_change_both_secrets_are_good_also_when_it_is_changed_twice() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let first = webhook(&app, &receiver, json!({})).await;
    let rotate = async || app.post(&format!("{}:rotateSecret", path(&first)), &Value::Null).await.expect(200);
    let send = async |learner: &'static str| {
        change(&app, "ace360.uploaded", learner).await;
        app.deliver().await;
        let message = receiver.got().pop().unwrap();
        assert_eq!(message.subject(), learner);
        message
    };
    assert!(app.get(&path(&first)).await.expect(200)["oldSecretValidUntil"].is_null());
    let second = rotate().await;
    assert!(!second["oldSecretValidUntil"].is_null());
    let message = send("L1").await;
    assert_eq!(message.signatures.len(), 2);
    assert_eq!((message.signed_by(&first["secret"]), message.signed_by(&second["secret"])), (1, 1));

    app.clock_advance(TimeDelta::hours(20)).await;
    let third = rotate().await;
    let message = send("L2").await;
    assert_eq!(message.signatures.len(), 3);
    app.clock_advance(TimeDelta::hours(5)).await;
    let message_later = send("L3").await;
    assert_eq!((message_later.signed_by(&first["secret"]), message_later.signatures.len()), (0, 2));
    assert_eq!(message_later.signed_by(&second["secret"]), 1);
    app.clock_advance(TimeDelta::hours(20)).await;
    let last = send("L4").await;
    assert_eq!((last.signed_by(&third["secret"]), last.signatures.len()), (1, 1));
    assert!(app.get(&path(&first)).await.expect(200)["oldSecretValidUntil"].is_null());
    drop(message);
}
