//! Changes are delivered signed, in order, and at least once, by any number of processes.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::app::PATIENCE;
use crate::support::people;
use crate::support::postgres::RUNTIME;
use crate::support::webhook_receiver::{
    Receiver, Reply, app, app_with, change, change_of, deliveries, later, path, webhook,
};

#[tokio::test]
async fn a_change_is_delivered_signed_and_as_it_stands_in_the_feed() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let made = webhook(&app, &receiver, json!({})).await;
    app.refresh_standards().await;
    app.deliver().await;
    let feed = app.get("/changes").await.expect(200);
    let told = &feed["items"][0];
    assert_eq!(told["type"], "run.finished");
    let got = receiver.got();
    assert_eq!(got.len(), 1);
    assert_eq!((got[0].signed_by(&made["secret"]), got[0].signatures.len()), (1, 1));
    assert_eq!(got[0].id, told["id"].as_str().unwrap());
    assert_eq!(got[0].body, json!({"type": told["type"], "timestamp": told["at"], "data": told}));
    assert!(got[0].head.starts_with("POST /hook HTTP/1.1"), "{}", got[0].head);
    assert!(got[0].head.to_lowercase().contains("content-type: application/json"), "{}", got[0].head);
    let now = app.parts.store.now().await.unwrap().timestamp();
    assert!((now - got[0].timestamp).abs() < 60);

    let line = &deliveries(&app, &made).await[0];
    assert_eq!(
        (&line["id"], &line["type"], &line["subject"]),
        (&told["id"], &told["type"], &told["subject"])
    );
    assert_eq!(
        (&line["state"], &line["attempts"], &line["lastStatus"]),
        (&json!("delivered"), &json!(1), &json!(200))
    );
    assert_eq!((&line["nextAttemptAt"], &line["error"]), (&Value::Null, &Value::Null));
    // Once is enough.
    later(&app, TimeDelta::days(1)).await;
    assert_eq!(receiver.got().len(), 1);
    let metrics = app.page("/metrics").await.text().await.unwrap();
    assert!(metrics.contains(r#"picsbridge_webhook_deliveries_total{outcome="delivered"}"#), "{metrics}");
}

#[tokio::test]
async fn a_webhook_is_told_in_the_feeds_order_of_its_own_providers_changes() {
    let app = app().await;
    let receiver = Receiver::start().await;
    webhook(&app, &receiver, json!({})).await;
    let other = app.second_provider().await;
    // This needs more than one turn.
    for n in 0..60 {
        change(&app, "ace360.uploaded", &format!("L{n}")).await;
        change_of(&app, &other, "ace360.uploaded", "THEIRS").await;
    }
    app.deliver().await;
    let wanted: Vec<_> = (0..60).map(|n| format!("L{n}")).collect();
    assert_eq!(receiver.subjects(), wanted);
}

#[tokio::test]
async fn only_changes_of_the_types_that_were_asked_for_are_sent_and_only_while_it_is_on() {
    let app = app().await;
    let (some, all) = (Receiver::start().await, Receiver::start().await);
    let types = json!({"types": ["ace360.gradeChanged", "link.created"]});
    let made = webhook(&app, &some, types.clone()).await;
    webhook(&app, &all, json!({})).await;
    for type_ in ["ace360.uploaded", "ace360.gradeChanged", "link.created", "link.removed"] {
        change(&app, type_, "L1").await;
    }
    app.deliver().await;
    let told: Vec<_> = some.got().iter().map(|message| message.body["type"].clone()).collect();
    assert_eq!(told, ["ace360.gradeChanged", "link.created"]);
    assert_eq!(all.got().len(), 4);

    let mut body = json!({"url": some.url, "enabled": false});
    app.put(&path(&made), &body).await.expect(200);
    change(&app, "link.created", "L2").await;
    app.deliver().await;
    body["enabled"] = json!(true);
    app.put(&path(&made), &body).await.expect(200);
    change(&app, "link.created", "L3").await;
    app.deliver().await;
    assert_eq!(some.subjects(), ["L1", "L1", "L3"]);
}

#[tokio::test]
async fn what_waits_when_a_webhook_is_switched_off_is_sent_when_it_is_on_again() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let made = webhook(&app, &receiver, json!({})).await;
    change(&app, "link.created", "L1").await;
    app.get("/changes").await.expect(200);
    let mut body = json!({"url": receiver.url, "enabled": false});
    app.put(&path(&made), &body).await.expect(200);
    later(&app, TimeDelta::hours(1)).await;
    assert_eq!(receiver.got().len(), 0);
    let waiting = &deliveries(&app, &made).await[0];
    assert_eq!((&waiting["state"], &waiting["nextAttemptAt"]), (&json!("pending"), &Value::Null));
    body["enabled"] = json!(true);
    app.put(&path(&made), &body).await.expect(200);
    app.deliver().await;
    assert_eq!(receiver.subjects(), ["L1"]);
}

