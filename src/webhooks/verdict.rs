//! What an attempt's outcome means: delivered, tried again, given up; and whether the webhook rests or is switched off. Pure.

use std::time::Duration;

use chrono::TimeDelta;

use crate::domain::DeliveryState;
use crate::domain::change_service::WebhookDisabledData;
use crate::http::guarded::{Reply, Unanswered};
use crate::http::wait_of;
use crate::store::{DueDelivery, Settlement, Time};

/// Seconds from one attempt to the next; the last one goes on.
const STEPS: [u32; 8] = [5, 30, 120, 600, 1800, 3600, 7200, 14400];
/// How much later an attempt may be, at random, so that what failed together does not come back together.
const JITTER: f64 = 0.2;
/// How long a delivery is tried, from its first attempt on.
const DAY: TimeDelta = TimeDelta::hours(24);
/// However long a receiver asks us to stay away.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// How long a receiver that does not answer is left alone: this, doubled with each call, up to that.
const FIRST_REST: TimeDelta = TimeDelta::seconds(5);
const LONGEST_REST: TimeDelta = TimeDelta::minutes(5);

/// What counts of a delivery and its webhook before the attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) attempts: i32,
    pub(super) first_attempt_at: Option<Time>,
    pub(super) failing_since: Option<Time>,
    pub(super) unanswered: i32,
}

impl Facts {
    pub(super) fn of(due: &DueDelivery) -> Self {
        Self {
            attempts: due.attempts,
            first_attempt_at: due.first_attempt_at,
            failing_since: due.failing_since,
            unanswered: due.unanswered,
        }
    }

    /// What is written down. `now`: when the attempt ended; `random`: from 0 to 1.
    pub(super) fn settle(self, came: &Result<Reply, Unanswered>, now: Time, random: f64) -> Settlement {
        let reply = match came {
            Ok(reply) => reply,
            Err(unanswered) => return self.unanswered(*unanswered, now, random),
        };
        let answered = Settlement {
            state: DeliveryState::Delivered,
            at: now,
            status: Some(reply.status),
            error: None,
            due_at: None,
            unanswered: 0,
            rests_until: None,
            disable: None,
        };
        let asked = reply.retry_after.as_deref().and_then(|text| wait_of(text, now));
        let (error, wait) = match reply.status {
            200..=299 => return answered,
            410 => {
                let error = WebhookDisabledData::GONE;
                return Settlement {
                    state: DeliveryState::Failed,
                    error: Some(error.to_owned()),
                    disable: Some(error.to_owned()),
                    ..answered
                };
            }
            status @ 300..=399 => (
                format!(
                    "The receiver answered {status}: redirects are not followed, so register the address that it leads to."
                ),
                None,
            ),
            status @ (429 | 503) => (format!("The receiver answered {status}."), asked),
            status => (format!("The receiver answered {status}."), None),
        };
        let wait = wait.map(|wait| wait.min(LONGEST_WAIT)).and_then(|wait| TimeDelta::from_std(wait).ok());
        let failed = self.failed(answered, error, random);
        // Who asks for time means all messages, not this one.
        let rests_until = wait.filter(|wait| *wait > TimeDelta::zero()).map(|wait| now + wait);
        Settlement {
            due_at: failed.due_at.map(|due| due.max(rests_until.unwrap_or(due))),
            rests_until,
            ..failed
        }
    }

    fn unanswered(self, why: Unanswered, now: Time, random: f64) -> Settlement {
        let error = match why {
            Unanswered::Refused(fault) => format!("The address is not called. {fault}"),
            Unanswered::NoName => "The name in the address has no network address (DNS).".to_owned(),
            Unanswered::NoConnection => {
                "No connection could be made: nobody listens, or the TLS certificate is not good.".to_owned()
            }
            Unanswered::TimedOut => "The receiver did not answer in time.".to_owned(),
            Unanswered::Broken => "The connection broke before the answer.".to_owned(),
        };
        let doublings = u32::try_from(self.unanswered.clamp(0, 10)).unwrap_or(0);
        let rest = (FIRST_REST * 2_i32.pow(doublings)).min(LONGEST_REST);
        let settled = Settlement {
            state: DeliveryState::Failed,
            at: now,
            status: None,
            error: None,
            due_at: None,
            unanswered: self.unanswered.saturating_add(1),
            rests_until: Some(now + rest),
            disable: None,
        };
        self.failed(settled, error, random)
    }

    /// Tried again, or given up; and when nothing else was taken for that day, the webhook with it.
    fn failed(self, settled: Settlement, error: String, random: f64) -> Settlement {
        let now = settled.at;
        let first = self.first_attempt_at.unwrap_or(now);
        if let Some(due) = next_attempt(self.attempts, first, now, random) {
            return Settlement {
                state: DeliveryState::Pending,
                due_at: Some(due),
                error: Some(error),
                ..settled
            };
        }
        let dead = self.failing_since.is_some_and(|since| since <= first);
        let reason = dead.then(|| format!("The receiver took nothing for a day. {error}"));
        Settlement { state: DeliveryState::Failed, disable: reason, error: Some(error), ..settled }
    }
}

