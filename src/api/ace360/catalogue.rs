//! The catalogue of standards, its sectors, and the runs that bring both it and the statuses.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, post};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::State;
use super::super::errors::{ReadErrors, RunErrors};
use super::super::extract::Caller;
use super::super::params::Params;
use super::super::problem::Problem;
use super::super::runs::{self as run_api, Run};
use crate::ace360::catalogue::standards::from_row;
use crate::ace360::client::wire::{Sector, Standard};
use crate::auth::scope::needs::{Ace360Read, Ace360Sync};
use crate::domain::RunKind;
use crate::store::NewRun;

/// A page of the catalogue.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandardsPage {
    /// The records of this page, at most `pageSize`.
    items: Vec<Standard>,
    /// Send it as `pageToken` for the next page; null: there is none.
    #[schema(example = "TC0xMDAx")]
    next_page_token: Option<String>,
    /// When the catalogue was refreshed; null: not yet.
    refreshed_at: Option<DateTime<Utc>>,
}

/// All employer sectors that standards name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sectors {
    /// In the order of their ids.
    items: Vec<Sector>,
}

/// List ACE360's standards
///
/// The catalogue as refreshed last. A LARS code alone is ambiguous: several versions and options share it. Choose by version, option and the
/// dates, and put the `standardId` into the learner's `ace360.standardId`. Needs `ace360:read`.
#[utoipa::path(operation_id = "listAce360Standards", tag = "ACE360", security(("bearer" = ["ace360:read"])),
    params(("larsCode" = Option<i32>, Query, description = "Only the standards of this LARS code.", example = 196),
           ("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."),
           ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of the catalogue.", body = StandardsPage), ReadErrors))]
#[get("/ace360/standards")]
pub async fn standards(
    who: Caller<Ace360Read>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<StandardsPage>, Problem> {
    let mut params = Params::of(&request);
    let lars_code = params.integer("larsCode");
    let paging = params.paging(who.provider());
    params.done()?;
    let settings = state.store.ace360_settings(who.provider()).await?;
    let page = state
        .store
        .standards(who.provider(), &settings.environment, lars_code, paging.after.as_deref(), paging.size)
        .await?;
    let last = page.items.last().filter(|_| page.more).map(|row| row.standard_id.to_string());
    let page = paging.page(page.items.into_iter().map(from_row).collect(), last.as_deref());
    Ok(Json(StandardsPage {
        items: page.items,
        next_page_token: page.next_page_token,
        refreshed_at: settings.standards_refreshed_at,
    }))
}

/// Refresh ACE360's standards
///
/// A run that reads ACE360's catalogue, a call a page. One that is active already is answered instead. Needs `ace360:sync`.
#[utoipa::path(operation_id = "refreshAce360Standards", tag = "ACE360", security(("bearer" = ["ace360:sync"])),
    params(("Prefer" = Option<String>, Header, description = "`wait=20`: how many seconds to wait for the run's end, at most 60; not at all if not said.")),
    responses((status = 200, description = "The run has ended.", body = Run), (status = 202, description = "The run is under way (`Location`).", body = Run), RunErrors))]
#[post("/ace360/standards:refresh")]
pub async fn refresh(
    who: Caller<Ace360Sync>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    run_api::start(&state, &request, NewRun::of(who.provider(), RunKind::StandardsRefresh, who.by())).await
}

/// Read the statuses of all uploaded learners now
///
/// A run over ACE360's list: a call a page, and one for each learner whose status changed or who was not in the list. It happens by itself every
/// day. One that is active already is answered instead. Needs `ace360:sync`.
#[utoipa::path(operation_id = "syncAce360Statuses", tag = "ACE360", security(("bearer" = ["ace360:sync"])),
    params(("Prefer" = Option<String>, Header, description = "`wait=20`: how many seconds to wait for the run's end, at most 60; not at all if not said.")),
    responses((status = 200, description = "The run has ended.", body = Run), (status = 202, description = "The run is under way (`Location`).", body = Run), RunErrors))]
#[post("/ace360/status:sync")]
pub async fn sync_all(
    who: Caller<Ace360Sync>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    run_api::start(&state, &request, NewRun::of(who.provider(), RunKind::StatusSync, who.by())).await
}

/// List ACE360's employer sectors
///
/// Those that the standards of the catalogue name, until ACE360 publishes a list. An organisation names its sector by a provision of type
/// `ACE360 Employer Sector` whose `code` is the id, or whose `description` is the name. Needs `ace360:read`.
#[utoipa::path(operation_id = "listAce360Sectors", tag = "ACE360", security(("bearer" = ["ace360:read"])), responses((status = 200, description = "The sectors.", body = Sectors), ReadErrors))]
#[get("/ace360/sectors")]
pub async fn sectors(who: Caller<Ace360Read>, state: Data<State>) -> Result<Json<Sectors>, Problem> {
    let settings = state.store.ace360_settings(who.provider()).await?;
    let sectors = state.store.sectors(who.provider(), &settings.environment).await?;
    Ok(Json(Sectors { items: sectors.into_iter().map(|(id, name)| Sector { id, name }).collect() }))
}
