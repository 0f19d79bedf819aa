//! The calls per minute of each organisation. A refused call does not count.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const WINDOW: Duration = Duration::from_mins(1);

/// How a minute of the call limit is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LimitWindow {
    /// A minute begins with the first call after the last minute ended. At its end the count is
    /// reset.
    Fixed,
    /// Any period of 60 seconds.
    #[default]
    Sliding,
}

/// The calls of the last minute, by organisation.
#[derive(Debug, Default)]
pub struct Limiter {
    allowed: HashMap<String, VecDeque<Instant>>,
}

impl Limiter {
    /// The number of calls that count in this minute.
    pub fn counted(&self, who: &str, now: Instant) -> usize {
        let calls = self.allowed.get(who).into_iter().flatten();
        calls.filter(|call| now.duration_since(**call) < WINDOW).count()
    }

    /// Admits the call, or returns the seconds until the next call is admitted.
    pub fn admit(&mut self, who: &str, most: u32, window: LimitWindow, now: Instant) -> Result<(), u64> {
        let calls = self.allowed.entry(who.to_owned()).or_default();
        match window {
            LimitWindow::Sliding => {
                while calls.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
                    calls.pop_front();
                }
            }
            LimitWindow::Fixed => {
                if calls.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
                    calls.clear();
                }
            }
        }
        if calls.len() < most as usize {
            calls.push_back(now);
            return Ok(());
        }
        let wait = calls.front().map_or(WINDOW, |first| WINDOW.saturating_sub(now.duration_since(*first)));
        // Rounded up, so that a caller who waits exactly this long is admitted.
        Err(u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(60).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(window: LimitWindow, seconds: &[u64]) -> Vec<Result<(), u64>> {
        let start = Instant::now();
        let mut limiter = Limiter::default();
        seconds
            .iter()
            .map(|second| limiter.admit("one", 2, window, start + Duration::from_secs(*second)))
            .collect()
    }

    #[test]
    fn a_sliding_window_frees_one_call_at_a_time() {
        let outcome = admitted(LimitWindow::Sliding, &[0, 50, 55, 60, 61]);
        assert_eq!(outcome, [Ok(()), Ok(()), Err(5), Ok(()), Err(49)]);
    }

    #[test]
    fn a_fixed_window_frees_all_calls_at_once() {
        let outcome = admitted(LimitWindow::Fixed, &[0, 50, 55, 60, 61]);
        assert_eq!(outcome, [Ok(()), Ok(()), Err(5), Ok(()), Ok(())]);
    }

    #[test]
    fn each_organisation_has_a_limit_of_its_own() {
        let mut limiter = Limiter::default();
        let now = Instant::now();
        assert_eq!(limiter.admit("one", 1, LimitWindow::Fixed, now), Ok(()));
        assert_eq!(limiter.admit("two", 1, LimitWindow::Fixed, now), Ok(()));
        assert_eq!(limiter.admit("one", 1, LimitWindow::Fixed, now), Err(60));
    }
}
