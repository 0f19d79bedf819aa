//! The service's configuration: environment variables, or flags with the same names. All faults are
//! reported at once, each with its setting and a fix. The effective values are shown without
//! secrets.

mod check;
mod network;
mod raw;
mod reader;
#[cfg(test)]
mod tests;
mod timings;
mod trusted;
mod upstreams;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

pub use self::raw::RawConfig;
pub use self::reader::ConfigFault;
pub use self::timings::Timings;
pub use self::trusted::{RawTrusted, TrustedIssuer};
pub use self::upstreams::Upstreams;

/// The location of the database.
#[derive(Clone, Debug)]
pub enum Database {
    /// A private cluster in the data folder.
    Embedded,
    Url(SecretString),
}

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    /// One JSON object per line.
    Json,
}

/// Retention periods in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Payloads that were sent to the upstreams.
    pub payloads_days: u32,
    pub runs_days: u32,
    pub changes_days: u32,
    pub audit_days: u32,
}

#[derive(Clone, Debug)]
pub struct Config {
    /// The address that the API listens on.
    pub listen: SocketAddr,
    pub database: Database,
    /// The folder of the private database, the generated master key and the sandbox's state.
    pub data_dir: PathBuf,
    /// The configured key. With the embedded database it can be absent; a key is then created in
    /// the data folder.
    pub master_key: Option<SecretString>,
    /// Without a trailing slash; `None`: the listen address.
    pub public_url: Option<String>,
    /// The base addresses of the upstreams, without trailing slashes.
    pub upstreams: Upstreams,
    /// The address of the sandbox that this process serves; `None`: it serves none.
    pub sandbox_listen: Option<SocketAddr>,
    /// Requests per minute for each token; `None`: no limit.
    pub requests_per_minute: Option<u32>,
    /// The origins that browsers can call from.
    pub cors_origins: Vec<String>,
    /// Whether webhooks can use private addresses and http.
    pub webhook_allow_private: bool,
    /// The proxies whose forwarding headers are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The identity provider whose tokens are accepted besides this service's own.
    pub trusted: Option<TrustedIssuer>,
    pub retention: Retention,
    /// The filter directives of the log.
    pub log: String,
    pub log_format: LogFormat,
    /// Internal durations, such as leases and timeouts.
    pub timings: Timings,
    /// The database connections for background work.
    pub job_connections: u32,
    /// How long work waits for a free database connection.
    pub connection_wait: Duration,
}

impl Config {
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
