//! The environment of the benches: their own PostgreSQL with production settings, one database for
//! each bench, and the real binary as the service.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::str::FromStr as _;

use chrono::NaiveTime;
use picsbridge::app::Parts;
use picsbridge::auth::NewToken;
use picsbridge::auth::scope::Scopes;
use picsbridge::config::{Config, RawConfig};
use picsbridge::embedded_postgres::{EmbeddedOptions, EmbeddedPostgres};
use picsbridge::sandbox::{Sandbox, SandboxOptions};
use picsbridge::seal::Sealer;
use picsbridge::store::{By, Expected, NewAce360Settings, Provider};
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::floor;
use super::folder::Folder;
use super::http::Api;
use super::people;
use super::process::Process;

/// A master key for benches only: 32 bytes in base64.
const MASTER_KEY: &str = "YmVuY2hlcyBvbmx5OiBub2JvZHkncyBtYXN0ZXIga2U=";
/// Calls a minute. The number is so high that nothing waits for the pace.
pub const NO_PACE: u32 = 6_000_000;

/// The PostgreSQL that all benches of one run share.
pub struct Ground {
    postgres: EmbeddedPostgres,
    folder: Folder,
    _remover: std::process::Child,
}

impl Ground {
    pub async fn start() -> Self {
        let folder = Folder::new();
        // Durable, as in production: half of the measured time is waiting for the disk.
        let postgres = EmbeddedPostgres::start(folder.path(), EmbeddedOptions::default()).await.unwrap();
        let remover = folder.remove_at_exit();
        Self { postgres, folder, _remover: remover }
    }

    /// Creates a migrated database for one bench, and starts a sandbox in this process.
    pub async fn site(&self, name: &str, calls_per_minute: u32) -> Site<'_> {
        let mut admin = PgConnection::connect(&self.postgres.url()).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&mut admin).await.unwrap();
        let mut url = url::Url::parse(&self.postgres.url()).unwrap();
        url.set_path(name);
        let sandbox = Sandbox::start(SandboxOptions {
            listen: "127.0.0.1:0".parse().unwrap(),
            onefile_calls_per_minute: None,
            ..SandboxOptions::default()
        })
        .await
        .unwrap();
        let settings = BTreeMap::from([
            ("DATABASE_URL", url.to_string()),
            ("PICSBRIDGE_MASTER_KEY", MASTER_KEY.to_owned()),
            ("PICSBRIDGE_LISTEN", "127.0.0.1:0".to_owned()),
            ("PICSBRIDGE_REQUESTS_PER_MINUTE", "off".to_owned()),
            ("PICSBRIDGE_SANDBOX_URL", sandbox.url()),
            ("PICSBRIDGE_ACE360_CALLS_PER_MINUTE", calls_per_minute.to_string()),
            ("PICSBRIDGE_ONEFILE_CALLS_PER_MINUTE", calls_per_minute.to_string()),
        ]);
        let raw = RawConfig {
            database_url: Some(url.to_string()),
            master_key: Some(MASTER_KEY.to_owned()),
            ..RawConfig::default()
        };
        let config = Config::check(&raw).unwrap();
        let sealer = Sealer::new(&SecretString::from(MASTER_KEY)).unwrap();
        let connect = PgConnectOptions::from_str(url.as_str()).unwrap();
        let parts = Parts::build(config, connect, sealer, true).await.unwrap();
        Site { ground: self, url: url.to_string(), settings, parts, sandbox }
    }

    pub async fn stop(self) {
        self.postgres.stop().await.unwrap();
    }
}

/// The database, sandbox and store of one bench.
pub struct Site<'a> {
    ground: &'a Ground,
    url: String,
    settings: BTreeMap<&'static str, String>,
    pub parts: Parts,
    sandbox: Sandbox,
}

/// A site whose service has its own pace of calls to OneFile.
pub struct Paced<'a> {
    site: &'a Site<'a>,
    calls_per_minute: u32,
}

