//! OneFile's learning aims: refreshed as a run, listed from what was read last.

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
use crate::auth::scope::needs::{OnefileRead, OnefileSync};
use crate::domain::RunKind;
use crate::onefile::catalogue::codes::Code;
use crate::store::{NewRun, OneFileStandard, StandardFilter};

/// A learning aim of OneFile's.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileQualification)]
pub struct Qualification {
    /// OneFile's id of the learning aim.
    #[schema(example = "901")]
    id: String,
    /// OneFile's id of its centre.
    #[schema(example = "1001")]
    centre_id: String,
    /// The title of the qualification.
    #[schema(example = "Sample aim [196AS]")]
    title: String,
    /// Its code, which is compared with VQ references; case and blanks do not count. Null: it has none, and nothing can be matched with it.
    #[schema(example = "196AS")]
    code: Option<String>,
    /// Whether it is in OneFile's archive.
    archived: bool,
    /// When it was read from OneFile.
    refreshed_at: Option<DateTime<Utc>>,
}

/// A page of learning aims.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileQualificationPage)]
pub struct QualificationPage {
    /// At most `pageSize`, by centre and id.
    items: Vec<Qualification>,
    /// Send it as `pageToken` for the next page; null: there is none.
    #[schema(example = "TC0xMDAx")]
    next_page_token: Option<String>,
    /// When all of them were read from OneFile; null: not yet.
    refreshed_at: Option<DateTime<Utc>>,
}

impl Qualification {
    fn of(row: OneFileStandard, refreshed_at: Option<DateTime<Utc>>) -> Self {
        Self {
            id: row.standard_id,
            centre_id: row.centre_id,
            title: row.title,
            code: row.code,
            archived: row.archived,
            refreshed_at,
        }
    }
}

/// Refresh qualification links
///
/// A run that reads the learning aims of every centre: a call for every page of 200 and a few more; of centres where something is no longer
/// there a second time, so that nothing is removed by mistake. Its records say what was added, changed and removed, and which rows cannot be
/// read: in their centres nothing is removed. OneFile does not tell how many there are: `total`, `calls.planned` and `estimatedEndAt` are known when the last
/// page was read. When the settings lead to another customer meanwhile, it fails and is to be begun once more. Works before the integration is switched on. One that is active already is answered instead.
/// Needs `onefile:sync`.
#[utoipa::path(operation_id = "refreshOneFileQualifications", tag = "OneFile", security(("bearer" = ["onefile:sync"])),
    params(("Prefer" = Option<String>, Header, description = "`wait=20`: how many seconds to wait for the run's end, at most 60; not at all if not said.")),
    responses((status = 200, description = "The run has ended.", body = Run), (status = 202, description = "The run is under way (`Location`).", body = Run), RunErrors))]
#[post("/onefile/qualifications:refresh")]
pub async fn refresh(
    who: Caller<OnefileSync>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    run_api::start(&state, &request, NewRun::of(who.provider(), RunKind::QualificationsRefresh, who.by()))
        .await
}

/// List OneFile's learning aims
///
/// As they were refreshed last. Needs `onefile:read`.
#[utoipa::path(operation_id = "listOneFileQualifications", tag = "OneFile", security(("bearer" = ["onefile:read"])),
    params(("query" = Option<String>, Query, description = "Only those whose title or code has this in it; upper and lower case are the same.", example = "engineer"),
           ("centreId" = Option<String>, Query, description = "Only those of this centre."),
           ("code" = Option<String>, Query, description = "Only those with this code; case and blanks do not count.", example = "196AS"),
           ("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."),
           ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of learning aims.", body = QualificationPage), ReadErrors))]
#[get("/onefile/qualifications")]
pub async fn list(
    who: Caller<OnefileRead>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<QualificationPage>, Problem> {
    let mut params = Params::of(&request);
    let (query, centre_id) = (params.text("query"), params.text("centreId"));
    let code = params.text("code").map(|code| Code::parse(&code).map(|code| code.key).unwrap_or_default());
    let paging = params.paging(who.provider());
    params.done()?;
    let environment = state.store.onefile_settings(who.provider()).await?.choices.environment;
    let refreshed_at = state.store.onefile_standards_refreshed(who.provider(), environment).await?;
    let filter = StandardFilter {
        centre_id: centre_id.as_deref(),
        code_key: code.as_deref(),
        query: query.as_deref().map(str::trim).filter(|query| !query.is_empty()),
        // What is no place in this list is before all.
        after: paging.after.as_deref().and_then(|after| after.split_once('/')),
    };
    let found = state.store.onefile_standards(who.provider(), environment, filter, paging.size).await?;
    let last = found.items.last().filter(|_| found.more);
    let last = last.map(|row| format!("{}/{}", row.centre_id, row.standard_id));
    let items = found.items.into_iter().map(|row| Qualification::of(row, refreshed_at)).collect();
    let page = paging.page(items, last.as_deref());
    Ok(Json(QualificationPage { items: page.items, next_page_token: page.next_page_token, refreshed_at }))
}
