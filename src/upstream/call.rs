//! One upstream call: the permit, the request, the meaning of the response, and the count.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use tracing::warn;

use super::outcome::Outcome;
use super::pace::{Account, Class, Pace};
use crate::http::{Http, Request};
use crate::store::Store;

/// Counts the calls of one run.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    calls: Arc<AtomicI32>,
}

impl Meter {
    /// The calls since the last [`Meter::take`]. Resets the count.
    pub fn take(&self) -> i32 {
        self.calls.swap(0, Ordering::Relaxed)
    }

    /// The same without resetting the count.
    pub fn peek(&self) -> i32 {
        self.calls.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// Makes calls at the rate limit. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller {
    http: Http,
    pace: Pace,
    store: Store,
}

impl Caller {
    pub fn new(http: Http, store: Store) -> Self {
        Self { http, pace: Pace::new(store.clone()), store }
    }

    /// The limit of one full call, once it has its permit.
    pub fn timeout(&self) -> Duration {
        self.http.timeout()
    }

    /// Waits for the account's permit without calling. A creation takes the permit before its
    /// intent is written, so that the intent's lease does not expire in the queue.
    pub async fn permit(&self, account: &Account, class: Class) -> Result<Result<(), Duration>, sqlx::Error> {
        self.pace.permit(account, class).await
    }

    /// Takes a permit and calls. Upstream failures are in the outcome.
    pub async fn call(
        &self,
        account: &Account,
        class: Class,
        meter: &Meter,
        request: Request,
    ) -> Result<Outcome, sqlx::Error> {
        match self.permit(account, class).await? {
            Ok(()) => self.call_with_permit(account, meter, request).await,
            Err(wait) => Ok(Outcome::Limited(wait)),
        }
    }

    /// Calls with a permit that the caller holds. A 429 blocks the account for all callers.
    pub async fn call_with_permit(
        &self,
        account: &Account,
        meter: &Meter,
        request: Request,
    ) -> Result<Outcome, sqlx::Error> {
        let operation = request.operation;
        meter.count();
        let started = Instant::now();
        let result = self.http.send(request).await;
        metrics::histogram!("picsbridge_upstream_seconds", "upstream" => account.upstream, "operation" => operation)
            .record(started.elapsed().as_secs_f64());
        // Only a Retry-After date needs the shared clock.
        let now = match &result {
            Ok(answer) if answer.status == 429 => self.store.now().await?,
            _ => chrono::DateTime::UNIX_EPOCH,
        };
        let outcome = Outcome::of(result, now);
        metrics::counter!("picsbridge_upstream_calls_total", "upstream" => account.upstream, "operation" => operation, "outcome" => outcome.label())
            .increment(1);
        if let Outcome::Limited(wait) = &outcome {
            warn!(
                upstream = account.upstream,
                operation,
                wait_s = wait.as_secs(),
                "upstream said too many requests"
            );
            self.pace.block(account, *wait).await?;
        }
        Ok(outcome)
    }
}
