//! Going on with enrolments that wait: their answer was found, their time has come, or the process that worked at them is gone.

use tracing::warn;

use super::Runs;
use crate::onefile::OneFileError;
use crate::store::StoreError;

/// Taken up at a tick; more wait for the next one.
const MOST: i64 = 16;

impl Runs {
    /// Takes up those that wait, each in a task of its own: a tick does not wait for them.
    pub(super) async fn resume_enrolments(&self) -> Result<(), StoreError> {
        for waiting in self.store.waiting_enrolments(MOST).await? {
            let onefile = self.onefile.clone();
            tokio::spawn(async move {
                match onefile.resume_enrolment(&waiting).await {
                    Ok(()) => {}
                    Err(error) => {
                        let why = match &error {
                            OneFileError::Store(error) => error.to_string(),
                            other => other.plain_text(),
                        };
                        warn!(learner_id = waiting.learner_id, why, "an enrolment could not be gone on with");
                    }
                }
            });
        }
        Ok(())
    }
}
