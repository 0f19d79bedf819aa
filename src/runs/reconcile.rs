//! Reconciles what was sent and never answered, when it is due. Each upstream's creations say how.

use std::time::Duration;

use tracing::info;
use uuid::Uuid;

use super::engine::Runs;
use crate::ace360::Ace360Error;
use crate::domain::Upstream;
use crate::onefile::OneFileError;
use crate::store::{IntentRow, StoreError};
use crate::upstream::creation::Reconciled;
use crate::upstream::failure::Failure;

/// When a look that could not be completed is repeated; sooner only where the time between looks is shorter still.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// Why a look could not be completed.
struct Incomplete {
    why: String,
    wait: Option<Duration>,
}

impl Incomplete {
    fn of(why: String, failure: Option<&Failure>) -> Self {
        Self { why, wait: failure.and_then(|failure| failure.wait) }
    }
}

impl Runs {
    /// Reconciles an intent, if it is due.
    pub(super) async fn reconcile(&self, id: Uuid) -> Result<Reconciled, StoreError> {
        // The look is leased for as long as a job may run.
        let Some(intent) = self.store.take_overdue_intent(id, self.timings.job).await? else {
            return Ok(Reconciled::NotDue);
        };
        match self.look_upstream(&intent).await? {
            Ok(reconciled) => {
                info!(intent_id = %id, outcome = ?reconciled, "reconciled an intent");
                Ok(reconciled)
            }
            Err(Incomplete { why, wait }) => {
                info!(intent_id = %id, why, "could not complete the look for an intent's record");
                let soon = LOOK_AGAIN.min(self.timings.absence);
                self.store.look_again(id, wait.map_or(soon, |wait| soon.max(wait))).await?;
                Ok(Reconciled::Later)
            }
        }
    }

    async fn look_upstream(&self, intent: &IntentRow) -> Result<Result<Reconciled, Incomplete>, StoreError> {
        match intent.upstream {
            Upstream::OneFile => match self.onefile.reconcile(intent).await {
                Ok(reconciled) => {
                    // Enrolments that waited for it need not wait for the next tick.
                    self.resume_enrolments().await?;
                    Ok(Ok(reconciled))
                }
                Err(OneFileError::Store(error)) => Err(error),
                Err(OneFileError::Upstream(failure)) => {
                    Ok(Err(Incomplete::of(failure.plain_text(), Some(&failure))))
                }
                Err(error) => Ok(Err(Incomplete::of(error.plain_text(), None))),
            },
            Upstream::Ace360 => match self.ace360.reconcile(intent).await {
                Ok(reconciled) => Ok(Ok(reconciled)),
                Err(Ace360Error::Store(error)) => Err(error),
                Err(Ace360Error::Upstream(failure)) => {
                    Ok(Err(Incomplete::of(failure.plain_text(), Some(&failure))))
                }
                Err(error) => Ok(Err(Incomplete::of(error.plain_text(), None))),
            },
        }
    }
}
