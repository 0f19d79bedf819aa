//! The database and the upstream fail under load and come back: no call hangs, nothing is done
//! twice, nothing is lost.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use picsbridge::embedded_postgres::{EmbeddedOptions, EmbeddedPostgres};
use picsbridge::sandbox::{Sandbox, SandboxOptions};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::support::app::{MASTER_KEY, PATIENCE, until};
use crate::support::folder::Folder;
use crate::support::postgres::Database;
use crate::support::processes::{Caller, Place, Process, Reply, Role, TIMINGS, command};
use crate::support::{on_runtime, people};

const LEARNERS: u64 = 20;

/// A provider with learners `L0` and so on, ready to be uploaded, with a database and a sandbox
/// that may fail.
struct Stage {
    place: Place,
    caller: Caller,
    whole: Process,
    sandbox: Option<Sandbox>,
    sandbox_at: SocketAddr,
    journal: Folder,
}

impl Stage {
    async fn over(database_url: &str) -> Self {
        let journal = Folder::new();
        let sandbox = start_sandbox(([127, 0, 0, 1], 0).into(), journal.path()).await;
        let place = Place {
            database_url: database_url.to_owned(),
            sandbox_url: sandbox.url(),
            timings: TIMINGS.to_owned(),
            master_key: MASTER_KEY.to_owned(),
        };
        let sandbox_at = sandbox.url().trim_start_matches("http://").parse().unwrap();
        command(&place, &["migrate"]).await;
        command(&place, &["provider", "create", "college"]).await;
        let token = command(&place, &["token", "create", "--provider", "college", "--scopes", "all"]).await;
        let caller = Caller::with_token(token.trim());
        let whole = Process::start(&place, Role::Whole).await;
        let stage = Self { place, caller, whole, sandbox: Some(sandbox), sandbox_at, journal };
        let settings = json!({"enabled": true, "environment": "sandbox", "token": "sandbox",
                              "dailySync": {"enabled": false, "at": "05:00"}});
        stage.good(Method::PUT, "/ace360/settings", &settings).await;
        let run = stage.good(Method::POST, "/ace360/standards:refresh", &Value::Null).await;
        stage.run_ended(&run).await;
        stage.good(Method::PUT, &format!("/officers/{}", people::OFFICER), &people::officer()).await;
        let organisation = format!("/organisations/{}", people::ORGANISATION);
        stage.good(Method::PUT, &organisation, &people::organisation()).await;
        let learners: Vec<Value> = (0..LEARNERS)
            .map(|n| people::with_id("learnerId", &format!("L{n}"), &people::learner(n)))
            .collect();
        let imported = stage.good(Method::POST, "/learners:import", &json!(learners)).await;
        assert_eq!(imported["succeeded"], LEARNERS, "{imported:#}");
        stage
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.whole.url())
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Reply {
        self.caller.call(method, self.url(path), (!body.is_null()).then_some(body)).await
    }

    /// Repeats the call after each 503, as a client does.
    async fn good(&self, method: Method, path: &str, body: &Value) -> Value {
        let reply = until(path, async || {
            let reply = self.call(method.clone(), path, body).await;
            let again = reply.status == Some(503) && reply.body["retryable"] == true;
            (!again).then_some(reply)
        })
        .await;
        assert!(matches!(reply.status, Some(200..300)), "{path}: {reply:?}");
        reply.body
    }

    async fn get(&self, path: &str) -> Value {
        self.good(Method::GET, path, &Value::Null).await
    }

    /// Waits for the end of a requested run.
    async fn run_ended(&self, asked: &Value) -> Value {
        let path = format!("/runs/{}", asked["id"].as_str().unwrap());
        until("the run ends", async || {
            let run = self.get(&path).await;
            (!run["finishedAt"].is_null()).then_some(run)
        })
        .await
    }

