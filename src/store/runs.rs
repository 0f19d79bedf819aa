//! Runs: long work with an upstream. This file creates and reads them; `run_slices.rs` moves them
//! on.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::records::page;
use super::{After, By, RecordPage, Store, StoreResult, Time, Tx, new_id};
use crate::domain::{RunKind, RunState, RunTrigger};

#[derive(Clone, Debug)]
pub struct RunRow {
    pub id: Uuid,
    pub provider_id: Uuid,
    pub kind: RunKind,
    /// The upstream's environment in which it began. It does nothing in another.
    pub environment: String,
    pub trigger: RunTrigger,
    pub state: RunState,
    /// Whether it only predicts the outcome: nothing is sent or linked.
    pub validate_only: bool,
    /// The number of requested learners; `run_learners` reads them. `None`: no learners were named.
    pub learners: Option<i32>,
    /// The other parameters, in the format of its kind. They contain no learner's id, because
    /// erasing would not find it here.
    pub params: Value,
    /// The position, in the format of its kind. `{}` before the first step and after the end.
    pub cursor: Value,
    /// The number of the next slice.
    pub slice: i32,
    /// The number of all records, once it is known.
    pub total: Option<i32>,
    /// The records with an outcome: the sum of the next four.
    pub done: i32,
    pub succeeded: i32,
    pub unchanged: i32,
    pub failed: i32,
    pub skipped: i32,
    pub calls_used: i32,
    /// The expected number of all upstream calls, once it is known.
    pub calls_planned: Option<i32>,
    /// Why it waits or failed.
    pub problem: Option<String>,
    pub created_at: Time,
    /// When its first slice began.
    pub started_at: Option<Time>,
    pub finished_at: Option<Time>,
    /// When a job should have moved it on.
    pub due_at: Time,
    /// The run whose failed records it retries.
    pub retry_of: Option<Uuid>,
}

/// A run to create.
#[derive(Clone, Debug)]
pub struct NewRun {
    pub provider: Uuid,
    pub kind: RunKind,
    pub trigger: RunTrigger,
    /// Has no parameters: all callers that request it while it is active get the same run.
    pub shared: bool,
    /// Only predict the outcome.
    pub validate_only: bool,
    /// The requested learners, in the order of processing.
    pub learners: Option<Vec<String>>,
    /// The other parameters, in the format of its kind. They contain no learner's id.
    pub params: Value,
    pub by: By,
    /// The run whose failed records it retries.
    pub retry_of: Option<Uuid>,
    /// The night of a schedule. A night gets one run only.
    pub night: Option<chrono::NaiveDate>,
    /// Create it only while this is the last run of its kind over all learners. Another process may
    /// have begun the next one.
    pub after: Option<Uuid>,
}

impl NewRun {
    /// A manual run over all records.
    pub fn of(provider: Uuid, kind: RunKind, by: By) -> Self {
        Self {
            provider,
            kind,
            trigger: RunTrigger::Manual,
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
}

#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    pub kind: Option<RunKind>,
    /// Runs in one of these states. Empty: all.
    pub states: Vec<RunState>,
}

/// `query_as!` for full rows of runs: the SQL before the columns, the SQL after them, the
/// arguments.
macro_rules! run_rows {
    ($before:literal, $after:literal, $($argument:tt)*) => {
        sqlx::query_as!(
            RunRow,
            $before
                + r#" id, provider_id, kind as "kind: RunKind", environment, trigger as "trigger: RunTrigger", state as "state: RunState", validate_only,
                     learners, params, cursor, slice, total, done, succeeded, unchanged, failed, skipped, calls_used, calls_planned, problem,
                     created_at, started_at, finished_at, due_at, retry_of "#
                + $after,
            $($argument)*
        )
    };
}

impl Store {
    /// Creates a run and queues its first slice. If a shared run is active already, returns that
    /// one. The flag says whether the run is new. `None`: its night has had its run.
    pub async fn create_run(&self, new: &NewRun) -> StoreResult<Option<(RunRow, bool)>> {
        self.create_run_as(new_id(), new).await
    }

