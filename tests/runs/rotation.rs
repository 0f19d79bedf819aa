//! The master key is changed while the service serves: everything can be read before, meanwhile and afterwards, and at
//! the end the new key alone opens all of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use picsbridge::sandbox::SandboxOptions;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::support::TestApp;
use crate::support::app::{MASTER_KEY, until};
use crate::support::people::{self, but};
use crate::support::processes::{Caller, Place, Process, Role, command};

const NEW_KEY: &str = "YW5vdGhlciBrZXkgZm9yIHRlc3RzOiBub2JvZHkgcyE=";
/// Reads of every kind of thing that is sealed.
const PATHS: [&str; 15] = [
    "/learners/L1",
    "/learners/L1/ace360",
    "/learners/L2/ace360",
    "/learners/L3/ace360",
    "/learners/L4/onefile",
    "/learners/L5/onefile",
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

const ENROL: &str = "/learners/L4/onefile";
/// The key that L4's enrolment was asked with.
const KEY: &str = "enrol-l4";

fn enrolment() -> Value {
    json!({"centreId": "1001"})
}

/// What was sealed by the old key.
struct Sealed {
    app: TestApp,
    /// Where a run's records are.
    records: String,
    /// What the keyed enrolment was answered.
    enrolled: Value,
}

/// A provider with a row of each kind that is sealed, by the old key.
async fn sealed_by_the_old_key() -> Sealed {
    let options = SandboxOptions { onefile_calls_per_minute: None, ..SandboxOptions::default() };
    let app = TestApp::builder()
        .sandbox(options)
        .setting(|raw| raw.onefile_calls_per_minute = Some("60000".to_owned()))
        .timings("call=1s,lease=4s")
        .no_worker()
        .start()
        .await;
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
    let catalogue = app.post("/onefile/qualifications:refresh", &Value::Null).await.good();
    app.wait_run(catalogue["id"].as_str().unwrap()).await;
    // From here on nothing moves by itself.
    worker.stop().await;
    let enrolled = enrolments(&app).await;
    app.tick().await;
    Sealed { app, records: format!("/runs/{}/records", run["id"].as_str().unwrap()), enrolled }
}

/// One learner is enrolled, by a call with a key, and was exchanged with trouble; another's enrolment is put off, and goes on one day.
/// Answers what the call with the key was answered.
async fn enrolments(app: &TestApp) -> Value {
    let forced = json!({"force": true, "reason": "A test", "actor": "jane.roe"});
    app.post("/onefile:enable", &forced).await.good();
    let settings = json!({"enabled": true, "environment": "sandbox", "uploadReviews": true, "classroomFromMainTag": true,
        "createMissingClassrooms": true, "dailySync": {"enabled": false, "at": "05:00"}});
    app.put("/onefile/settings", &settings).await.good();
    app.put_ready("L4", 4).await;
    app.put_ready("L5", 5).await;
    let call = app.call(Method::POST, ENROL).header("idempotency-key", KEY).json(&enrolment());
    let enrolled = call.send().await.expect(201);
    let no = json!({"status": {"status": 400, "body": {"message": "No."}}});
    app.fault(json!({"operation": "getLearningAim", "kind": no})).await;
    let tab = app.post("/learners/L4/onefile:sync", &Value::Null).await.expect(200);
    assert_eq!(tab["problem"]["upstream"]["message"], "No.", "{tab:#}");
    let busy = json!({"status": {"status": 500}});
    app.fault(json!({"operation": "updateLearningAim", "kind": busy})).await;
    let call = app.call(Method::POST, "/learners/L5/onefile").header("prefer", "wait=2").json(&enrolment());
    assert_eq!(call.send().await.expect(202)["state"], "enrolling");
    app.no_faults().await;
    enrolled
}

/// With which keys what is sealed in all tables is sealed; and the columns in which there is nothing.
async fn keys_in_use(app: &TestApp) -> (BTreeSet<Vec<u8>>, Vec<String>) {
    let mut sql = app.sql().await;
    let columns: Vec<(String, String)> = sqlx::query_as(
        "select table_name::text, column_name::text from information_schema.columns
         where table_schema = 'public' and data_type = 'bytea' and column_name like 'sealed%'",
    )
    .fetch_all(&mut sql)
    .await
    .unwrap();
    let (mut keys, mut empty) = (BTreeSet::new(), Vec::new());
    for (table, column) in columns {
        let query = format!(
            r#"select distinct substring("{column}" from 1 for 5) from public."{table}" where "{column}" is not null"#
        );
        let found: Vec<Vec<u8>> = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut sql).await.unwrap();
        if found.is_empty() {
            empty.push(format!("{table}.{column}"));
        }
        keys.extend(found);
    }
    (keys, empty)
}

