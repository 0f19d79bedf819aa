//! A process's own clock: token expiry, and nothing else. Times that processes share come from the database
//! (`app_now()` in the migrations), whose offset this clock follows, so that tests move both at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

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
