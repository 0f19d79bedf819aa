//! From the raw settings to the checked configuration.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::network;
use super::raw::RawConfig;
use super::reader::{ConfigFault, Reader, given, listed};
use super::timings::Timings;
use super::upstreams::Upstreams;
use super::{Config, Database, LogFormat, Retention, trusted};
use crate::seal::is_master_key;

/// The job engine holds one connection, and takes others for a moment.
const JOB_CONNECTIONS: u32 = 4;
/// Longer than a busy pool needs to come free, and shorter than a caller waits. No setting changes it.
const CONNECTION_WAIT: Duration = Duration::from_secs(5);

impl Config {
    /// Checks the raw settings, and answers every one that cannot be used.
    pub fn check(raw: &RawConfig) -> Result<Self, Vec<ConfigFault>> {
        let mut reader = Reader::default();
        let database = database(raw, &mut reader);
        let embedded = matches!(database, Database::Embedded);
        let config = Self {
            master_key: master_key(raw, embedded, &mut reader),
            listen: reader.address("PICSBRIDGE_LISTEN", raw.listen.as_deref(), "127.0.0.1:8080"),
            data_dir: PathBuf::from(given(raw.data_dir.as_deref()).unwrap_or(".picsbridge")),
            public_url: given(raw.public_url.as_deref())
                .map(|url| reader.base_url("PICSBRIDGE_PUBLIC_URL", Some(url), "")),
            sandbox_listen: match given(raw.sandbox_listen.as_deref()) {
                Some("off") => None,
                None if !embedded => None,
                other => Some(reader.address("PICSBRIDGE_SANDBOX_LISTEN", other, "127.0.0.1:8090")),
            },
            requests_per_minute: match given(raw.requests_per_minute.as_deref()) {
                Some("off") => None,
                other => Some(reader.number("PICSBRIDGE_REQUESTS_PER_MINUTE", other, 6000)),
            },
            upstreams: Upstreams::read(raw, &mut reader),
            cors_origins: cors_origins(raw, &mut reader),
            webhook_allow_private: reader.word(
                "PICSBRIDGE_WEBHOOK_ALLOW_PRIVATE",
                raw.webhook_allow_private.as_deref(),
                false,
                [("yes", true), ("no", false)],
            ),
            trusted_proxies: trusted_proxies(raw, &mut reader),
            trusted: trusted::check(&raw.trusted, &mut reader),
            retention: retention(raw, &mut reader),
            log: log(raw, &mut reader),
            log_format: reader.word(
                "PICSBRIDGE_LOG_FORMAT",
                raw.log_format.as_deref(),
                LogFormat::Text,
                [("text", LogFormat::Text), ("json", LogFormat::Json)],
            ),
            timings: Timings::read(raw.timings.as_deref(), &mut reader),
            job_connections: job_connections(raw, &mut reader),
            connection_wait: CONNECTION_WAIT,
            database,
        };
        if reader.faults.is_empty() { Ok(config) } else { Err(reader.faults) }
    }
}

fn database(raw: &RawConfig, reader: &mut Reader) -> Database {
    let Some(url) = given(raw.database_url.as_deref()) else { return Database::Embedded };
    let postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
    if !postgres || Url::parse(url).is_err() {
        // The value holds a password, so the message does not repeat it.
        reader.fault(
            "DATABASE_URL",
            "is not a PostgreSQL address: write postgres://user:password@host:5432/database",
        );
    }
    Database::Url(SecretString::from(url))
}

fn master_key(raw: &RawConfig, embedded: bool, reader: &mut Reader) -> Option<SecretString> {
    let key = given(raw.master_key.as_deref()).map(SecretString::from);
    match &key {
        None if !embedded => reader.fault(
            "PICSBRIDGE_MASTER_KEY",
            "is required with DATABASE_URL: make one with `openssl rand -base64 32` and keep it safe, since without it the records cannot be read",
        ),
        Some(key) if key.expose_secret().split(',').any(|part| !is_master_key(part)) => {
            reader.fault("PICSBRIDGE_MASTER_KEY", "is not 32 bytes in base64: make one with `openssl rand -base64 32`");
        }
        _ => {}
    }
    key
}

fn cors_origins(raw: &RawConfig, reader: &mut Reader) -> Vec<String> {
    let origins: Vec<_> = listed(raw.cors_origins.as_deref())
        .map(|origin| origin.trim_end_matches('/').to_owned())
        .filter(|origin| !origin.is_empty())
        .collect();
    for origin in &origins {
        if !Url::parse(origin).is_ok_and(|url| url.has_host() && url.path() == "/") {
            reader.fault(
                "PICSBRIDGE_CORS_ORIGINS",
                format!("`{origin}` is not an origin: write one such as https://front.example"),
            );
        }
    }
    origins
}

fn trusted_proxies(raw: &RawConfig, reader: &mut Reader) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for text in listed(raw.trusted_proxies.as_deref()) {
        match network::parse(text) {
            Some(network) => networks.push(network),
            None => reader.fault(
                "PICSBRIDGE_TRUSTED_PROXIES",
                format!("`{text}` is no address or network: write one such as 10.0.0.7 or 10.0.0.0/8"),
            ),
        }
    }
    networks
}

fn retention(raw: &RawConfig, reader: &mut Reader) -> Retention {
    let mut days = |setting, raw: &Option<String>, default| reader.number(setting, raw.as_deref(), default);
    Retention {
        payloads_days: days("PICSBRIDGE_RETAIN_PAYLOADS_DAYS", &raw.retain_payloads_days, 30),
        runs_days: days("PICSBRIDGE_RETAIN_RUNS_DAYS", &raw.retain_runs_days, 90),
        changes_days: days("PICSBRIDGE_RETAIN_CHANGES_DAYS", &raw.retain_changes_days, 90),
        audit_days: days("PICSBRIDGE_RETAIN_AUDIT_DAYS", &raw.retain_audit_days, 2190),
    }
}

fn log(raw: &RawConfig, reader: &mut Reader) -> String {
    let log = given(raw.log.as_deref()).unwrap_or("info");
    if let Err(error) = tracing_subscriber::EnvFilter::try_new(log) {
        reader.fault(
            "PICSBRIDGE_LOG",
            format!("`{log}` is not a log filter ({error}): write `info`, or `picsbridge=debug,info`"),
        );
    }
    log.to_owned()
}

fn job_connections(raw: &RawConfig, reader: &mut Reader) -> u32 {
    const SETTING: &str = "PICSBRIDGE_JOB_CONNECTIONS";
    let count = reader.number(SETTING, raw.job_connections.as_deref(), 16);
    if count < JOB_CONNECTIONS {
        reader.fault(SETTING, format!("`{count}` is too few: the job engine alone needs {JOB_CONNECTIONS}"));
    }
    count
}
