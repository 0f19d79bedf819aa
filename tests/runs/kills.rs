//! Processes that are killed at the worst moments. A fault holds an upstream call, or a lock holds
//! the database at one statement, so that the moment is certain. Afterwards another process
//! finishes: never twice, never lost.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::support::app::until;
use crate::support::processes::{Caller, Place, Process, Reply, Role, TIMINGS};
use crate::support::{TestApp, people};

/// The app, which works no jobs, is for the test's checks. Processes do the work.
struct Stage {
    app: TestApp,
    place: Place,
    caller: Caller,
    sql: PgConnection,
}

impl Stage {
    /// Creates learners `L0` and so on, ready to be uploaded, and starts the process that read the
    /// catalogue.
    async fn new(learners: u64, role: Role) -> (Self, Process) {
        let app = TestApp::builder().no_worker().timings(TIMINGS).start().await;
        let (place, caller, sql) = (Place::of(&app), Caller::of(&app), app.sql().await);
        let first = Process::start(&place, role).await;
        app.refresh_standards().await;
        app.put_ready("L0", 0).await;
        let records: Vec<Value> = (0..learners)
            .map(|n| people::with_id("learnerId", &format!("L{n}"), &people::learner(n)))
            .collect();
        let imported = app.post("/learners:import", &json!(records)).await.expect(200);
        assert_eq!(imported["succeeded"], learners, "{imported:#}");
        (Self { app, place, caller, sql }, first)
    }

    async fn start(&self, role: Role) -> Process {
        Process::start(&self.place, role).await
    }

    /// Requests an upload without waiting for its outcome.
    fn upload(&self, through: &Process, learner: &str) -> tokio::task::JoinHandle<Reply> {
        let (caller, url, learner) = (self.caller.clone(), through.url().to_owned(), learner.to_owned());
        tokio::spawn(async move { caller.upload(&url, &learner).await })
    }

    /// From now on every statement that does this to an intent waits until [`Stage::release`].
    async fn hold(&mut self, what: &str, when: &str) {
        for sql in [
            "create function hold() returns trigger language plpgsql as \
             $$ begin perform pg_advisory_xact_lock(4711); return new; end $$"
                .to_owned(),
            format!(
                "create trigger hold before {what} on intents for each row when ({when}) execute function hold()"
            ),
            "select pg_advisory_lock(4711)".to_owned(),
        ] {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut self.sql).await.unwrap();
        }
    }

    /// Waits until a statement is held.
    async fn held(&mut self) {
        let sql = &mut self.sql;
        until("somebody is held", async || {
            let held: i64 = sqlx::query_scalar(
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'advisory'",
            )
            .fetch_one(&mut *sql)
            .await
            .unwrap();
            (held > 0).then_some(())
        })
        .await;
    }

    /// Cancels the held statement. Its process has died, which the database does not notice by
    /// itself.
    async fn drop_held(&mut self) {
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event = 'advisory'",
        )
        .execute(&mut self.sql)
        .await
        .unwrap();
    }

    async fn release(&mut self) {
        sqlx::query("drop trigger hold on intents").execute(&mut self.sql).await.unwrap();
        sqlx::query("select pg_advisory_unlock(4711)").execute(&mut self.sql).await.unwrap();
    }

    /// Lets held statements continue. The trigger stays, because a stopped process may hold its
    /// transaction open.
    async fn unlock(&mut self) {
        sqlx::query("select pg_advisory_unlock(4711)").execute(&mut self.sql).await.unwrap();
    }

    /// The same when a held statement could block the removal of the trigger.
    async fn let_go(&mut self) {
        sqlx::query("select pg_advisory_unlock(4711)").execute(&mut self.sql).await.unwrap();
        sqlx::query("drop trigger hold on intents").execute(&mut self.sql).await.unwrap();
    }

    async fn tab(&self, learner: &str, state: &str) -> Value {
        let path = format!("/learners/{learner}/ace360");
        until(&format!("{learner} is {state}"), async || {
            let tab = self.app.get(&path).await.expect(200);
            (tab["state"] == state).then_some(tab)
        })
        .await
    }

    async fn intents(&self) -> Vec<Value> {
        self.app.get("/intents?pageSize=500").await.expect(200)["items"].as_array().unwrap().clone()
    }

    async fn run_ended(&self, id: &str) -> Value {
        until("the run ends", async || {
            let run = self.app.get(&format!("/runs/{id}")).await.expect(200);
            (!run["finishedAt"].is_null()).then_some(run)
        })
        .await
    }

    async fn calls(&self, operation: &str) -> u64 {
        self.app.sandbox_state().await["calls"][operation].as_u64().unwrap()
    }

    async fn ask_for(&self, path: &str, body: &Value) -> String {
        self.app.post(path, body).await.good()["id"].as_str().unwrap().to_owned()
    }

    /// Checks that the sandbox has this number of records, one for each ULN, each paid once, and
    /// each linked to its learner here.
    async fn check_books(&self, records: u64) {
        let state = self.app.sandbox_state().await;
        assert_eq!(
            (&state["records"], &state["creditsUsed"], &state["invariants"]["duplicateUlns"]),
            (&json!(records), &json!(records), &json!([])),
            "{state:#}"
        );
        let theirs = self.app.sandbox_records().await;
        for n in 0..records {
            let record = theirs.iter().find(|record| record["ulnNumber"] == people::uln(n)).unwrap();
            let tab = self.app.get(&format!("/learners/L{n}/ace360")).await.expect(200);
            assert_eq!((&tab["state"], &tab["recordId"]), (&json!("uploaded"), &record["id"]), "{tab:#}");
        }
    }
}

