//! The service's configuration: environment variables, or the flags of the same names. All faults are told at
//! once, each with its setting and what to do; the effective values are shown without secrets.

mod network;
mod trusted;

use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

pub use self::trusted::{RawTrusted, TrustedIssuer};

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

/// Durations of the machinery. The defaults are for service; tests set seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timings {
    /// How long one upstream call may take in all.
    pub call: Duration,
    /// How long an intent's sender may hold it; longer than a call.
    pub lease: Duration,
    /// How long a slice of a run works before it saves and gives way.
    pub slice: Duration,
    /// When River gives a job up.
    pub job: Duration,
    /// When River takes a job for dead and runs it again; longer than `job`.
    pub rescue: Duration,
    /// How often overdue things are looked for.
    pub tick: Duration,
    /// The least time after a call's deadline before a record that was not found is taken for absent.
    pub absence: Duration,
    /// How long a run waits before it asks an upstream again that could not be reached.
    pub retry: Duration,
    /// How often revoked tokens are read.
    pub revocations: Duration,
    /// How often what is due to webhooks is looked for.
    pub deliver: Duration,
    /// How long a stop may take before what still runs is left behind.
    pub shutdown: Duration,
}

/// Fewer connections are too few for background work: the job engine holds one, and takes others for a moment.
const JOB_CONNECTIONS: u32 = 4;
/// The names of the timings.
const TIMINGS: &str = "call, lease, slice, job, rescue, tick, absence, retry, revocations, deliver, shutdown";

impl Timings {
    fn named(&mut self, name: &str) -> Option<&mut Duration> {
        Some(match name {
            "call" => &mut self.call,
            "lease" => &mut self.lease,
            "slice" => &mut self.slice,
            "job" => &mut self.job,
            "rescue" => &mut self.rescue,
            "tick" => &mut self.tick,
            "absence" => &mut self.absence,
            "retry" => &mut self.retry,
            "revocations" => &mut self.revocations,
            "deliver" => &mut self.deliver,
            "shutdown" => &mut self.shutdown,
            _ => return None,
        })
    }
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(15),
            lease: Duration::from_secs(30),
            slice: Duration::from_secs(20),
            job: Duration::from_mins(1),
            rescue: Duration::from_secs(75),
            tick: Duration::from_mins(1),
            absence: Duration::from_mins(10),
            retry: Duration::from_mins(1),
            revocations: Duration::from_secs(1),
            deliver: Duration::from_secs(1),
            shutdown: Duration::from_secs(25),
        }
    }
}

/// Where the database is.
#[derive(Clone, Debug)]
pub enum Database {
    /// A private cluster in the data folder.
    Embedded,
    /// An ordinary server.
    Url(SecretString),
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How long what is kept, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// What was sent to the upstreams.
    pub payloads_days: u32,
    /// Runs and their records.
    pub runs_days: u32,
    /// The change feed.
    pub changes_days: u32,
    /// The audit.
    pub audit_days: u32,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address that the API listens on.
    pub listen: SocketAddr,
    /// Where the database is.
    pub database: Database,
    /// Folder of the private database, the made master key and the sandbox's state.
    pub data_dir: PathBuf,
    /// As given; with the embedded database it may be absent, and is made in the data folder.
    pub master_key: Option<SecretString>,
    /// Without a trailing slash; none: the listen address.
    pub public_url: Option<String>,
    /// Base addresses of the upstreams, without trailing slashes.
    pub upstreams: Upstreams,
    /// Address of the sandbox that this process serves; none: it serves none.
    pub sandbox_listen: Option<SocketAddr>,
    /// Requests a minute for each token; none: no limit.
    pub requests_per_minute: Option<u32>,
    /// Origins that browsers may call from.
    pub cors_origins: Vec<String>,
    /// Whether webhooks may go to private addresses and by http.
    pub webhook_allow_private: bool,
    /// The proxies whose word on where a request comes from is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// The identity provider whose users' tokens are taken beside ours.
    pub trusted: Option<TrustedIssuer>,
    /// How long what is kept.
    pub retention: Retention,
    /// Filter directives of the log.
    pub log: String,
    /// How the log is written.
    pub log_format: LogFormat,
    /// Durations of the machinery.
    pub timings: Timings,
    /// Connections to the database for background work.
    pub job_connections: u32,
}

/// Base addresses and paces of the upstreams.
#[derive(Clone, Debug)]
pub struct Upstreams {
    /// ACE360 Connect.
    pub ace360_live: String,
    /// OneFile Live.
    pub onefile_live: String,
    /// OneFile Practice.
    pub onefile_practice: String,
    /// OneFile Beta.
    pub onefile_beta: String,
    /// Calls a minute for each ACE360 token.
    pub ace360_calls_per_minute: u32,
    /// Calls a minute for each OneFile customer token.
    pub onefile_calls_per_minute: u32,
    /// Base address of the sandbox, when one is known.
    pub sandbox: Option<String>,
}

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// The variable's name.
    pub setting: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.message)
    }
}

