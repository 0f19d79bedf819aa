//! Runs: long work, a slice at a time. A slice commits its rows, its counts and its cursor together, under the
//! fence that it took when it started; whoever finds another fence there has been replaced, and commits nothing.

use std::time::Duration;

use serde_json::Value;
use sqlx::PgExecutor;
use uuid::Uuid;

use super::clock::interval;
use super::records::page;
use super::run_records::{OutcomeKind, RecordOutcome};
use super::{After, By, RecordPage, Store, StoreResult, Time, Tx, new_id};
use crate::domain::change_service::RunFinishedData;
use crate::domain::{Change, RunKind, RunState, Subject, Upstream};

/// A run as it stands.
#[derive(Clone, Debug)]
pub struct RunRow {
    /// Ours.
    pub id: Uuid,
    /// Whose.
    pub provider_id: Uuid,
    /// `ace360` or `onefile`.
    pub upstream: String,
    /// What it does.
    pub kind: String,
    /// `manual`, `schedule` or `retry`.
    pub trigger: String,
    /// `queued`, `running`, `waiting`, `succeeded`, `partial`, `failed`, `cancelled`.
    pub state: String,
    /// Only looks.
    pub validate_only: bool,
    /// What it was asked.
    pub params: Value,
    /// Where it stands; its kind knows the shape.
    pub cursor: Value,
    /// The number of the slice to work.
    pub slice: i32,
    /// Records, once known.
    pub total: Option<i32>,
    /// Records that have an outcome.
    pub done: i32,
    /// With something changed.
    pub succeeded: i32,
    /// With nothing changed.
    pub unchanged: i32,
    /// Not.
    pub failed: i32,
    /// Not tried.
    pub skipped: i32,
    /// Upstream calls made.
    pub calls_used: i32,
    /// Upstream calls expected in all, once known.
    pub calls_planned: Option<i32>,
    /// Why it waits or ended badly.
    pub problem: Option<String>,
    /// Somebody asked it to stop.
    pub cancel_requested: bool,
    /// When it was asked for.
    pub created_at: Time,
    /// When its first slice began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
    /// When it goes on, if it waits.
    pub due_at: Time,
    /// The run whose failed records it takes again.
    pub retry_of: Option<Uuid>,
}

impl RunRow {
    /// Whether nothing more happens to it.
    pub fn is_finished(&self) -> bool {
        !matches!(self.state.as_str(), "queued" | "running" | "waiting")
    }
}

/// A run to make.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Whose.
    pub provider: Uuid,
    /// `ace360` or `onefile`.
    pub upstream: &'static str,
    /// What it does.
    pub kind: &'static str,
    /// `manual`, `schedule` or `retry`.
    pub trigger: &'static str,
    /// Without parameters: all who ask for it while it is active get the same one.
    pub shared: bool,
    /// Only looks.
    pub validate_only: bool,
    /// What it is asked.
    pub params: Value,
    /// Who asked.
    pub by: By,
    /// The run whose failed records it takes again.
    pub retry_of: Option<Uuid>,
    /// The night of a schedule: a run is made for it once.
    pub night: Option<chrono::NaiveDate>,
    /// Made only while this is the last run of its kind over all: somebody else may have begun the next, which may even be over.
    pub after: Option<Uuid>,
}

/// What came of taking a slice.
#[derive(Clone, Debug)]
pub enum Claim {
    /// It is ours under this fence.
    Mine(Box<RunRow>, Uuid),
    /// Another slice's number, or the run has ended: nothing to do.
    Stale,
    /// Somebody holds it; ask again.
    Held,
    /// Another run of this kind is being worked; it will wake us.
    Behind,
}

/// What a step of a slice adds to its run.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Where the run stands after it.
    pub cursor: Option<Value>,
    /// Records in all, if it is known now.
    pub total: Option<i32>,
    /// Upstream calls in all, if it is known now.
    pub calls_planned: Option<i32>,
    /// Upstream calls made since the last step.
    pub calls: i32,
    /// Records that had nothing changed, counted only.
    pub unchanged: i32,
    /// What happened to the others.
    pub outcomes: Vec<RecordOutcome>,
    /// Learners that an earlier step may have counted as unchanged, and that have changed after all.
    pub changed_after_all: Vec<String>,
    /// Nothing is left: the records that have an outcome are all there are, whatever was counted before.
    pub complete: bool,
}

/// How a slice ends.
#[derive(Clone, Debug)]
pub enum SliceEnd {
    /// There is more to do, now.
    Again,
    /// There is more to do, after this long; why.
    Wait(Duration, String),
    /// All is done: `succeeded`, or `partial` when records failed.
    Finished,
    /// It cannot go on; why.
    Failed(String),
    /// Somebody asked it to stop.
    Cancelled,
}

