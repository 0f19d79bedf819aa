//! The run engine, on River: jobs wake us, our own rows say what there is to do. A slice works for a while, saves and
//! gives way; the tick finds what is overdue, whether a job was lost or a clock moved.

mod connection;
mod dailies;
mod look;
mod resume;
pub mod schedule;

use std::sync::Arc;
use std::time::{Duration, Instant};

use riverqueue::extension::RetryPolicy;
use riverqueue::job::JobRow;
use riverqueue::{
    BoxError, Client, Job, MaintenanceConfig, QueueConfig, RunHandle, WorkContext, WorkOutcome, Workers,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use uuid::Uuid;

use self::connection::{Connection, Unable};
use crate::ace360::{Ace360, bulk, catalogue, status};
use crate::config::{Retention, Timings};
use crate::onefile::enrol::bulk as enrolment;
use crate::onefile::{OneFile, exchange, qualifications};
use crate::store::{By, Claim, LookJob, NewRun, RunRow, SliceEnd, SliceJob, Store, StoreError, Swept};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::step::Step;

/// Jobs that one process works at once. A slice mostly waits, for its upstream and for its pace, and holds nothing meanwhile: with few,
/// hundreds of providers would wait for each other.
const WORKERS: usize = 256;
/// A run that its upstream has kept waiting for this long has failed.
const LONGEST_RUN: chrono::TimeDelta = chrono::TimeDelta::hours(24);
/// How late a run may be before the tick takes its job for lost.
const GRACE: Duration = Duration::from_secs(5);

/// What the jobs work with.
#[derive(Clone, Debug)]
pub struct Runs {
    store: Store,
    ace360: Ace360,
    onefile: OneFile,
    timings: Timings,
    retention: Retention,
    stopping: CancellationToken,
}

/// A fixed rhythm: River's own grows with the fourth power, and what matters is in our rows.
struct Rhythm(Duration);

impl RetryPolicy for Rhythm {
    fn next_retry(&self, _: &JobRow, _: &riverqueue::WorkError, _: riverqueue::jiff::Timestamp) -> Duration {
        self.0
    }
}

impl Runs {
    /// Over the parts that do the work. `stopping`: a slice that sees it ends at its next step.
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
    ///
    /// # Errors
    /// River's.
    pub fn start(&self) -> Result<RunHandle, riverqueue::Error> {
        let mut workers = Workers::new();
        let runs = Arc::new(self.clone());
        let own = Arc::clone(&runs);
        workers.add_fn(move |context: WorkContext, job: Job<SliceJob>| {
            let runs = Arc::clone(&own);
            async move { runs.slice(context, job.args).await }
        })?;
        workers.add_fn(move |_: WorkContext, job: Job<LookJob>| {
            let runs = Arc::clone(&runs);
            // A look may send once more: River must not drop it half way.
            async move {
                tokio::spawn(async move { runs.look(job.args.intent_id).await }).await??;
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

    /// Finds what is overdue: runs without a live job, intents to look at, schedules that are due, changes without a
    /// position. Every process does; each piece of work is taken by one.
    ///
    /// # Errors
    /// The database's.
    pub async fn tick(&self) -> Result<(), StoreError> {
        let revived = self.store.revive_runs(GRACE).await?;
        if revived > 0 {
            info!(revived, "runs were overdue and got a new job");
        }
        self.store.queue_looks(self.store.overdue_intents().await?).await?;
        let now = self.store.now().await?;
        self.begin_dailies(now).await?;
        self.resume_enrolments().await?;
        self.store.place_changes().await?;
        let swept = self.store.sweep(&self.retention).await?;
        if swept != Swept::default() {
            info!(?swept, "removed what was past its retention");
        }
        Ok(())
    }

    async fn slice(&self, context: WorkContext, job: SliceJob) -> Result<WorkOutcome, BoxError> {
        let (mut run, fence) = match self.store.claim_slice(job.run_id, job.slice, self.timings.job).await? {
            Claim::Mine(run, fence) => (*run, fence),
            // The one before it wakes it; the tick does too.
            Claim::Stale | Claim::Behind => return Ok(WorkOutcome::Complete),
            Claim::Held => return Ok(WorkOutcome::Snooze(Duration::from_secs(1))),
        };
        let worked = self.work(&mut run, fence).await;
        if worked.is_err()
            && let Err(error) = self.store.release_slice(run.id, fence).await
        {
            warn!(run_id = %run.id, %error, "a slice that failed could not be let go of; it is taken up again after its lease");
        }
        let Some((end, calls)) = worked? else {
            warn!(run_id = %run.id, "a slice was replaced by another worker");
            return Ok(WorkOutcome::Complete);
        };
        if matches!(end, SliceEnd::Failed(_) | SliceEnd::Cancelled) {
            before_its_time(&self.ace360, &self.onefile, &run, fence).await?;
        }
        let mut tx = self.store.begin().await?;
        if !self.store.end_slice(&mut tx, &run, fence, calls, &end).await? {
            return Ok(WorkOutcome::Complete);
        }
        context.job_complete_tx(&mut tx).await?;
        tx.commit().await?;
        if matches!(end, SliceEnd::Finished | SliceEnd::Failed(_) | SliceEnd::Cancelled) {
            info!(run_id = %run.id, kind = run.kind, end = ?end, "a run ended");
        }
        Ok(WorkOutcome::Complete)
    }

    /// Works until the slice's time is over; answers how it ends and the calls that are not counted yet. `None`: another
    /// worker has the run.
    async fn work(&self, run: &mut RunRow, fence: Uuid) -> Result<Option<(SliceEnd, i32)>, BoxError> {
        let ends = Instant::now() + self.timings.slice;
        let line = match Connection::of(&self.ace360, &self.onefile, run).await {
            Ok(line) => line,
            Err(Unable::Store(error)) => return Err(error.into()),
            Err(Unable::Ever(why)) => return Ok(Some((SliceEnd::Failed(why), 0))),
        };
        loop {
            if self.store.is_cancel_requested(run.id).await? {
                return Ok(Some((SliceEnd::Cancelled, line.calls())));
            }
            if self.stopping.is_cancelled() || Instant::now() >= ends {
                return Ok(Some((SliceEnd::Again, line.calls())));
            }
            let step = match line.step(run, fence).await {
                Ok(step) => step,
                Err(Unable::Store(error)) => return Err(error.into()),
                Err(Unable::Ever(why)) => return Ok(Some((SliceEnd::Failed(why), line.calls()))),
            };
            match step {
                Step::More => {}
                Step::Done => return Ok(Some((SliceEnd::Finished, line.calls()))),
                Step::Replaced => return Ok(None),
                Step::Waiting(wait, why) => {
                    return Ok(Some((SliceEnd::Wait(wait, why), line.calls())));
                }
                Step::Blocked(failure) => {
                    let wait = failure.wait.unwrap_or(self.timings.retry);
                    // The pace's own waits are part of the work.
                    if failure.kind == FailureKind::Limited && Instant::now() + wait < ends {
                        tokio::select! {
                            () = tokio::time::sleep(wait) => {}
                            () = self.stopping.cancelled() => {}
                        }
                        continue;
                    }
                    let end = self.blocked(run, &failure, wait).await?;
                    return Ok(Some((end, line.calls())));
                }
            }
        }
    }

    /// The upstream does not let the run go on: it waits, unless waiting cannot help.
    async fn blocked(&self, run: &RunRow, failure: &Failure, wait: Duration) -> Result<SliceEnd, StoreError> {
        let hopeless = match failure.kind {
            FailureKind::Unauthorised
            | FailureKind::Forbidden
            | FailureKind::Refused
            | FailureKind::Missing => true,
            FailureKind::Limited | FailureKind::Unreachable | FailureKind::Failed => {
                let now = self.store.now().await?;
                run.started_at.is_some_and(|started| now - started > LONGEST_RUN)
            }
        };
        let why = failure.plain_text();
        Ok(if hopeless { SliceEnd::Failed(why) } else { SliceEnd::Wait(wait, why) })
    }
}

/// Asks a run to stop; one that nobody works has stopped when this returns. `None`: no such run.
///
/// # Errors
/// The database's.
pub async fn cancel(
    ace360: &Ace360,
    onefile: &OneFile,
    provider: Uuid,
    id: Uuid,
    by: &By,
) -> Result<Option<RunRow>, StoreError> {
    let store = &ace360.store;
    let Some((run, fence)) = store.ask_to_stop(provider, id).await? else { return Ok(None) };
    store.audit_call(provider, by, "run.cancel", "run", &id.to_string()).await?;
    if !run.is_finished() {
        before_its_time(ace360, onefile, &run, fence).await?;
        let mut tx = store.begin().await?;
        if store.end_slice(&mut tx, &run, fence, 0, &SliceEnd::Cancelled).await? {
            tx.commit().await?;
        }
    }
    store.run(provider, id).await
}

/// A run ends before all is done: what it began and does not know the end of is told.
async fn before_its_time(
    ace360: &Ace360,
    onefile: &OneFile,
    run: &RunRow,
    fence: Uuid,
) -> Result<(), StoreError> {
    match run.kind.as_str() {
        bulk::UPLOAD => ace360.leave_open(run, fence).await,
        enrolment::ENROL => onefile.leave_enrolments(run, fence).await,
        exchange::EXCHANGE => onefile.leave_exchange(run).await,
        _ => Ok(()),
    }
}

/// A run over the statuses of all linked learners.
pub fn status_sync(provider: Uuid, by: By) -> NewRun {
    new_run(provider, status::SYNC, by)
}

/// A run that refreshes the catalogue.
pub fn standards_refresh(provider: Uuid, by: By) -> NewRun {
    new_run(provider, catalogue::REFRESH, by)
}

/// A run that refreshes OneFile's learning aims.
pub fn qualifications_refresh(provider: Uuid, by: By) -> NewRun {
    NewRun { upstream: "onefile", ..new_run(provider, qualifications::REFRESH, by) }
}

/// A run that exchanges all linked learners with OneFile.
pub fn onefile_exchange(provider: Uuid, by: By) -> NewRun {
    NewRun { upstream: "onefile", ..new_run(provider, exchange::EXCHANGE, by) }
}

/// A run by hand of this kind, without parameters; ACE360's, if nothing else is said.
pub fn new_run(provider: Uuid, kind: &'static str, by: By) -> NewRun {
    NewRun {
        provider,
        upstream: "ace360",
        kind,
        trigger: "manual",
        shared: true,
        validate_only: false,
        learners: None,
        params: json!({}),
        by,
        retry_of: None,
        night: None,
        after: None,
    }
}