#[tokio::test]
async fn killed_before_the_intent_is_written_nothing_was_sent_and_the_learner_may_be_uploaded() {
    let (mut stage, mut other) = Stage::new(1, Role::Whole).await;
    let mut killed = stage.start(Role::Api).await;
    stage.hold("insert", "true").await;
    let asked = stage.upload(&killed, "L0");
    stage.held().await;
    killed.kill().await;
    assert_eq!(asked.await.unwrap().status, None);
    stage.drop_held().await;
    stage.release().await;
    assert_eq!(
        (stage.tab("L0", "notUploaded").await["problem"].clone(), stage.intents().await),
        (Value::Null, vec![])
    );
    assert_eq!(stage.calls("createApprentice").await, 0);
    assert_eq!(stage.caller.upload(other.url(), "L0").await.status, Some(201));
    stage.check_books(1).await;
    other.kill().await;
}

/// The statement that passes the fence.
const FENCE: (&str, &str) = ("update of sent_at", "new.sent_at is not null");

#[tokio::test]
async fn killed_between_the_intent_and_the_fence_it_is_sent_after_one_look_since_nothing_was_sent() {
    let (mut stage, _other) = Stage::new(1, Role::Whole).await;
    let mut killed = stage.start(Role::Api).await;
    stage.hold(FENCE.0, FENCE.1).await;
    let asked = stage.upload(&killed, "L0");
    stage.held().await;
    killed.kill().await;
    assert_eq!(asked.await.unwrap().status, None);
    stage.drop_held().await;
    stage.release().await;
    stage.tab("L0", "uploaded").await;
    assert_eq!(stage.calls("createApprentice").await, 1);
    assert_eq!(stage.intents().await[0]["sends"], 1);
    stage.check_books(1).await;
}

#[tokio::test]
async fn killed_between_the_fence_and_the_send_it_is_sent_after_two_looks() {
    let (mut stage, _other) = Stage::new(1, Role::Whole).await;
    let mut killed = stage.start(Role::Api).await;
    stage.hold(FENCE.0, FENCE.1).await;
    let asked = stage.upload(&killed, "L0");
    stage.held().await;
    killed.kill().await;
    assert_eq!(asked.await.unwrap().status, None);
    // The statement is done, and the process that would send is dead.
    stage.let_go().await;
    let tab = stage.tab("L0", "uploaded").await;
    assert_eq!(tab["method"], "reconciled");
    assert_eq!(stage.calls("createApprentice").await, 1);
    assert_eq!(stage.intents().await[0]["sends"], 2);
    stage.check_books(1).await;
}

#[tokio::test]
async fn stopped_before_the_fence_for_longer_than_its_lease_a_process_sends_nothing() {
    let (mut stage, mut worker) = Stage::new(1, Role::Whole).await;
    let mut stopped = stage.start(Role::Api).await;
    worker.kill().await;
    stage.hold("insert", "true").await;
    let asked = stage.upload(&stopped, "L0");
    stage.held().await;
    stopped.signal("STOP").await;
    // The intent's row exists once the process continues, and its lease counts from before the
    // stop.
    stage.unlock().await;
    passes(&mut stage.sql, 2.5).await;
    stopped.signal("CONT").await;
    let answer = asked.await.unwrap();
    assert_eq!((answer.status, answer.code()), (Some(503), "upstreamUnavailable"), "{:#}", answer.body);
    assert_eq!((stage.calls("createApprentice").await, &stage.intents().await[0]["sends"]), (0, &json!(0)));
    assert_eq!(stage.caller.upload(stopped.url(), "L0").await.status, Some(201));
    stage.check_books(1).await;
    stopped.kill().await;
}

