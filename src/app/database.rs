//! Connections to the database.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgPool};

use super::error::StartError;
use crate::config::Config;

/// Busy connections are used more often than this.
const QUIET: Duration = Duration::from_secs(1);

/// Opens the pool of background work.
pub async fn connect(options: &PgConnectOptions, config: &Config) -> Result<PgPool, StartError> {
    pool_options(config, config.job_connections)
        .connect_with(options.clone())
        .await
        .map_err(StartError::Database)
}

pub(super) fn pool_options(config: &Config, size: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(config.connection_wait)
        // A check before each use costs a round trip a request; a connection that died is found out by its use.
        .test_before_acquire(false)
        // But one that has been quiet for a while may have died with a server that was restarted: it is asked first.
        .before_acquire(|connection, meta| {
            Box::pin(async move { Ok(meta.idle_for < QUIET || connection.ping().await.is_ok()) })
        })
        .idle_timeout(Duration::from_mins(5))
}