/// Which runs are listed.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Only those that do this.
    pub kind: Option<&'static str>,
    /// Only those in one of these states; none: in any.
    pub states: Vec<&'static str>,
}

impl Store {
    /// Makes a run and queues its first slice; for a shared one that is active already, answers that one.
    /// The flag says whether it is new. `None`: its night has had its run.
    ///
    /// # Errors
    /// The database's.
    pub async fn create_run(&self, new: &NewRun) -> StoreResult<Option<(RunRow, bool)>> {
        self.create_run_as(new_id(), new).await
    }

    /// The same with this id; one that there is with it is returned.
    ///
    /// # Errors
    /// The database's.
    pub async fn create_run_as(&self, id: Uuid, new: &NewRun) -> StoreResult<Option<(RunRow, bool)>> {
        loop {
            let mut tx = self.begin().await?;
            if let Some(night) = new.night
                && !self.claim_night(&mut tx, new, night).await?
            {
                return Ok(None);
            }
            let made = sqlx::query_scalar!(
                r#"insert into runs (id, provider_id, upstream, kind, trigger, state, shared, validate_only, params, requested_by, retry_of, created_at, due_at)
                   select $1, $2, $3, $4, $5, 'queued', $6, $7, $8, $9, $10, app_now(), app_now()
                   where not exists (
                       select from runs r where r.provider_id = $2 and r.upstream = $3 and r.kind = $4 and r.shared and r.id > $11
                   )
                   on conflict do nothing
                   returning id"#,
                id,
                new.provider,
                new.upstream,
                new.kind,
                new.trigger,
                new.shared,
                new.validate_only,
                new.params,
                new.by.actor,
                new.retry_of,
                new.after,
            )
            .fetch_optional(&mut *tx)
            .await?;
            if made.is_some() {
                let action = format!("run.{}", new.kind);
                self.audit(&mut tx, new.provider, &new.by, &action, "run", &id.to_string()).await?;
                self.queue_slice(&mut tx, id, 0, Duration::ZERO).await?;
                // As it begins: whoever asked for it and does not wait is answered alike, however soon it ends.
                let run = run_row(&mut *tx, new.provider, id).await?;
                tx.commit().await?;
                return Ok(run.map(|run| (run, true)));
            }
            // The night is taken all the same: the active run is this night's.
            tx.commit().await?;
            if new.after.is_some() {
                return Ok(None);
            }
            if let Some(run) = self.run(new.provider, id).await? {
                return Ok(Some((run, false)));
            }
            let active = sqlx::query_scalar!(
                r#"select id from runs where provider_id = $1 and upstream = $2 and kind = $3 and shared
                   and state in ('queued', 'running', 'waiting')"#,
                new.provider,
                new.upstream,
                new.kind
            )
            .fetch_optional(&self.pool)
            .await?;
            // It may have ended between the two statements: then there is room for a new one.
            if let Some(id) = active
                && let Some(run) = self.run(new.provider, id).await?
            {
                return Ok(Some((run, false)));
            }
        }
    }

