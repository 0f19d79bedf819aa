//! The slices of runs. A worker leases a slice, commits each step together with the rows that it
//! changed, and ends the slice. Each of these writes is fenced: if another worker has taken the
//! run, the write finds no row, and nothing is committed.

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::clock::interval;
use super::lease::{Lease, leased};
use super::run_records::{OutcomeKind, RecordOutcome};
use super::runs::run_row;
use super::{RunRow, Store, StoreResult, Tx};
use crate::domain::change_service::RunFinishedData;
use crate::domain::{Change, RunState, Subject};

#[derive(Clone, Debug)]
pub enum Claim {
    /// The caller holds the slice, under this fence.
    Mine(Box<RunRow>, Uuid),
    /// The run is at another slice, or has ended: there is nothing to do.
    Stale,
    /// Another worker holds it. Ask again later.
    Held,
    /// Another run of this kind is active. Its end queues this run.
    Behind,
}

/// What a step adds to its run.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The position after the step.
    pub cursor: Option<Value>,
    /// The number of all records, if it is now known.
    pub total: Option<i32>,
    /// The number of all upstream calls, if it is now known.
    pub calls_planned: Option<i32>,
    /// Upstream calls since the last step.
    pub calls: i32,
    /// Records without a change. They are counted, but have no line.
    pub unchanged: i32,
    /// The outcomes of the other records.
    pub outcomes: Vec<RecordOutcome>,
    /// Learners that changed, but that an earlier step may have counted as unchanged.
    pub changed_after_all: Vec<String>,
    /// Learners that an earlier step has counted as unchanged or changed, and that have failed after all.
    pub failed_after_all: Vec<RecordOutcome>,
    /// Nothing is left: the records that have an outcome are all there are, whatever was counted before.
    pub complete: bool,
}

impl Progress {
    fn count(&self, kind: OutcomeKind) -> i32 {
        let count = self.outcomes.iter().filter(|outcome| outcome.outcome == kind).count();
        i32::try_from(count).unwrap_or(i32::MAX)
    }

    /// The number of records that get their outcome in this step.
    pub fn done(&self) -> i32 {
        self.unchanged.saturating_add(i32::try_from(self.outcomes.len()).unwrap_or(i32::MAX))
    }
}

/// How a slice ends.
#[derive(Clone, Debug)]
pub enum SliceEnd {
    /// There is more to do now.
    Again,
    /// There is more to do after this time: the reason.
    Wait(Duration, String),
    /// All is done: `succeeded`, or `partial` if records failed.
    Finished,
    /// The run cannot continue: the reason.
    Failed(String),
    /// A caller asked it to stop.
    Cancelled,
}

impl SliceEnd {
    pub fn ends_run(&self) -> bool {
        match self {
            Self::Again | Self::Wait(..) => false,
            Self::Finished | Self::Failed(_) | Self::Cancelled => true,
        }
    }

    /// Whether the run ends before all is done.
    pub fn is_early(&self) -> bool {
        match self {
            Self::Again | Self::Wait(..) | Self::Finished => false,
            Self::Failed(_) | Self::Cancelled => true,
        }
    }

    /// The run's state, its waiting time and the reason. Without a state the counts decide between
    /// `succeeded` and `partial`.
    fn parts(&self) -> (Option<RunState>, Duration, Option<&str>) {
        match self {
            Self::Again => (Some(RunState::Running), Duration::ZERO, None),
            Self::Wait(wait, why) => (Some(RunState::Waiting), *wait, Some(why)),
            Self::Finished => (None, Duration::ZERO, None),
            Self::Failed(why) => (Some(RunState::Failed), Duration::ZERO, Some(why)),
            Self::Cancelled => (Some(RunState::Cancelled), Duration::ZERO, None),
        }
    }
}

impl Store {
    /// Claims slice `slice` of a run for `term`.
    pub async fn claim_slice(&self, run: Uuid, slice: i32, term: Duration) -> StoreResult<Claim> {
        let lease = Lease::of(term);
        let claimed = leased!(query_scalar:
            "update runs set " + take("fence" = "$3", "leased_until" + "$4") + r#", due_at = app_now() + $4, state = 'running',
                      started_at = coalesce(started_at, app_now()), problem = null
               where id = $1 and slice = $2 and state in ('queued', 'running', 'waiting') and "# + free("leased_until") + "
               returning provider_id";
            run,
            slice,
            lease.token,
            lease.term
        )
        .fetch_optional(&self.pool)
        .await;
        let provider = match claimed {
            Ok(Some(provider)) => provider,
            Ok(None) => return self.not_claimed(run, slice).await,
            Err(sqlx::Error::Database(error)) if error.constraint() == Some("runs_one_working") => {
                return Ok(Claim::Behind);
            }
            Err(error) => return Err(error.into()),
        };
        let row = run_row(&self.pool, provider, run).await?;
        Ok(row.map_or(Claim::Stale, |row| Claim::Mine(Box::new(row), lease.token)))
    }

