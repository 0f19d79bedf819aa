//! The log and the metrics of a process.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Config, LogFormat};

/// Begins logging, to standard error: standard output is for what a command answers.
pub fn start_log(config: &Config) {
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
    // River, sqlx and actix tell of each fetch, slow statement and thread: noise, unless it is asked for.
    let filter =
        ["sqlx=warn", "riverqueue=warn", "actix_server=warn"].iter().fold(filter, |filter, directive| {
            match directive.parse() {
                Ok(directive) if !config.log.contains("sqlx") && !config.log.contains("riverqueue") => {
                    filter.add_directive(directive)
                }
                _ => filter,
            }
        });
    let builder =
        fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // A second start in one process (tests) keeps the first.
    let _ = match config.log_format {
        LogFormat::Text => builder.finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
}

/// The process's metrics: one recorder, however many apps run in it.
///
/// # Errors
/// Another recorder was installed by somebody else.
pub fn metrics() -> Result<PrometheusHandle, String> {
    static HANDLE: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            PrometheusBuilder::new()
                .set_buckets(&[0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])
                .map_err(|error| error.to_string())?
                .install_recorder()
                .map_err(|error| error.to_string())
        })
        .clone()
}
