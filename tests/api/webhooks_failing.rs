//! Receivers that fail: retried ever more rarely for a day, then the webhook is switched off.

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::webhook_receiver::{Receiver, Reply, app, change, deliveries, later, path, webhook};

/// Seconds from the last attempt of the newest delivery to its next.
async fn wait(app: &TestApp, webhook: &Value) -> i64 {
    let line = &deliveries(app, webhook).await[0];
    let time = |name: &str| DateTime::parse_from_rfc3339(line[name].as_str().unwrap()).unwrap();
    (time("nextAttemptAt") - time("lastAttemptAt")).num_seconds()
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_ever_more_rarely_as_the_same_message() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let made = webhook(&app, &receiver, json!({})).await;
    receiver.answers(|_| Reply::Status(500));
    change(&app, "ace360.uploaded", "L1").await;
    app.deliver().await;
    for (attempt, step) in [5, 30, 120, 600].into_iter().enumerate() {
        let line = &deliveries(&app, &made).await[0];
        assert_eq!((&line["state"], &line["attempts"]), (&json!("pending"), &json!(attempt + 1)));
        assert_eq!(
            (&line["lastStatus"], &line["error"]),
            (&json!(500), &json!("The receiver answered 500."))
        );
        let waits = wait(&app, &made).await;
        assert!((step..=step * 6 / 5).contains(&waits), "{waits} s after attempt {attempt}");
        // Not before its time. On a busy machine some of the machine's time passes too.
        let early = (step - 20).max(0);
        if early > 0 {
            later(&app, TimeDelta::seconds(early)).await;
            assert_eq!(receiver.got().len(), attempt + 1);
        }
        later(&app, TimeDelta::seconds(step * 6 / 5 - early + 1)).await;
        assert_eq!(receiver.got().len(), attempt + 2);
    }
    assert!(!app.get(&path(&made)).await.expect(200)["failingSince"].is_null());
    receiver.answers(|_| Reply::Status(201));
    later(&app, TimeDelta::hours(1)).await;
    let line = &deliveries(&app, &made).await[0];
    assert_eq!(
        (&line["state"], &line["attempts"], &line["error"]),
        (&json!("delivered"), &json!(6), &Value::Null)
    );
    assert!(app.get(&path(&made)).await.expect(200)["failingSince"].is_null());
    let got = receiver.got();
    assert!(got.iter().all(|message| message.id == got[0].id && message.bytes == got[0].bytes));
    assert!(got.iter().all(|message| message.signed_by(&made["secret"]) == 1));
    assert!(got[5].timestamp > got[0].timestamp, "each attempt says its own time");
}

#[tokio::test]
async fn one_that_fails_steps_aside_and_those_after_it_go_on() {
    let app = app().await;
    let receiver = Receiver::start().await;
    webhook(&app, &receiver, json!({})).await;
    receiver.answers(|message| Reply::Status(if message.subject() == "L1" { 500 } else { 200 }));
    for learner in ["L0", "L1", "L2", "L3"] {
        change(&app, "ace360.uploaded", learner).await;
    }
    app.deliver().await;
    assert_eq!(receiver.subjects(), ["L0", "L1", "L2", "L3"]);
    later(&app, TimeDelta::seconds(7)).await;
    assert_eq!(receiver.subjects()[4..], ["L1"]);
}

