//! Daily runs: when each provider's is due, and its beginning. Local time is the providers', Europe/London.

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Europe::London;
use tracing::info;

use crate::domain::{RunKind, RunTrigger};
use crate::onefile::sync::release_window;
use crate::store::{By, DailySetting, NewRun, Store, StoreError};

/// A night whose run failed is tried again after this.
const AGAIN: TimeDelta = TimeDelta::hours(1);

/// Begins the daily runs that are due.
pub(super) async fn begin_dailies(store: &Store, now: DateTime<Utc>) -> Result<(), StoreError> {
    for daily in store.ace360_dailies(RunKind::StatusSync).await? {
        begin_daily(store, RunKind::StatusSync, &daily, daily.at, now).await?;
    }
    // OneFile releases a new version now. What is due is still due afterwards.
    if release_window::ends(now).is_some() {
        return Ok(());
    }
    for daily in store.onefile_dailies(RunKind::Exchange).await? {
        let begun =
            begin_daily(store, RunKind::Exchange, &daily, release_window::outside(daily.at), now).await?;
        let failed = daily.last_run.filter(|_| daily.failed_at.is_some_and(|failed| now - failed >= AGAIN));
        if !begun && failed.is_some() {
            let again = NewRun { after: failed, ..scheduled(RunKind::Exchange, &daily) };
            if let Some((run, true)) = store.create_run(&again).await? {
                info!(run_id = %run.id, "a daily run that failed is begun again");
            }
        }
    }
    Ok(())
}

/// Begins a provider's run of this night, if it is due and was not begun yet; answers whether it begins now.
async fn begin_daily(
    store: &Store,
    kind: RunKind,
    daily: &DailySetting,
    at: NaiveTime,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let night = last_due(now, at);
    let is_due = instant(night, at) >= daily.since && daily.last_night.is_none_or(|last| last < night);
    if !is_due {
        return Ok(false);
    }
    let created = store.create_run(&NewRun { night: Some(night), ..scheduled(kind, daily) }).await?;
    if let Some((run, _)) = &created {
        info!(run_id = %run.id, kind = kind.as_str(), %night, "a daily run begins");
    }
    Ok(created.is_some())
}

fn scheduled(kind: RunKind, daily: &DailySetting) -> NewRun {
    NewRun { trigger: RunTrigger::Schedule, ..NewRun::of(daily.provider_id, kind, By::itself("schedule")) }
}

/// The instant of a local time on a date. A local time that exists twice means the first; one that does not exist means
/// the next that does.
pub fn instant(date: NaiveDate, at: NaiveTime) -> DateTime<Utc> {
    let mut local = date.and_time(at);
    loop {
        match London.from_local_datetime(&local) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => return time.to_utc(),
            // The gap is an hour long and begins on the hour.
            LocalResult::None => local += TimeDelta::minutes(1),
        }
    }
}

/// The last date whose run should have begun by now.
pub fn last_due(now: DateTime<Utc>, at: NaiveTime) -> NaiveDate {
    let today = now.with_timezone(&London).date_naive();
    if instant(today, at) <= now { today } else { today.checked_sub_days(Days::new(1)).unwrap_or(today) }
}

/// When the next run begins, after now.
pub fn next(now: DateTime<Utc>, at: NaiveTime) -> DateTime<Utc> {
    let after = last_due(now, at).checked_add_days(Days::new(1));
    after.map_or(now, |date| instant(date, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn at(hour: u32, minute: u32) -> NaiveTime {
        NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
    }

    #[test]
    fn local_times_are_londons_on_both_clock_change_nights() {
        let table = [
            // In winter London is UTC, in summer an hour ahead.
            ("2026-01-10", at(5, 0), "2026-01-10T05:00:00Z"),
            ("2026-07-10", at(5, 0), "2026-07-10T04:00:00Z"),
            // 01:30 does not exist on the night that the clocks go forward: 02:00 does.
            ("2026-03-29", at(1, 30), "2026-03-29T01:00:00Z"),
            ("2026-03-29", at(0, 30), "2026-03-29T00:30:00Z"),
            // 01:30 exists twice on the night that they go back: the first.
            ("2026-10-25", at(1, 30), "2026-10-25T00:30:00Z"),
            ("2026-10-25", at(2, 30), "2026-10-25T02:30:00Z"),
        ];
        for (date, time, expected) in table {
            assert_eq!(instant(date.parse().unwrap(), time), utc(expected), "{date} {time}");
        }
    }

    #[test]
    fn a_night_is_due_from_its_time_on_and_until_the_next() {
        assert_eq!(last_due(utc("2026-01-10T04:59:59Z"), at(5, 0)).to_string(), "2026-01-09");
        assert_eq!(last_due(utc("2026-01-10T05:00:00Z"), at(5, 0)).to_string(), "2026-01-10");
        assert_eq!(next(utc("2026-01-10T05:00:00Z"), at(5, 0)), utc("2026-01-11T05:00:00Z"));
        assert_eq!(next(utc("2026-10-24T12:00:00Z"), at(1, 30)), utc("2026-10-25T00:30:00Z"));
    }

    #[test]
    fn every_date_of_many_years_has_one_instant_and_they_never_go_back() {
        for time in [at(0, 0), at(0, 59), at(1, 0), at(1, 30), at(2, 0), at(23, 59)] {
            let mut before = DateTime::<Utc>::MIN_UTC;
            let mut date = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
            for _ in 0..4000 {
                let now = instant(date, time);
                assert!(now > before);
                assert_eq!(last_due(now, time), date);
                assert_eq!(next(before.max(now - TimeDelta::seconds(1)), time), now);
                before = now;
                date = date.succ_opt().unwrap();
            }
        }
    }
}
