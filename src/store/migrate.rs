//! Our migrations and River's, under one lock, so that processes that start together do not race.

use riverqueue::migrate::PostgresMigrator;
use sqlx::PgPool;

use super::{StoreError, StoreResult};

/// "picsbridge migrates", as a number that nobody else is likely to lock.
const LOCK: i64 = 0x7069_6373_6d69_6772;

/// Brings the database to this version.
///
/// # Errors
/// The database's; a database that a newer version has migrated.
pub async fn migrate(pool: &PgPool) -> StoreResult<()> {
    let mut lock = pool.acquire().await?;
    sqlx::query!("select pg_advisory_lock($1) as locked", LOCK).fetch_one(&mut *lock).await?;
    let done = steps(pool).await;
    sqlx::query!("select pg_advisory_unlock($1) as unlocked", LOCK).fetch_one(&mut *lock).await?;
    done
}

/// Whether the database has every migration of this version.
///
/// # Errors
/// The database's.
pub async fn is_migrated(pool: &PgPool) -> StoreResult<bool> {
    let known =
        sqlx::query_scalar!(r#"select to_regclass('public._sqlx_migrations') is not null as "known!""#)
            .fetch_one(pool)
            .await?;
    if !known {
        return Ok(false);
    }
    let newest = sqlx::migrate!().iter().map(|migration| migration.version).max().unwrap_or(0);
    // Not checked when this is compiled: the table is made by the migrations themselves.
    let done: Option<i64> =
        sqlx::query_scalar("select max(version) from _sqlx_migrations where success").fetch_one(pool).await?;
    Ok(done.is_some_and(|done| done >= newest))
}

async fn steps(pool: &PgPool) -> StoreResult<()> {
    sqlx::migrate!().run(pool).await?;
    PostgresMigrator::new(pool.clone())
        .migrate_up()
        .await
        .map_err(|error| StoreError::Sql(sqlx::Error::Protocol(error.to_string())))?;
    Ok(())
}