    /// Waits until the service answers and works again.
    async fn recovers(&self) {
        until("it is ready again", async || {
            let ready = self.call(Method::GET, "/health/ready", &Value::Null).await;
            (ready.status == Some(200)).then_some(())
        })
        .await;
        let asked = until("a run can be asked for", async || {
            let reply = self.call(Method::POST, "/ace360/status:sync", &Value::Null).await;
            matches!(reply.status, Some(200 | 202)).then_some(reply.body)
        })
        .await;
        assert_eq!(self.run_ended(&asked).await["state"], "succeeded");
    }

    /// Uploads all remaining learners, and waits for those with a lost response. Then the books
    /// must balance.
    async fn finish(&self) {
        for n in 0..LEARNERS {
            until(&format!("L{n} is uploaded"), async || {
                let tab = self.get(&format!("/learners/L{n}/ace360")).await;
                match tab["state"].as_str().unwrap() {
                    "uploaded" => return Some(()),
                    "notUploaded" | "rejected" => {
                        let reply = self.caller.upload(self.whole.url(), &format!("L{n}")).await;
                        assert_ne!(reply.code(), "likelyDuplicate", "L{n} was lost: {reply:?}");
                    }
                    _ => {}
                }
                None
            })
            .await;
        }
        let state = self.control("/state").await;
        assert_eq!(
            (&state["records"], &state["creditsUsed"], &state["invariants"]["duplicateUlns"]),
            (&json!(LEARNERS), &json!(LEARNERS), &json!([])),
            "{state:#}"
        );
        let theirs = self.control("/apprentices?limit=1000").await;
        for n in 0..LEARNERS {
            let tab = self.get(&format!("/learners/L{n}/ace360")).await;
            let uln = people::uln(n);
            let record =
                theirs.as_array().unwrap().iter().find(|record| record["ulnNumber"] == *uln).unwrap();
            assert_eq!(tab["recordId"], record["id"], "{tab:#}");
        }
        until("every run ends", async || {
            let runs = self.get("/runs").await;
            let open = |run: &Value| run["finishedAt"].is_null();
            (!runs["items"].as_array().unwrap().iter().any(open)).then_some(())
        })
        .await;
        for state in ["sending", "unknown"] {
            assert_eq!(self.get(&format!("/intents?state={state}")).await["items"], json!([]));
        }
    }

    async fn control(&self, path: &str) -> Value {
        self.caller.call(Method::GET, format!("{}/control{path}", self.place.sandbox_url), None).await.body
    }

    async fn fault(&self, rule: Value) {
        let url = format!("{}/control/faults", self.place.sandbox_url);
        let reply = self.caller.call(Method::PUT, url, Some(&json!([rule]))).await;
        assert_eq!(reply.status, Some(200), "{reply:?}");
    }

    async fn sandbox_goes(&mut self) {
        let sandbox = self.sandbox.take().unwrap();
        on_runtime(async move { sandbox.stop().await }).await;
    }

    async fn sandbox_comes_back(&mut self) {
        self.sandbox = Some(start_sandbox(self.sandbox_at, self.journal.path()).await);
    }
}

async fn start_sandbox(listen: SocketAddr, journal: &Path) -> Sandbox {
    let options = SandboxOptions { listen, journal: Some(journal.to_owned()), ..SandboxOptions::default() };
    on_runtime(Sandbox::start(options)).await.unwrap()
}

/// Callers who read, upload and import until they are stopped, with the responses that they got.
struct Load {
    stop: Arc<AtomicBool>,
    callers: JoinSet<()>,
    answers: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Load {
    fn start(stage: &Stage) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let answers = Arc::<Mutex<BTreeMap<String, u64>>>::default();
        let mut callers = JoinSet::new();
        for number in 0..6 {
            let (stop, answers) = (Arc::clone(&stop), Arc::clone(&answers));
            let (caller, base) = (stage.caller.clone(), stage.whole.url().to_owned());
            callers.spawn(async move {
                let mut n = number;
                while !stop.load(Ordering::Relaxed) {
                    n += 1;
                    // The last few learners belong to a run.
                    let id = format!("L{}", n % (LEARNERS - 5));
                    let reply = match n % 3 {
                        0 => caller.upload(&base, &id).await,
                        1 => caller.call(Method::GET, format!("{base}/learners/{id}/ace360"), None).await,
                        _ => {
                            let record = people::learner(n % (LEARNERS - 5));
                            caller.call(Method::PUT, format!("{base}/learners/{id}"), Some(&record)).await
                        }
                    };
                    let told = match reply.status {
                        Some(503) if reply.body["retryable"] == true => "503 retryable".to_owned(),
                        Some(status) => format!("{status} {}", reply.code()),
                        None => "none".to_owned(),
                    };
                    *answers.lock().unwrap().entry(told).or_default() += 1;
                }
            });
        }
        Self { stop, callers, answers }
    }