/// When a delivery that was tried `before` times and once more now is tried next; the last time is a day after the first.
fn next_attempt(before: i32, first: Time, now: Time, random: f64) -> Option<Time> {
    let last = first + DAY;
    let step = usize::try_from(before).unwrap_or(0).min(STEPS.len() - 1);
    let seconds = f64::from(STEPS.get(step).copied().unwrap_or(0)) * (1.0 + random * JITTER);
    let wait = TimeDelta::from_std(Duration::from_secs_f64(seconds)).unwrap_or(DAY);
    (now < last).then(|| last.min(now + wait))
}

/// A word for metrics.
pub(super) fn label(came: &Result<Reply, Unanswered>) -> &'static str {
    match came {
        Ok(reply) if (200..300).contains(&reply.status) => "delivered",
        Ok(reply) if reply.status == 410 => "gone",
        Ok(_) => "refused",
        Err(Unanswered::Refused(_)) => "notAllowed",
        Err(Unanswered::NoName | Unanswered::NoConnection | Unanswered::TimedOut | Unanswered::Broken) => {
            "unanswered"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Facts = Facts { attempts: 0, first_attempt_at: None, failing_since: None, unanswered: 0 };

    fn noon() -> Time {
        chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn reply(status: u16, retry_after: Option<&str>) -> Reply {
        Reply { status, retry_after: retry_after.map(str::to_owned) }
    }

    #[test]
    fn attempts_grow_apart_and_the_last_is_a_day_after_the_first() {
        let (mut now, mut waits) = (noon(), Vec::new());
        for attempts in 0.. {
            let Some(next) = next_attempt(attempts, noon(), now, 0.0) else { break };
            waits.push((next - now).num_seconds());
            now = next;
        }
        assert_eq!(waits[..8], [5, 30, 120, 600, 1800, 3600, 7200, 14400]);
        assert_eq!(now - noon(), DAY, "{waits:?}");
        assert!(waits.len() < 16, "{waits:?}");
    }

    #[test]
    fn jitter_makes_later_and_never_earlier() {
        let late = next_attempt(1, noon(), noon(), 1.0).unwrap();
        assert_eq!((late - noon()).num_seconds(), 36);
    }

    #[test]
    fn a_receiver_that_asks_for_time_gets_it_up_to_an_hour() {
        for (text, seconds) in [("90", 90), ("999999", 3600), ("Fri, 15 Jan 2027 08:02:00 GMT", 120)] {
            let settled = NEW.settle(&Ok(reply(429, Some(text))), noon(), 0.0);
            assert_eq!(settled.rests_until, Some(noon() + TimeDelta::seconds(seconds)), "{text}");
            assert_eq!(settled.due_at, settled.rests_until, "{text}");
        }
        for text in ["0", "soon", "-5"] {
            let settled = NEW.settle(&Ok(reply(503, Some(text))), noon(), 0.0);
            assert_eq!((settled.rests_until, settled.due_at), (None, Some(noon() + TimeDelta::seconds(5))));
        }
        assert_eq!(NEW.settle(&Ok(reply(500, Some("90"))), noon(), 0.0).rests_until, None);
    }

    #[test]
    fn a_receiver_that_does_not_answer_rests_longer_each_time() {
        for (unanswered, seconds) in [(0, 5), (1, 10), (5, 160), (6, 300), (1_000_000, 300)] {
            let facts = Facts { unanswered, ..NEW };
            let settled = facts.settle(&Err(Unanswered::TimedOut), noon(), 0.0);
            assert_eq!(settled.rests_until, Some(noon() + TimeDelta::seconds(seconds)));
            assert_eq!(settled.state, DeliveryState::Pending);
        }
    }

    #[test]
    fn a_webhook_is_switched_off_only_when_nothing_was_taken_since_the_first_attempt() {
        let first = noon() - DAY;
        let old = Facts { attempts: 12, first_attempt_at: Some(first), ..NEW };
        let table = [(None, false), (Some(first), true), (Some(first + TimeDelta::hours(1)), false)];
        for (failing_since, off) in table {
            let settled = Facts { failing_since, ..old }.settle(&Ok(reply(500, None)), noon(), 0.0);
            assert_eq!((settled.state, settled.due_at), (DeliveryState::Failed, None));
            assert_eq!(settled.disable.is_some(), off, "{failing_since:?}");
        }
        let gone = NEW.settle(&Ok(reply(410, None)), noon(), 0.0);
        assert!(gone.disable.is_some() && gone.state == DeliveryState::Failed);
    }
}
