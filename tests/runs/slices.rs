//! Slices: any worker does a piece of long work, and every record counts once.

use std::time::Duration;

use chrono::TimeDelta;
use picsbridge::ace360::sync::run::StatusSync;
use picsbridge::domain::RecordCode;
use picsbridge::store::{Claim, OutcomeKind, Progress, RecordOutcome, RunRow, SliceEnd};
use picsbridge::upstream::run::{Halt, NoParams, RunContext, RunLine, RunWork as _, Step};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::PATIENCE;
use crate::support::runs::{FIRST, SYNC, counts, id, seeded, slices};
use crate::support::{TestApp, on_runtime};

/// Claims a slice like a worker that is about to die.
async fn claim(app: &TestApp, run: &Value, slice: i32, lease: Duration) -> Claim {
    let (store, run) = (app.parts.store.clone(), id(run).parse::<Uuid>().unwrap());
    on_runtime(async move { store.claim_slice(run, slice, lease).await.unwrap() }).await
}

async fn claimed(app: &TestApp, run: &Value) -> (RunRow, Uuid) {
    match claim(app, run, 0, Duration::from_mins(1)).await {
        Claim::Mine(run, fence) => (*run, fence),
        other => panic!("{other:?}"),
    }
}

/// The first step of a status run, under this fence.
async fn step(app: &TestApp, run: RunRow, fence: Uuid) -> Result<Step, Halt> {
    let ace360 = app.parts.ace360.clone();
    on_runtime(async move {
        let work = StatusSync(&ace360);
        let line = work.connect(run.provider_id).await.unwrap();
        let mut run = RunContext::new(ace360.store.clone(), run, fence);
        run.count_calls_of(line.meter());
        work.step(&line, &mut run, &NoParams {}, None).await
    })
    .await
}

async fn listed(app: &TestApp) -> i64 {
    app.sandbox_state().await["calls"]["listApprentices"].as_i64().unwrap()
}

#[tokio::test]
async fn a_long_run_takes_several_slices_and_counts_each_learner_once() {
    let app = TestApp::builder().timings("slice=150ms").start().await;
    seeded(&app, 1000, 12).await;
    for at in [0, 5, 11] {
        app.sandbox_advance(FIRST + at).await;
    }
    app.fault(json!({"operation": "listApprentices", "kind": {"delay": {"ms": 50}}})).await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    let run = app.wait_run(&id(&run)).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [12, 12, 3, 9, 0, 0]), "{run:#}");
    let slices = slices(&app, &run).await;
    assert!(slices > 1, "{slices}");
    // No page was read twice, and no call is missing.
    assert_eq!((listed(&app).await, &run["calls"]["used"]), (10, &json!(13)));
}

#[tokio::test]
async fn a_slice_that_the_database_failed_is_taken_up_again_long_before_its_lease_is_over() {
    let app = TestApp::builder().timings("job=30m,rescue=31m").start().await;
    seeded(&app, 300, 6).await;
    let mut sql = app.sql().await;
    // The statement that counts a run's steps fails twice. A sequence is not rolled back with its
    // transaction.
    for statement in [
        "create sequence failures",
        "create function fail_twice() returns trigger language plpgsql as $$ begin
             if nextval('failures') <= 2 then raise exception 'a test'; end if; return new; end $$",
        "create trigger fail_twice before update of cursor on runs for each row
             when (new.cursor is distinct from old.cursor) execute function fail_twice()",
    ] {
        sqlx::query(statement).execute(&mut sql).await.unwrap();
    }
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    let run = app.wait_run(&id(&run)).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [6, 6, 0, 6, 0, 0]), "{run:#}");
    let asked: i64 = sqlx::query_scalar("select last_value from failures").fetch_one(&mut sql).await.unwrap();
    assert!(asked > 2, "it had failed: {asked}");
}

