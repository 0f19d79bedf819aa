//! OneFile's release window: on working days new versions are installed between 07:00 and 07:30
//! London time, and calls fail. Scheduled runs neither begin nor continue in it. Pure.

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Europe::London;

const BEGINS: NaiveTime = NaiveTime::from_hms_opt(7, 0, 0).unwrap();
const ENDS: NaiveTime = NaiveTime::from_hms_opt(7, 30, 0).unwrap();

/// A local time, moved out of the window.
pub fn outside(at: NaiveTime) -> NaiveTime {
    if (BEGINS..ENDS).contains(&at) { ENDS } else { at }
}

/// The end of the window that `now` is in. `None`: it is in none.
pub fn ends(now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let local = now.with_timezone(&London);
    if !(BEGINS..ENDS).contains(&local.time()) {
        return None;
    }
    // The clocks change at night, so this time exists exactly once.
    let end = London.from_local_datetime(&local.date_naive().and_time(ENDS)).single();
    Some(end.map_or(now + TimeDelta::minutes(30), |end| end.to_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_seven_to_half_past_seven_in_london() {
        let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
        for (time, moved) in [
            (at(6, 59), at(6, 59)),
            (at(7, 0), at(7, 30)),
            (at(7, 29), at(7, 30)),
            (at(7, 30), at(7, 30)),
            (at(19, 10), at(19, 10)),
        ] {
            assert_eq!(outside(time), moved);
        }
        let utc = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        for (now, end) in [
            ("2026-01-12T06:59:59Z", None),
            ("2026-01-12T07:00:00Z", Some("2026-01-12T07:30:00Z")),
            ("2026-01-12T07:30:00Z", None),
            // In summer London is one hour ahead of UTC.
            ("2026-07-13T06:10:00Z", Some("2026-07-13T06:30:00Z")),
            ("2026-07-13T07:10:00Z", None),
        ] {
            assert_eq!(ends(utc(now)), end.map(utc), "{now}");
        }
    }
}