    /// Waits until this number of further calls was answered.
    async fn goes_on(&self) {
        let count = || self.answers.lock().unwrap().values().sum::<u64>();
        let before = count();
        until("callers are answered", async || (count() > before + 12).then_some(())).await;
    }

    /// Ends the load. Each call was answered with success or with a 503 problem.
    async fn end(mut self) -> BTreeMap<String, u64> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(caller) = self.callers.join_next().await {
            caller.unwrap();
        }
        let answers = self.answers.lock().unwrap().clone();
        let good = ["200 ", "201 ", "202 ", "204 ", "409 alreadyUploaded", "409 inFlight", "503 retryable"];
        assert!(answers.keys().all(|told| good.contains(&told.as_str())), "{answers:#?}");
        answers
    }
}

#[tokio::test]
async fn connections_that_are_cut_under_load_cost_a_503_at_most() {
    let database = Database::new().await;
    let stage = Stage::over(&database.url()).await;
    let mut sql = PgConnection::connect_with(&database.options()).await.unwrap();
    let load = Load::start(&stage);
    let run = json!({"learnerIds": ["L15", "L16", "L17", "L18", "L19"]});
    let run = stage.good(Method::POST, "/ace360/learners:upload", &run).await;
    for _ in 0..4 {
        load.goes_on().await;
        until("there are connections to cut", async || {
            let cut: i64 = sqlx::query_scalar(
                // Cuts all at once or none. Cutting each as it appears would never see several.
                "select count(pg_terminate_backend(pid)) from ( \
                     select pid, count(*) over () as open from pg_stat_activity \
                     where datname = current_database() and application_name = 'picsbridge') own \
                 where open > 4",
            )
            .fetch_one(&mut sql)
            .await
            .unwrap();
            (cut > 0).then_some(())
        })
        .await;
    }
    load.goes_on().await;
    load.end().await;
    stage.recovers().await;
    let run = stage.run_ended(&run).await;
    assert_eq!((&run["done"], &run["total"]), (&json!(5), &json!(5)), "{run:#}");
    stage.finish().await;
}

/// A proxy for a server that may restart elsewhere, because its callers know one address.
struct Line {
    listen: SocketAddr,
    serving: Option<JoinHandle<()>>,
}

impl Line {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listen: listener.local_addr().unwrap(), serving: None }
    }

    async fn open(&mut self, to: u16) {
        let listener = TcpListener::bind(self.listen).await.unwrap();
        self.serving = Some(tokio::spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                lines.spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(("127.0.0.1", to)).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        }));
    }

    /// Refuses callers from now on. Connected callers are cut.
    async fn close(&mut self) {
        let serving = self.serving.take().unwrap();
        serving.abort();
        let _ = serving.await;
    }
}

/// The test's own cluster behind a proxy.
struct Cluster {
    folder: Folder,
    settings: Vec<(String, String)>,
    server: Option<EmbeddedPostgres>,
    line: Line,
}

