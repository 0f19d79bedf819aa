//! Runs that are stopped, and runs that retry the failed records of another run.

use chrono::TimeDelta;
use picsbridge::auth::scope::Scope;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::runs::{FIRST, SYNC, counts, id, seeded};

fn path(run: &Value, verb: &str) -> String {
    format!("/runs/{}:{verb}", id(run))
}

#[tokio::test]
async fn a_run_that_has_not_begun_is_stopped_at_once_and_never_works() {
    let app = TestApp::builder().no_worker().start().await;
    seeded(&app, 5, 2).await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    app.post(&path(&run, "retry"), &Value::Null).await.refused(409, "stillActive");
    let stopped = app.post(&path(&run, "cancel"), &Value::Null).await.expect(200);
    assert_eq!((&stopped["state"], stopped["finishedAt"].is_string()), (&json!("cancelled"), true));
    app.post(&path(&run, "cancel"), &Value::Null).await.refused(409, "notActive");
    app.post(&path(&run, "retry"), &Value::Null).await.refused(409, "nothingToRetry");
    // Its job still exists. The worker that takes it finds nothing to do, and the next run
    // continues.
    let worker = app.second_with(true).await;
    let next = app.post(SYNC, &Value::Null).await.expect(202);
    assert_eq!(worker.wait_run(&id(&next)).await["state"], "succeeded");
    assert_eq!(app.get(&format!("/runs/{}", id(&run))).await.expect(200), stopped);
}

#[tokio::test]
async fn a_run_that_waits_for_its_upstream_is_stopped_at_once() {
    let app = TestApp::builder().timings("retry=1h").start().await;
    seeded(&app, 5, 2).await;
    app.fault(json!({"operation": "listApprentices", "kind": {"status": {"status": 503}}})).await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    app.eventually(&format!("/runs/{}", id(&run)), |run| run["state"] == "waiting").await;
    assert_eq!(app.post(&path(&run, "cancel"), &Value::Null).await.expect(200)["state"], "cancelled");
    app.no_faults().await;
    let next = app.post(SYNC, &Value::Null).await.expect(202);
    assert_eq!(app.wait_run(&id(&next)).await["state"], "succeeded");
}

#[tokio::test]
async fn only_who_may_synchronise_may_stop_a_run_or_take_it_again() {
    let app = TestApp::builder().no_worker().start().await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    let (reader, stranger) = (app.with_scopes(&[Scope::RunsRead]).await, app.second_provider().await);
    for verb in ["cancel", "retry"] {
        reader.post(&path(&run, verb), &Value::Null).await.refused(403, "scopeMissing");
        stranger.post(&path(&run, verb), &Value::Null).await.refused(404, "notFound");
        app.without_token().post(&path(&run, verb), &Value::Null).await.refused(401, "unauthenticated");
        let nobody = format!("/runs/0192d3a0-0000-7000-8000-000000000000:{verb}");
        app.post(&nobody, &Value::Null).await.refused(404, "notFound");
    }
    assert_eq!(app.get(&format!("/runs/{}", id(&run))).await.expect(200)["state"], "queued");
}

#[tokio::test]
async fn a_retry_that_is_broken_off_accounts_for_each_learner_once() {
    let app = TestApp::start().await;
    seeded(&app, 6, 5).await;
    app.sandbox_settings(json!({"hideArchived": true})).await;
    for at in 0..5 {
        app.sandbox_change(FIRST + at, json!({"archive": true})).await;
    }
    let no = json!({"status": {"status": 400, "body": "No."}});
    app.fault(json!({"operation": "getApprentice", "kind": no})).await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    assert_eq!(counts(&app.wait_run(&id(&run)).await), [5, 5, 0, 0, 5, 0]);
    for learner in ["L01", "L04"] {
        app.delete(&format!("/learners/{learner}/ace360/link")).await.expect(204);
    }
    let limited = json!({"status": {"status": 429, "retryAfter": 300}});
    app.fault(json!({"operation": "getApprentice", "skip": 2, "times": 1, "kind": limited})).await;
    let retry = app.post(&path(&run, "retry"), &Value::Null).await.expect(202);
    app.eventually(&format!("/runs/{}", id(&retry)), |run| run["state"] == "waiting").await;
    app.clock_advance(TimeDelta::seconds(310)).await;
    app.tick().await;
    let retry = app.wait_run(&id(&retry)).await;
    assert_eq!((&retry["state"], counts(&retry)), (&json!("succeeded"), [5, 5, 3, 0, 0, 2]), "{retry:#}");
    let records = app.get(&format!("/runs/{}/records", id(&retry))).await.expect(200);
    let told: Vec<_> = records["items"].as_array().unwrap().iter().map(|it| &it["outcome"]).collect();
    assert_eq!(told, ["succeeded", "skipped", "succeeded", "succeeded", "skipped"]);
}
