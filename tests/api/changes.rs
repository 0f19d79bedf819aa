//! The change feed of every kind: the document, the stored rows and the messages agree.
//!
//! The events of ACE360 and of runs are compared with the examples in `tests/ace360/changes.rs`,
//! those of OneFile and links in `tests/onefile/changes.rs`, and those of webhooks here.

use picsbridge::domain::{Change, ChangeType};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::webhook_receiver::{Receiver, Reply, app, change, path, webhook};

fn example(app: &TestApp, type_: &str) -> Value {
    let content = "post/requestBody/content/application~1json/example";
    app.document().pointer(&format!("/webhooks/{type_}/{content}")).unwrap().clone()
}

async fn feed(app: &TestApp) -> Vec<Value> {
    app.get("/changes?pageSize=500").await.expect(200)["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_example_is_read_and_written_again_without_a_loss() {
    let app = TestApp::start().await;
    for kind in ChangeType::ALL {
        let message = example(&app, kind.as_str());
        let shown = &message["data"];
        assert_eq!((&message["type"], &message["timestamp"]), (&json!(kind), &shown["at"]));
        let schema = &app.document()["components"]["schemas"][Change::data_name(*kind)];
        for data in [&shown["data"], &schema["example"]] {
            let read = Change::read(*kind, data.to_string().as_bytes()).unwrap();
            // A field that the type does not know would be lost.
            assert_eq!((read.kind(), json!(read)), (*kind, data.clone()));
        }
        app.contract().check_change(shown, "the document's example");
    }
}

#[tokio::test]
async fn a_change_of_every_kind_stands_in_the_feed_and_is_sent_as_the_document_shows_it() {
    let app = app().await;
    let receiver = Receiver::start().await;
    webhook(&app, &receiver, json!({})).await;
    for kind in ChangeType::ALL {
        change(&app, kind.as_str(), "L1").await;
    }
    let feed = feed(&app).await;
    app.deliver().await;
    let sent = receiver.got();
    assert_eq!((feed.len(), sent.len()), (ChangeType::ALL.len(), ChangeType::ALL.len()));
    for ((kind, told), sent) in ChangeType::ALL.iter().zip(&feed).zip(&sent) {
        let shown = &example(&app, kind.as_str())["data"];
        assert_eq!((&told["type"], &told["data"]), (&json!(kind), &shown["data"]));
        assert_eq!(told["subject"], json!({"kind": "learner", "id": "L1"}));
        assert_eq!(&sent.body["data"], told);
    }
}

#[tokio::test]
async fn a_webhook_that_is_tested_and_one_that_is_switched_off_are_told_as_the_document_shows_it() {
    let app = app().await;
    let receiver = Receiver::start().await;
    let made = webhook(&app, &receiver, json!({})).await;
    app.post(&format!("{}:test", path(&made)), &Value::Null).await.expect(200);
    receiver.answers(|_| Reply::Status(410));
    change(&app, "ace360.uploaded", "L1").await;
    app.deliver().await;
    let mut told = feed(&app).await;
    let off = told.last().unwrap();
    assert_eq!(off["data"]["reason"], example(&app, "webhook.disabled")["data"]["data"]["reason"]);
    told.push(receiver.got()[0].body["data"].clone());
    app.contract().shows_what_is_sent(&told, |type_| type_.starts_with("webhook."));
    let told_elsewhere = ["ace360.", "run.", "onefile.", "link.", "webhook."];
    for kind in ChangeType::ALL {
        let known = told_elsewhere.iter().any(|prefix| kind.as_str().starts_with(prefix));
        assert!(known, "{}: no test makes the service emit it", kind.as_str());
    }
}
