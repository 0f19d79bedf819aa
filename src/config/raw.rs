//! The raw settings: environment variables, or flags with the same names.

use super::trusted::RawTrusted;

/// The raw settings, not checked yet. Each field is one variable; `--listen` is `PICSBRIDGE_LISTEN`
/// and so on.
#[derive(clap::Args, Clone, Debug, Default)]
#[allow(missing_docs, reason = "each field's help text, shown by --help, is its documentation")]
pub struct RawConfig {
    /// Address that the API listens on
    #[arg(long, global = true, env = "PICSBRIDGE_LISTEN")]
    pub listen: Option<String>,
    /// PostgreSQL 15 or later; without it the service starts a private one in the data folder
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Folder of the private database, the master key and the sandbox's state
    #[arg(long, global = true, env = "PICSBRIDGE_DATA_DIR")]
    pub data_dir: Option<String>,
    /// Key that seals the records: 32 bytes in base64. Separate several keys by commas; the
    /// first one seals
    #[arg(long, global = true, env = "PICSBRIDGE_MASTER_KEY", hide_env_values = true)]
    pub master_key: Option<String>,
    /// Public address of the service
    #[arg(long, global = true, env = "PICSBRIDGE_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Base address of ACE360 Connect
    #[arg(long, global = true, env = "PICSBRIDGE_ACE360_LIVE_URL")]
    pub ace360_live_url: Option<String>,
    /// Base address of OneFile Live
    #[arg(long, global = true, env = "PICSBRIDGE_ONEFILE_LIVE_URL")]
    pub onefile_live_url: Option<String>,
    /// Base address of OneFile Practice
    #[arg(long, global = true, env = "PICSBRIDGE_ONEFILE_PRACTICE_URL")]
    pub onefile_practice_url: Option<String>,
    /// Base address of OneFile Beta
    #[arg(long, global = true, env = "PICSBRIDGE_ONEFILE_BETA_URL")]
    pub onefile_beta_url: Option<String>,
    /// Database connections for background work
    #[arg(long, global = true, env = "PICSBRIDGE_JOB_CONNECTIONS")]
    pub job_connections: Option<String>,
    /// Calls to OneFile per minute, for each customer token
    #[arg(long, global = true, env = "PICSBRIDGE_ONEFILE_CALLS_PER_MINUTE")]
    pub onefile_calls_per_minute: Option<String>,
    /// Calls to ACE360 per minute, for each token
    #[arg(long, global = true, env = "PICSBRIDGE_ACE360_CALLS_PER_MINUTE")]
    pub ace360_calls_per_minute: Option<String>,
    /// Address of the sandbox, if another process serves it
    #[arg(long, global = true, env = "PICSBRIDGE_SANDBOX_URL")]
    pub sandbox_url: Option<String>,
    /// Address that the sandbox listens on, or `off`
    #[arg(long, global = true, env = "PICSBRIDGE_SANDBOX_LISTEN")]
    pub sandbox_listen: Option<String>,
    /// Requests per minute for each token, or `off`
    #[arg(long, global = true, env = "PICSBRIDGE_REQUESTS_PER_MINUTE")]
    pub requests_per_minute: Option<String>,
    /// Origins that browsers can call from, separated by commas
    #[arg(long, global = true, env = "PICSBRIDGE_CORS_ORIGINS")]
    pub cors_origins: Option<String>,
    /// Whether webhooks can use private addresses and http: `yes` or `no`
    #[arg(long, global = true, env = "PICSBRIDGE_WEBHOOK_ALLOW_PRIVATE")]
    pub webhook_allow_private: Option<String>,
    /// Addresses or networks of the proxies in front of the service, separated by commas: their
    /// X-Forwarded-For is trusted
    #[arg(long, global = true, env = "PICSBRIDGE_TRUSTED_PROXIES")]
    pub trusted_proxies: Option<String>,
    #[command(flatten)]
    pub trusted: RawTrusted,
    /// Days to keep runs and their records
    #[arg(long, global = true, env = "PICSBRIDGE_RETAIN_RUNS_DAYS")]
    pub retain_runs_days: Option<String>,
    /// Days to keep changes
    #[arg(long, global = true, env = "PICSBRIDGE_RETAIN_CHANGES_DAYS")]
    pub retain_changes_days: Option<String>,
    /// Days to keep upstream payloads
    #[arg(long, global = true, env = "PICSBRIDGE_RETAIN_PAYLOADS_DAYS")]
    pub retain_payloads_days: Option<String>,
    /// Days to keep the audit
    #[arg(long, global = true, env = "PICSBRIDGE_RETAIN_AUDIT_DAYS")]
    pub retain_audit_days: Option<String>,
    /// Log filter: `info`, `debug`, or directives such as `picsbridge=debug,info`
    #[arg(long = "log", global = true, env = "PICSBRIDGE_LOG")]
    pub log: Option<String>,
    /// Log format: `text` or `json`
    #[arg(long, global = true, env = "PICSBRIDGE_LOG_FORMAT")]
    pub log_format: Option<String>,
    /// Internal durations, such as `lease=30s,call=15s,slice=20s,job=60s,rescue=75s,absence=10m`
    #[arg(long, global = true, env = "PICSBRIDGE_TIMINGS")]
    pub timings: Option<String>,
}
