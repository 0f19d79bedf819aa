//! An exchange with OneFile whose process is killed in the middle. Another process continues it,
//! and every learner is reported once.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use picsbridge::sandbox::SandboxOptions;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::until;
use crate::support::processes::{Place, Process, Role, TIMINGS};
use crate::support::{TestApp, people};

const LEARNERS: usize = 24;
const SYNC: &str = "/onefile/learners:sync";

/// The app works no jobs. OneFile is on, and learners are linked, each to the user at its index in
/// the result.
async fn stage(learners: usize) -> (TestApp, Vec<u64>) {
    let options = SandboxOptions { onefile_calls_per_minute: None, ..SandboxOptions::default() };
    let app = TestApp::builder()
        .sandbox(options)
        .setting(|raw| raw.onefile_calls_per_minute = Some("60000".to_owned()))
        .no_worker()
        .timings(TIMINGS)
        .start()
        .await;
    let mut helper = Process::start(&Place::of(&app), Role::Worker).await;
    let settings = json!({"enabled": false, "environment": "sandbox", "customerToken": "sandbox"});
    app.put("/onefile/settings", &settings).await.good();
    let run = app.post("/onefile/qualifications:refresh", &Value::Null).await.good();
    app.wait_run(run["id"].as_str().unwrap()).await;
    helper.kill().await;
    let forced = json!({"force": true, "reason": "A test", "actor": "jane.roe"});
    app.post("/onefile:enable", &forced).await.good();
    let settings = json!({"enabled": true, "environment": "sandbox", "downloadReviews": true,
        "dailySync": {"enabled": false, "at": "05:00"}});
    app.put("/onefile/settings", &settings).await.good();
    let more = json!({"learners": learners, "aimsPerLearner": 2, "reviewsPerLearner": 1});
    let made = app.sandbox_call(Method::POST, "/onefile/records:more", Some(more)).await;
    let users: Vec<u64> =
        made["learners"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect();
    for (n, user) in users.iter().enumerate() {
        put(&app, n, json!({}), &[]).await;
        let link = json!({"kind": "learner", "localId": format!("L{n}"), "remoteId": user.to_string()});
        app.post("/onefile/links", &link).await.expect(201);
    }
    (app, users)
}

/// A learner with two qualifications, the first with these fields, and with more.
async fn put(app: &TestApp, n: usize, first: Value, more: &[Value]) {
    let first = people::but(json!({"vqReference": "105AS"}), first);
    let mut qualifications = vec![first, json!({"vqReference": "105OP"})];
    qualifications.extend_from_slice(more);
    let learner = json!({
        "firstName": "Esme", "lastName": "Marlpit", "status": "live", "programme": {"startDate": "2025-09-01"},
        "qualifications": qualifications
    });
    app.put(&format!("/learners/L{n}"), &learner).await.good();
}

/// The run after it has ended.
async fn ended(app: &TestApp, run: &Value) -> Value {
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    until("the run ends", async || {
        let run = app.get(&path).await.expect(200);
        (!run["finishedAt"].is_null()).then_some(run)
    })
    .await
}

fn counts(run: &Value) -> [u64; 6] {
    ["total", "done", "succeeded", "unchanged", "failed", "skipped"].map(|name| run[name].as_u64().unwrap())
}

/// The learners that the run reports, as often as it reports them.
async fn told(app: &TestApp, run: &Value) -> Vec<String> {
    let path = format!("/runs/{}/records?pageSize=500", run["id"].as_str().unwrap());
    let page = app.get(&path).await.expect(200);
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["subject"]["id"].as_str().unwrap().to_owned()).collect()
}

/// A process begins an exchange of all learners, and is killed while OneFile holds this call.
/// `kind` says whether OneFile does the work.
async fn killed_at(app: &TestApp, operation: &str, skip: u64, kind: &Value) -> Value {
    let mut place = Place::of(app);
    place.timings = format!("{TIMINGS},call=4s,lease=5s,job=6s,rescue=7s");
    let mut killed = Process::start(&place, Role::Worker).await;
    let before = calls(app, operation).await;
    app.fault(json!({"operation": operation, "skip": skip, "kind": kind})).await;
    let run = app.post(SYNC, &Value::Null).await.good();
    until("it is on its way", async || (calls(app, operation).await > before + skip).then_some(())).await;
    killed.kill().await;
    app.no_faults().await;
    let run = app.get(&format!("/runs/{}", run["id"].as_str().unwrap())).await.expect(200);
    assert!(run["finishedAt"].is_null(), "it was killed in the middle: {run:#}");
    run
}

/// A learner's learning aims in OneFile.
async fn aims(app: &TestApp, user: u64) -> Vec<Value> {
    let path = format!("/onefile/records?kind=learningAim&learnerId={user}");
    app.sandbox_call(Method::GET, &path, None).await.as_array().unwrap().clone()
}

async fn calls(app: &TestApp, operation: &str) -> u64 {
    app.sandbox_state().await["onefile"]["calls"][operation].as_u64().unwrap_or(0)
}

