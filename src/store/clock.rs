//! The clock that all processes share.

use chrono::TimeDelta;
use sqlx::postgres::types::PgInterval;

use super::{Store, StoreResult, Time};

impl Store {
    /// The current time of the shared clock.
    pub async fn now(&self) -> Result<Time, sqlx::Error> {
        sqlx::query_scalar!(r#"select app_now() as "now!""#).fetch_one(&self.pool).await
    }

    /// Moves the shared clock forward. For tests.
    pub async fn advance_clock(&self, by: TimeDelta) -> StoreResult<()> {
        let by = PgInterval { months: 0, days: 0, microseconds: by.num_microseconds().unwrap_or(0) };
        sqlx::query!("update clock set ahead = ahead + $1", by).execute(&self.pool).await?;
        Ok(())
    }
}

/// Converts to an interval, in milliseconds.
pub(super) fn interval(duration: std::time::Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX) }
}