#[tokio::test]
async fn two_processes_deliver_each_change_once_and_in_order() {
    let app = app().await;
    let second = app.second().await;
    let receivers = [Receiver::start().await, Receiver::start().await];
    for receiver in &receivers {
        webhook(&app, receiver, json!({})).await;
    }
    let wanted: Vec<_> = (0..40).map(|n| format!("L{n}")).collect();
    for learner in &wanted {
        change(&app, "ace360.uploaded", learner).await;
    }
    tokio::join!(app.deliver(), second.deliver());
    for receiver in &receivers {
        assert_eq!(receiver.subjects(), wanted);
    }
}

#[tokio::test]
async fn a_process_that_dies_while_it_sends_loses_nothing() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let made = webhook(&app, &receiver, json!({})).await;
    receiver.answers(|_| Reply::Silence);
    change(&app, "ace360.uploaded", "L1").await;
    change(&app, "ace360.uploaded", "L2").await;
    let webhooks = app.parts.webhooks.clone();
    let doomed = RUNTIME.spawn(async move { webhooks.deliver().await });
    receiver.wait(1).await;
    doomed.abort();
    assert!(doomed.await.unwrap_err().is_cancelled());

    receiver.answers(|_| Reply::Status(204));
    let second = app.second().await;
    second.deliver().await;
    assert_eq!(receiver.got().len(), 1, "who died may still be at it");
    later(&second, TimeDelta::seconds(10)).await;
    assert_eq!(receiver.subjects(), ["L1", "L1", "L2"]);
    let got = receiver.got();
    assert_eq!((&got[0].id, &got[0].bytes), (&got[1].id, &got[1].bytes));
    assert!(deliveries(&app, &made).await.iter().all(|line| line["state"] == "delivered"));
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_harms_nobody() {
    let app = app_with("call=1s").await;
    let (slow, quick) = (Receiver::start().await, Receiver::start().await);
    let dull = webhook(&app, &slow, json!({})).await;
    webhook(&app, &quick, json!({})).await;
    slow.answers(|_| Reply::Silence);
    for n in 0..5 {
        change(&app, "ace360.uploaded", &format!("L{n}")).await;
    }
    let webhooks = app.parts.webhooks.clone();
    let delivering = RUNTIME.spawn(async move { webhooks.deliver().await });
    quick.wait(5).await;
    assert!(slow.got().len() <= 1);
    tokio::time::timeout(PATIENCE, delivering).await.expect("it ends").unwrap().unwrap();
    // Only one call's time was lost, not five: the receiver gets no calls for a while.
    assert_eq!(slow.got().len(), 1);
    let lines = deliveries(&app, &dull).await;
    assert!(lines.iter().all(|line| line["state"] == "pending"), "{lines:#?}");
    assert_eq!(lines[4]["error"], "The receiver did not answer in time.");
    slow.answers(|_| Reply::Status(200));
    later(&app, TimeDelta::seconds(8)).await;
    assert_eq!(slow.got().len(), 6);
}

#[tokio::test]
async fn erasing_a_learner_and_the_end_of_retention_take_deliveries_along() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let made = webhook(&app, &receiver, json!({})).await;
    app.put("/learners/L1", &people::learner(1)).await.expect(201);
    change(&app, "ace360.uploaded", "L1").await;
    change(&app, "ace360.uploaded", "L2").await;
    app.deliver().await;
    app.post(&format!("{}:test", path(&made)), &Value::Null).await.expect(200);
    change(&app, "ace360.gradeChanged", "L1").await;
    app.get("/changes").await.expect(200);
    assert_eq!(deliveries(&app, &made).await.len(), 4);
    app.delete("/learners/L1").await.expect(204);
    let left = deliveries(&app, &made).await;
    let left: Vec<_> = left.iter().map(|line| line["subject"]["id"].as_str().unwrap()).collect();
    assert_eq!(left, [made["id"].as_str().unwrap(), "L2"]);
    app.deliver().await;
    assert_eq!(receiver.got().len(), 3, "nothing more is sent about L1");

    app.clock_advance(TimeDelta::days(91)).await;
    app.tick().await;
    assert_eq!(deliveries(&app, &made).await, Vec::<Value>::new());
}
