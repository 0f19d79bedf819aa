//! The running service.

use std::net::TcpListener;
use std::ops::Deref;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use chrono::TimeDelta;
use picsbridge::app::{Parts, Running};
use picsbridge::auth::scope::{Scope, Scopes};
use picsbridge::config::Config;
use picsbridge::sandbox::Sandbox;
use picsbridge::seal::Sealer;
use secrecy::SecretString;
use serde_json::Value;

use super::tenant::{Tenant, issue, new_tenant};
use super::wait::until_read;
use crate::support::client::Api;
use crate::support::postgres::{Database, RUNTIME, on_runtime};
use crate::support::{people, personal};

/// 32 bytes, in base64.
pub const MASTER_KEY: &str = "dGVzdHMgb25seTogbm9ib2R5J3MgbWFzdGVyIGtleSE=";

/// The running service. Calls like an [`Api`] with its first provider's token.
#[derive(Debug)]
pub struct TestApp {
    pub parts: Parts,
    pub tenant: Tenant,
    pub(super) sandbox: Arc<Sandbox>,
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

impl TestApp {
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

    pub async fn over(
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
        until_read(&format!("GET {path}"), || async { self.get(path).await.expect(200) }, wanted).await
    }

    /// Reads the sandbox's numbers until they are as wanted.
    pub async fn eventually_in_sandbox(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        until_read("the sandbox", || self.sandbox_state(), wanted).await
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