impl Paced<'_> {
    pub fn service(&self, arguments: &[&str]) -> Process {
        let pace = ("PICSBRIDGE_ONEFILE_CALLS_PER_MINUTE", self.calls_per_minute.to_string());
        self.site.started(arguments, &[pace])
    }
}

impl Site<'_> {
    /// Starts the real binary with these arguments: `serve`, `serve --no-worker` or `worker`.
    pub fn service(&self, arguments: &[&str]) -> Process {
        self.started(arguments, &[])
    }

    /// Starts the service with another address of the same database.
    pub fn service_on(&self, arguments: &[&str], database_url: &str) -> Process {
        self.started(arguments, &[("DATABASE_URL", database_url.to_owned())])
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    fn started(&self, arguments: &[&str], more: &[(&str, String)]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_picsbridge"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PICSBRIDGE_")) {
            command.env_remove(name);
        }
        command.args(arguments).envs(&self.settings);
        command.envs(more.iter().cloned()).env("PICSBRIDGE_DATA_DIR", self.ground.folder.path());
        Process::start(command, if arguments.contains(&"worker") { "works jobs" } else { "  API " })
    }

    /// Returns the site with another pace of calls to OneFile.
    pub fn with_onefile_pace(&self, calls_per_minute: u32) -> Paced<'_> {
        Paced { site: self, calls_per_minute }
    }

    /// The address that the sandbox listens on.
    pub fn sandbox_address(&self) -> SocketAddr {
        self.sandbox.url().trim_start_matches("http://").parse().unwrap()
    }

    /// Starts the floor, with as many workers as the service has.
    pub async fn floor(&self, rows: i32) -> Process {
        floor::prepare(&mut self.connection().await, rows).await;
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([floor::HIDDEN, &self.url, &workers.to_string()]);
        Process::start(command, "ready at")
    }

    pub async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    /// Creates a provider whose ACE360 is the sandbox, and a token with every scope.
    pub async fn provider(&self, name: &str) -> (Provider, String) {
        let provider = self.parts.store.create_provider(name).await.unwrap().expect("the name is free");
        let settings = NewAce360Settings {
            enabled: true,
            environment: "sandbox".to_owned(),
            token: Some(SecretString::from("sandbox")),
            daily_enabled: false,
            daily_at: NaiveTime::from_hms_opt(5, 0, 0).unwrap(),
        };
        self.parts
            .store
            .put_ace360_settings(provider.id, &settings, &Expected::Whatever, &by())
            .await
            .unwrap();
        let (token, _) = self
            .parts
            .auth
            .issue(
                &self.parts.store,
                &provider,
                NewToken { name: "bench", scopes: Scopes::all(), days: 30 },
                None,
                &by(),
            )
            .await
            .unwrap();
        (provider, token)
    }

    /// Opens a client for the sandbox's control API.
    pub async fn control(&self) -> Api {
        Api::open(self.sandbox_address(), None).await
    }

    /// Links learners to the sandbox's records from `first` on, as an upload does. Uses one
    /// statement, because single links for a hundred thousand learners take minutes.
    pub async fn link(&self, provider: &Provider, count: i64, first: i64) {
        let sql = "insert into ace360_links (provider_id, learner_id, environment, record_id, state, method, status_id, status_text,
                       status_read_at, detail_read_at, detail_wanted, uploaded_at)
                   select $1, 'L' || n, 'sandbox', $3 + n, 'uploaded', 'upload', 1, 'In Training', now(), now(), false, now()
                   from generate_series(0, $2 - 1) n";
        let mut connection = self.connection().await;
        let query = sqlx::query(sql).bind(provider.id).bind(count).bind(first);
        query.execute(&mut connection).await.unwrap();
        sqlx::query("vacuum analyze ace360_links").execute(&mut connection).await.unwrap();
    }

    /// The service's clock goes on by a day.
    pub async fn next_day(&self) {
        let mut sql = self.connection().await;
        sqlx::query("update clock set ahead = ahead + interval '1 day'").execute(&mut sql).await.unwrap();
    }

    pub async fn stop(self) {
        self.sandbox.stop().await;
        self.parts.store.close().await;
    }
}