impl Cluster {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let settings =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut cluster = Self { folder: Folder::new(), settings, server: None, line: Line::new().await };
        cluster.come_back().await;
        cluster
    }

    async fn come_back(&mut self) {
        let options = EmbeddedOptions { extra_settings: self.settings.clone(), search: None };
        let server = EmbeddedPostgres::start(self.folder.path(), options).await.unwrap();
        let port = url::Url::parse(&server.url()).unwrap().port().unwrap();
        self.line.open(port).await;
        self.server = Some(server);
    }

    /// Stops it as an administrator does: connections end, and new ones are refused.
    async fn go(&mut self) {
        self.server.take().unwrap().stop().await.unwrap();
        self.line.close().await;
    }

    fn url(&self) -> String {
        let mut url = url::Url::parse(&self.server.as_ref().unwrap().url()).unwrap();
        url.set_port(Some(self.line.listen.port())).unwrap();
        url.into()
    }
}

#[tokio::test]
async fn a_database_that_is_restarted_under_load_is_waited_for() {
    let mut cluster = Cluster::start(&[("fsync", "off"), ("shared_buffers", "16MB")]).await;
    let stage = Stage::over(&cluster.url()).await;
    let load = Load::start(&stage);
    let run = json!({"learnerIds": ["L15", "L16", "L17", "L18", "L19"]});
    let run = stage.good(Method::POST, "/ace360/learners:upload", &run).await;
    load.goes_on().await;
    cluster.go().await;
    let told = stage.call(Method::GET, "/health/ready", &Value::Null).await;
    assert_eq!(told.status, Some(503), "{told:?}");
    load.goes_on().await;
    cluster.come_back().await;
    stage.recovers().await;
    let answers = load.end().await;
    assert!(answers.contains_key("503 retryable"), "{answers:?}");
    let run = stage.run_ended(&run).await;
    assert_eq!((&run["done"], &run["total"]), (&json!(5), &json!(5)), "{run:#}");
    stage.finish().await;
    drop(stage);
    cluster.go().await;
}

#[tokio::test]
async fn a_pool_that_is_exhausted_answers_503_in_time_and_recovers() {
    let database = Database::new().await;
    let stage = Stage::over(&database.url()).await;
    let mut sql = PgConnection::connect_with(&database.options()).await.unwrap();
    // A caller who reads a tab now keeps its connection until this ends.
    let mut held = sql.begin().await.unwrap();
    sqlx::query("lock table ace360_links in access exclusive mode").execute(&mut *held).await.unwrap();
    let begun = Instant::now();
    let mut asked = JoinSet::new();
    for n in 0..60 {
        let (caller, url) = (stage.caller.clone(), stage.url(&format!("/learners/L{}/ace360", n % LEARNERS)));
        asked.spawn(async move { caller.call(Method::GET, url, None).await });
    }
    // Callers with a connection wait for the lock. The others must not wait for them.
    let mut refused = 0;
    while let Some(reply) = asked.join_next().await {
        let reply = reply.unwrap();
        assert_eq!((reply.status, &reply.body["retryable"]), (Some(503), &json!(true)), "{reply:?}");
        refused += 1;
        if asked.len() <= 16 {
            break;
        }
    }
    assert!(refused >= 40 && begun.elapsed() < PATIENCE, "{refused} in {:?}", begun.elapsed());
    held.rollback().await.unwrap();
    while let Some(reply) = asked.join_next().await {
        let reply = reply.unwrap();
        assert!(matches!(reply.status, Some(200 | 503)), "{reply:?}");
    }
    stage.recovers().await;
}

