//! Connections to the database.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgPool};

use super::error::StartError;
use crate::config::{Config, Database};
use crate::store::{self, StoreError};

/// Busy connections are used more often than this.
const QUIET: Duration = Duration::from_secs(1);

/// Opens the pool of background work.
pub async fn connect(options: &PgConnectOptions, config: &Config) -> Result<PgPool, StartError> {
    pool_options(config, config.job_connections)
        .connect_with(options.clone())
        .await
        .map_err(StartError::Database)
}

/// Migrates the database to this version.
pub async fn migrate_with(config: &Config, pool: &PgPool) -> Result<(), StartError> {
    store::migrate(pool).await.map_err(|error| explained(error, config, pool))
}

/// Adds a remedy to the error if another version created the database.
pub(super) fn explained(error: StoreError, config: &Config, pool: &PgPool) -> StartError {
    if !matches!(error, StoreError::OtherSchema) {
        return StartError::Store(error);
    }
    let remedy = match config.database {
        Database::Embedded => {
            let folder = config.data_dir.canonicalize().unwrap_or_else(|_| config.data_dir.clone());
            format!(
                "Either delete the data folder {}, with every record in it, and start again",
                folder.display()
            )
        }
        Database::Url(_) => {
            let options = pool.connect_options();
            format!(
                "Either drop the database `{}` on {}, with every record in it, and create it again, or set DATABASE_URL to \
                 an empty database",
                options.get_database().unwrap_or("(the user's default)"),
                options.get_host()
            )
        }
    };
    StartError::OtherSchema { remedy }
}

pub(super) fn pool_options(config: &Config, size: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(config.connection_wait)
        // A check before each use would cost a round trip per request. A dead connection is
        // detected when it is used.
        .test_before_acquire(false)
        // A connection that was idle for a while may have died with a restarted server, so it is
        // checked first.
        .before_acquire(|connection, meta| {
            Box::pin(async move { Ok(meta.idle_for < QUIET || connection.ping().await.is_ok()) })
        })
        .idle_timeout(Duration::from_mins(5))
}
