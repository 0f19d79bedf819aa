//! Runs at the API: what is under way, how far it is, and what happened to each record.

use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::State;
use super::document::{ReadErrors, RunPage, RunRecordPage};
use super::extract::{Caller, Id};
use super::params::{Page, Params, prefer_wait};
use super::problem::{Code, Problem};
use crate::auth::scope::needs::RunsRead;
use crate::store::{NewRun, OutcomeKind, RecordOutcome, RunRow};
use crate::upstream::pace::Class;

/// How often a waiting call looks whether its run has ended.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Where a run stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "the words stand in the rows; this is their document")]
pub enum RunState {
    /// It has not begun.
    Queued,
    /// It is being worked.
    Running,
    /// Its upstream does not let it go on now; it goes on by itself.
    Waiting,
    /// It ended, and every record with it.
    Succeeded,
    /// It ended; some records failed.
    Partial,
    /// It could not go on.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

/// A run.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Ours.
    id: Uuid,
    /// What it does.
    #[schema(example = "ace360.statusSync")]
    kind: String,
    /// With which upstream.
    #[schema(example = "ace360")]
    upstream: String,
    /// What set it off: `manual`, `schedule` or `retry`.
    #[schema(example = "manual")]
    trigger: String,
    /// Where it stands.
    #[schema(value_type = RunState)]
    state: String,
    /// Records in all; null: not known yet.
    total: Option<i32>,
    /// Records that have an outcome.
    done: i32,
    /// Of those: something changed.
    succeeded: i32,
    /// Of those: nothing changed.
    unchanged: i32,
    /// Of those: they could not be done.
    failed: i32,
    /// Of those: they were not tried.
    skipped: i32,
    /// Upstream calls.
    calls: Calls,
    /// What its upstream account may still call.
    budget: Option<Budget>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it began.
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    finished_at: Option<DateTime<Utc>>,
    /// When it will have ended, at the present pace; null: not known yet, or it has ended.
    estimated_end_at: Option<DateTime<Utc>>,
    /// Why it waits or failed.
    problem: Option<String>,
}

/// Upstream calls of a run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Calls {
    /// Made.
    used: i32,
    /// Expected in all; null: not known yet.
    planned: Option<i32>,
}

/// What an upstream account may still call.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// Calls a minute.
    per_minute: u32,
    /// Of those, how many could still go within the next minute.
    remaining: u32,
}

/// What happened to a record.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RunRecord {
    /// Which record.
    subject: Subject,
    /// How it went.
    outcome: OutcomeKind,
    /// Why; null when all is well.
    problem: Option<RunRecordProblem>,
}

/// A record of a run or a change.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Subject {
    /// `learner`, `officer`, `organisation`, `standard`, `run`.
    #[schema(example = "learner")]
    pub kind: String,
    /// Its id.
    #[schema(example = "L1")]
    pub id: String,
}

/// Why a record failed or was skipped.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RunRecordProblem {
    /// Stable.
    #[schema(example = "upstreamMissing")]
    code: String,
    /// What to know and to do.
    message: Option<String>,
}

impl From<RecordOutcome> for RunRecord {
    fn from(row: RecordOutcome) -> Self {
        Self {
            subject: Subject { kind: row.kind, id: row.id },
            outcome: row.outcome,
            problem: row.code.map(|code| RunRecordProblem { code, message: row.problem }),
        }
    }
}

async fn shown(state: &State, row: RunRow) -> Result<Run, Problem> {
    let finished = row.is_finished();
    let (mut budget, mut end) = (None, None);
    if !finished {
        let settings = state.store.ace360_settings(row.provider_id).await?;
        if let Ok(client) = state.ace360.client_of(&settings, Class::Bulk) {
            let per_minute = client.account().per_minute;
            let remaining = state.store.pace_left(client.account()).await?;
            let now = state.store.now().await?;
            end = row.calls_planned.map(|planned| {
                let left = i64::from((planned - row.calls_used).max(0));
                // What the pace allows is what a run's time is made of.
                now.max(row.due_at.min(now + TimeDelta::hours(1)))
                    + TimeDelta::milliseconds(left * 60_000 / i64::from(per_minute))
            });
            budget = Some(Budget { per_minute, remaining });
        }
    }
    Ok(Run {
        id: row.id,
        kind: row.kind,
        upstream: row.upstream,
        trigger: row.trigger,
        state: row.state,
        total: row.total,
        done: row.done,
        succeeded: row.succeeded,
        unchanged: row.unchanged,
        failed: row.failed,
        skipped: row.skipped,
        calls: Calls { used: row.calls_used, planned: row.calls_planned },
        budget,
        created_at: row.created_at,
        started_at: row.started_at,
        finished_at: row.finished_at,
        estimated_end_at: end,
        problem: row.problem,
    })
}