/// Collects faults while it reads one setting after another.
#[derive(Default)]
struct Reader {
    faults: Vec<ConfigFault>,
}

impl Reader {
    fn fault(&mut self, setting: &'static str, message: impl Into<String>) {
        self.faults.push(ConfigFault { setting, message: message.into() });
    }

    fn address(&mut self, setting: &'static str, raw: Option<&str>, default: &str) -> SocketAddr {
        let text = raw.unwrap_or(default);
        text.parse().unwrap_or_else(|_| {
            self.fault(setting, format!("`{text}` is not an address: write one such as `{default}`"));
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    fn base_url(&mut self, setting: &'static str, raw: Option<&str>, default: &str) -> String {
        let text = raw.unwrap_or(default);
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
                text.trim_end_matches('/').to_owned()
            }
            _ => {
                self.fault(
                    setting,
                    format!("`{text}` is not a web address: write one that starts with http:// or https://"),
                );
                String::new()
            }
        }
    }

    fn number(&mut self, setting: &'static str, raw: Option<&str>, default: u32) -> u32 {
        let Some(text) = raw else { return default };
        match text.parse() {
            Ok(number) if number >= 1 => number,
            _ => {
                self.fault(setting, format!("`{text}` is not a whole number of 1 or more"));
                default
            }
        }
    }

    fn timings(&mut self, raw: Option<&str>) -> Timings {
        const SETTING: &str = "PICSBRIDGE_TIMINGS";
        let mut timings = Timings::default();
        for item in raw.unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let (name, value) =
                item.split_once('=').map_or((item, ""), |(name, value)| (name.trim(), value.trim()));
            let Some(own) = timings.named(name) else {
                self.fault(SETTING, format!("`{name}` is not known: use some of {TIMINGS}"));
                continue;
            };
            match parse_duration(value) {
                Some(duration) => *own = duration,
                None => self.fault(
                    SETTING,
                    format!("`{item}`: write `{name}=` and a duration in ms, s, m or h, such as `{name}=500ms`, `{name}=30s` or `{name}=10m`; the names are {TIMINGS}"),
                ),
            }
        }
        if timings.lease <= timings.call {
            self.fault(SETTING, "`lease` must be longer than `call`, or a sender could lose its lease while it waits for the answer");
        }
        if timings.job <= timings.slice + timings.call {
            self.fault(SETTING, "`job` must be longer than `slice` and `call` together, or a slice could be cut off at its last call");
        }
        if timings.rescue <= timings.job {
            self.fault(SETTING, "`rescue` must be longer than `job`, or a live job could be taken for dead");
        }
        timings
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text.get(..digits)?.parse().ok()?;
    match text.get(digits..)? {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        _ => None,
    }
}

impl Config {
    /// Checks the raw settings.
    ///
    /// # Errors
    /// Every setting that cannot be used, at once.
    pub fn check(raw: &RawConfig) -> Result<Self, Vec<ConfigFault>> {
        let mut reader = Reader::default();
        // An empty variable is what a compose file leaves behind for one that is not set.
        let given = |value: &Option<String>| {
            value.as_deref().map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned)
        };
        let database = match given(&raw.database_url) {
            None => Database::Embedded,
            Some(url) => {
                if !(url.starts_with("postgres://") || url.starts_with("postgresql://"))
                    || Url::parse(&url).is_err()
                {
                    // The value holds a password: it is not repeated.
                    reader.fault(
                        "DATABASE_URL",
                        "is not a PostgreSQL address: write postgres://user:password@host:5432/database",
                    );
                }
                Database::Url(SecretString::from(url))
            }
        };
        let embedded = matches!(database, Database::Embedded);
        let master_key = given(&raw.master_key).map(SecretString::from);
        match &master_key {
            None if !embedded => reader.fault(
                "PICSBRIDGE_MASTER_KEY",
                "is required with DATABASE_URL: make one with `openssl rand -base64 32` and keep it safe, since without it the records cannot be read",
            ),
            Some(key) if key.expose_secret().split(',').any(|part| !crate::seal::is_master_key(part)) => {
                reader.fault("PICSBRIDGE_MASTER_KEY", "is not 32 bytes in base64: make one with `openssl rand -base64 32`");
            }
            _ => {}
        }
        let listen = reader.address("PICSBRIDGE_LISTEN", given(&raw.listen).as_deref(), "127.0.0.1:8080");
        let public_url =
            given(&raw.public_url).map(|url| reader.base_url("PICSBRIDGE_PUBLIC_URL", Some(&url), ""));
        let sandbox_listen = match given(&raw.sandbox_listen).as_deref() {
            Some("off") => None,
            None if !embedded => None,
            other => Some(reader.address("PICSBRIDGE_SANDBOX_LISTEN", other, "127.0.0.1:8090")),
        };
        let requests_per_minute = match given(&raw.requests_per_minute).as_deref() {
            Some("off") => None,
            other => Some(reader.number("PICSBRIDGE_REQUESTS_PER_MINUTE", other, 6000)),
        };
        let upstreams = Upstreams {
            ace360_live: reader.base_url(
                "PICSBRIDGE_ACE360_LIVE_URL",
                given(&raw.ace360_live_url).as_deref(),
                "https://api.ace360connect.org/connect-api/beta",
            ),
            onefile_live: reader.base_url(
                "PICSBRIDGE_ONEFILE_LIVE_URL",
                given(&raw.onefile_live_url).as_deref(),
                "https://wsapi.onefile.co.uk/api/v2.1",
            ),
            onefile_practice: reader.base_url(
                "PICSBRIDGE_ONEFILE_PRACTICE_URL",
                given(&raw.onefile_practice_url).as_deref(),
                "https://wsapi2.onefile.co.uk/api/v2.1",
            ),
            onefile_beta: reader.base_url(
                "PICSBRIDGE_ONEFILE_BETA_URL",
                given(&raw.onefile_beta_url).as_deref(),
                "https://wsapibeta.onefile.co.uk/api/v2.1",
            ),
            ace360_calls_per_minute: reader.number(
                "PICSBRIDGE_ACE360_CALLS_PER_MINUTE",
                given(&raw.ace360_calls_per_minute).as_deref(),
                120,
            ),
            onefile_calls_per_minute: reader.number(
                "PICSBRIDGE_ONEFILE_CALLS_PER_MINUTE",
                given(&raw.onefile_calls_per_minute).as_deref(),
                285,
            ),
            sandbox: given(&raw.sandbox_url)
                .map(|url| reader.base_url("PICSBRIDGE_SANDBOX_URL", Some(&url), "")),
        };
        let cors_origins: Vec<String> = given(&raw.cors_origins)
            .unwrap_or_default()
            .split(',')
            .map(|origin| origin.trim().trim_end_matches('/').to_owned())
            .filter(|origin| !origin.is_empty())
            .collect();
        for origin in &cors_origins {
            if !Url::parse(origin).is_ok_and(|url| url.has_host() && url.path() == "/") {
                reader.fault(
                    "PICSBRIDGE_CORS_ORIGINS",
                    format!("`{origin}` is not an origin: write one such as https://front.example"),
                );
            }
        }
        let webhook_allow_private = match given(&raw.webhook_allow_private).as_deref() {
            None | Some("no") => false,
            Some("yes") => true,
            Some(other) => {
                reader.fault(
                    "PICSBRIDGE_WEBHOOK_ALLOW_PRIVATE",
                    format!("`{other}` is not known: write `yes` or `no`"),
                );
                false
            }
        };
        let mut trusted_proxies = Vec::new();
        for text in given(&raw.trusted_proxies)
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            match network::parse(text) {
                Some(network) => trusted_proxies.push(network),
                None => reader.fault(
                    "PICSBRIDGE_TRUSTED_PROXIES",
                    format!("`{text}` is no address or network: write one such as 10.0.0.7 or 10.0.0.0/8"),
                ),
            }
        }
        let trusted = trusted::check(&raw.trusted, &mut reader);
        let retention = Retention {
            payloads_days: reader.number(
                "PICSBRIDGE_RETAIN_PAYLOADS_DAYS",
                given(&raw.retain_payloads_days).as_deref(),
                30,
            ),
            runs_days: reader.number(
                "PICSBRIDGE_RETAIN_RUNS_DAYS",
                given(&raw.retain_runs_days).as_deref(),
                90,
            ),
            changes_days: reader.number(
                "PICSBRIDGE_RETAIN_CHANGES_DAYS",
                given(&raw.retain_changes_days).as_deref(),
                90,
            ),
            audit_days: reader.number(
                "PICSBRIDGE_RETAIN_AUDIT_DAYS",
                given(&raw.retain_audit_days).as_deref(),
                2190,
            ),
        };
        let log = given(&raw.log).unwrap_or_else(|| "info".to_owned());
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&log) {
            reader.fault(
                "PICSBRIDGE_LOG",
                format!("`{log}` is not a log filter ({error}): write `info`, or `picsbridge=debug,info`"),
            );
        }
        let log_format = match given(&raw.log_format).as_deref() {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => {
                reader.fault(
                    "PICSBRIDGE_LOG_FORMAT",
                    format!("`{other}` is not known: write `text` or `json`"),
                );
                LogFormat::Text
            }
        };
        let timings = reader.timings(given(&raw.timings).as_deref());
        let own = given(&raw.job_connections);
        let job_connections = reader.number("PICSBRIDGE_JOB_CONNECTIONS", own.as_deref(), 16);
        if job_connections < JOB_CONNECTIONS {
            let message =
                format!("`{job_connections}` is too few: the job engine alone needs {JOB_CONNECTIONS}");
            reader.fault("PICSBRIDGE_JOB_CONNECTIONS", message);
        }
        let config = Self {
            listen,
            database,
            data_dir: PathBuf::from(given(&raw.data_dir).unwrap_or_else(|| ".picsbridge".to_owned())),
            master_key,
            public_url,
            upstreams,
            sandbox_listen,
            requests_per_minute,
            cors_origins,
            webhook_allow_private,
            trusted_proxies,
            trusted,
            retention,
            log,
            log_format,
            timings,
            job_connections,
        };
        if reader.faults.is_empty() { Ok(config) } else { Err(reader.faults) }
    }

    /// The effective configuration on one line, without secrets.
    pub fn summary(&self) -> String {
        let mut line = String::new();
        let database = match &self.database {
            Database::Embedded => "embedded".to_owned(),
            Database::Url(url) => Url::parse(url.expose_secret())
                .map(|url| {
                    format!("{}:{}{}", url.host_str().unwrap_or("?"), url.port().unwrap_or(5432), url.path())
                })
                .unwrap_or_default(),
        };
        // Writing to a String cannot fail.
        let _ = write!(
            line,
            "listen={} database={database} data_dir={} ace360={} ({} calls a minute) onefile={} ({} calls a minute) sandbox={} requests_per_minute={} job_connections={} webhook_allow_private={} trusted_issuer={}",
            self.listen,
            self.data_dir.display(),
            self.upstreams.ace360_live,
            self.upstreams.ace360_calls_per_minute,
            self.upstreams.onefile_live,
            self.upstreams.onefile_calls_per_minute,
            self.sandbox_listen.map_or_else(
                || self.upstreams.sandbox.clone().unwrap_or_else(|| "off".to_owned()),
                |a| a.to_string()
            ),
            self.requests_per_minute.map_or_else(|| "off".to_owned(), |n| n.to_string()),
            self.job_connections,
            if self.webhook_allow_private { "yes" } else { "no" },
            self.trusted.as_ref().map_or("none", |trusted| trusted.issuer.as_str()),
        );
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_are_told_at_once() {
        let raw = RawConfig {
            listen: Some("nowhere".to_owned()),
            database_url: Some("mysql://x".to_owned()),
            ace360_calls_per_minute: Some("0".to_owned()),
            webhook_allow_private: Some("perhaps".to_owned()),
            log_format: Some("xml".to_owned()),
            timings: Some("lease=1s,nap=3s".to_owned()),
            ..RawConfig::default()
        };
        let faults = Config::check(&raw).unwrap_err();
        let settings: Vec<_> = faults.iter().map(|fault| fault.setting).collect();
        assert_eq!(
            settings,
            [
                "DATABASE_URL",
                "PICSBRIDGE_MASTER_KEY",
                "PICSBRIDGE_LISTEN",
                "PICSBRIDGE_ACE360_CALLS_PER_MINUTE",
                "PICSBRIDGE_WEBHOOK_ALLOW_PRIVATE",
                "PICSBRIDGE_LOG_FORMAT",
                "PICSBRIDGE_TIMINGS",
                "PICSBRIDGE_TIMINGS",
            ]
        );
    }

    #[test]
    fn nothing_given_is_the_embedded_default_with_a_sandbox() {
        let config = Config::check(&RawConfig::default()).unwrap();
        assert!(matches!(config.database, Database::Embedded));
        assert_eq!(config.sandbox_listen, Some(SocketAddr::from(([127, 0, 0, 1], 8090))));
        assert_eq!(config.upstreams.onefile_calls_per_minute, 285);
        assert_eq!(config.timings, Timings::default());
    }

    #[test]
    fn the_summary_shows_no_secret() {
        let raw = RawConfig {
            database_url: Some("postgres://me:hush@db.example:5433/p".to_owned()),
            master_key: Some("q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=".to_owned()),
            ..RawConfig::default()
        };
        let config = Config::check(&raw).unwrap();
        let shown = format!("{} {config:?}", config.summary());
        assert!(!shown.contains("hush") && !shown.contains("q6ur"), "{shown}");
        assert!(shown.contains("db.example:5433/p"));
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("2h"), Some(Duration::from_hours(2)));
        for wrong in ["", "5", "s", "5 s", "-1s", "99999999999999999999s"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }
}
