//! Everything that changed, for those who follow: the feed. Rows commit out of the order of their ids, so committed
//! rows get their position afterwards, under a lock; readers go by position and miss none.

use serde::Serialize;
use uuid::Uuid;

use super::{Store, StoreResult, Time, Tx, new_id};

/// One change.
#[derive(Clone, Debug)]
pub struct ChangeRow {
    /// Its name, also in webhooks.
    pub id: Uuid,
    /// Where it stands in the feed.
    pub position: i64,
    /// Such as `ace360.uploaded`.
    pub type_: String,
    /// `learner`, `officer`, `organisation`, `run`, `webhook`.
    pub subject_kind: String,
    /// Whose.
    pub subject_id: String,
    /// When.
    pub at: Time,
    /// What.
    pub data: serde_json::Value,
}

/// "picsbridge feed", as a number that nobody else is likely to lock.
const LOCK: i64 = 0x7069_6373_6665_6564;

impl Store {
    /// Writes a change in the transaction that makes it.
    ///
    /// # Errors
    /// The database's.
    pub async fn log_change<T: Serialize + ?Sized>(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        type_: &str,
        kind: &str,
        id: &str,
        data: &T,
    ) -> StoreResult<()> {
        let change = new_id();
        let sealed = self.seal_json(&change_row(change), data)?;
        sqlx::query!(
            r#"insert into changes (id, provider_id, type, subject_kind, subject_id, at, sealed_data)
               values ($1, $2, $3, $4, $5, app_now(), $6)"#,
            change,
            provider,
            type_,
            kind,
            id,
            sealed
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Gives committed changes their positions, and each webhook that wants them a delivery. Any process may; the lock is
    /// held until the positions are committed, so that a reader never sees a later position before an earlier one.
    ///
    /// # Errors
    /// The database's.
    pub async fn place_changes(&self) -> StoreResult<u64> {
        let unplaced =
            sqlx::query_scalar!(r#"select exists (select from changes where position is null) as "any!""#)
                .fetch_one(&self.pool)
                .await?;
        if !unplaced {
            return Ok(0);
        }
        let mut tx = self.begin().await?;
        sqlx::query!("select pg_advisory_xact_lock($1) as locked", LOCK).fetch_one(&mut *tx).await?;
        // A new statement, and so a new snapshot: what was committed while we waited for the lock is in it.
        // A webhook that is being deleted is waited for and left out.
        let placed = sqlx::query_scalar!(
            r#"with placed as (
                   update changes set position = numbered.position
                   from (select id, nextval('changes_position') as position
                         from (select id from changes where position is null order by id) as unplaced) as numbered
                   where changes.id = numbered.id
                   returning changes.id, changes.provider_id, changes.type, changes.position
               ), queued as (
                   insert into webhook_deliveries (webhook_id, id, change_id, position, state, due_at, created_at)
                   select w.id, p.id, p.id, p.position, 'pending', app_now(), app_now()
                   from placed p join webhooks w on w.provider_id = p.provider_id and w.enabled and (w.types = '{}' or p.type = any(w.types))
                   for key share of w
               )
               select count(*) as "count!" from placed"#
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(u64::try_from(placed).unwrap_or(0))
    }

    /// The changes after a position; `None` when retention has passed it, or when it was never given: the database was restored since.
    ///
    /// # Errors
    /// The database's.
    pub async fn changes_after(
        &self,
        provider: Uuid,
        after: i64,
        size: i64,
    ) -> StoreResult<Option<Vec<ChangeRow>>> {
        let swept = sqlx::query_scalar!("select changes_swept_to from providers where id = $1", provider)
            .fetch_one(&self.pool)
            .await?;
        // 0 is the start: it means whatever is still there.
        if after != 0 && after < swept {
            return Ok(None);
        }
        let given =
            sqlx::query_scalar!("select last_value from changes_position").fetch_one(&self.pool).await?;
        if after > given {
            return Ok(None);
        }
        let rows = sqlx::query!(
            r#"select id, position as "position!", type as type_, subject_kind, subject_id, at, sealed_data from changes
               where provider_id = $1 and position > $2 order by position limit $3"#,
            provider,
            after,
            size
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(ChangeRow {
                    data: self.unseal_json(&change_row(row.id), &row.sealed_data)?,
                    id: row.id,
                    position: row.position,
                    type_: row.type_,
                    subject_kind: row.subject_kind,
                    subject_id: row.subject_id,
                    at: row.at,
                })
            })
            .collect::<StoreResult<Vec<_>>>()
            .map(Some)
    }
}

pub(super) fn change_row(id: Uuid) -> String {
    format!("changes/{id}")
}