#[tokio::test]
async fn two_processes_over_one_database_work_each_run_once() {
    let app = TestApp::builder().timings("slice=150ms").start().await;
    let second = app.second().await;
    seeded(&app, 600, 6).await;
    app.sandbox_advance(FIRST).await;
    let other = app.second_provider().await;
    app.fault(json!({"operation": "*", "kind": {"delay": {"ms": 40}}})).await;
    let (status, standards, others) = tokio::join!(
        app.post(SYNC, &Value::Null),
        second.post("/ace360/standards:refresh", &Value::Null),
        other.post(SYNC, &Value::Null)
    );
    let status = app.wait_run(&id(&status.good())).await;
    assert_eq!((&status["state"], counts(&status)), (&json!("succeeded"), [6, 6, 1, 5, 0, 0]), "{status:#}");
    assert_eq!(status["calls"]["used"], 7);
    let standards = second.wait_run(&id(&standards.good())).await;
    assert_eq!((&standards["state"], &standards["succeeded"]), (&json!("succeeded"), &standards["total"]));
    let path = format!("/runs/{}", id(&others.good()));
    let begun = std::time::Instant::now();
    while other.get(&path).await.expect(200)["state"] != "succeeded" {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let calls = app.sandbox_state().await["calls"].clone();
    assert_eq!(calls["listApprentices"], 7, "six pages, and the other provider's one");
    assert_eq!(calls["listStandards"], standards["calls"]["used"]);
}

#[tokio::test]
async fn what_a_killed_worker_had_saved_stays_and_another_one_goes_on_from_there() {
    let app = TestApp::builder().no_worker().start().await;
    seeded(&app, 250, 10).await;
    app.sandbox_advance(FIRST).await;
    app.sandbox_advance(FIRST + 9).await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    assert_eq!(run["state"], "queued");
    let (row, fence) = claimed(&app, &run).await;
    // Nothing of the second step is saved.
    step(&app, row, fence).await.unwrap();
    let under_way = app.get(&format!("/runs/{}", id(&run))).await.expect(200);
    assert_eq!((&under_way["state"], &under_way["calls"]["used"]), (&json!("running"), &json!(1)));
    let second = app.second_with(true).await;
    app.clock_advance(TimeDelta::minutes(2)).await;
    second.tick().await;
    let run = app.wait_run(&id(&run)).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [10, 10, 2, 8, 0, 0]), "{run:#}");
    assert_eq!((listed(&app).await, &run["calls"]["used"]), (3, &json!(5)));
}

#[tokio::test]
async fn a_worker_that_was_replaced_commits_nothing() {
    let app = TestApp::builder().no_worker().start().await;
    seeded(&app, 250, 5).await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    let (elder, old) = claimed(&app, &run).await;
    assert!(matches!(claim(&app, &run, 0, Duration::from_mins(1)).await, Claim::Held));
    assert!(matches!(claim(&app, &run, 1, Duration::from_mins(1)).await, Claim::Stale));
    app.clock_advance(TimeDelta::minutes(2)).await;
    let (_, new) = claimed(&app, &run).await;
    assert_ne!(old, new);
    let outcome = step(&app, elder.clone(), old).await;
    assert!(matches!(outcome, Err(Halt::Replaced)), "{outcome:?}");
    let store = app.parts.store.clone();
    let progress = |id: &str| Progress {
        calls: 1,
        outcomes: vec![RecordOutcome::learner(id, OutcomeKind::Failed, RecordCode::UpstreamFailed)],
        ..Progress::default()
    };
    let (late, due) = (progress("L00"), progress("L01"));
    let row = elder;
    let committed = on_runtime(async move {
        let mut tx = store.begin().await.unwrap();
        let late = store.add_progress(&mut tx, row.id, old, &late).await.unwrap();
        let ended = store.end_slice(&mut tx, &row, old, 0, &SliceEnd::Finished).await.unwrap();
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        let due = store.add_progress(&mut tx, row.id, new, &due).await.unwrap();
        tx.commit().await.unwrap();
        (late, ended, due)
    })
    .await;
    assert_eq!(committed, (false, false, true));
    let run = app.get(&format!("/runs/{}", id(&run))).await.expect(200);
    assert_eq!((&run["state"], &run["done"], &run["failed"]), (&json!("running"), &json!(1), &json!(1)));
    let records = app.get(&format!("/runs/{}/records", id(&run))).await.expect(200);
    assert_eq!(records["items"].as_array().unwrap().len(), 1);
    assert_eq!(records["items"][0]["subject"]["id"], "L01");
}