/// Returns learners `from..to` as the body of an import, one line for each.
pub fn lines(from: u64, to: u64, id: impl Fn(u64) -> String) -> Vec<u8> {
    let mut lines = Vec::new();
    for n in from..to {
        serde_json::to_writer(&mut lines, &people::with_id("learnerId", &id(n), &people::learner(n)))
            .unwrap();
        lines.push(b'\n');
    }
    lines
}

/// Creates what an upload needs: the employer, the contact, the catalogue, and learners from
/// `L<from>` up to, but not including, `L<to>`.
pub async fn make_ready(api: &mut Api, from: u64, to: u64) {
    api.call("PUT", &format!("/officers/{}", people::OFFICER), &people::officer()).await;
    api.call("PUT", &format!("/organisations/{}", people::ORGANISATION), &people::organisation()).await;
    let body = lines(from, to, |n| format!("L{n}"));
    let answer = api.bytes("POST", "/learners:import", "application/x-ndjson", &body).await;
    let answer: Value = serde_json::from_slice(answer).unwrap();
    assert_eq!(answer["failed"], 0, "{answer:#}");
    let run = api.call("POST", "/ace360/standards:refresh", &json!({})).await;
    wait(api, &run).await;
}

/// Learning aims of each exchanged learner in OneFile.
pub const AIMS: u64 = 4;
/// Reviews of each exchanged learner in OneFile: one was held, the other was not.
pub const REVIEWS: u64 = 2;

/// Creates learners in OneFile for a customer's token, and the same learners in the service, and
/// links them. Returns the users' ids. The service should have no pace limit.
pub async fn link_learners(api: &mut Api, control: &mut Api, customer: &str, learners: u64) -> Vec<u64> {
    let more = json!({"learners": learners, "aimsPerLearner": AIMS, "reviewsPerLearner": REVIEWS});
    let made =
        control.call("POST", &format!("/control/onefile/records:more?forToken={customer}"), &more).await;
    let users: Vec<u64> = made["learners"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    let settings = json!({"enabled": false, "environment": "sandbox", "customerToken": customer});
    api.call("PUT", "/onefile/settings", &settings).await;
    let run = api.call("POST", "/onefile/qualifications:refresh", &Value::Null).await;
    wait(api, &run).await;
    api.call("POST", "/onefile:enable", &json!({"force": true, "reason": "A bench", "actor": "bench"})).await;
    let settings = json!({"enabled": true, "environment": "sandbox", "downloadReviews": true, "dailySync": {"enabled": false, "at": "05:00"}});
    api.call("PUT", "/onefile/settings", &settings).await;
    let (mut lines, mut links) = (Vec::new(), Vec::new());
    for (n, user) in users.iter().enumerate() {
        let learner = json!({
            "learnerId": format!("E{n}"), "firstName": "Esme", "lastName": "Marlpit", "status": "live",
            "programme": {"startDate": "2025-09-01"},
            "qualifications": [{"vqReference": "105AS"}, {"vqReference": "105OP"}, {"vqReference": "105GW"}, {"vqReference": "105EP"}]
        });
        serde_json::to_writer(&mut lines, &learner).unwrap();
        lines.push(b'\n');
        links.push(json!({"kind": "learner", "localId": format!("E{n}"), "remoteId": user.to_string()}));
    }
    api.bytes("POST", "/learners:import", "application/x-ndjson", &lines).await;
    let linked = api.call("POST", "/onefile/links:import", &json!({"items": links})).await;
    assert_eq!(linked["failed"], 0, "{linked:#}");
    users
}

/// Waits until a run has ended, and returns it.
pub async fn wait(api: &mut Api, run: &Value) -> Value {
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    loop {
        let run = api.call("GET", &path, &Value::Null).await;
        if !run["finishedAt"].is_null() {
            return run;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// The actor that the audit shows for the preparation of a bench.
pub fn by() -> By {
    By::itself("bench")
}