    /// Whether the last run of this kind over all learners failed.
    ///
    /// # Errors
    /// The database's.
    pub async fn last_failed(&self, provider: Uuid, upstream: &str, kind: &str) -> StoreResult<bool> {
        let last = sqlx::query_scalar!(
            r#"select state from runs where provider_id = $1 and upstream = $2 and kind = $3 and shared and finished_at is not null
               order by id desc limit 1"#,
            provider,
            upstream,
            kind
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(last.as_deref() == Some("failed"))
    }

    /// A run of the provider's.
    ///
    /// # Errors
    /// The database's.
    pub async fn run(&self, provider: Uuid, id: Uuid) -> StoreResult<Option<RunRow>> {
        run_row(&self.pool, provider, id).await
    }

    /// The provider's runs, newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_runs(
        &self,
        provider: Uuid,
        wanted: &RunFilter,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<RecordPage<RunRow>> {
        let states: Vec<String> = wanted.states.iter().map(|state| (*state).to_owned()).collect();
        let after = after.and_then(|id| Uuid::parse_str(id).ok());
        let rows = sqlx::query_as!(
            RunRow,
            r#"select id, provider_id, upstream, kind, trigger, state, validate_only, params, cursor, slice, total, done, succeeded, unchanged,
                      failed, skipped, calls_used, calls_planned, problem, cancel_requested, created_at, started_at, finished_at, due_at, retry_of
               from runs where provider_id = $1 and ($2::uuid is null or id < $2)
                     and ($4::text is null or kind = $4) and (cardinality($5::text[]) = 0 or state = any($5))
               order by id desc limit $3"#,
            provider,
            after,
            size + 1,
            wanted.kind,
            &states
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(page(rows, size))
    }

    /// Takes slice `slice` of a run for `lease`.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim_slice(&self, run: Uuid, slice: i32, lease: Duration) -> StoreResult<Claim> {
        let fence = Uuid::new_v4();
        let claimed = sqlx::query_as!(
            RunRow,
            r#"update runs set fence = $3, leased_until = app_now() + $4, due_at = app_now() + $4, state = 'running',
                      started_at = coalesce(started_at, app_now()), problem = null
               where id = $1 and slice = $2 and state in ('queued', 'running', 'waiting')
                 and (leased_until is null or leased_until < app_now())
               returning id, provider_id, upstream, kind, trigger, state, validate_only, params, cursor, slice, total, done, succeeded, unchanged,
                      failed, skipped, calls_used, calls_planned, problem, cancel_requested, created_at, started_at, finished_at, due_at, retry_of"#,
            run,
            slice,
            fence,
            interval(lease)
        )
        .fetch_optional(&self.pool)
        .await;
        match claimed {
            Ok(Some(row)) => Ok(Claim::Mine(Box::new(row), fence)),
            Ok(None) => {
                let held = sqlx::query_scalar!(
                    r#"select exists (select from runs where id = $1 and slice = $2 and state in ('queued', 'running', 'waiting')) as "held!""#,
                    run,
                    slice
                )
                .fetch_one(&self.pool)
                .await?;
                Ok(if held { Claim::Held } else { Claim::Stale })
            }
            Err(sqlx::Error::Database(error)) if error.constraint() == Some("runs_one_working") => {
                Ok(Claim::Behind)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Lets go of a slice that failed by itself, so that the next attempt need not wait for its lease.
    ///
    /// # Errors
    /// The database's.
    pub async fn release_slice(&self, run: Uuid, fence: Uuid) -> StoreResult<()> {
        sqlx::query!(
            "update runs set fence = null, leased_until = null, due_at = app_now() where id = $1 and fence = $2",
            run,
            fence
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Adds a step to a run in the transaction of the rows that it changed; `false`: the fence is another's, and the
    /// transaction must be dropped.
    ///
    /// # Errors
    /// The database's.
    pub async fn add_progress(
        &self,
        tx: &mut Tx,
        run: Uuid,
        fence: Uuid,
        progress: &Progress,
    ) -> StoreResult<bool> {
        let count = |kind| {
            i32::try_from(progress.outcomes.iter().filter(|o| o.outcome == kind).count()).unwrap_or(i32::MAX)
        };
        let (succeeded, failed, skipped) =
            (count(OutcomeKind::Succeeded), count(OutcomeKind::Failed), count(OutcomeKind::Skipped));
        let unchanged = progress.unchanged + count(OutcomeKind::Unchanged);
        let updated = sqlx::query!(
            r#"update runs set cursor = coalesce($3, cursor), calls_planned = coalesce($5, calls_planned),
                      calls_used = calls_used + $6, unchanged = unchanged + $7, succeeded = succeeded + $8, failed = failed + $9,
                      skipped = skipped + $10, done = done + $7 + $8 + $9 + $10,
                      total = case when $11 then done + $7 + $8 + $9 + $10 else coalesce($4, total) end
               where id = $1 and fence = $2"#,
            run,
            fence,
            progress.cursor,
            progress.total,
            progress.calls_planned,
            progress.calls,
            unchanged,
            succeeded,
            failed,
            skipped,
            progress.complete,
        )
        .execute(&mut **tx)
        .await?
        .rows_affected();
        if updated == 0 {
            return Ok(false);
        }
        if !progress.changed_after_all.is_empty() {
            // One that was counted as changed has its line already and is not counted twice.
            sqlx::query!(
                r#"with told as (
                       insert into run_records (run_id, subject_kind, subject_id, outcome, code, record_id)
                       select r.id, 'learner', t.id, 'succeeded', 'changed', l.record_id
                       from runs r cross join unnest($2::text[]) as t (id)
                       left join ace360_links l on l.provider_id = r.provider_id and l.learner_id = t.id
                            and l.environment = (select ace360_environment(r.provider_id))
                       where r.id = $1
                       on conflict do nothing returning 1
                   )
                   update runs set unchanged = unchanged - (select count(*) from told)::int,
                                   succeeded = succeeded + (select count(*) from told)::int where id = $1"#,
                run,
                &progress.changed_after_all
            )
            .execute(&mut **tx)
            .await?;
        }
        self.tell_records(tx, run, &progress.outcomes).await?;
        Ok(true)
    }

    /// Ends a slice: the next one is queued, or the run is over and the next run of its kind is woken. `false`: the
    /// fence is another's, and the transaction must be dropped.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_slice(
        &self,
        tx: &mut Tx,
        run: &RunRow,
        fence: Uuid,
        calls: i32,
        end: &SliceEnd,
    ) -> StoreResult<bool> {
        let (state, wait, problem) = match end {
            SliceEnd::Again => (Some("running"), Duration::ZERO, None),
            SliceEnd::Wait(wait, why) => (Some("waiting"), *wait, Some(why)),
            // `partial` is decided by the counts, which are in the row.
            SliceEnd::Finished => (None, Duration::ZERO, None),
            SliceEnd::Failed(why) => (Some("failed"), Duration::ZERO, Some(why)),
            SliceEnd::Cancelled => (Some("cancelled"), Duration::ZERO, None),
        };
        let finished = matches!(end, SliceEnd::Finished | SliceEnd::Failed(_) | SliceEnd::Cancelled);
        let row = sqlx::query!(
            r#"update runs set slice = slice + 1, fence = null, leased_until = null, due_at = app_now() + $3,
                      state = coalesce($4, case when failed > 0 then 'partial' else 'succeeded' end), problem = $5,
                      calls_used = calls_used + $6, finished_at = case when $7 then app_now() end,
                      -- It may hold a learner's id, which must not outlive its erasure.
                      cursor = case when $7 then '{}' else cursor end
               where id = $1 and fence = $2
               returning slice, kind as "kind: RunKind", upstream as "upstream: Upstream", state as "state: RunState", succeeded, unchanged,
                         failed, skipped"#,
            run.id,
            fence,
            interval(wait),
            state,
            problem,
            calls,
            finished,
        )
        .fetch_optional(&mut **tx)
        .await?;
        let Some(row) = row else { return Ok(false) };
        if !finished {
            self.queue_slice(tx, run.id, row.slice, wait).await?;
            return Ok(true);
        }
        self.forget_erased(tx, run.provider_id, run.id).await?;
        let data = RunFinishedData {
            kind: row.kind,
            upstream: row.upstream,
            validate_only: run.validate_only,
            state: row.state,
            succeeded: row.succeeded,
            unchanged: row.unchanged,
            failed: row.failed,
            skipped: row.skipped,
        };
        self.log_change(tx, run.provider_id, Subject::run(run.id), Change::RunFinished(data)).await?;
        let behind = sqlx::query!(
            r#"select id, slice from runs where provider_id = $1 and upstream = $2 and kind = $3 and state = 'queued' order by id limit 1"#,
            run.provider_id,
            run.upstream,
            run.kind
        )
        .fetch_optional(&mut **tx)
        .await?;
        if let Some(next) = behind {
            self.queue_slice(tx, next.id, next.slice, Duration::ZERO).await?;
        }
        Ok(true)
    }

    /// Whether somebody asked the run to stop.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_cancel_requested(&self, run: Uuid) -> StoreResult<bool> {
        Ok(sqlx::query_scalar!("select cancel_requested from runs where id = $1", run)
            .fetch_optional(&self.pool)
            .await?
            .unwrap_or(true))
    }

    /// Asks a run to stop after its slice. One that nobody works is taken for ending at once, by the fence that comes along; where
    /// somebody does work it, nothing can be written by that fence. `None`: no such run.
    ///
    /// # Errors
    /// The database's.
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

    /// Queues a job for each run that should have moved on by now and did not: its job was lost, or the clock moved.
    ///
    /// # Errors
    /// The database's.
    pub async fn revive_runs(&self, grace: Duration) -> StoreResult<usize> {
        let mut tx = self.begin().await?;
        let overdue = sqlx::query!(
            r#"update runs set due_at = app_now() where id in (
                   select id from runs where state in ('queued', 'running', 'waiting') and due_at + $1 < app_now()
                   for update skip locked limit 1000
               ) returning id, slice, state"#,
            interval(grace)
        )
        .fetch_all(&mut *tx)
        .await?;
        for run in &overdue {
            self.queue_slice(&mut tx, run.id, run.slice, Duration::ZERO).await?;
        }
        tx.commit().await?;
        // One that is queued may wait for its turn, behind another of its kind: that its job went round is nothing to tell.
        Ok(overdue.iter().filter(|run| run.state != "queued").count())
    }
}

async fn run_row(place: impl PgExecutor<'_>, provider: Uuid, id: Uuid) -> StoreResult<Option<RunRow>> {
    Ok(sqlx::query_as!(
        RunRow,
        r#"select id, provider_id, upstream, kind, trigger, state, validate_only, params, cursor, slice, total, done, succeeded, unchanged,
                  failed, skipped, calls_used, calls_planned, problem, cancel_requested, created_at, started_at, finished_at, due_at, retry_of
           from runs where provider_id = $1 and id = $2"#,
        provider,
        id
    )
    .fetch_optional(place)
    .await?)
}