#[tokio::test]
async fn stopped_between_the_fence_and_the_send_for_longer_than_a_call_a_process_sends_nothing() {
    let (mut stage, mut worker) = Stage::new(1, Role::Whole).await;
    stage.place.timings = format!("{TIMINGS},lease=30s");
    let mut slow = stage.start(Role::Api).await;
    worker.kill().await;
    stage.hold(FENCE.0, FENCE.1).await;
    let asked = stage.upload(&slow, "L0");
    stage.held().await;
    slow.signal("STOP").await;
    // The fence is passed in the database, within the lease.
    stage.unlock().await;
    passes(&mut stage.sql, 1.5).await;
    slow.signal("CONT").await;
    let answer = asked.await.unwrap();
    assert_eq!((answer.status, answer.code()), (Some(503), "upstreamUnavailable"), "{:#}", answer.body);
    assert_eq!(
        (stage.calls("createApprentice").await, &stage.intents().await[0]["state"]),
        (0, &json!("notSent"))
    );
    assert_eq!(stage.caller.upload(slow.url(), "L0").await.status, Some(201));
    stage.check_books(1).await;
    slow.kill().await;
}

/// Waits until this number of seconds has passed by the machine's clock, which stopped processes
/// use.
async fn passes(sql: &mut PgConnection, seconds: f64) {
    sqlx::query("select pg_sleep($1)").bind(seconds).execute(sql).await.unwrap();
}

#[tokio::test]
async fn killed_between_the_send_and_its_answer_the_record_is_found() {
    let (mut stage, _other) = Stage::new(1, Role::Whole).await;
    stage.place.timings = format!("{TIMINGS},call=4s,lease=5s,job=6s,rescue=7s");
    let mut killed = stage.start(Role::Api).await;
    stage
        .app
        .fault(json!({"operation": "createApprentice", "kind": {"commitThenSilence": {"ms": 4000}}}))
        .await;
    let asked = stage.upload(&killed, "L0");
    until("it is there", async || (stage.app.sandbox_state().await["records"] == 1).then_some(())).await;
    killed.kill().await;
    assert_eq!(stage.intents().await[0]["state"], "sending");
    assert_eq!(asked.await.unwrap().status, None);
    assert_eq!(stage.tab("L0", "uploaded").await["method"], "reconciled");
    assert_eq!(stage.calls("createApprentice").await, 1);
    stage.check_books(1).await;
}

#[tokio::test]
async fn killed_while_its_request_is_being_lost_it_is_sent_once_more() {
    let (mut stage, _other) = Stage::new(1, Role::Whole).await;
    stage.place.timings = format!("{TIMINGS},call=4s,lease=5s,job=6s,rescue=7s");
    let mut killed = stage.start(Role::Api).await;
    let silence = json!({"operation": "createApprentice", "times": 1, "kind": {"silence": {"ms": 4000}}});
    stage.app.fault(silence).await;
    let asked = stage.upload(&killed, "L0");
    until("it is on its way", async || (stage.calls("createApprentice").await == 1).then_some(())).await;
    killed.kill().await;
    assert_eq!(asked.await.unwrap().status, None);
    stage.tab("L0", "uploaded").await;
    assert_eq!(stage.calls("createApprentice").await, 2);
    assert_eq!(stage.intents().await[0]["sends"], 2);
    stage.check_books(1).await;
}

#[tokio::test]
async fn killed_between_being_sure_and_sending_again_it_is_sent_all_the_same() {
    let (mut stage, mut killed) = Stage::new(1, Role::Whole).await;
    stage.app.fault(json!({"operation": "createApprentice", "times": 1, "kind": {"reset": {}}})).await;
    stage.hold("update of lease_until", "old.state = 'unknown' and new.state = 'sending'").await;
    assert_eq!(stage.caller.upload(killed.url(), "L0").await.status, Some(202));
    stage.held().await;
    killed.kill().await;
    stage.drop_held().await;
    stage.release().await;
    let _other = stage.start(Role::Worker).await;
    stage.tab("L0", "uploaded").await;
    assert_eq!(stage.calls("createApprentice").await, 2);
    stage.check_books(1).await;
}

