//! OneFile's times: ISO 8601 in UTC with milliseconds, which sort as texts.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};

pub fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A day alone is its midnight; a time without a zone is UTC.
pub fn read(text: &str) -> Option<String> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).ok();
    let plain = || {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
            .into_iter()
            .find_map(|shape| NaiveDateTime::parse_from_str(text, shape).ok())
            .map(|time| time.and_utc())
    };
    zoned.or_else(plain).or_else(|| day(text).map(|day| day.and_time(NaiveTime::MIN).and_utc())).map(written)
}

/// The end of a time span. A day alone includes the full day.
pub fn read_end(text: &str) -> Option<String> {
    match day(text) {
        Some(day) => Some(format!("{day}T23:59:59.999Z")),
        None => read(text),
    }
}

fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_all_shapes_come_out_in_one() {
        for text in [
            "2022-02-23T12:49:33.150Z",
            "2022-02-23T13:49:33.150+01:00",
            "2022-02-23T12:49:33.150",
            "2022-02-23 12:49:33.150",
        ] {
            assert_eq!(read(text).as_deref(), Some("2022-02-23T12:49:33.150Z"), "{text}");
        }
        assert_eq!(read("2022-02-23").as_deref(), Some("2022-02-23T00:00:00.000Z"));
        assert_eq!(read("23/02/2022"), None);
        assert_eq!(read_end("2022-02-23").as_deref(), Some("2022-02-23T23:59:59.999Z"));
        assert_eq!(read_end("2022-02-23T00:00:00Z").as_deref(), Some("2022-02-23T00:00:00.000Z"));
    }
}
