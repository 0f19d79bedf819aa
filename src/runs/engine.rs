//! The run engine: works River's jobs in this process, and cancels runs. A slice works for a while, commits and gives way,
//! so that a process killed anywhere costs one slice.

use std::sync::Arc;
use std::time::Duration;

use riverqueue::extension::RetryPolicy;
use riverqueue::job::JobRow;
use riverqueue::{
    BoxError, Client, Job, MaintenanceConfig, QueueConfig, RunHandle, WorkContext, WorkOutcome, Workers,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::kinds::work_of;
use super::slice::Limits;
use crate::ace360::Ace360;
use crate::config::{Retention, Timings};
use crate::onefile::OneFile;
use crate::store::{By, Claim, ReconcileJob, RunRow, SliceEnd, SliceJob, Store, StoreError};
use crate::upstream::run::RunContext;

/// Jobs that one process works at once. A slice mostly waits, for its upstream and for its pace, and holds nothing meanwhile:
/// with few workers, hundreds of providers would wait for each other.
const WORKERS: usize = 256;

/// What the jobs work with.
#[derive(Clone, Debug)]
pub struct Runs {
    pub(super) store: Store,
    pub(super) ace360: Ace360,
    pub(super) onefile: OneFile,
    pub(super) timings: Timings,
    pub(super) retention: Retention,
    pub(super) stopping: CancellationToken,
}

/// A fixed rhythm of retries: River's own grows with the fourth power, and what matters is in our rows.
struct Rhythm(Duration);

impl RetryPolicy for Rhythm {
    fn next_retry(&self, _: &JobRow, _: &riverqueue::WorkError, _: riverqueue::jiff::Timestamp) -> Duration {
        self.0
    }
}

impl Runs {
    /// `stopping`: a slice that sees it ends after its step.
    pub fn new(
        store: Store,
        ace360: Ace360,
        onefile: OneFile,
        timings: Timings,
        retention: Retention,
        stopping: CancellationToken,
    ) -> Self {
        Self { store, ace360, onefile, timings, retention, stopping }
    }

    /// Starts working jobs in this process.
    pub fn start(&self) -> Result<RunHandle, riverqueue::Error> {
        let mut workers = Workers::new();
        let runs = Arc::new(self.clone());
        let own = Arc::clone(&runs);
        workers.add_fn(move |context: WorkContext, job: Job<SliceJob>| {
            let runs = Arc::clone(&own);
            async move { runs.slice(context, job.args).await }
        })?;
        workers.add_fn(move |_: WorkContext, job: Job<ReconcileJob>| {
            let runs = Arc::clone(&runs);
            // Reconciling may send again, so River must not drop it half way.
            async move {
                tokio::spawn(async move { runs.reconcile(job.args.intent_id).await }).await??;
                Ok::<_, BoxError>(WorkOutcome::Complete)
            }
        })?;
        let maintenance = MaintenanceConfig::default()
            .with_rescue_after(self.timings.rescue)
            .with_rescuer_interval((self.timings.rescue / 5).max(Duration::from_millis(200)));
        let client = Client::builder(self.store.pool().clone())
            .workers(workers)
            .queue("default", QueueConfig::new(WORKERS))
            .job_timeout(self.timings.job)
            .retry_policy(Rhythm(self.timings.retry.min(Duration::from_secs(5))))
            .soft_stop_timeout(
                self.timings.shutdown.saturating_sub(Duration::from_secs(2)).max(Duration::from_secs(1)),
            )
            .maintenance(maintenance)
            .build()?;
        client.start()
    }

    async fn slice(&self, context: WorkContext, job: SliceJob) -> Result<WorkOutcome, BoxError> {
        let (row, fence) = match self.store.claim_slice(job.run_id, job.slice, self.timings.job).await? {
            Claim::Mine(row, fence) => (*row, fence),
            // A run that waits behind another is queued by that one's end; the tick finds it too.
            Claim::Stale | Claim::Behind => return Ok(WorkOutcome::Complete),
            Claim::Held => return Ok(WorkOutcome::Snooze(Duration::from_secs(1))),
        };
        let mut run = RunContext::new(self.store.clone(), row, fence);
        let work = work_of(run.row.kind, &self.ace360, &self.onefile);
        let worked = work.slice(&self.store, &self.limits(), &mut run).await;
        if worked.is_err()
            && let Err(error) = self.store.release_slice(run.row.id, fence).await
        {
            warn!(run_id = %run.row.id, %error, "a slice that failed could not be given back; it is taken again after its lease");
        }
        let Some(end) = worked? else {
            warn!(run_id = %run.row.id, "another worker has taken this slice");
            return Ok(WorkOutcome::Complete);
        };
        if end.is_early() {
            work.leave(&mut run).await?;
        }
        let mut tx = self.store.begin().await?;
        if !self.store.end_slice(&mut tx, &run.row, fence, run.take_calls(), &end).await? {
            return Ok(WorkOutcome::Complete);
        }
        context.job_complete_tx(&mut tx).await?;
        tx.commit().await?;
        if end.ends_run() {
            info!(run_id = %run.row.id, kind = run.row.kind.as_str(), end = ?end, "a run ended");
        }
        Ok(WorkOutcome::Complete)
    }

    fn limits(&self) -> Limits {
        Limits { slice: self.timings.slice, retry: self.timings.retry, stopping: self.stopping.clone() }
    }
}

/// Asks a run to stop; one that nobody works has stopped when this returns. `None`: no such run.
pub async fn cancel(
    ace360: &Ace360,
    onefile: &OneFile,
    provider: Uuid,
    id: Uuid,
    by: &By,
) -> Result<Option<RunRow>, StoreError> {
    let store = &ace360.store;
    let Some((row, fence)) = store.ask_to_stop(provider, id).await? else { return Ok(None) };
    store.audit_call(provider, by, "run.cancel", "run", &id.to_string()).await?;
    if !row.state.is_final() {
        let mut run = RunContext::new(store.clone(), row, fence);
        work_of(run.row.kind, ace360, onefile).leave(&mut run).await?;
        let mut tx = store.begin().await?;
        if store.end_slice(&mut tx, &run.row, fence, 0, &SliceEnd::Cancelled).await? {
            tx.commit().await?;
        }
    }
    store.run(provider, id).await
}