    /// Creates a run with this id. If a run has the id already, returns that one.
    pub async fn create_run_as(&self, id: Uuid, new: &NewRun) -> StoreResult<Option<(RunRow, bool)>> {
        loop {
            let mut tx = self.begin().await?;
            if let Some(night) = new.night
                && !self.claim_night(&mut tx, new, night).await?
            {
                return Ok(None);
            }
            if self.insert_run(&mut tx, id, new).await? {
                // Read before the commit, so that the caller sees the run at its beginning, however
                // soon it ends.
                let run = run_row(&mut *tx, new.provider, id).await?;
                tx.commit().await?;
                return Ok(run.map(|run| (run, true)));
            }
            // The night stays claimed: the active run is this night's run.
            tx.commit().await?;
            if new.after.is_some() {
                return Ok(None);
            }
            if let Some(run) = self.run(new.provider, id).await? {
                return Ok(Some((run, false)));
            }
            // The active run may end between the two statements. Then a new one can be created.
            if let Some(run) = self.active_run(new).await? {
                return Ok(Some((run, false)));
            }
        }
    }

    /// `false`: an existing run prevents this one.
    async fn insert_run(&self, tx: &mut Tx, id: Uuid, new: &NewRun) -> StoreResult<bool> {
        let inserted = sqlx::query!(
            r#"insert into runs (id, provider_id, upstream, environment, kind, trigger, state, shared, validate_only, params, requested_by, retry_of, learners, created_at, due_at)
               select $1, $2, $3,
                      -- Without settings a run fails by itself, and says so.
                      coalesce(case $3 when 'ace360' then (select environment from ace360_settings where provider_id = $2)
                                       else (select environment from onefile_settings where provider_id = $2) end, 'live'),
                      $4, $5, 'queued', $6, $7, $8, $9, $10, $12, app_now(), app_now()
               where not exists (
                   select from runs r where r.provider_id = $2 and r.upstream = $3 and r.kind = $4 and r.shared and r.id > $11
               )
               on conflict do nothing"#,
            id,
            new.provider,
            new.kind.upstream().as_str(),
            new.kind.as_str(),
            new.trigger.as_str(),
            new.shared,
            new.validate_only,
            new.params,
            new.by.actor,
            new.retry_of,
            new.after,
            new.learners.as_ref().map(|learners| i32::try_from(learners.len()).unwrap_or(i32::MAX)),
        )
        .execute(&mut **tx)
        .await?;
        if inserted.rows_affected() == 0 {
            return Ok(false);
        }
        self.add_run_learners(tx, id, new).await?;
        let action = format!("run.{}", new.kind.as_str());
        self.audit(tx, new.provider, &new.by, &action, "run", &id.to_string()).await?;
        self.queue_slice(tx, id, 0, Duration::ZERO).await?;
        Ok(true)
    }

    /// The shared run of this kind that has not ended.
    async fn active_run(&self, new: &NewRun) -> StoreResult<Option<RunRow>> {
        Ok(run_rows!(
            "select",
            "from runs where provider_id = $1 and upstream = $2 and kind = $3 and shared and state in ('queued', 'running', 'waiting')
             and environment = coalesce(case $2 when 'ace360' then (select environment from ace360_settings where provider_id = $1)
                                                else (select environment from onefile_settings where provider_id = $1) end, 'live')",
            new.provider,
            new.kind.upstream().as_str(),
            new.kind.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Whether the last run of this kind over all learners failed.
    pub async fn last_failed(&self, provider: Uuid, kind: RunKind) -> StoreResult<bool> {
        let last = sqlx::query_scalar!(
            r#"select state as "state: RunState" from runs
               where provider_id = $1 and upstream = $2 and kind = $3 and shared and finished_at is not null
               order by id desc limit 1"#,
            provider,
            kind.upstream().as_str(),
            kind.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(last == Some(RunState::Failed))
    }

    pub async fn run(&self, provider: Uuid, id: Uuid) -> StoreResult<Option<RunRow>> {
        run_row(&self.pool, provider, id).await
    }

    /// The provider's runs, newest first.
    pub async fn list_runs(
        &self,
        provider: Uuid,
        wanted: &RunFilter,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<RecordPage<RunRow>> {
        let states: Vec<String> = wanted.states.iter().map(|state| state.as_str().to_owned()).collect();
        let after = after.and_then(|id| Uuid::parse_str(id).ok());
        let rows = run_rows!(
            "select",
            r#"from runs where provider_id = $1 and ($2::uuid is null or id < $2)
                     and ($4::text is null or kind = $4) and (cardinality($5::text[]) = 0 or state = any($5))
               order by id desc limit $3"#,
            provider,
            after,
            size + 1,
            wanted.kind.map(RunKind::as_str),
            &states
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(page(rows, size))
    }
}

pub(super) async fn run_row(
    place: impl PgExecutor<'_>,
    provider: Uuid,
    id: Uuid,
) -> StoreResult<Option<RunRow>> {
    Ok(run_rows!("select", "from runs where provider_id = $1 and id = $2", provider, id)
        .fetch_optional(place)
        .await?)
}
