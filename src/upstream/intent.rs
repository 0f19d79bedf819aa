//! Sending what an intent wants, once. The order is the whole of it: the permit is there, the intent is written and
//! leased, and only then the socket is touched; what comes back settles the row or leaves it unknown. The upstreams' own
//! modules say what is sent, and read what an accepted creation answers.

use std::time::{Duration, Instant};

use super::call::{Caller, Meter};
use super::outcome::Outcome;
use super::pace::Account;
use crate::http::Request;
use crate::store::StoreError;

/// What came of a look at an intent whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// Nobody needs to look (now).
    NotDue,
    /// What was made is there, and settled.
    Found,
    /// It is not there; it is looked for once more later.
    Absent,
    /// It was surely absent, and was sent once more.
    SentAgain,
    /// The look could not be completed.
    Later,
    /// No look can settle it: a person does.
    ForAPerson,
}

/// How long an intent is ours: who finds it later than that may send it, and so we must not.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    began: Instant,
    lasts: Duration,
}

impl Lease {
    /// To be called before the database is asked: its own count begins later.
    pub fn begin(lasts: Duration) -> Self {
        Self { began: Instant::now(), lasts }
    }

    /// How long it is in the database.
    pub fn lasts(&self) -> Duration {
        self.lasts
    }

    fn outlives(&self, call: Duration) -> bool {
        self.began.elapsed() + call < self.lasts
    }
}

/// Sends. The caller has the permit and the intent's lease, which must outlive the call; if it does not, because the process
/// was held up, nothing is sent.
///
/// # Errors
/// The database's: the intent stays `sending`, and whoever finds its lease run out looks.
pub async fn send(
    caller: &Caller,
    account: &Account,
    meter: &Meter,
    lease: Lease,
    request: Request,
) -> Result<Outcome, StoreError> {
    if !lease.outlives(caller.timeout()) {
        return Ok(Outcome::NotSent("this service was held up before it could send"));
    }
    Ok(caller.call_with_permit(account, meter, request).await?)
}
