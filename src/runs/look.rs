//! Looking what became of what was sent and never answered: each upstream's module looks, when it is due.

use std::time::Duration;

use tracing::info;
use uuid::Uuid;

use super::Runs;
use crate::ace360::Ace360Error;
use crate::onefile::OneFileError;
use crate::store::{IntentRow, StoreError};
use crate::upstream::failure::Failure;
use crate::upstream::intent::Looked;

/// When a look could not be completed; sooner only where the time between looks is shorter still.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// Why a look could not be completed.
struct Incomplete {
    why: String,
    wait: Option<Duration>,
}

impl Runs {
    /// Looks what became of an intent, if it is due.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn look(&self, id: Uuid) -> Result<Looked, StoreError> {
        // The look is leased for as long as a job may run.
        let Some(intent) = self.store.take_intent_to_look(id, self.timings.job).await? else {
            return Ok(Looked::NotDue);
        };
        match self.look_upstream(&intent).await? {
            Ok(looked) => {
                info!(intent_id = %id, looked = ?looked, "looked for what was sent and never answered");
                Ok(looked)
            }
            Err(Incomplete { why, wait }) => {
                info!(intent_id = %id, why, "a look could not be completed");
                let soon = LOOK_AGAIN.min(self.timings.absence);
                self.store.look_again(id, wait.map_or(soon, |wait| soon.max(wait))).await?;
                Ok(Looked::Later)
            }
        }
    }

    async fn look_upstream(&self, intent: &IntentRow) -> Result<Result<Looked, Incomplete>, StoreError> {
        if intent.upstream == "onefile" {
            return match self.onefile.look_for(intent).await {
                Ok(looked) => {
                    // Those who waited for it need not wait for the next tick.
                    self.resume_enrolments().await?;
                    Ok(Ok(looked))
                }
                Err(OneFileError::Store(error)) => Err(error),
                Err(error) => {
                    let wait =
                        if let OneFileError::Upstream(Failure { wait, .. }) = &error { *wait } else { None };
                    Ok(Err(Incomplete { why: error.plain_text(), wait }))
                }
            };
        }
        match self.ace360.look_at(intent).await {
            Ok(looked) => Ok(Ok(looked)),
            Err(Ace360Error::Store(error)) => Err(error),
            Err(error) => {
                let wait =
                    if let Ace360Error::Upstream(Failure { wait, .. }) = &error { *wait } else { None };
                Ok(Err(Incomplete { why: error.plain_text(), wait }))
            }
        }
    }
}