#[tokio::test]
async fn a_server_without_a_connection_to_spare_costs_503s_until_it_has_some() {
    let settings = [("fsync", "off"), ("shared_buffers", "16MB"), ("max_connections", "60")];
    let mut cluster = Cluster::start(&settings).await;
    let stage = Stage::over(&cluster.url()).await;
    let load = Load::start(&stage);
    load.goes_on().await;
    // Another client takes all remaining connections.
    let mut taken = Vec::new();
    while let Ok(connection) = PgConnection::connect(&cluster.url()).await {
        taken.push(connection);
        assert!(taken.len() < 60);
    }
    let run = until("a run can be asked for", async || {
        let reply = stage.call(Method::POST, "/ace360/learners:upload", &json!({"filter": {}})).await;
        matches!(reply.status, Some(200 | 202)).then_some(reply.body)
    })
    .await;
    let begun = Instant::now();
    let mut asked = JoinSet::new();
    for n in 0..100 {
        let (caller, url) = (stage.caller.clone(), stage.url(&format!("/learners/L{}/ace360", n % LEARNERS)));
        asked.spawn(async move { caller.call(Method::GET, url, None).await });
    }
    while let Some(reply) = asked.join_next().await {
        let reply = reply.unwrap();
        let told = (reply.status, reply.body["retryable"] == true);
        assert!(matches!(told, (Some(200), _) | (Some(503), true)), "{reply:?}");
    }
    assert!(begun.elapsed() < PATIENCE, "they hung: {:?}", begun.elapsed());
    for connection in taken {
        connection.close().await.unwrap();
    }
    load.end().await;
    stage.recovers().await;
    stage.run_ended(&run).await;
    stage.finish().await;
    drop(stage);
    cluster.go().await;
}

#[tokio::test]
async fn an_upstream_that_is_gone_for_hours_is_waited_for() {
    let database = Database::new().await;
    let mut stage = Stage::over(&database.url()).await;
    let mut sql = PgConnection::connect_with(&database.options()).await.unwrap();
    let hours = async |sql: &mut PgConnection, hours: i32| {
        sqlx::query("update clock set ahead = ahead + make_interval(hours => $1)")
            .bind(hours)
            .execute(sql)
            .await
            .unwrap();
    };
    for n in 0..3 {
        assert_eq!(stage.caller.upload(stage.whole.url(), &format!("L{n}")).await.status, Some(201));
    }
    // The last response is cut off in the middle.
    stage.fault(json!({"operation": "createApprentice", "kind": {"commitThenReset": {}}})).await;
    let lost = stage.caller.upload(stage.whole.url(), "L3").await;
    stage.sandbox_goes().await;
    assert_eq!(lost.status, Some(202), "{lost:?}");

    let run = stage.good(Method::POST, "/ace360/status:sync", &Value::Null).await;
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    let waits = async |stage: &Stage| {
        until("the run waits", async || {
            let run = stage.get(&path).await;
            assert!(run["finishedAt"].is_null(), "{run:#}");
            (run["state"] == "waiting").then_some(run)
        })
        .await
    };
    assert!(waits(&stage).await["problem"].as_str().unwrap().contains("cannot be reached"));
    for _ in 0..3 {
        hours(&mut sql, 3).await;
        waits(&stage).await;
        let told = stage.caller.upload(stage.whole.url(), "L4").await;
        assert_eq!((told.status, told.code()), (Some(503), "upstreamUnavailable"), "{told:?}");
        assert_eq!(told.body["retryable"], true);
        let open = stage.caller.upload(stage.whole.url(), "L3").await;
        assert_eq!((open.status, &open.body["state"]), (Some(202), &json!("unknown")), "{open:?}");
    }
    stage.sandbox_comes_back().await;
    let run = stage.run_ended(&run).await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    assert_eq!(run["done"], run["total"], "{run:#}");
    let found = until("L3 is found", async || {
        let tab = stage.get("/learners/L3/ace360").await;
        (tab["state"] == "uploaded").then_some(tab)
    })
    .await;
    assert_eq!(found["method"], "reconciled");

    // After more than a day the run fails and says why.
    stage.sandbox_goes().await;
    let run = stage.good(Method::POST, "/ace360/status:sync", &Value::Null).await;
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    until("it has begun", async || (stage.get(&path).await["state"] == "waiting").then_some(())).await;
    hours(&mut sql, 25).await;
    let run = stage.run_ended(&run).await;
    assert_eq!(run["state"], "failed", "{run:#}");
    assert!(run["problem"].as_str().unwrap().contains("cannot be reached"), "{run:#}");
    stage.sandbox_comes_back().await;
    stage.finish().await;
}
