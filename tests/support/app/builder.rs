//! The options of the app.

use std::sync::Arc;

use picsbridge::config::{Config, RawConfig};
use picsbridge::sandbox::{Sandbox, SandboxOptions};

use super::running::{MASTER_KEY, TestApp};
use super::wait::PATIENCE;
use crate::support::postgres::{Database, on_runtime};

/// Short times, so that failures happen soon. The test calls the tick and the deliveries.
pub const TIMINGS: &str =
    "call=5s,lease=8s,slice=3s,job=10s,rescue=15s,tick=24h,deliver=24h,retry=200ms,shutdown=3s";

#[derive(Debug)]
pub struct AppBuilder {
    // Boxed, because the settings are too large for each test's future.
    raw: Box<RawConfig>,
    timings: String,
    sandbox: SandboxOptions,
    worker: bool,
    job_connections: Option<u32>,
}

impl AppBuilder {
    /// Timings that override [`TIMINGS`], such as `call=1s,lease=2s`.
    pub fn timings(mut self, timings: &str) -> Self {
        self.timings = format!("{TIMINGS},{timings}");
        self
    }

    /// Calls to ACE360 a minute. The default is 60,000.
    pub fn calls_per_minute(mut self, calls: u32) -> Self {
        self.raw.ace360_calls_per_minute = Some(calls.to_string());
        self
    }

    pub fn setting(mut self, set: impl FnOnce(&mut RawConfig)) -> Self {
        set(&mut self.raw);
        self
    }

    /// The options of the sandbox. Its address is chosen automatically.
    pub fn sandbox(mut self, options: SandboxOptions) -> Self {
        self.sandbox = options;
        self
    }

    /// Fewer connections for jobs than the setting allows.
    pub fn job_connections(mut self, count: u32) -> Self {
        self.job_connections = Some(count);
        self
    }

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
        // A busy machine may need long for a connection, which is no fault of the service.
        config.connection_wait = PATIENCE;
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
}
