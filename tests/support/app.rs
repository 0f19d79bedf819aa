//! The whole service, as the binary puts it together, on a free port, with a database and a sandbox of the test's own.

use std::net::TcpListener;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use chrono::{NaiveTime, TimeDelta};
use picsbridge::app::{Parts, Running};
use picsbridge::auth::scope::{Scope, Scopes};
use picsbridge::config::{Config, RawConfig};
use picsbridge::sandbox::{Sandbox, SandboxOptions};
use picsbridge::seal::Sealer;
use picsbridge::store::{By, Expected, NewAce360Settings, Provider, StoreError};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::client::Api;
use super::postgres::{Database, RUNTIME};
use super::{people, personal};

/// 32 bytes, in base64.
pub const MASTER_KEY: &str = "dGVzdHMgb25seTogbm9ib2R5J3MgbWFzdGVyIGtleSE=";
/// Short, so that what goes wrong goes wrong soon; the tick and deliveries are the test's to call.
pub const TIMINGS: &str =
    "call=5s,lease=8s,slice=3s,job=10s,rescue=15s,tick=24h,deliver=24h,retry=200ms,shutdown=3s";
/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(25);

/// Runs something where the app runs, so that a connection it opens does not end with the test.
pub async fn on_runtime<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    RUNTIME.spawn(work).await.unwrap()
}

/// A training provider with a token that may do everything. Calls like an [`Api`].
#[derive(Clone, Debug)]
pub struct Tenant {
    pub provider: Provider,
    pub api: Api,
}

impl Deref for Tenant {
    type Target = Api;
    fn deref(&self) -> &Api {
        &self.api
    }
}

/// The running service. Calls like an [`Api`] with its first provider's token.
#[derive(Debug)]
pub struct TestApp {
    pub parts: Parts,
    pub tenant: Tenant,
    sandbox: Arc<Sandbox>,
    database: Arc<Database>,
    worker: bool,
    running: Option<(ServerHandle, Running)>,
}

impl Deref for TestApp {
    type Target = Api;
    fn deref(&self) -> &Api {
        &self.tenant.api
    }
}

/// How the app is to be.
#[derive(Debug)]
pub struct AppBuilder {
    // Settings are many: more than belongs in each test's future.
    raw: Box<RawConfig>,
    timings: String,
    sandbox: SandboxOptions,
    worker: bool,
    job_connections: Option<u32>,
}

impl AppBuilder {
    /// Timings that win over [`TIMINGS`], such as `call=1s,lease=2s`.
    pub fn timings(mut self, timings: &str) -> Self {
        self.timings = format!("{TIMINGS},{timings}");
        self
    }

    /// Calls to ACE360 a minute; 60,000 if not said.
    pub fn calls_per_minute(mut self, calls: u32) -> Self {
        self.raw.ace360_calls_per_minute = Some(calls.to_string());
        self
    }

    /// Any other setting.
    pub fn setting(mut self, set: impl FnOnce(&mut RawConfig)) -> Self {
        set(&mut self.raw);
        self
    }

    /// The sandbox; where it listens is not the caller's.
    pub fn sandbox(mut self, options: SandboxOptions) -> Self {
        self.sandbox = options;
        self
    }

    /// Fewer connections for jobs than a setting may say.
    pub fn job_connections(mut self, count: u32) -> Self {
        self.job_connections = Some(count);
        self
    }

    /// Nobody works jobs.
    pub fn no_worker(mut self) -> Self {
        self.worker = false;
        self
    }

    pub async fn start(self) -> TestApp {
        let database = Arc::new(Database::new().await);
        let listen = "127.0.0.1:0".parse().unwrap();
        let sandbox = on_runtime(Sandbox::start(SandboxOptions { listen, ..self.sandbox })).await.unwrap();
        let raw = RawConfig {
            database_url: Some(database.url()),
            sandbox_url: Some(sandbox.url()),
            timings: Some(self.timings),
            ..*self.raw
        };
        let mut config = Config::check(&raw).unwrap_or_else(|faults| panic!("the configuration: {faults:?}"));
        config.job_connections = self.job_connections.unwrap_or(config.job_connections);
        Box::pin(TestApp::over(config, database, Arc::new(sandbox), self.worker, None)).await
    }
}

impl TestApp {
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    pub fn builder() -> AppBuilder {
        AppBuilder {
            raw: Box::new(RawConfig {
                listen: Some("127.0.0.1:0".to_owned()),
                master_key: Some(MASTER_KEY.to_owned()),
                ace360_calls_per_minute: Some("60000".to_owned()),
                requests_per_minute: Some("off".to_owned()),
                ..RawConfig::default()
            }),
            timings: TIMINGS.to_owned(),
            sandbox: SandboxOptions::default(),
            worker: true,
            job_connections: None,
        }
    }

    /// Another process's worth of the service, over the same database and sandbox, with the same provider and token.
    pub async fn second(&self) -> Self {
        self.second_with(self.worker).await
    }