#[tokio::test]
async fn after_a_day_of_failures_only_the_webhook_is_switched_off_and_the_feed_says_so() {
    let app = app().await;
    let (dead, well) = (Receiver::start().await, Receiver::start().await);
    let made = webhook(&app, &dead, json!({})).await;
    webhook(&app, &well, json!({"types": ["webhook.disabled"]})).await;
    dead.answers(|_| Reply::Status(503));
    change(&app, "ace360.uploaded", "L1").await;
    app.deliver().await;
    for _ in 0..23 {
        later(&app, TimeDelta::hours(1)).await;
        assert_eq!(app.get(&path(&made)).await.expect(200)["enabled"], true);
    }
    assert_eq!(well.got().len(), 0);
    later(&app, TimeDelta::hours(1)).await;
    let off = app.get(&path(&made)).await.expect(200);
    assert_eq!(off["enabled"], false, "{off:#}");
    let reason = off["disabledReason"].as_str().unwrap();
    assert!(reason.contains("a day") && reason.contains("503"), "{reason}");
    assert!(!off["disabledAt"].is_null());
    let line = &deliveries(&app, &made).await[0];
    assert_eq!((&line["state"], &line["nextAttemptAt"]), (&json!("failed"), &Value::Null));
    let attempts = dead.got().len();
    assert!((8..16).contains(&attempts), "{attempts}");

    let feed = app.get("/changes").await.expect(200);
    let told = feed["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&told["type"], &told["subject"]["id"]), (&json!("webhook.disabled"), &made["id"]));
    assert_eq!(told["data"]["reason"], off["disabledReason"]);
    app.deliver().await;
    assert_eq!(well.got()[0].body["data"], told, "others are told");

    // Nothing more is sent until a person switches it on.
    change(&app, "ace360.uploaded", "L2").await;
    later(&app, TimeDelta::days(1)).await;
    assert_eq!(dead.got().len(), attempts);
    let on = app.put(&path(&made), &json!({"url": dead.url})).await.expect(200);
    assert_eq!(
        (&on["enabled"], &on["disabledReason"], &on["failingSince"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
    dead.answers(|_| Reply::Status(200));
    change(&app, "ace360.uploaded", "L3").await;
    app.deliver().await;
    assert_eq!(dead.subjects().last().unwrap(), "L3");
}

#[tokio::test]
async fn a_message_that_is_never_taken_is_given_up_after_a_day_and_the_others_go_on() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let made = webhook(&app, &receiver, json!({})).await;
    receiver.answers(|message| Reply::Status(if message.subject() == "L1" { 422 } else { 200 }));
    change(&app, "ace360.uploaded", "L1").await;
    app.deliver().await;
    for hour in 0..25 {
        if hour == 12 {
            change(&app, "ace360.uploaded", "L2").await;
        }
        later(&app, TimeDelta::hours(1)).await;
    }
    let lines = deliveries(&app, &made).await;
    assert_eq!((&lines[0]["state"], &lines[1]["state"]), (&json!("delivered"), &json!("failed")));
    assert_eq!(lines[1]["lastStatus"], 422);
    assert_eq!(app.get(&path(&made)).await.expect(200)["enabled"], true);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_never_called_again() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let made = webhook(&app, &receiver, json!({})).await;
    receiver.answers(|_| Reply::Status(410));
    change(&app, "ace360.uploaded", "L1").await;
    change(&app, "ace360.uploaded", "L2").await;
    app.deliver().await;
    later(&app, TimeDelta::days(2)).await;
    assert_eq!(receiver.subjects(), ["L1"]);
    let off = app.get(&path(&made)).await.expect(200);
    assert_eq!(off["enabled"], false);
    assert!(off["disabledReason"].as_str().unwrap().contains("410"));
    let feed = app.get("/changes").await.expect(200);
    assert_eq!(feed["items"].as_array().unwrap().last().unwrap()["type"], "webhook.disabled");
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_is_left_alone_until_then_and_an_hour_at_most() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let made = webhook(&app, &receiver, json!({})).await;
    for (status, asked, given) in [(429, "120", 120), (503, "999999", 3600)] {
        receiver.answers(move |_| Reply::With(status, "retry-after", asked.to_owned()));
        change(&app, "ace360.uploaded", "L1").await;
        app.deliver().await;
        let before = receiver.got().len();
        // This applies to later changes too.
        change(&app, "ace360.uploaded", "L2").await;
        later(&app, TimeDelta::seconds(given - 20)).await;
        assert_eq!(receiver.got().len(), before);
        assert!(!deliveries(&app, &made).await[0]["nextAttemptAt"].is_null());
        receiver.answers(|_| Reply::Status(200));
        later(&app, TimeDelta::seconds(25)).await;
        assert_eq!(receiver.got().len(), before + 2);
    }
}

#[tokio::test]
async fn nobody_listening_is_a_failure_like_others() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let made = webhook(&app, &receiver, json!({})).await;
    drop(receiver);
    // The port is released when the task has ended.
    let tried = app.post(&format!("{}:test", path(&made)), &Value::Null).await.expect(200);
    assert_eq!(tried["state"], "failed", "{tried:#}");
    assert!(tried["lastStatus"].is_null() && !tried["error"].is_null(), "{tried:#}");
}
