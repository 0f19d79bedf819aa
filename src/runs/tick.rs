//! The tick finds overdue work each minute, and in tests at any clock time, whether a job was lost
//! or the clock moved. Every process ticks; one process takes each piece of work.

use std::time::Duration;

use tracing::{error, info, warn};

use super::{Runs, retention, schedule};
use crate::onefile::OneFileError;
use crate::store::StoreError;

/// A run that is later than this counts as having lost its job.
const GRACE: Duration = Duration::from_secs(5);
/// The most enrolments that one tick continues. More wait for the next tick.
const MOST_ENROLMENTS: i64 = 16;

impl Runs {
    /// Ticks until the process stops.
    pub async fn keep_ticking(self) {
        let mut ticks = tokio::time::interval(self.timings.tick);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.tick().await {
                error!(%error, "a tick failed; the next one does its work");
            }
        }
    }

    /// Finds runs without a live job, intents to reconcile, due schedules, waiting enrolments,
    /// changes without a position, and rows past their retention period.
    pub async fn tick(&self) -> Result<(), StoreError> {
        let revived = self.store.revive_runs(GRACE).await?;
        if revived > 0 {
            info!(revived, "runs were overdue and got a new job");
        }
        self.store.queue_looks(self.store.overdue_intents().await?).await?;
        let now = self.store.now().await?;
        schedule::begin_dailies(&self.store, now).await?;
        self.resume_enrolments().await?;
        self.store.place_changes().await?;
        retention::sweep(&self.store, &self.retention).await
    }

    /// Continues waiting enrolments: their response was found, their time has come, or their
    /// process has stopped. Each has its own task, so the tick does not wait for them.
    pub(super) async fn resume_enrolments(&self) -> Result<(), StoreError> {
        for waiting in self.store.waiting_enrolments(MOST_ENROLMENTS).await? {
            let onefile = self.onefile.clone();
            tokio::spawn(async move {
                match onefile.resume_enrolment(&waiting).await {
                    Ok(()) => {}
                    Err(error) => {
                        let why = match &error {
                            OneFileError::Store(error) => error.to_string(),
                            other => other.plain_text(),
                        };
                        warn!(learner_id = waiting.learner_id, why, "an enrolment could not be resumed");
                    }
                }
            });
        }
        Ok(())
    }
}
