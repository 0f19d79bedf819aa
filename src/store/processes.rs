//! The running processes, and the ids of the master keys that each of them holds.

use std::time::Duration;

use uuid::Uuid;

use super::clock::interval;
use super::{Store, StoreResult, Time};

/// A process that has been silent for this long has stopped. This is several beats.
const SILENT: Duration = Duration::from_mins(3);
/// Rows of killed processes are kept this long.
const FORGOTTEN: Duration = Duration::from_hours(24);

/// A process that is probably running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessRow {
    /// The process's own id, created when it started.
    pub id: Uuid,
    /// Whether it works jobs. Otherwise it only serves requests.
    pub works: bool,
    pub started_at: Time,
    /// When it last reported.
    pub seen_at: Time,
}

impl Store {
    /// Reports that this process runs, with the keys that it holds.
    pub async fn beat(&self, id: Uuid, works: bool) -> StoreResult<()> {
        sqlx::query!(
            r#"with forgotten as (delete from processes where seen_at < app_now() - $4::interval)
               insert into processes (id, works, key_ids, started_at, seen_at) values ($1, $2, $3, app_now(), app_now())
               on conflict (id) do update set seen_at = excluded.seen_at, key_ids = excluded.key_ids"#,
            id,
            works,
            &self.vault.sealer.key_ids(),
            interval(FORGOTTEN)
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Reports that this process ends.
    pub async fn leave(&self, id: Uuid) -> StoreResult<()> {
        sqlx::query!("delete from processes where id = $1", id).execute(&self.pool).await?;
        Ok(())
    }

    /// The running processes that lack the key that seals here, oldest first.
    pub async fn processes_without_present_key(&self) -> StoreResult<Vec<ProcessRow>> {
        let key = self.vault.sealer.key_ids().into_iter().next().unwrap_or_default();
        Ok(sqlx::query_as!(
            ProcessRow,
            r#"select id, works, started_at, seen_at from processes
               where seen_at > app_now() - $2::interval and not ($1 = any(key_ids)) order by started_at, id"#,
            key,
            interval(SILENT)
        )
        .fetch_all(&self.pool)
        .await?)
    }
}
