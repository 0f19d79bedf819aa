//! The master key is changed while the service serves: everything can be read before, meanwhile and afterwards, and at
//! the end the new key alone opens all of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use crate::processes::{Caller, Place, Process, Role, command};
use crate::support::TestApp;
use crate::support::app::MASTER_KEY;
use crate::support::people::{self, but};

const NEW_KEY: &str = "YW5vdGhlciBrZXkgZm9yIHRlc3RzOiBub2JvZHkgcyE=";
/// Reads of every kind of thing that is sealed.
const PATHS: [&str; 13] = [
    "/learners/L1",
    "/learners/L1/ace360",
    "/learners/L2/ace360",
    "/learners/L3/ace360",
    "/officers/OFF12",
    "/organisations/ORG7",
    "/intents",
    "/changes",
    "/ace360/settings",
    "/onefile/settings",
    "/onefile/assessors?pageSize=500",
    "/onefile/links",
    "/webhooks",
];

/// A provider with a row of each kind that is sealed, by the old key.
async fn sealed_by_the_old_key() -> (TestApp, String) {
    let app = TestApp::builder().timings("call=1s,lease=4s").no_worker().start().await;
    let worker = app.second_with(true).await;
    app.refresh_standards().await;
    app.put_ready("L1", 1).await;
    app.put_ready("L2", 2).await;
    app.put_ready("L3", 3).await;
    let record = app.post("/learners/L1/ace360", &json!({})).await.expect(201)["recordId"].clone();
    for (id, status) in [("L2", 422), ("L3", 500)] {
        let kind = json!({"status": {"status": status, "body": {"message": "No."}}});
        app.fault(json!({"operation": "createApprentice", "times": 1, "kind": kind})).await;
        app.post(&format!("/learners/{id}/ace360"), &json!({})).await;
    }
    // A link with a problem, and a run's record with one.
    app.sandbox_change(record.as_i64().unwrap(), json!({"archive": true})).await;
    app.sandbox_settings(json!({"hideArchived": true})).await;
    let no = json!({"status": {"status": 400, "body": {"message": "No."}}});
    app.fault(json!({"operation": "getApprentice", "kind": no})).await;
    let run = app.post("/ace360/status:sync", &Value::Null).await.good();
    let run = app.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!(run["failed"], 1, "{run:#}");
    app.no_faults().await;
    // A customer token, a session, and a directory.
    let onefile = json!({"enabled": false, "environment": "sandbox", "customerToken": "sandbox"});
    app.put("/onefile/settings", &onefile).await.expect(200);
    let assessor = app.get("/onefile/assessors").await.expect(200)["items"][0]["id"].clone();
    let link = json!({"kind": "officer", "localId": "OFF12", "remoteId": assessor});
    app.post("/onefile/links", &link).await.expect(201);
    let hook = json!({"url": "https://receiver.example/", "enabled": false});
    app.post("/webhooks", &hook).await.expect(201);
    // From here on nothing moves by itself.
    worker.stop().await;
    app.tick().await;
    (app, format!("/runs/{}/records", run["id"].as_str().unwrap()))
}

/// What a process says of all of it.
async fn read(caller: &Caller, process: &Process, records: &str) -> Vec<Value> {
    let mut read = Vec::new();
    for path in PATHS.into_iter().chain([records]) {
        let reply = caller.call(Method::GET, format!("{}{path}", process.url()), None).await;
        assert_eq!(reply.status, Some(200), "{path}: {reply:?}");
        read.push(reply.body);
    }
    read
}

/// A field that callers write over and over.
fn written(n: u64) -> Value {
    but(people::learner(9), json!({"mainTag": format!("Tag {n}")}))
}

#[tokio::test]
async fn a_key_is_changed_while_the_service_serves_and_the_old_one_is_not_needed_any_more() {
    let (app, records) = Box::pin(sealed_by_the_old_key()).await;
    let caller = Caller::of(&app);
    let mut place = Place { master_key: format!("{NEW_KEY},{MASTER_KEY}"), ..Place::of(&app) };
    let both = Process::start(&place, Role::Api).await;
    let before = read(&caller, &both, &records).await;

    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, writer, url) = (Arc::clone(&stop), caller.clone(), format!("{}/learners/L9", both.url()));
    let writing = tokio::spawn(async move {
        let mut n = 0;
        while !stopped.load(Ordering::Relaxed) {
            n += 1;
            let put = writer.call(Method::PUT, url.clone(), Some(&written(n))).await;
            assert!(matches!(put.status, Some(200 | 201)), "{put:?}");
            let got = writer.call(Method::GET, url.clone(), None).await;
            assert_eq!((got.status, &got.body["mainTag"]), (Some(200), &json!(format!("Tag {n}"))));
        }
        n
    });
    // The app itself, which is there still, has the old key only.
    let said = command(&place, &["keys", "rotate", "--force"]).await;
    assert!(said.contains("may be removed from PICSBRIDGE_MASTER_KEY"), "{said}");
    // But for what only enrolments and keyed calls leave behind, of which there are none here.
    let others = ["OneFile enrolments", "OneFile portfolios", "answers to idempotent calls"];
    let there = said.lines().filter(|line| !others.iter().any(|other| line.starts_with(other)));
    assert!(!there.into_iter().any(|line| line.contains(": 0 sealed anew")), "there was one of each: {said}");
    let again = command(&place, &["keys", "rotate", "--force"]).await;
    assert!(
        again.lines().filter(|line| line.contains("sealed anew")).all(|line| line.contains(": 0 ")),
        "{again}"
    );
    stop.store(true, Ordering::Relaxed);
    let last = writing.await.unwrap();
    assert_eq!(read(&caller, &both, &records).await, before);

    place.master_key = NEW_KEY.to_owned();
    let new = Process::start(&place, Role::Api).await;
    assert_eq!(read(&caller, &new, &records).await, before);
    let got = caller.call(Method::GET, format!("{}/learners/L9", new.url()), None).await;
    assert_eq!(got.body["mainTag"], format!("Tag {last}"));
    // ACE360's token is read, too.
    let test = caller.post(format!("{}/ace360/connection:test", new.url()), &Value::Null).await;
    assert_eq!((test.status, &test.body["ok"]), (Some(200), &json!(true)), "{test:?}");
    // And with the old one alone nothing can be read any more.
    app.get("/learners/L1").await.refused(503, "unavailable");
}

#[tokio::test]
async fn what_a_process_with_the_old_key_wrote_meanwhile_is_sealed_by_the_next_rotation() {
    let app = TestApp::builder().no_worker().start().await;
    app.put("/learners/L1", &people::learner(1)).await.good();
    let place = Place { master_key: format!("{NEW_KEY},{MASTER_KEY}"), ..Place::of(&app) };
    assert!(command(&place, &["keys", "rotate", "--force"]).await.contains("records: 1 sealed anew"));
    app.put("/learners/L2", &people::learner(2)).await.good();
    assert!(command(&place, &["keys", "rotate", "--force"]).await.contains("records: 1 sealed anew"));
    assert!(command(&place, &["keys", "rotate", "--force"]).await.contains("records: 0 sealed anew"));
}
