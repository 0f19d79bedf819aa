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
use super::errors::ReadErrors;
use super::extract::{Caller, Id};
use super::idempotency::id_for;
use super::params::{Page, Params, prefer_wait};
use super::problem::{Code, Problem};
use crate::auth::scope::needs::RunsRead;
use crate::domain::{RunKind, RunState, RunTrigger, Upstream};
use crate::store::{Awaited, NewRun, RunFilter, RunRow};
use crate::upstream::pace::{Account, Class};

/// How often a waiting call looks whether its run has ended.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A run over many records.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01a20126-7c6e-7b2e-8a53-0c1d2e3f4a5b", "kind": "ace360.upload", "upstream": "ace360", "trigger": "manual", "validateOnly": false,
    "retryOf": null, "state": "running", "total": 120, "done": 40, "succeeded": 38, "unchanged": 0, "failed": 1, "skipped": 1,
    "calls": {"used": 44, "planned": 124}, "budget": {"perMinute": 120, "remaining": 76}, "createdAt": "2026-11-22T10:00:00Z",
    "startedAt": "2026-11-22T10:00:00Z", "finishedAt": null, "estimatedEndAt": "2026-11-22T10:01:02Z", "queuedBehind": null, "problem": null
}))]
pub struct Run {
    /// This service's id of the run.
    id: Uuid,
    /// What the run does.
    kind: RunKind,
    /// The system that the run calls.
    #[schema(value_type = String, example = "ace360")]
    upstream: Upstream,
    /// What set it off.
    trigger: RunTrigger,
    /// Whether it only looks: nothing is sent or linked.
    validate_only: bool,
    /// The run whose failed records it takes again.
    retry_of: Option<Uuid>,
    /// The state of the run.
    state: RunState,
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
    /// Upstream calls, made and planned.
    calls: Calls,
    /// What its upstream account may still call.
    budget: Option<Budget>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When the run started. Null before.
    started_at: Option<DateTime<Utc>>,
    /// When the run ended. Null before.
    finished_at: Option<DateTime<Utc>>,
    /// When it will have ended, at the present pace; of one that waits, if what it waits for comes in time. Null: not known yet, or it
    /// has ended.
    estimated_end_at: Option<DateTime<Utc>>,
    /// The run of its kind that must end before this one begins; null: it waits for none.
    queued_behind: Option<Uuid>,
    /// Why it waits or failed.
    problem: Option<String>,
}

super::page::page! {
    /// A page of runs.
    RunPage of Run
}

/// Upstream calls of a run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Calls {
    /// Calls made so far.
    used: i32,
    /// Expected in all; null: not known yet. OneFile tells no totals, so that of a refresh of its learning aims it is known at the end.
    planned: Option<i32>,
}

/// What an upstream account may still call.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// Calls allowed in a minute.
    per_minute: u32,
    /// Of those, how many could still go within the next minute.
    remaining: u32,
}

pub async fn shown(state: &State, row: RunRow) -> Result<Run, Problem> {
    let (mut budget, mut end, mut awaited) = (None, None, Awaited::default());
    if !row.state.is_final() {
        awaited = state.store.awaited(&row).await?;
        if let Some(account) = account(state, &row).await? {
            let per_minute = account.per_minute;
            let remaining = state.store.pace_left(&account).await?;
            end = ends(&row, &awaited, per_minute, state.store.now().await?);
            budget = Some(Budget { per_minute, remaining });
        }
    }
    let problem = match awaited.behind {
        Some(before) => Some(format!(
            "It is queued behind run {before} of the same kind, and begins by itself when that has ended; \
             POST /runs/{}:cancel takes it away.",
            row.id
        )),
        None => row.problem,
    };
    Ok(Run {
        id: row.id,
        kind: row.kind,
        upstream: row.kind.upstream(),
        trigger: row.trigger,
        validate_only: row.validate_only,
        retry_of: row.retry_of,
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
        queued_behind: awaited.behind,
        problem,
    })
}

