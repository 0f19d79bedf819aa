//! Organisations: employers and delivery sites.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put};

use super::State;
use super::errors::{ReadErrors, WriteErrors};
use super::etag::{Precondition, Tagged};
use super::extract::{Caller, Id, ImportBody, RecordBody};
use super::import::ImportAnswer;
use super::params::{Page, Params};
use super::problem::Problem;
use super::{import, records};
use crate::auth::scope::needs::{RecordsRead, RecordsWrite};
use crate::domain::{Organisation, OrganisationId, OrganisationRecord};

super::page::page! {
    /// A page of organisations.
    OrganisationPage of OrganisationRecord
}

/// Keep an organisation
///
/// Writes the record whole: what is left out is emptied. Nothing is called upstream. Needs `records:write`.
#[utoipa::path(operation_id = "putOrganisation", tag = "Records", security(("bearer" = ["records:write"])), params(("organisationId" = OrganisationId, Path)), request_body = Organisation,
    responses((status = 201, description = "It is new.", body = OrganisationRecord), (status = 200, description = "It was replaced.", body = OrganisationRecord), WriteErrors))]
#[put("/organisations/{organisationId}")]
pub async fn put(
    who: Caller<RecordsWrite>,
    state: Data<State>,
    id: Id<OrganisationId>,
    expected: Precondition,
    body: RecordBody,
) -> Result<Tagged<OrganisationRecord>, Problem> {
    let text = id.0.as_str().to_owned();
    records::put::<OrganisationRecord>(&state, who.provider(), id.0, &text, &body.0, &expected.0, &who.by())
        .await
}

/// Read an organisation
///
/// Needs `records:read`.
#[utoipa::path(operation_id = "getOrganisation", tag = "Records", security(("bearer" = ["records:read"])), params(("organisationId" = OrganisationId, Path)),
    responses((status = 200, description = "The organisation.", body = OrganisationRecord), ReadErrors))]
#[get("/organisations/{organisationId}")]
pub async fn get(
    who: Caller<RecordsRead>,
    state: Data<State>,
    id: Id<OrganisationId>,
) -> Result<Tagged<OrganisationRecord>, Problem> {
    let text = id.0.as_str().to_owned();
    records::get::<OrganisationRecord>(&state, who.provider(), id.0, &text).await
}

/// Delete an organisation
///
/// Nothing happens upstream. Records that name the organisation keep its id. Needs `records:write`.
#[utoipa::path(operation_id = "deleteOrganisation", tag = "Records", security(("bearer" = ["records:write"])), params(("organisationId" = OrganisationId, Path)),
    responses((status = 204, description = "It is gone."), ReadErrors))]
#[delete("/organisations/{organisationId}")]
pub async fn delete(
    who: Caller<RecordsWrite>,
    state: Data<State>,
    id: Id<OrganisationId>,
    expected: Precondition,
) -> Result<HttpResponse, Problem> {
    records::delete::<OrganisationRecord>(&state, who.provider(), id.0.as_str(), &expected.0, &who.by()).await
}

/// List organisations
///
/// In the order of their ids. Needs `records:read`.
#[utoipa::path(operation_id = "listOrganisations", tag = "Records", security(("bearer" = ["records:read"])),
    params(("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."), ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of organisations.", body = OrganisationPage), ReadErrors))]
#[get("/organisations")]
pub async fn list(
    who: Caller<RecordsRead>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<OrganisationRecord>>, Problem> {
    let mut params = Params::of(&request);
    let paging = params.paging(who.provider());
    params.done()?;
    records::list(&state, who.provider(), &paging).await.map(Json)
}

/// Import organisations
///
/// Up to 10,000 records as a JSON array, or one a line as `application/x-ndjson`. Each carries its `organisationId` and replaces what is kept under
/// it. Every record has its outcome; the good ones are kept. Needs `records:write`.
#[utoipa::path(operation_id = "importOrganisations", tag = "Records", security(("bearer" = ["records:write"])),
    request_body(content((Vec<OrganisationRecord> = "application/json"), (OrganisationRecord = "application/x-ndjson"))),
    responses((status = 200, description = "Every record with its outcome, also when some or all failed.", body = ImportAnswer), WriteErrors))]
#[post("/organisations:import")]
pub async fn bring(
    who: Caller<RecordsWrite>,
    state: Data<State>,
    body: ImportBody,
) -> Result<HttpResponse, Problem> {
    import::import::<OrganisationRecord>(&state, who.provider(), body, &who.by()).await
}
