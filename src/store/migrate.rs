//! Our migrations and River's, under one lock, so that processes that start together do not race.

use std::borrow::Cow;

use riverqueue::migrate::PostgresMigrator;
use sqlx::PgPool;
use sqlx::migrate::Migrator;

use super::{StoreError, StoreResult};

/// "picsbridge migrates" as a number, to avoid a collision with other locks.
const LOCK: i64 = 0x7069_6373_6d69_6772;

/// The files in `migrations/`. They describe today's schema: until version 1.0 they are edited in
/// place, and no file leads from an older schema to this one.
static MIGRATIONS: Migrator = sqlx::migrate!();

/// Brings the database to this version.
///
/// # Errors
/// `OtherSchema`: other files created the database. It is left unchanged.
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
/// `OtherSchema`: other files created the database.
pub async fn is_migrated(pool: &PgPool) -> StoreResult<bool> {
    let applied = applied(pool).await?;
    Ok(applied == MIGRATIONS.iter().count())
}

async fn steps(pool: &PgPool) -> StoreResult<()> {
    applied(pool).await?;
    MIGRATIONS.run(pool).await?;
    PostgresMigrator::new(pool.clone())
        .migrate_up()
        .await
        .map_err(|error| StoreError::Sql(sqlx::Error::Protocol(error.to_string())))?;
    Ok(())
}

/// The number of our files that created the database. Any other file is an error.
async fn applied(pool: &PgPool) -> StoreResult<usize> {
    let has_table =
        sqlx::query_scalar!(r#"select to_regclass('public._sqlx_migrations') is not null as "known!""#)
            .fetch_one(pool)
            .await?;
    if !has_table {
        return Ok(0);
    }
    // The compiler cannot check this query, because sqlx creates the table when it runs the first
    // migration.
    let rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("select version, checksum from _sqlx_migrations where success")
            .fetch_all(pool)
            .await?;
    let is_ours = |(version, checksum): &(i64, Vec<u8>)| {
        MIGRATIONS
            .iter()
            .any(|own| own.version == *version && own.checksum == Cow::Borrowed(checksum.as_slice()))
    };
    if rows.iter().all(is_ours) { Ok(rows.len()) } else { Err(StoreError::OtherSchema) }
}
