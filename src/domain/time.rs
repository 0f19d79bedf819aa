//! Dates and times of day in records. There is no clock here: callers pass the date as a parameter.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Europe::London;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::rule::Broken;
use super::serde_fields::Text;

/// Reads `YYYY-MM-DD` in the years 1900 to 2199. Dates outside are typing errors, and databases
/// differ in the dates that they can store.
pub fn parse_date(text: &str) -> Result<NaiveDate, Broken> {
    // Parsed by hand: a format string takes ten times as long, and a record has several dates.
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = text.as_bytes().get(from..to)?;
        digits.iter().try_fold(0, |number, b| b.is_ascii_digit().then(|| number * 10 + u32::from(b - b'0')))
    };
    let at = |place: usize| text.as_bytes().get(place) == Some(&b'-');
    let date = || NaiveDate::from_ymd_opt(number(0, 4)?.try_into().ok()?, number(5, 7)?, number(8, 10)?);
    (text.len() == 10 && at(4) && at(7))
        .then(date)
        .flatten()
        .filter(|date| (1900..2200).contains(&date.year()))
        .ok_or(Broken {
            code: "invalidDate",
            message: "Send a date of the calendar as YYYY-MM-DD; null when there is none.",
        })
}

/// A time as upstreams write it. One without a zone is UTC; a day alone is its midnight. A year that no record can have is
/// no time: .NET writes `0001-01-01T00:00:00` where there is none.
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let time = if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        Some(time.to_utc())
    } else if let Ok(day) = parse_date(text) {
        Some(day.and_time(NaiveTime::MIN).and_utc())
    } else {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%:z"]
            .iter()
            .find_map(|form| match DateTime::parse_from_str(text, form) {
                Ok(time) => Some(time.to_utc()),
                Err(_) => NaiveDateTime::parse_from_str(text, form).ok().map(|time| time.and_utc()),
            })
    };
    time.filter(|time| (1900..2200).contains(&time.year()))
}

/// The day of a time, in London: midnight in UTC is the same day there, and midnight in London is the evening before in
/// UTC in summer.
pub fn london_day(text: &str) -> Option<NaiveDate> {
    instant(text).map(day_of)
}

/// The day of a time, in London.
pub fn day_of(time: DateTime<Utc>) -> NaiveDate {
    time.with_timezone(&London).date_naive()
}

/// Whether a text says that there is no date: it is blank, or .NET's empty date.
pub fn says_no_date(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.starts_with("0001-01-01") || text.starts_with("0000-00-00")
}

/// For a field that holds a date or null.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    Option::<Text<'de>>::deserialize(deserializer)?
        .map(|text| parse_date(&text.0).map_err(D::Error::custom))
        .transpose()
}

/// A time of day, London time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StartTime(NaiveTime);

impl StartTime {
    pub fn parse(text: &str) -> Result<Self, Broken> {
        let shape = text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit() || b == b':');
        shape.then(|| NaiveTime::parse_from_str(text, "%H:%M").ok()).flatten().map(Self).ok_or(Broken {
            code: "invalidTime",
            message: "Send a time of day as HH:MM, from 00:00 to 23:59.",
        })
    }

    pub fn get(self) -> NaiveTime {
        self.0
    }
}

impl TryFrom<String> for StartTime {
    type Error = Broken;
    fn try_from(text: String) -> Result<Self, Broken> {
        Self::parse(&text)
    }
}

impl From<StartTime> for String {
    fn from(time: StartTime) -> Self {
        time.0.format("%H:%M").to_string()
    }
}

impl utoipa::PartialSchema for StartTime {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("Time of day, London time."))
            .pattern(Some("^([01][0-9]|2[0-3]):[0-5][0-9]$"))
            .examples([serde_json::json!("09:30")])
            .into()
    }
}

impl utoipa::ToSchema for StartTime {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_calendar_only() {
        assert!(parse_date("2024-02-29").is_ok());
        for bad in [
            "2023-02-29",
            "2024-2-9",
            "29/02/2024",
            "2024-02-29T00:00:00Z",
            "",
            "0001-01-01",
            "9999-12-31",
            "+024-01-01",
        ] {
            assert_eq!(parse_date(bad).unwrap_err().code, "invalidDate", "{bad}");
        }
    }

    #[test]
    fn times_of_day_only() {
        assert_eq!(String::from(StartTime::parse("09:30").unwrap()), "09:30");
        for bad in ["24:00", "9:30", "09:60", "09.30", "", "09:30:00", "1:2:3"] {
            assert_eq!(StartTime::parse(bad).unwrap_err().code, "invalidTime", "{bad}");
        }
    }
}
