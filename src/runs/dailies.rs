//! Daily runs: each provider's, at its local time, once a night.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use tracing::info;

use super::{Runs, onefile_exchange, schedule, status_sync};
use crate::ace360::status;
use crate::onefile::exchange::{EXCHANGE, release};
use crate::store::{By, DailySetting, NewRun, StoreError};

/// A night whose run failed is tried again so long afterwards.
const AGAIN: TimeDelta = TimeDelta::hours(1);

impl Runs {
    /// Begins the runs that are due.
    pub(super) async fn begin_dailies(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        for daily in self.store.ace360_dailies(status::SYNC).await? {
            let run = status_sync(daily.provider_id, By::itself("schedule"));
            self.begin_daily(run, &daily, daily.at, now).await?;
        }
        // Nothing of the schedule begins while OneFile puts a new version in; what is due is due still afterwards.
        if release::ends(now).is_some() {
            return Ok(());
        }
        for daily in self.store.onefile_dailies(EXCHANGE).await? {
            let run = onefile_exchange(daily.provider_id, By::itself("schedule"));
            let begun = self.begin_daily(run.clone(), &daily, release::outside(daily.at), now).await?;
            let failed = daily.failed.filter(|_| daily.failed_at.is_some_and(|failed| now - failed >= AGAIN));
            if !begun && failed.is_some() {
                let again = NewRun { trigger: "schedule", after: failed, ..run };
                if let Some((run, true)) = self.store.create_run(&again).await? {
                    info!(run_id = %run.id, "a daily run that failed is begun again");
                }
            }
        }
        Ok(())
    }

    /// Begins a provider's run of this night, if it is due and has not been; answers whether it has.
    async fn begin_daily(
        &self,
        run: NewRun,
        daily: &DailySetting,
        at: NaiveTime,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let night = schedule::last_due(now, at);
        let due =
            schedule::instant(night, at) >= daily.since && daily.last_night.is_none_or(|last| last < night);
        if !due {
            return Ok(false);
        }
        let run = NewRun { trigger: "schedule", night: Some(night), ..run };
        let made = self.store.create_run(&run).await?;
        if let Some((run, _)) = &made {
            info!(run_id = %run.id, kind = run.kind, %night, "a daily run begins");
        }
        Ok(made.is_some())
    }
}