    pub async fn second_with(&self, worker: bool) -> Self {
        let (database, sandbox) = (Arc::clone(&self.database), Arc::clone(&self.sandbox));
        let config = Config::clone(&self.parts.config);
        Self::over(config, database, sandbox, worker, Some(self.tenant.clone())).await
    }

    /// The same, which works jobs and keeps another pace towards OneFile.
    pub async fn second_at(&self, onefile_calls_per_minute: u32) -> Self {
        let (database, sandbox) = (Arc::clone(&self.database), Arc::clone(&self.sandbox));
        let mut config = Config::clone(&self.parts.config);
        config.upstreams.onefile_calls_per_minute = onefile_calls_per_minute;
        Self::over(config, database, sandbox, true, Some(self.tenant.clone())).await
    }

    async fn over(
        config: Config,
        database: Arc<Database>,
        sandbox: Arc<Sandbox>,
        worker: bool,
        tenant: Option<Tenant>,
    ) -> Self {
        personal::watch();
        let options = database.options().application_name("picsbridge-test");
        let (parts, running, url) = on_runtime(async move {
            let sealer = Sealer::new(&SecretString::from(MASTER_KEY)).unwrap();
            let parts = Parts::build(config, options, sealer, false).await.unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let server = parts.serve(listener, 1).unwrap();
            let handle = server.handle();
            tokio::spawn(server);
            let background = parts.start_background(worker).unwrap();
            (parts, (handle, background), url)
        })
        .await;
        let api = Api::new(&url).await;
        let tenant = match tenant {
            Some(tenant) => Tenant { api: api.with_token_of(&tenant.api), ..tenant },
            None => new_tenant(&parts, &api, "first", "sandbox").await,
        };
        Self { parts, tenant, sandbox, database, worker, running: Some(running) }
    }

    /// Another provider, whose ACE360 organisation is another too.
    pub async fn second_provider(&self) -> Tenant {
        new_tenant(&self.parts, &self.tenant.api, "second", "sandbox-second").await
    }

    /// A token of the first provider.
    pub async fn issue(&self, scopes: Scopes, days: u32) -> String {
        issue(&self.parts, &self.tenant.provider, scopes, days).await
    }

    /// Calls with a token of the first provider that has these scopes only.
    pub async fn with_scopes(&self, scopes: &[Scope]) -> Api {
        self.as_token(&self.issue(scopes.iter().copied().collect(), 1).await)
    }

    /// Ends the app as a stop of the process does.
    pub async fn stop(mut self) {
        if let Some((server, running)) = self.running.take() {
            on_runtime(running.stop(Some(server))).await;
        }
    }

    /// Moves the clock that all processes share, and this one's.
    pub async fn clock_advance(&self, by: TimeDelta) {
        let parts = self.parts.clone();
        on_runtime(async move {
            parts.store.advance_clock(by).await.unwrap();
            parts.auth.pulse(&parts.store).await.unwrap();
        })
        .await;
    }

    /// What happens each minute in service.
    pub async fn tick(&self) {
        let runs = self.parts.runs.clone();
        on_runtime(async move { runs.tick().await.unwrap() }).await;
    }

    /// What happens each second in service: webhooks are told what is due, until nothing is.
    pub async fn deliver(&self) {
        let webhooks = self.parts.webhooks.clone();
        on_runtime(async move { webhooks.deliver().await.unwrap() }).await;
    }

    /// Waits until a run has ended, and gives it.
    pub async fn wait_run(&self, id: &str) -> Value {
        let path = format!("/runs/{id}");
        self.eventually(&path, |run| !run["finishedAt"].is_null()).await
    }

    /// Reads a path until what it answers is as wanted.
    pub async fn eventually(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(&format!("GET {path}"), || async { self.get(path).await.expect(200) }, wanted).await
    }

    /// Reads the sandbox's numbers until they are as wanted.
    pub async fn eventually_in_sandbox(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        until("the sandbox", || self.sandbox_state(), wanted).await
    }

    /// Brings the catalogue of standards, without which nothing can be uploaded.
    pub async fn refresh_standards(&self) -> Value {
        let run = self.post("/ace360/standards:refresh", &Value::Null).await;
        assert!(matches!(run.status, 200 | 202), "{run:?}");
        let run = self.wait_run(run.body["id"].as_str().unwrap()).await;
        assert_eq!(run["state"], "succeeded", "{run:#}");
        run
    }

    /// Keeps the learner `id`, whom [`people::learner`] invents from `n`, ready for an upload, with employer and contact.
    pub async fn put_ready(&self, id: &str, n: u64) {
        self.put(&format!("/officers/{}", people::OFFICER), &people::officer()).await.good();
        self.put(&format!("/organisations/{}", people::ORGANISATION), &people::organisation()).await.good();
        self.put(&format!("/learners/{id}"), &people::learner(n)).await.good();
    }

