//! The settings as they come in: environment variables, or the flags of the same names.

use super::trusted::RawTrusted;

/// The settings as they came in, unchecked. One field a variable; `--listen` is `PICSBRIDGE_LISTEN` and so on.
#[derive(clap::Args, Clone, Debug, Default)]
#[allow(missing_docs, reason = "each field's help text, shown by --help, is its documentation")]
pub struct RawConfig {
    /// Address that the API listens on
    #[arg(long, global = true, env = "PICSBRIDGE_LISTEN")]
    pub listen: Option<String>,
    /// PostgreSQL 15 or later; without it a private one is started in the data folder
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Where the private database, the master key and the sandbox's state are kept
    #[arg(long, global = true, env = "PICSBRIDGE_DATA_DIR")]
    pub data_dir: Option<String>,
    /// Key that seals the records: 32 bytes in base64; several, separated by commas: the first one seals
    #[arg(long, global = true, env = "PICSBRIDGE_MASTER_KEY", hide_env_values = true)]
    pub master_key: Option<String>,
    /// The address that others reach the service at
    #[arg(long, global = true, env = "PICSBRIDGE_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// ACE360 Connect's base address
    #[arg(long, global = true, env = "PICSBRIDGE_ACE360_LIVE_URL")]
    pub ace360_live_url: Option<String>,
    /// OneFile's base address, Live
    #[arg(long, global = true, env = "PICSBRIDGE_ONEFILE_LIVE_URL")]
    pub onefile_live_url: Option<String>,
    /// OneFile's base address, Practice
    #[arg(long, global = true, env = "PICSBRIDGE_ONEFILE_PRACTICE_URL")]
    pub onefile_practice_url: Option<String>,
    /// OneFile's base address, Beta
    #[arg(long, global = true, env = "PICSBRIDGE_ONEFILE_BETA_URL")]
    pub onefile_beta_url: Option<String>,
    /// Connections to the database for background work
    #[arg(long, global = true, env = "PICSBRIDGE_JOB_CONNECTIONS")]
    pub job_connections: Option<String>,
    /// Calls to OneFile a minute, for each customer token
    #[arg(long, global = true, env = "PICSBRIDGE_ONEFILE_CALLS_PER_MINUTE")]
    pub onefile_calls_per_minute: Option<String>,
    /// Calls to ACE360 a minute, for each token
    #[arg(long, global = true, env = "PICSBRIDGE_ACE360_CALLS_PER_MINUTE")]
    pub ace360_calls_per_minute: Option<String>,
    /// Where the sandbox is, when another process serves it
    #[arg(long, global = true, env = "PICSBRIDGE_SANDBOX_URL")]
    pub sandbox_url: Option<String>,
    /// Address that the sandbox listens on, or `off`
    #[arg(long, global = true, env = "PICSBRIDGE_SANDBOX_LISTEN")]
    pub sandbox_listen: Option<String>,
    /// Requests a minute that one token may make, or `off`
    #[arg(long, global = true, env = "PICSBRIDGE_REQUESTS_PER_MINUTE")]
    pub requests_per_minute: Option<String>,
    /// Origins that a browser may call from, separated by commas
    #[arg(long, global = true, env = "PICSBRIDGE_CORS_ORIGINS")]
    pub cors_origins: Option<String>,
    /// Whether webhooks may go to private addresses and by http: `yes` or `no`
    #[arg(long, global = true, env = "PICSBRIDGE_WEBHOOK_ALLOW_PRIVATE")]
    pub webhook_allow_private: Option<String>,
    /// Addresses or networks of the proxies before the service, separated by commas: their X-Forwarded-For is believed
    #[arg(long, global = true, env = "PICSBRIDGE_TRUSTED_PROXIES")]
    pub trusted_proxies: Option<String>,
    #[command(flatten)]
    pub trusted: RawTrusted,
    /// Days that run records and runs are kept
    #[arg(long, global = true, env = "PICSBRIDGE_RETAIN_RUNS_DAYS")]
    pub retain_runs_days: Option<String>,
    /// Days that changes are kept
    #[arg(long, global = true, env = "PICSBRIDGE_RETAIN_CHANGES_DAYS")]
    pub retain_changes_days: Option<String>,
    /// Days that upstream payloads are kept
    #[arg(long, global = true, env = "PICSBRIDGE_RETAIN_PAYLOADS_DAYS")]
    pub retain_payloads_days: Option<String>,
    /// Days that the audit is kept
    #[arg(long, global = true, env = "PICSBRIDGE_RETAIN_AUDIT_DAYS")]
    pub retain_audit_days: Option<String>,
    /// What is logged: `info`, `debug`, or a filter such as `picsbridge=debug,info`
    #[arg(long = "log", global = true, env = "PICSBRIDGE_LOG")]
    pub log: Option<String>,
    /// How it is logged: `text` or `json`
    #[arg(long, global = true, env = "PICSBRIDGE_LOG_FORMAT")]
    pub log_format: Option<String>,
    /// Durations of the machinery, such as `lease=30s,call=15s,slice=20s,job=60s,rescue=75s,absence=10m`
    #[arg(long, global = true, env = "PICSBRIDGE_TIMINGS")]
    pub timings: Option<String>,
}
