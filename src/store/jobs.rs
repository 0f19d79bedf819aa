//! The background jobs: what each is told, and how it is queued in the transaction that wants it. Ids only, since
//! the job tables are not sealed. The work itself is in `runs/`.

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
    /// Which slice; another number than the run's is a job of the past.
    pub slice: i32,
}

/// Looks what became of an intent.
#[derive(Clone, Debug, Deserialize, Serialize, JobArgs)]
#[river(kind = "intent.look")]
pub struct ReconcileJob {
    pub intent_id: Uuid,
}

impl Store {
    /// Queues a slice, to start after `wait` of the machine's time.
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

    /// Queues looks at intents, to start now.
    pub async fn queue_looks(&self, intents: Vec<Uuid>) -> StoreResult<()> {
        if !intents.is_empty() {
            self.vault
                .jobs
                .insert_many(intents.into_iter().map(|intent_id| ReconcileJob { intent_id }))
                .await?;
        }
        Ok(())
    }

    /// Queues a look at an intent, to start after `wait` of the machine's time.
    pub(super) async fn queue_look(&self, tx: &mut Tx, intent_id: Uuid, wait: Duration) -> StoreResult<()> {
        self.vault.jobs.insert(ReconcileJob { intent_id }).opts(after(wait)).tx(tx).await?;
        Ok(())
    }
}

fn after(wait: Duration) -> InsertOpts {
    // Each job may fail often before it is given up: what matters is in our own tables, and the tick brings it back.
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