    /// A connection to the test's database, for looking at what is kept.
    pub async fn sql(&self) -> sqlx::PgConnection {
        use sqlx::Connection as _;
        sqlx::PgConnection::connect_with(&self.database.options()).await.unwrap()
    }

    pub fn database_url(&self) -> String {
        self.database.url()
    }

    pub fn sandbox_url(&self) -> String {
        self.sandbox.url()
    }

    /// The sandbox in numbers.
    pub async fn sandbox_state(&self) -> Value {
        self.sandbox_call(Method::GET, "/state", None).await
    }

    /// The sandbox's records in full, the newest first.
    pub async fn sandbox_records(&self) -> Vec<Value> {
        let records = self.sandbox_call(Method::GET, "/apprentices?limit=1000", None).await;
        records.as_array().unwrap().clone()
    }

    /// Moves an ACE360 record to its next status.
    pub async fn sandbox_advance(&self, id: i64) -> Value {
        self.sandbox_change(id, json!({})).await
    }

    /// Changes an ACE360 record: `{"statusId":6,"overallGrade":"pass"}`, `{"archive":true}`, `{"remove":true}`.
    pub async fn sandbox_change(&self, id: i64, change: Value) -> Value {
        self.sandbox_call(Method::POST, &format!("/apprentices/{id}:advance"), Some(change)).await
    }

    /// Somebody types a record into ACE360; fields that are not given are invented.
    pub async fn sandbox_create(&self, fields: Value) -> Value {
        self.sandbox_call(Method::POST, "/apprentices", Some(fields)).await
    }

    /// Makes the sandbox go wrong: `{"operation":"createApprentice","times":1,"kind":{"commitThenReset":{}}}`.
    pub async fn fault(&self, rule: Value) {
        self.sandbox_call(Method::PUT, "/faults", Some(json!([rule]))).await;
    }

    /// It goes right again.
    pub async fn no_faults(&self) {
        self.sandbox_call(Method::PUT, "/faults", Some(json!([]))).await;
    }

    /// Forgets all that the sandbox has, then invents so many apprentices; the first one's id is 248.
    pub async fn sandbox_seed(&self, apprentices: u32) {
        let body = json!({ "seedApprentices": apprentices });
        self.sandbox_call(Method::POST, "/reset", Some(body)).await;
    }

    /// Changes the sandbox: `{"credits":0}`, `{"callsPerMinute":60}`, `{"hideArchived":true}`.
    pub async fn sandbox_settings(&self, change: Value) {
        self.sandbox_call(Method::PUT, "/settings", Some(change)).await;
    }

    /// Any call of the sandbox's control.
    pub async fn sandbox_call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request = reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .request(method, format!("{}/control{path}", self.sandbox.url()))
            .timeout(PATIENCE);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "the sandbox's {path}: {status} {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let address = self.tenant.api.base().trim_start_matches("http://").parse().ok();
            personal::check(&self.database, address);
        }
        let (database, sandbox) = (Arc::clone(&self.database), Arc::clone(&self.sandbox));
        if let Some((server, running)) = self.running.take() {
            RUNTIME.spawn(async move {
                server.stop(false).await;
                running.stop(None).await;
                drop((database, sandbox));
            });
        }
    }
}

async fn new_tenant(parts: &Parts, api: &Api, name: &'static str, ace360_token: &'static str) -> Tenant {
    let own = parts.clone();
    let provider = on_runtime(async move {
        // Where the machine is so busy that the pool gave up, it is asked once more.
        let made = match own.store.create_provider(name).await {
            Err(StoreError::Sql(sqlx::Error::PoolTimedOut)) => own.store.create_provider(name).await,
            made => made,
        };
        let provider = made.unwrap().expect("the name is free");
        let settings = NewAce360Settings {
            enabled: true,
            environment: "sandbox".to_owned(),
            token: Some(SecretString::from(ace360_token)),
            // A clock that a test moves would set it off.
            daily_enabled: false,
            daily_at: NaiveTime::from_hms_opt(5, 0, 0).unwrap(),
        };
        own.store.put_ace360_settings(provider.id, &settings, &Expected::Whatever, &by()).await.unwrap();
        provider
    })
    .await;
    let token = issue(parts, &provider, Scopes::all(), 365).await;
    Tenant { provider, api: api.as_token(&token) }
}

async fn issue(parts: &Parts, provider: &Provider, scopes: Scopes, days: u32) -> String {
    let (parts, provider) = (parts.clone(), provider.clone());
    on_runtime(async move {
        parts.auth.issue(&parts.store, &provider, "test", scopes, days, &by()).await.unwrap().0
    })
    .await
}

/// Whoever the tests act as beneath the API.
pub fn by() -> By {
    By::itself("test")
}

async fn until<F: Future<Output = Value>>(
    what: &str,
    read: impl Fn() -> F,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let begun = Instant::now();
    loop {
        let body = read().await;
        if wanted(&body) {
            return body;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} is still not as wanted: {body:#}");
        tokio::time::sleep(POLL).await;
    }
}