#[tokio::test]
async fn killed_in_the_middle_another_process_goes_on_and_each_learner_is_told_once() {
    let (app, _) = stage(LEARNERS).await;
    let mut first = Process::start(&Place::of(&app), Role::Worker).await;
    // After some learning aims OneFile answers slowly.
    app.fault(json!({"operation": "getLearningAim", "skip": 20, "kind": {"delay": {"ms": 700}}})).await;
    let run = app.post(SYNC, &Value::Null).await.good();
    until("it is in the middle", async || (calls(&app, "getLearningAim").await > 24).then_some(())).await;
    first.kill().await;
    app.no_faults().await;
    let _second = Process::start(&Place::of(&app), Role::Worker).await;
    let run = ended(&app, &run).await;
    let all = LEARNERS as u64;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [all, all, all, 0, 0, 0]), "{run:#}");
    assert_eq!(told(&app, &run).await.len(), LEARNERS);
    app.tick().await;
    let feed = app.get("/changes?pageSize=500").await.expect(200);
    let items = feed["items"].as_array().unwrap().iter();
    let progress = items.filter(|item| item["type"] == "onefile.progressChanged").count();
    assert_eq!(progress, LEARNERS * 4, "two counts of two learning aims, once each");
}

#[tokio::test]
async fn killed_while_values_go_up_they_are_all_there_in_the_end_and_each_learner_has_one_outcome() {
    let (app, users) = stage(LEARNERS).await;
    // One value, then another one with it. It is stored and the response is lost, or the call is
    // lost.
    let value = |field: &str, n: usize| match field {
        "registrationNumber" => format!("R-{n}"),
        _ => format!("2026-02-{:02}", n + 1),
    };
    let cases = [
        (["registrationNumber"].as_slice(), "RegistrationNumber", json!({"commitThenSilence": {"ms": 4000}})),
        (&["registrationNumber", "registrationDate"], "RegistrationDate", json!({"silence": {"ms": 4000}})),
    ];
    for (fields, theirs, kind) in cases {
        for n in 0..LEARNERS {
            let own = fields.iter().map(|field| ((*field).to_owned(), json!(value(field, n))));
            put(&app, n, Value::Object(own.collect()), &[]).await;
        }
        // Some were sent. All later ones are held at the same time.
        let run = killed_at(&app, "updateLearningAim", 8, &kind).await;
        let _second = Process::start(&Place::of(&app), Role::Worker).await;
        let run = ended(&app, &run).await;
        let [total, done, succeeded, unchanged, failed, skipped] = counts(&run);
        let all = LEARNERS as u64;
        assert_eq!((&run["state"], total, done), (&json!("succeeded"), all, all), "{run:#}");
        assert_eq!((succeeded + unchanged, failed, skipped), (all, 0, 0), "{run:#}");
        let told = told(&app, &run).await;
        assert_eq!(told.len() as u64, succeeded, "the unchanged are only counted: {told:?}");
        assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), told.len(), "{told:?}");
        for (n, user) in users.iter().enumerate() {
            let aims = aims(&app, *user).await;
            let values: Vec<_> = aims.iter().filter_map(|aim| aim["fields"][theirs].as_str()).collect();
            assert_eq!((aims.len(), values.len()), (2, 1), "L{n}: {aims:#?}");
            let expected = value(fields[fields.len() - 1], n);
            assert_eq!(values[0].trim_end_matches("T00:00:00.000Z"), expected, "L{n}");
        }
    }
}

#[tokio::test]
async fn killed_while_a_qualification_that_was_added_is_assigned_its_details_go_up_all_the_same() {
    let cases = [
        ("updateLearningAim", json!({"silence": {"ms": 4000}})),
        ("updateLearningAim", json!({"commitThenSilence": {"ms": 4000}})),
        ("assignStandard", json!({"silence": {"ms": 4000}})),
        ("assignStandard", json!({"commitThenSilence": {"ms": 4000}})),
    ];
    let (app, users) = stage(cases.len()).await;
    // They were created long ago, so only the changes that OneFile names are read.
    let ahead = TimeDelta::hours(2);
    app.clock_advance(ahead).await;
    app.sandbox_settings(json!({"onefile": {"clockAheadSeconds": ahead.num_seconds()}})).await;
    let mut helper = Process::start(&Place::of(&app), Role::Worker).await;
    let run = app.post(SYNC, &Value::Null).await.good();
    ended(&app, &run).await;
    helper.kill().await;
    for (n, (operation, kind)) in cases.iter().enumerate() {
        put(&app, n, json!({}), &[json!({"vqReference": "105EP", "startDate": "2026-01-05"})]).await;
        let run = killed_at(&app, operation, 0, kind).await;
        let _second = Process::start(&Place::of(&app), Role::Worker).await;
        let run = ended(&app, &run).await;
        let [total, done, ..] = counts(&run);
        assert_eq!((total, done), (users.len() as u64, users.len() as u64), "{operation} {kind}: {run:#}");
        // If it is unknown whether OneFile has the learning aim, that is checked first. Then
        // another exchange continues.
        until("nothing is open", async || {
            let intents = app.get("/intents?pageSize=500").await.expect(200);
            intents["items"].as_array().unwrap().iter().all(|intent| intent["state"] == "done").then_some(())
        })
        .await;
        let run = app.post(SYNC, &Value::Null).await.good();
        assert_eq!(counts(&ended(&app, &run).await)[4], 0);
        let aims = aims(&app, users[n]).await;
        let started: Vec<_> = aims.iter().filter_map(|aim| aim["fields"]["StartDate"].as_str()).collect();
        assert_eq!(
            (aims.len(), &*started),
            (3, &["2026-01-05T00:00:00.000Z"][..]),
            "{operation} {kind}: {aims:#?}"
        );
    }
}