    async fn not_claimed(&self, run: Uuid, slice: i32) -> StoreResult<Claim> {
        let held = sqlx::query_scalar!(
            r#"select exists (select from runs where id = $1 and slice = $2 and state in ('queued', 'running', 'waiting')) as "held!""#,
            run,
            slice
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(if held { Claim::Held } else { Claim::Stale })
    }

    /// Releases a failed slice, so that the next attempt need not wait until the lease expires.
    pub async fn release_slice(&self, run: Uuid, fence: Uuid) -> StoreResult<()> {
        leased!(query:
            "update runs set " + release("fence", "leased_until") + ", due_at = app_now() where id = $1 and " + ours("fence" = "$2");
            run,
            fence
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Adds a step to a run in the transaction of the rows that it changed. `false`: another worker
    /// has the run, and the caller must drop the transaction.
    pub async fn add_progress(
        &self,
        tx: &mut Tx,
        run: Uuid,
        fence: Uuid,
        progress: &Progress,
    ) -> StoreResult<bool> {
        let updated = leased!(query:
            r#"update runs set cursor = coalesce($3, cursor), calls_planned = coalesce($5, calls_planned),
                      calls_used = calls_used + $6, unchanged = unchanged + $7, succeeded = succeeded + $8, failed = failed + $9,
                      skipped = skipped + $10, done = done + $7 + $8 + $9 + $10,
                      total = case when $11 then done + $7 + $8 + $9 + $10 else coalesce($4, total) end
               where id = $1 and "# + ours("fence" = "$2");
            run,
            fence,
            progress.cursor,
            progress.total,
            progress.calls_planned,
            progress.calls,
            progress.unchanged + progress.count(OutcomeKind::Unchanged),
            progress.count(OutcomeKind::Succeeded),
            progress.count(OutcomeKind::Failed),
            progress.count(OutcomeKind::Skipped),
            progress.complete,
        )
        .execute(&mut **tx)
        .await?;
        if updated.rows_affected() == 0 {
            return Ok(false);
        }
        if !progress.changed_after_all.is_empty() {
            self.count_as_changed(tx, run, &progress.changed_after_all).await?;
        }
        self.tell_records(tx, run, &progress.outcomes).await?;
        if !progress.failed_after_all.is_empty() {
            self.count_as_failed(tx, run, &progress.failed_after_all).await?;
            self.tell_records(tx, run, &progress.failed_after_all).await?;
        }
        Ok(true)
    }

    /// Moves learners from `unchanged` to `succeeded`. A learner with a line was counted as changed
    /// before.
    async fn count_as_changed(&self, tx: &mut Tx, run: Uuid, learners: &[String]) -> StoreResult<()> {
        sqlx::query!(
            r#"with told as (
                   insert into run_records (run_id, subject_kind, subject_id, outcome, code, record_id)
                   select r.id, 'learner', t.id, 'succeeded', 'changed', l.record_id
                   from runs r cross join unnest($2::text[]) as t (id)
                   left join ace360_settings s on s.provider_id = r.provider_id
                   left join ace360_links l on l.provider_id = r.provider_id and l.learner_id = t.id
                        and l.environment = coalesce(s.environment, 'live')
                   where r.id = $1
                   on conflict do nothing returning 1
               )
               update runs set unchanged = unchanged - (select count(*) from told)::int,
                               succeeded = succeeded + (select count(*) from told)::int where id = $1"#,
            run,
            learners
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Moves learners to `failed`: from `succeeded` who has a line already, from `unchanged` who has none.
    async fn count_as_failed(&self, tx: &mut Tx, run: Uuid, failed: &[RecordOutcome]) -> StoreResult<()> {
        let learners: Vec<String> = failed.iter().map(|outcome| outcome.id.clone()).collect();
        sqlx::query!(
            r#"with changed as (
                   select count(*)::int as n from run_records
                   where run_id = $1 and subject_kind = 'learner' and subject_id = any($2) and outcome = 'succeeded'
               )
               update runs set succeeded = succeeded - changed.n, unchanged = unchanged - (cardinality($2) - changed.n),
                               failed = failed + cardinality($2)
               from changed where id = $1"#,
            run,
            &learners
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Ends a slice: the next one is queued, or the run is over and the next run of its kind is woken. `false`: another
    /// worker has the run, and the transaction must be dropped.
    pub async fn end_slice(
        &self,
        tx: &mut Tx,
        run: &RunRow,
        fence: Uuid,
        calls: i32,
        end: &SliceEnd,
    ) -> StoreResult<bool> {
        if matches!(end, SliceEnd::Finished) && run.learners.is_some() {
            self.count_erased(tx, run.id, fence).await?;
        }
        let (state, wait, problem) = end.parts();
        let row = leased!(query:
            "update runs set slice = slice + 1, " + release("fence", "leased_until") + r#", due_at = app_now() + $3,
                      state = coalesce($4, case when failed > 0 then 'partial' else 'succeeded' end), problem = $5,
                      calls_used = calls_used + $6, finished_at = case when $7 then app_now() end,
                      -- It may hold a learner's id, which must not outlive the learner's erasure.
                      cursor = case when $7 then '{}' else cursor end
               where id = $1 and "# + ours("fence" = "$2") + r#"
               returning slice, state as "state: RunState", succeeded, unchanged, failed, skipped"#;
            run.id,
            fence,
            interval(wait),
            state.map(RunState::as_str),
            problem,
            calls,
            end.ends_run(),
        )
        .fetch_optional(&mut **tx)
        .await?;
        let Some(row) = row else { return Ok(false) };
        if !end.ends_run() {
            self.queue_slice(tx, run.id, row.slice, wait).await?;
            return Ok(true);
        }
        self.forget_erased(tx, run.provider_id, run.id).await?;
        let data = RunFinishedData {
            kind: run.kind,
            upstream: run.kind.upstream(),
            validate_only: run.validate_only,
            state: row.state,
            succeeded: row.succeeded,
            unchanged: row.unchanged,
            failed: row.failed,
            skipped: row.skipped,
        };
        self.log_change(tx, run.provider_id, Subject::run(run.id), Change::RunFinished(data)).await?;
        self.wake_next(tx, run).await?;
        Ok(true)
    }

    /// Queues the run of the same kind that waits for this one.
    async fn wake_next(&self, tx: &mut Tx, run: &RunRow) -> StoreResult<()> {
        let next = sqlx::query!(
            r#"select id, slice from runs where provider_id = $1 and upstream = $2 and kind = $3 and state = 'queued' order by id limit 1"#,
            run.provider_id,
            run.kind.upstream().as_str(),
            run.kind.as_str(),
        )
        .fetch_optional(&mut **tx)
        .await?;
        if let Some(next) = next {
            self.queue_slice(tx, next.id, next.slice, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Whether a caller asked the run to stop. A deleted run must stop too.
    pub async fn is_cancel_requested(&self, run: Uuid) -> StoreResult<bool> {
        Ok(sqlx::query_scalar!("select cancel_requested from runs where id = $1", run)
            .fetch_optional(&self.pool)
            .await?
            .unwrap_or(true))
    }

    /// Asks a run to stop. If no worker has it, the caller ends it at once with the returned fence.
    /// If a worker has it, this fence writes nothing, and the worker ends the run after its step.
    /// `None`: there is no such run.
    pub async fn ask_to_stop(&self, provider: Uuid, id: Uuid) -> StoreResult<Option<(RunRow, Uuid)>> {
        let mut tx = self.begin().await?;
        let fence = Uuid::new_v4();
        sqlx::query!(
            r#"update runs set cancel_requested = true, fence = case when leased_until is null then $3 else fence end
               where provider_id = $1 and id = $2 and state in ('queued', 'running', 'waiting')"#,
            provider,
            id,
            fence
        )
        .execute(&mut *tx)
        .await?;
        let run = run_row(&mut *tx, provider, id).await?;
        tx.commit().await?;
        Ok(run.map(|run| (run, fence)))
    }

    /// Queues a job for each run that should have moved on by now: its job was lost, or the clock
    /// moved.
    pub async fn revive_runs(&self, grace: Duration) -> StoreResult<usize> {
        let mut tx = self.begin().await?;
        let overdue = sqlx::query!(
            r#"update runs set due_at = app_now() where id in (
                   select id from runs where state in ('queued', 'running', 'waiting') and due_at + $1 < app_now()
                   for update skip locked limit 1000
               ) returning id, slice, state as "state: RunState""#,
            interval(grace)
        )
        .fetch_all(&mut *tx)
        .await?;
        for run in &overdue {
            self.queue_slice(&mut tx, run.id, run.slice, Duration::ZERO).await?;
        }
        tx.commit().await?;
        // A queued run may wait behind another run of its kind. That is normal, so it is not
        // counted.
        Ok(overdue.iter().filter(|run| run.state != RunState::Queued).count())
    }
}
