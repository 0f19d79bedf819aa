//! The simulators' own clock, and ACE360's formats. The sandbox represents another machine, so the
//! service's clock, which tests move, does not apply.

use chrono::{DateTime, NaiveDate, Utc};

pub fn utc() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "an upstream has a clock of its own")]
    Utc::now()
}

pub fn today() -> NaiveDate {
    utc().date_naive()
}

/// `YYYY-MM-DD HH:MM:SS` without a zone, as `createdAt` is documented.
pub fn stamp() -> String {
    utc().format("%Y-%m-%d %H:%M:%S").to_string()
}
