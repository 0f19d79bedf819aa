//! Daily schedules. `runs/schedule.rs` decides which are due; this file ensures that a night has
//! one run only.

use chrono::{NaiveDate, NaiveTime};
use uuid::Uuid;

use super::{NewRun, Store, StoreResult, Time, Tx};
use crate::domain::RunKind;

/// A provider's daily run.
#[derive(Clone, Debug)]
pub struct DailySetting {
    /// The provider that owns the schedule.
    pub provider_id: Uuid,
    pub at: NaiveTime,
    /// When the schedule was last changed. Earlier nights are not caught up.
    pub since: Time,
    /// The last night that had its run.
    pub last_night: Option<NaiveDate>,
    /// When the last run of this kind ended, if it failed.
    pub failed_at: Option<Time>,
    /// The id of the last run of this kind.
    pub last_run: Option<Uuid>,
}

impl Store {
    /// The providers with a daily ACE360 status run.
    pub async fn ace360_dailies(&self, kind: RunKind) -> StoreResult<Vec<DailySetting>> {
        Ok(sqlx::query_as!(
            DailySetting,
            r#"select provider_id, daily_at as at, updated_at as since,
                      (select max(local_date) from schedule_firings f
                       where f.provider_id = s.provider_id and f.upstream = 'ace360' and f.kind = $1) as last_night,
                      null::timestamptz as failed_at, null::uuid as last_run
               from ace360_settings s where enabled and daily_enabled and sealed_token is not null"#,
            kind.as_str()
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// The providers with a daily OneFile exchange.
    pub async fn onefile_dailies(&self, kind: RunKind) -> StoreResult<Vec<DailySetting>> {
        Ok(sqlx::query_as!(
            DailySetting,
            r#"select provider_id, daily_at as at, updated_at as since,
                      (select max(local_date) from schedule_firings f
                       where f.provider_id = s.provider_id and f.upstream = 'onefile' and f.kind = $1) as last_night,
                      case when last.state = 'failed' then last.finished_at end as failed_at, last.id as "last_run?"
               from onefile_settings s
               left join lateral (
                   select r.id, r.state, r.finished_at from runs r
                   where r.provider_id = s.provider_id and r.upstream = 'onefile' and r.kind = $1 and r.shared
                   order by r.id desc limit 1
               ) last on true
               where enabled and daily_enabled and sealed_token is not null"#,
            kind.as_str()
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Claims a night for a run that the same transaction creates. `false`: the night has had its
    /// run.
    pub(super) async fn claim_night(&self, tx: &mut Tx, run: &NewRun, night: NaiveDate) -> StoreResult<bool> {
        let claimed = sqlx::query!(
            r#"insert into schedule_firings (provider_id, upstream, kind, local_date, fired_at) values ($1, $2, $3, $4, app_now())
               on conflict do nothing"#,
            run.provider,
            run.kind.upstream().as_str(),
            run.kind.as_str(),
            night
        )
        .execute(&mut **tx)
        .await?;
        Ok(claimed.rows_affected() == 1)
    }
}
