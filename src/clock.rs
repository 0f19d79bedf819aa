//! A process's own clocks: one for token expiry, and one that notices a sleep of the machine before a send. Times that
//! processes share come from the database (`app_now()` in the migrations), whose offset the first one follows, so that
//! tests move both at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Europe::London;

/// The time now, movable: clones share one offset.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicI64>,
}

impl Clock {
    /// The time now, UTC.
    pub fn now(&self) -> DateTime<Utc> {
        #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
        let now = Utc::now();
        now + TimeDelta::milliseconds(self.ahead_ms.load(Ordering::Relaxed))
    }

    /// Today's date where the providers are (Europe/London): ages and validity dates go by it.
    pub fn today(&self) -> NaiveDate {
        self.now().with_timezone(&London).date_naive()
    }

    /// Sets how far this clock is ahead of the machine's, in milliseconds (the database's offset row says it).
    pub fn set_ahead_ms(&self, ahead_ms: i64) {
        self.ahead_ms.store(ahead_ms, Ordering::Relaxed);
    }
}

/// Time since the machine started, sleep included: a machine that slept between two readings shows it.
pub fn since_boot() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    // macOS counts sleep in its monotonic clock.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let clock = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let clock = ClockId::Monotonic;
    let now = clock_gettime(clock);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}
