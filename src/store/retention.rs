//! Deletes data whose retention period is over.

use super::{Store, StoreResult};
use crate::config::Retention;

/// The numbers of deleted rows, for the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Runs with their records.
    pub runs: u64,
    pub changes: u64,
    /// Settled intents with their payloads.
    pub intents: u64,
    pub audit: u64,
}

impl Store {
    /// Deletes what is older than its retention period. Open work stays, however old.
    pub async fn sweep(&self, keep: &Retention) -> StoreResult<Swept> {
        let days = |days: u32| i32::try_from(days).unwrap_or(i32::MAX);
        let runs = sqlx::query!(
            "delete from runs where finished_at < app_now() - make_interval(days => $1)",
            days(keep.runs_days)
        )
        .execute(&self.pool)
        .await?
        .rows_affected();
        // The oldest valid position of the feed moves in the same statement.
        let changes = sqlx::query_scalar!(
            r#"with gone as (
                   delete from changes where at < app_now() - make_interval(days => $1) and position is not null returning provider_id, position
               ), moved as (
                   update providers p set changes_swept_to = greatest(changes_swept_to, g.last)
                   from (select provider_id, max(position) as last from gone group by provider_id) g where g.provider_id = p.id
               )
               select count(*) as "count!" from gone"#,
            days(keep.changes_days)
        )
        .fetch_one(&self.pool)
        .await?;
        // Deliveries of changes were deleted with them. Test deliveries have no change.
        sqlx::query!(
            "delete from webhook_deliveries where change_id is null and created_at < app_now() - make_interval(days => $1)",
            days(keep.changes_days)
        )
        .execute(&self.pool)
        .await?;
        let intents = sqlx::query!(
            "delete from intents where settled_at < app_now() - make_interval(days => $1)",
            days(keep.payloads_days)
        )
        .execute(&self.pool)
        .await?
        .rows_affected();
        // The table allows deletion only in a transaction that declares itself as retention.
        let mut tx = self.begin().await?;
        sqlx::query_scalar!("select set_config('picsbridge.retention', 'on', true)")
            .fetch_one(&mut *tx)
            .await?;
        let audit = sqlx::query!(
            "delete from audit where at < app_now() - make_interval(days => $1)",
            days(keep.audit_days)
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        sqlx::query!("delete from idempotency_keys where created_at < app_now() - interval '1 day'")
            .execute(&self.pool)
            .await?;
        Ok(Swept { runs, changes: u64::try_from(changes).unwrap_or(0), intents, audit })
    }
}
