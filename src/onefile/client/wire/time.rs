//! Times as OneFile writes them: ISO 8601 in UTC; a day alone is its midnight in UTC. Days are London's, so that a birthday never
//! moves: midnight in UTC is the same day there, and midnight in London is the evening before in UTC in summer.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone as _, Utc};
use chrono_tz::Europe::London;

use crate::domain::time::parse_date;

/// Reads a time. One without a zone is UTC; a day alone is its midnight.
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    if let Ok(day) = parse_date(text) {
        return Some(day.and_time(NaiveTime::MIN).and_utc());
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|time| time.and_utc())
}

/// The day of a time, in London. Years that no record of ours can have are none.
pub fn london_day(text: &str) -> Option<NaiveDate> {
    parse_date(&day_of(instant(text)?).to_string()).ok()
}

/// The day of a time, in London.
pub fn day_of(time: DateTime<Utc>) -> NaiveDate {
    time.with_timezone(&London).date_naive()
}

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