#[tokio::test]
async fn a_run_of_uploads_whose_worker_is_killed_is_finished_by_another() {
    let (stage, mut killed) = Stage::new(12, Role::Worker).await;
    stage.app.fault(json!({"operation": "createApprentice", "kind": {"delay": {"ms": 300}}})).await;
    let ids: Vec<_> = (0..12).map(|n| format!("L{n}")).collect();
    let run = stage.ask_for("/ace360/learners:upload", &json!({ "learnerIds": ids })).await;
    until("some are done", async || {
        (stage.app.sandbox_state().await["records"].as_u64() >= Some(3)).then_some(())
    })
    .await;
    killed.kill().await;
    let before = stage.app.get(&format!("/runs/{run}")).await.expect(200);
    assert!(before["finishedAt"].is_null() && before["done"].as_u64() < Some(12), "{before:#}");
    let _other = stage.start(Role::Worker).await;
    let run = stage.run_ended(&run).await;
    let counts = ["total", "done", "succeeded", "failed", "skipped"].map(|name| run[name].as_u64().unwrap());
    assert_eq!((counts, &run["state"]), ([12, 12, 12, 0, 0], &json!("succeeded")), "{run:#}");
    stage.check_books(12).await;
}

#[tokio::test]
async fn a_status_run_whose_worker_is_killed_is_finished_by_another() {
    let (stage, mut killed) = Stage::new(12, Role::Worker).await;
    let run = stage.ask_for("/ace360/learners:upload", &json!({"filter": {}})).await;
    stage.run_ended(&run).await;
    for record in stage.app.sandbox_records().await {
        stage.app.sandbox_advance(record["id"].as_i64().unwrap()).await;
    }
    stage.app.fault(json!({"operation": "getApprentice", "kind": {"delay": {"ms": 200}}})).await;
    let before = stage.calls("getApprentice").await;
    let run = stage.ask_for("/ace360/status:sync", &Value::Null).await;
    until("some are read", async || (stage.calls("getApprentice").await > before + 2).then_some(())).await;
    killed.kill().await;
    assert!(stage.app.get(&format!("/runs/{run}")).await.expect(200)["finishedAt"].is_null());
    let _other = stage.start(Role::Worker).await;
    let run = stage.run_ended(&run).await;
    let counts =
        ["total", "done", "succeeded", "unchanged", "failed"].map(|name| run[name].as_u64().unwrap());
    assert_eq!((counts, &run["state"]), ([12, 12, 12, 0, 0], &json!("succeeded")), "{run:#}");
    for n in 0..12 {
        assert_eq!(stage.tab(&format!("L{n}"), "uploaded").await["status"]["id"], 2);
    }
}

#[tokio::test]
async fn two_workers_at_once_do_everything_once() {
    let (stage, _one) = Stage::new(30, Role::Worker).await;
    let _two = stage.start(Role::Worker).await;
    let ids = |from: u64, to: u64| (from..to).map(|n| format!("L{n}")).collect::<Vec<_>>();
    let mut runs = Vec::new();
    for (from, to) in [(0, 12), (10, 22), (20, 30)] {
        let body = json!({ "learnerIds": ids(from, to) });
        runs.push((stage.ask_for("/ace360/learners:upload", &body).await, to - from));
    }
    let mut skipped = 0;
    for (run, total) in runs {
        let run = stage.run_ended(&run).await;
        let [done, succeeded, failed] =
            ["done", "succeeded", "failed"].map(|name| run[name].as_u64().unwrap());
        assert_eq!((done, failed), (total, 0), "{run:#}");
        skipped += run["skipped"].as_u64().unwrap();
        assert_eq!(succeeded + run["skipped"].as_u64().unwrap(), total, "{run:#}");
    }
    assert_eq!((skipped, stage.calls("createApprentice").await), (4, 30));
    stage.check_books(30).await;
    let before = stage.calls("getApprentice").await;
    let pages = stage.calls("listApprentices").await;
    for record in stage.app.sandbox_records().await {
        stage.app.sandbox_advance(record["id"].as_i64().unwrap()).await;
    }
    let run = stage.ask_for("/ace360/status:sync", &Value::Null).await;
    let run = stage.run_ended(&run).await;
    assert_eq!((&run["total"], &run["succeeded"], &run["unchanged"]), (&json!(30), &json!(30), &json!(0)));
    let pages = stage.calls("listApprentices").await - pages;
    assert_eq!(stage.calls("getApprentice").await - before, 30);
    assert_eq!(run["calls"]["used"], pages + 30, "{run:#}");
}

#[tokio::test]
async fn two_processes_asked_at_the_same_instant_send_once() {
    let (stage, one) = Stage::new(8, Role::Whole).await;
    let two = stage.start(Role::Api).await;
    for n in 0..8 {
        let id = format!("L{n}");
        let (here, there) = tokio::join!(stage.upload(&one, &id), stage.upload(&two, &id));
        let mut statuses = [here.unwrap().status.unwrap(), there.unwrap().status.unwrap()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{id}");
    }
    assert_eq!(stage.calls("createApprentice").await, 8);
    stage.check_books(8).await;
}
