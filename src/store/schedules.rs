//! Daily schedules: whose are due is decided in `runs/schedule.rs`; that a night has one run only is decided here.

use chrono::{NaiveDate, NaiveTime};
use uuid::Uuid;

use super::{NewRun, Store, StoreResult, Time, Tx};

/// A provider's daily run.
#[derive(Clone, Debug)]
pub struct DailySetting {
    /// Whose.
    pub provider_id: Uuid,
    /// At this local time.
    pub at: NaiveTime,
    /// Since when it is so: nights before that are not caught up.
    pub since: Time,
    /// The last night that had its run.
    pub last_night: Option<NaiveDate>,
    /// When the schedule's last run ended, if it failed.
    pub failed_at: Option<Time>,
    /// That run.
    pub failed: Option<Uuid>,
}

impl Store {
    /// The providers whose ACE360 statuses are to be read every day.
    ///
    /// # Errors
    /// The database's.
    pub async fn ace360_dailies(&self, kind: &str) -> StoreResult<Vec<DailySetting>> {
        Ok(sqlx::query_as!(
            DailySetting,
            r#"select provider_id, daily_at as at, updated_at as since,
                      (select max(local_date) from schedule_firings f
                       where f.provider_id = s.provider_id and f.upstream = 'ace360' and f.kind = $1) as last_night,
                      null::timestamptz as failed_at, null::uuid as failed
               from ace360_settings s where enabled and daily_enabled and sealed_token is not null"#,
            kind
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// The providers whose learners are to be exchanged with OneFile every day.
    ///
    /// # Errors
    /// The database's.
    pub async fn onefile_dailies(&self, kind: &str) -> StoreResult<Vec<DailySetting>> {
        Ok(sqlx::query_as!(
            DailySetting,
            r#"select provider_id, daily_at as at, updated_at as since,
                      (select max(local_date) from schedule_firings f
                       where f.provider_id = s.provider_id and f.upstream = 'onefile' and f.kind = $1) as last_night,
                      case when last.state = 'failed' then last.finished_at end as failed_at, last.id as "failed?"
               from onefile_settings s
               left join lateral (
                   select r.id, r.state, r.finished_at from runs r
                   where r.provider_id = s.provider_id and r.upstream = 'onefile' and r.kind = $1 and r.shared
                   order by r.id desc limit 1
               ) last on true
               where enabled and daily_enabled and sealed_token is not null"#,
            kind
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Takes a night for a run that is being made in the same transaction; `false`: it has had one.
    pub(super) async fn claim_night(&self, tx: &mut Tx, run: &NewRun, night: NaiveDate) -> StoreResult<bool> {
        let claimed = sqlx::query!(
            r#"insert into schedule_firings (provider_id, upstream, kind, local_date, fired_at) values ($1, $2, $3, $4, app_now())
               on conflict do nothing"#,
            run.provider,
            run.upstream,
            run.kind,
            night
        )
        .execute(&mut **tx)
        .await?;
        Ok(claimed.rows_affected() == 1)
    }
}
