//! What can be done with a run: stop it, take its failed records again.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, post};
use uuid::Uuid;

use super::State;
use super::errors::{CancelErrors, RetryErrors};
use super::extract::{Caller, Id};
use super::problem::{Code, Problem};
use super::runs::{Run, shown, start};
use crate::auth::scope::Scope;
use crate::auth::scope::needs::AnySync;
use crate::domain::{RunKind, RunTrigger, Upstream};
use crate::runs;
use crate::store::{NewRun, RunRow};

/// The run, if the caller may synchronise with its upstream.
async fn meant(who: &Caller<AnySync>, state: &State, id: Uuid) -> Result<RunRow, Problem> {
    let run = state.store.run(who.provider(), id).await?.ok_or_else(|| Problem::not_found("run"))?;
    who.needs(match run.kind.upstream() {
        Upstream::Ace360 => Scope::Ace360Sync,
        Upstream::OneFile => Scope::OnefileSync,
    })?;
    Ok(run)
}

/// Stop a run
///
/// It ends after the step that it is at; what was done stays done. Needs `ace360:sync` for a run with ACE360, `onefile:sync` for one with OneFile.
#[utoipa::path(operation_id = "cancelRun", tag = "Runs", security(("bearer" = ["ace360:sync"]), ("bearer" = ["onefile:sync"])), params(("id" = Uuid, Path)),
    responses((status = 200, description = "It is stopping, or has stopped.", body = Run), CancelErrors))]
#[post("/runs/{id}:cancel")]
pub async fn cancel(who: Caller<AnySync>, state: Data<State>, id: Id<Uuid>) -> Result<Json<Run>, Problem> {
    let before = meant(&who, &state, id.0).await?;
    if before.state.is_final() {
        let message = format!("The run has ended ({}).", before.state.as_str());
        return Err(Problem::new(Code::NotActive, message));
    }
    let row = runs::cancel(&state.ace360, &state.onefile, who.provider(), id.0, &who.by()).await?;
    let row = row.ok_or_else(|| Problem::not_found("run"))?;
    shown(&state, row).await.map(Json)
}

/// Take a run's failed records again
///
/// A new run of only the records that failed. Needs `ace360:sync` for a run with ACE360, `onefile:sync` for one with OneFile; for uploads, which cost
/// credits, `ace360:write` was needed for the first run and is needed again, and for enrolments `onefile:write`.
#[utoipa::path(operation_id = "retryRun", tag = "Runs", security(("bearer" = ["ace360:sync"]), ("bearer" = ["onefile:sync"])),
    params(("id" = Uuid, Path), ("Prefer" = Option<String>, Header, description = "`wait=20`: how many seconds to wait for the run's end, at most 60; not at all if not said.")),
    responses((status = 200, description = "The new run has ended.", body = Run), (status = 202, description = "The new run is under way (`Location`).", body = Run), RetryErrors))]
#[post("/runs/{id}:retry")]
pub async fn retry(
    who: Caller<AnySync>,
    state: Data<State>,
    id: Id<Uuid>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let before = meant(&who, &state, id.0).await?;
    // What cost credits or created something needs its own scope again.
    let has_learners = match before.kind {
        RunKind::Upload => who.needs(Scope::Ace360Write).map(|()| true)?,
        RunKind::Enrol => who.needs(Scope::OnefileWrite).map(|()| true)?,
        RunKind::StatusSync | RunKind::Exchange => true,
        RunKind::StandardsRefresh | RunKind::Match | RunKind::QualificationsRefresh => false,
    };
    if !before.state.is_final() {
        return Err(Problem::new(
            Code::StillActive,
            "The run has not ended: wait for its end, or cancel it.",
        ));
    }
    let failed = state.store.failed_learners(before.id).await?;
    if !has_learners || failed.is_empty() {
        return Err(Problem::new(
            Code::NothingToRetry,
            "No record of the run failed that could be taken again.",
        ));
    }
    let run = NewRun {
        trigger: RunTrigger::Retry,
        shared: false,
        validate_only: before.validate_only,
        learners: Some(failed),
        params: before.params,
        retry_of: Some(before.id),
        ..NewRun::of(who.provider(), before.kind, who.by())
    };
    start(&state, &request, run).await
}