/// What was asked for before goes on: the key is answered as it was, the enrolment that was put off ends, learners are exchanged.
async fn goes_on(sealed: &Sealed, caller: &Caller, place: &Place, api: &Process) {
    let url = |path: &str| format!("{}{path}", api.url());
    let again = caller.post_keyed(url(ENROL), KEY, &enrolment()).await;
    assert_eq!((again.status, &again.body), (Some(201), &sealed.enrolled));
    let _worker = Process::start(place, Role::Worker).await;
    let tab =
        async |id: &str| caller.call(Method::GET, url(&format!("/learners/{id}/onefile")), None).await.body;
    until("the enrolment goes on", async || (tab("L5").await["state"] == "enrolled").then_some(())).await;
    let one = caller.post(url("/learners/L5/onefile:sync"), &Value::Null).await;
    assert_eq!((one.status, &one.body["problem"]), (Some(200), &Value::Null), "{one:?}");
    let run = caller.post(url("/onefile/learners:sync"), &Value::Null).await.body;
    let path = url(&format!("/runs/{}", run["id"].as_str().unwrap()));
    let run = until("the run ends", async || {
        let run = caller.call(Method::GET, path.clone(), None).await.body;
        (!run["finishedAt"].is_null()).then_some(run)
    })
    .await;
    assert_eq!((&run["state"], &run["total"]), (&json!("succeeded"), &json!(2)), "{run:#}");
    assert_eq!(tab("L4").await["problem"], Value::Null);
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
    let sealed = Box::pin(sealed_by_the_old_key()).await;
    let (app, records) = (&sealed.app, &sealed.records);
    let (old, empty) = keys_in_use(app).await;
    assert_eq!((old.len(), empty), (1, Vec::new()), "there is one of each");
    let caller = Caller::of(app);
    let mut place = Place { master_key: format!("{NEW_KEY},{MASTER_KEY}"), ..Place::of(app) };
    let both = Process::start(&place, Role::Api).await;
    let before = read(&caller, &both, records).await;

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
    assert!(!said.contains(": 0 sealed again"), "there was one of each: {said}");
    let (new, _) = keys_in_use(app).await;
    assert!(new.len() == 1 && new.is_disjoint(&old), "nothing is left of the old one");
    let again = command(&place, &["keys", "rotate", "--force"]).await;
    assert!(
        again.lines().filter(|line| line.contains("sealed again")).all(|line| line.contains(": 0 ")),
        "{again}"
    );
    stop.store(true, Ordering::Relaxed);
    let last = writing.await.unwrap();
    assert_eq!(read(&caller, &both, records).await, before);

    place.master_key = NEW_KEY.to_owned();
    let new = Process::start(&place, Role::Api).await;
    assert_eq!(read(&caller, &new, records).await, before);
    let got = caller.call(Method::GET, format!("{}/learners/L9", new.url()), None).await;
    assert_eq!(got.body["mainTag"], format!("Tag {last}"));
    // ACE360's token is read, too.
    let test = caller.post(format!("{}/ace360/connection:test", new.url()), &Value::Null).await;
    assert_eq!((test.status, &test.body["ok"]), (Some(200), &json!(true)), "{test:?}");
    goes_on(&sealed, &caller, &place, &new).await;
    // And with the old one alone nothing can be read any more.
    app.get("/learners/L1").await.refused(503, "unavailable");
}

#[tokio::test]
async fn what_a_process_with_the_old_key_wrote_meanwhile_is_sealed_by_the_next_rotation() {
    let app = TestApp::builder().no_worker().start().await;
    app.put("/learners/L1", &people::learner(1)).await.good();
    let place = Place { master_key: format!("{NEW_KEY},{MASTER_KEY}"), ..Place::of(&app) };
    assert!(command(&place, &["keys", "rotate", "--force"]).await.contains("records: 1 sealed again"));
    app.put("/learners/L2", &people::learner(2)).await.good();
    assert!(command(&place, &["keys", "rotate", "--force"]).await.contains("records: 1 sealed again"));
    assert!(command(&place, &["keys", "rotate", "--force"]).await.contains("records: 0 sealed again"));
}
