//! Times as they are sent to OneFile: ISO 8601 in UTC; a day alone is its midnight in UTC. Times of day are London's.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveTime, SecondsFormat, TimeZone as _, Utc};
use chrono_tz::Europe::London;

/// A day, as it is sent.
pub fn day_out(day: NaiveDate) -> String {
    format!("{day}T00:00:00.000Z")
}

/// A day and a time of day in London, as they are sent: of a time that exists twice the first, of one that does not the
/// same an hour later.
pub fn time_out(day: NaiveDate, at: NaiveTime) -> String {
    let local = day.and_time(at);
    let time = match London.from_local_datetime(&local) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time.to_utc(),
        // The clocks have gone forward: winter's time is UTC.
        LocalResult::None => local.and_utc(),
    };
    instant_out(time)
}

/// A time, as it is sent.
pub fn instant_out(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