/// The upstream account whose calls a run makes; `None`: its integration has no connection now.
async fn account(state: &State, row: &RunRow) -> Result<Option<Account>, Problem> {
    match row.kind.upstream() {
        Upstream::Ace360 => {
            let settings = state.store.ace360_settings(row.provider_id).await?;
            let client = state.ace360.client_of(&settings, Class::Bulk).ok();
            Ok(client.map(|client| client.account().clone()))
        }
        Upstream::OneFile => {
            let settings = state.store.onefile_settings(row.provider_id).await?;
            let client = state.onefile.client_of(&settings, Class::Bulk).ok();
            Ok(client.map(|client| client.account().clone()))
        }
    }
}

/// When a run will have ended: what the pace allows is what its time is made of; one that waits goes on when it is due, and
/// waits for the last upload that is looked for.
fn ends(row: &RunRow, awaited: &Awaited, per_minute: u32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let left = match row.calls_planned {
        Some(planned) => i64::from((planned - row.calls_used).max(0)),
        // It waits before it could count: at least the call that it waits for is left.
        None if row.state == RunState::Waiting => 1,
        None => return None,
    };
    let goes_on = row.due_at.min(now + TimeDelta::hours(1)).max(now);
    Some(
        awaited.looks_until.map_or(goes_on, |until| until.max(goes_on))
            + TimeDelta::milliseconds(left * 60_000 / i64::from(per_minute)),
    )
}

/// Makes a run, or finds the one that is active, and waits for its end as long as the caller prefers.
///
/// # Errors
/// The integration is not ready; the database's.
pub async fn start(state: &State, request: &HttpRequest, new: NewRun) -> Result<HttpResponse, Problem> {
    Params::of(request).done()?;
    // A run that could only fail is not made.
    match new.kind.upstream() {
        Upstream::Ace360 => state.ace360.client(new.provider, Class::Bulk).await.map(drop)?,
        Upstream::OneFile => state.onefile.client_for(new.provider, new.kind).await.map(drop)?,
    }
    let (row, _) = state
        .store
        .create_run_as(id_for(request), &new)
        .await?
        .ok_or_else(|| Problem::new(Code::Internal, "The run could not be made."))?;
    let row = wait_for(state, row, prefer_wait(request, Duration::ZERO)).await?;
    let mut response = if row.state.is_final() { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    let location = format!("/runs/{}", row.id);
    Ok(response.insert_header((LOCATION, location)).json(shown(state, row).await?))
}

async fn wait_for(state: &State, row: RunRow, wait: Duration) -> Result<RunRow, Problem> {
    let ends = tokio::time::Instant::now() + wait;
    let mut row = row;
    while !row.state.is_final() && tokio::time::Instant::now() < ends {
        tokio::time::sleep(LOOK_EVERY).await;
        row = state.store.run(row.provider_id, row.id).await?.ok_or_else(|| Problem::not_found("run"))?;
    }
    Ok(row)
}

/// List runs
///
/// Newest first; all, or those of a kind or in some states. Needs `runs:read`.
#[utoipa::path(operation_id = "listRuns", tag = "Runs", security(("bearer" = ["runs:read"])),
    params(("kind" = Option<RunKind>, Query, description = "Only runs that do this."),
           ("state" = Option<String>, Query, description = "Only runs in these states, with commas between: `queued,running,waiting`."),
           ("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."), ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of runs.", body = RunPage), ReadErrors))]
#[get("/runs")]
pub async fn list(
    who: Caller<RunsRead>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Run>>, Problem> {
    let mut params = Params::of(&request);
    let wanted = RunFilter {
        kind: params.word("kind", RunKind::WORDS).and_then(RunKind::parse),
        states: params.words("state", RunState::WORDS).into_iter().filter_map(RunState::parse).collect(),
    };
    let paging = params.paging(who.provider());
    params.done()?;
    let page = state.store.list_runs(who.provider(), &wanted, paging.after.as_deref(), paging.size).await?;
    let last = page.items.last().filter(|_| page.more).map(|row| row.id.to_string());
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        items.push(shown(&state, row).await?);
    }
    Ok(Json(paging.page(items, last.as_deref())))
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