#[tokio::test]
async fn a_service_that_is_stopped_in_the_midst_of_a_run_loses_nothing() {
    let app = TestApp::builder().no_worker().start().await;
    seeded(&app, 800, 6).await;
    let second = app.second_with(true).await;
    app.fault(json!({"operation": "listApprentices", "kind": {"delay": {"ms": 150}}})).await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    let path = format!("/runs/{}", id(&run));
    app.eventually(&path, |run| run["calls"]["used"].as_i64().unwrap() >= 2).await;
    second.stop().await;
    let stopped = app.get(&path).await.expect(200);
    assert_eq!(stopped["finishedAt"], Value::Null, "{stopped:#}");
    let third = app.second_with(true).await;
    app.clock_advance(TimeDelta::minutes(2)).await;
    third.tick().await;
    let run = app.wait_run(&id(&run)).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [6, 6, 0, 6, 0, 0]), "{run:#}");
}

#[tokio::test]
async fn a_run_that_is_cancelled_ends_after_its_step_and_the_next_one_may_begin() {
    let app = TestApp::start().await;
    seeded(&app, 800, 3).await;
    app.fault(json!({"operation": "listApprentices", "kind": {"delay": {"ms": 200}}})).await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    let path = format!("/runs/{}", id(&run));
    app.eventually(&path, |run| run["calls"]["used"].as_i64().unwrap() >= 1).await;
    app.post(&format!("{path}:cancel"), &Value::Null).await.expect(200);
    let cancelled = app.wait_run(&id(&run)).await;
    assert_eq!(cancelled["state"], "cancelled");
    let calls = cancelled["calls"]["used"].as_i64().unwrap();
    assert!(calls < 8, "{cancelled:#}");
    assert_eq!(listed(&app).await, calls);
    app.no_faults().await;
    app.post(&format!("{path}:cancel"), &Value::Null).await.refused(409, "notActive");
    let next = app.post(SYNC, &Value::Null).await.expect(202);
    assert_ne!(id(&next), id(&run));
    assert_eq!(app.wait_run(&id(&next)).await["state"], "succeeded");
}

#[tokio::test]
async fn only_what_failed_is_taken_again() {
    let app = TestApp::start().await;
    seeded(&app, 5, 4).await;
    app.sandbox_settings(json!({"hideArchived": true})).await;
    for at in [0, 2] {
        app.sandbox_change(FIRST + at, json!({"archive": true})).await;
    }
    app.fault(json!({"operation": "getApprentice", "kind": {"status": {"status": 400, "body": "No."}}}))
        .await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    let run = app.wait_run(&id(&run)).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("partial"), [4, 4, 0, 2, 2, 0]), "{run:#}");
    app.no_faults().await;
    let lists = listed(&app).await;
    let again = app.post(&format!("/runs/{}:retry", id(&run)), &Value::Null).await.expect(202);
    let again = app.wait_run(&id(&again)).await;
    assert_eq!(
        (&again["state"], &again["trigger"], counts(&again)),
        (&json!("succeeded"), &json!("retry"), [2, 2, 2, 0, 0, 0])
    );
    assert_eq!(listed(&app).await, lists, "the list need not be read");
    app.post(&format!("/runs/{}:retry", id(&again)), &Value::Null).await.refused(409, "nothingToRetry");
}
