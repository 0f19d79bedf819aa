//! The background jobs: their arguments, and how a transaction queues them. Arguments are ids only,
//! because the job tables are not sealed. `runs/` does the work.

use std::time::{Duration, SystemTime};

use riverqueue::{InsertOpts, JobArgs};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Store, StoreResult, Tx};

/// Works one slice of a run.
#[derive(Clone, Debug, Deserialize, Serialize, JobArgs)]
#[river(kind = "run.slice")]
pub struct SliceJob {
    pub run_id: Uuid,
    /// The number of the slice. If the run has another number, the job is outdated.
    pub slice: i32,
}

#[derive(Clone, Debug, Deserialize, Serialize, JobArgs)]
#[river(kind = "intent.look")]
pub struct ReconcileJob {
    pub intent_id: Uuid,
}

impl Store {
    /// Queues a slice to start after `wait`, by the machine's clock.
    pub(super) async fn queue_slice(
        &self,
        tx: &mut Tx,
        run_id: Uuid,
        slice: i32,
        wait: Duration,
    ) -> StoreResult<()> {
        self.vault.jobs.insert(SliceJob { run_id, slice }).opts(after(wait)).tx(tx).await?;
        Ok(())
    }

    /// Queues reconciliations to start now.
    pub async fn queue_looks(&self, intents: Vec<Uuid>) -> StoreResult<()> {
        if !intents.is_empty() {
            self.vault
                .jobs
                .insert_many(intents.into_iter().map(|intent_id| ReconcileJob { intent_id }))
                .await?;
        }
        Ok(())
    }

    /// Queues a reconciliation to start after `wait`, by the machine's clock.
    pub(super) async fn queue_look(&self, tx: &mut Tx, intent_id: Uuid, wait: Duration) -> StoreResult<()> {
        self.vault.jobs.insert(ReconcileJob { intent_id }).opts(after(wait)).tx(tx).await?;
        Ok(())
    }
}

fn after(wait: Duration) -> InsertOpts {
    // A job may fail many times before River gives it up. Our own tables hold the state, and the
    // tick queues it again.
    let opts = InsertOpts::default().with_max_attempts(25);
    if wait.is_zero() {
        return opts;
    }
    #[allow(
        clippy::disallowed_methods,
        reason = "River schedules by the machine's time; due times are our columns"
    )]
    let at = SystemTime::now() + wait;
    match riverqueue::jiff::Timestamp::try_from(at) {
        Ok(at) => opts.with_scheduled_at(at),
        Err(_) => opts,
    }
}
