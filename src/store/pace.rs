//! The rows of the rate limit. The function `pace_take` in the migrations contains the rule.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

use super::Store;
use super::clock::interval;

/// An upstream account, identified by its token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    /// The HMAC of upstream, address and token. Two providers with one token share a rate limit.
    pub key: Vec<u8>,
    pub upstream: &'static str,
    pub per_minute: u32,
}

/// A request for permits.
#[derive(Clone, Debug)]
pub struct PaceAsk {
    pub account: Account,
    /// The tolerance of the requesting class.
    pub burst: i32,
    /// The most permits to grant.
    pub wanted: i32,
    /// Grant no permit whose slot comes later.
    pub horizon: Duration,
}

#[derive(Clone, Copy, Debug)]
pub struct Granted {
    /// The number of permits, from 0 to the wanted number.
    pub count: i32,
    /// The time until the first slot. If no permit is granted: the time until the next request is
    /// worthwhile.
    pub first_wait: Duration,
    pub step: Duration,
    /// The time until slot 0 without waiting. Slot i is at `max(first_wait, lead + i * step)`.
    pub lead_ms: i64,
}

impl Granted {
    /// Reads the result of `pace_take`.
    pub(super) fn of(count: i32, first_wait: &PgInterval, step: &PgInterval, lead: &PgInterval) -> Self {
        Self {
            count,
            first_wait: duration(first_wait),
            step: duration(step),
            lead_ms: lead.microseconds / 1000,
        }
    }

    /// The time until the slot of a permit, which counts from 0.
    pub fn wait(&self, index: i32) -> Duration {
        let step_ms = i64::try_from(self.step.as_millis()).unwrap_or(0);
        let lead_ms = self.lead_ms + step_ms * i64::from(index);
        Duration::from_millis(u64::try_from(lead_ms).unwrap_or(0)).max(self.first_wait)
    }
}

impl Store {
    /// Takes as many permits as are available.
    pub async fn pace_take(&self, ask: &PaceAsk) -> Result<Granted, sqlx::Error> {
        // Do not wait for the disk: a crash of the server loses less than its restart takes.
        let row = sqlx::query!(
            r#"select granted as "granted!", first_wait as "first_wait!", step as "step!", lead as "lead!"
               from set_config('synchronous_commit', 'off', true), pace_take($1, $2, $3, $4, $5, $6)"#,
            ask.account.key,
            ask.account.upstream,
            i32::try_from(ask.account.per_minute).unwrap_or(i32::MAX),
            ask.burst,
            ask.wanted,
            interval(ask.horizon),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Granted::of(row.granted, &row.first_wait, &row.step, &row.lead))
    }

    /// Blocks all calls of the account for `wait`. An existing longer block stays.
    pub async fn pace_block(&self, account: &Account, wait: Duration) -> Result<(), sqlx::Error> {
        sqlx::query!(
            r#"insert into pace (account, upstream, per_minute, tat, blocked_until)
               values ($1, $2, $3, app_now(), app_now() + $4)
               on conflict (account) do update set blocked_until = greatest(pace.blocked_until, excluded.blocked_until)"#,
            account.key,
            account.upstream,
            i32::try_from(account.per_minute).unwrap_or(i32::MAX),
            interval(wait),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

fn duration(interval: &PgInterval) -> Duration {
    let day = 86_400_000_000_i64;
    let micros = interval.microseconds.saturating_add(i64::from(interval.days).saturating_mul(day));
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

impl Store {
    /// The calls that the account may still make within the next minute.
    pub async fn pace_left(&self, account: &Account) -> Result<u32, sqlx::Error> {
        let left = sqlx::query_scalar!(
            r#"select greatest(0, floor(extract(epoch from app_now() + interval '1 minute' - greatest(tat, blocked_until, app_now())) / 60 * $2::int))::int as "left!"
               from pace where account = $1"#,
            account.key,
            i32::try_from(account.per_minute).unwrap_or(i32::MAX)
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(left.map_or(account.per_minute, |left| u32::try_from(left).unwrap_or(0)))
    }
}
