//! What an upstream's answer means, in one type: what happens next is decided by one `match` on it, without `_`.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::http::{Answer, SendError, wait_of};

/// A 429 without a usable Retry-After.
const DEFAULT_BLOCK: Duration = Duration::from_mins(1);
/// However long an upstream asks us to stay away: it asks again if it means it.
const LONGEST_BLOCK: Duration = Duration::from_mins(15);

/// The meaning of one call's answer.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// 2xx. What it carries is still to be read, and may be anything.
    Answered(Answer),
    /// 404 or 410: there is no such thing.
    Missing(Answer),
    /// An explicit no to what was asked (400, 402, 409, 422 and the other 4xx).
    Refused(Answer),
    /// 401: the token is not, or no longer, good.
    Unauthorised(Answer),
    /// 403: the token is good, and may not do this.
    Forbidden(Answer),
    /// 429, or our own pace: nothing was done; ask again after this long.
    Limited(Duration),
    /// Nothing reached the upstream.
    NotSent(&'static str),
    /// 5xx, a redirect, silence, a broken or oversized answer: it may or may not have been done.
    Unclear {
        /// The HTTP status, when one came.
        status: Option<u16>,
        /// What happened, for people.
        what: &'static str,
    },
}

impl Outcome {
    /// Reads an answer's status. `now` is the database's time, for a Retry-After that is a date.
    pub fn of(result: Result<Answer, SendError>, now: DateTime<Utc>) -> Self {
        let answer = match result {
            Ok(answer) => answer,
            Err(SendError::NotSent(what)) => return Self::NotSent(what),
            Err(SendError::Lost(what)) => return Self::Unclear { status: None, what },
            Err(SendError::TooLarge) => {
                return Self::Unclear { status: None, what: "the answer was larger than 8 MiB" };
            }
        };
        match answer.status {
            200..=299 => Self::Answered(answer),
            401 => Self::Unauthorised(answer),
            403 => Self::Forbidden(answer),
            404 | 410 => Self::Missing(answer),
            429 => Self::Limited(block_for(answer.retry_after.as_deref(), now)),
            408 => Self::Unclear { status: Some(408), what: "the upstream timed out" },
            400..=499 => Self::Refused(answer),
            300..=399 => {
                Self::Unclear { status: Some(answer.status), what: "the upstream answered with a redirect" }
            }
            status => Self::Unclear { status: Some(status), what: "the upstream failed" },
        }
    }

    /// A word for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Answered(_) => "answered",
            Self::Missing(_) => "missing",
            Self::Refused(_) => "refused",
            Self::Unauthorised(_) => "unauthorised",
            Self::Forbidden(_) => "forbidden",
            Self::Limited(_) => "limited",
            Self::NotSent(_) => "notSent",
            Self::Unclear { .. } => "unclear",
        }
    }
}

/// How long a 429 keeps us away: Retry-After in seconds or as an HTTP date, 15 minutes at most; else a minute.
fn block_for(retry_after: Option<&str>, now: DateTime<Utc>) -> Duration {
    let Some(text) = retry_after.map(str::trim) else { return DEFAULT_BLOCK };
    // A date in the past, or none that can be read: a minute is what the upstreams' windows are.
    match wait_of(text, now) {
        Some(duration) if !duration.is_zero() => duration.min(LONGEST_BLOCK),
        Some(_) if text == "0" => Duration::from_secs(1),
        _ => DEFAULT_BLOCK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Answer {
        Answer { status, content_type: None, retry_after: None, body: Vec::new() }
    }

    #[test]
    fn each_status_has_one_meaning() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let table = [
            (200, "answered"),
            (201, "answered"),
            (204, "answered"),
            (301, "unclear"),
            (400, "refused"),
            (401, "unauthorised"),
            (402, "refused"),
            (403, "forbidden"),
            (404, "missing"),
            (408, "unclear"),
            (409, "refused"),
            (410, "missing"),
            (422, "refused"),
            (429, "limited"),
            (500, "unclear"),
            (503, "unclear"),
        ];
        for (status, meaning) in table {
            assert_eq!(Outcome::of(Ok(answer(status)), now).label(), meaning, "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_never_more_than_a_quarter_of_an_hour() {
        let now = DateTime::parse_from_rfc2822("Sun, 22 Nov 2026 10:00:00 GMT").unwrap().to_utc();
        let table = [
            (None, 60),
            (Some("7"), 7),
            (Some("0"), 1),
            (Some("999999"), 900),
            (Some("soon"), 60),
            (Some("-5"), 60),
            (Some("Sun, 22 Nov 2026 10:00:30 GMT"), 30),
            (Some("Sun, 22 Nov 2026 09:00:00 GMT"), 60),
            (Some("Sun, 22 Nov 2099 09:00:00 GMT"), 900),
            (Some("99999999999999999999999"), 60),
        ];
        for (text, seconds) in table {
            assert_eq!(block_for(text, now), Duration::from_secs(seconds), "{text:?}");
        }
    }
}