/// Makes a run, or finds the one that is active, and waits for its end as long as the caller prefers.
///
/// # Errors
/// The integration is not ready; the database's.
pub async fn start(state: &State, request: &HttpRequest, new: NewRun) -> Result<HttpResponse, Problem> {
    Params::of(request).done()?;
    // A run that could only fail is not made.
    state.ace360.client(new.provider, Class::Bulk).await?;
    let (row, _) = state
        .store
        .create_run(&new)
        .await?
        .ok_or_else(|| Problem::new(Code::Internal, "The run could not be made."))?;
    let row = wait_for(state, row, prefer_wait(request, Duration::ZERO)).await?;
    let mut response = if row.is_finished() { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    let location = format!("/runs/{}", row.id);
    Ok(response.insert_header((LOCATION, location)).json(shown(state, row).await?))
}

async fn wait_for(state: &State, row: RunRow, wait: Duration) -> Result<RunRow, Problem> {
    let ends = tokio::time::Instant::now() + wait;
    let mut row = row;
    while !row.is_finished() && tokio::time::Instant::now() < ends {
        tokio::time::sleep(LOOK_EVERY).await;
        row = state.store.run(row.provider_id, row.id).await?.ok_or_else(|| Problem::not_found("run"))?;
    }
    Ok(row)
}

/// List runs
///
/// Newest first. Needs `runs:read`.
#[utoipa::path(operation_id = "listRuns", tag = "Runs", security(("bearer" = ["runs:read"])),
    params(("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."), ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of runs.", body = RunPage), ReadErrors))]
#[get("/runs")]
pub async fn list(
    who: Caller<RunsRead>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Run>>, Problem> {
    let mut params = Params::of(&request);
    let paging = params.paging();
    params.done()?;
    let page = state.store.list_runs(who.provider(), paging.after.as_deref(), paging.size).await?;
    let last = page.items.last().filter(|_| page.more).map(|row| row.id.to_string());
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        items.push(shown(&state, row).await?);
    }
    Ok(Json(Page::new(items, last.as_deref())))
}

/// Read a run
///
/// How far it is, calls used and planned, the budget, and when it will have ended. Needs `runs:read`.
#[utoipa::path(operation_id = "getRun", tag = "Runs", security(("bearer" = ["runs:read"])), params(("id" = Uuid, Path)), responses((status = 200, description = "The run.", body = Run), ReadErrors))]
#[get("/runs/{id}")]
pub async fn get(who: Caller<RunsRead>, state: Data<State>, id: Id<Uuid>) -> Result<Json<Run>, Problem> {
    let row = state.store.run(who.provider(), id.0).await?.ok_or_else(|| Problem::not_found("run"))?;
    shown(&state, row).await.map(Json)
}

/// List a run's records
///
/// What happened to each record and why, by subject. Records with nothing changed are counted in the run and not listed. Needs `runs:read`.
#[utoipa::path(operation_id = "listRunRecords", tag = "Runs", security(("bearer" = ["runs:read"])),
    params(("id" = Uuid, Path), ("outcome" = Option<OutcomeKind>, Query, description = "Only those with this outcome."),
           ("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."), ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of records.", body = RunRecordPage), ReadErrors))]
#[get("/runs/{id}/records")]
pub async fn records(
    who: Caller<RunsRead>,
    state: Data<State>,
    id: Id<Uuid>,
    request: HttpRequest,
) -> Result<Json<Page<RunRecord>>, Problem> {
    let mut params = Params::of(&request);
    let outcome =
        params.word("outcome", &["succeeded", "unchanged", "failed", "skipped"]).and_then(OutcomeKind::parse);
    let paging = params.paging();
    params.done()?;
    let run = state.store.run(who.provider(), id.0).await?.ok_or_else(|| Problem::not_found("run"))?;
    let page = state.store.run_records(run.id, outcome, paging.after.as_deref(), paging.size).await?;
    let last = page.items.last().filter(|_| page.more).map(|row| row.id.clone());
    Ok(Json(Page::new(page.items.into_iter().map(RunRecord::from).collect(), last.as_deref())))
}
