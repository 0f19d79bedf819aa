//! Officers: members of the provider's staff. One may be an organisation's main contact.

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
use crate::domain::{Officer, OfficerId, OfficerRecord};

super::page::page! {
    /// A page of officers.
    OfficerPage of OfficerRecord
}

/// Keep an officer
///
/// Writes the record whole: what is left out is emptied. Nothing is called upstream. Needs `records:write`.
#[utoipa::path(operation_id = "putOfficer", tag = "Records", security(("bearer" = ["records:write"])), params(("officerId" = OfficerId, Path)), request_body = Officer,
    responses((status = 201, description = "It is new.", body = OfficerRecord), (status = 200, description = "It was replaced.", body = OfficerRecord), WriteErrors))]
#[put("/officers/{officerId}")]
pub async fn put(
    who: Caller<RecordsWrite>,
    state: Data<State>,
    id: Id<OfficerId>,
    expected: Precondition,
    body: RecordBody,
) -> Result<Tagged<OfficerRecord>, Problem> {
    let text = id.0.as_str().to_owned();
    records::put::<OfficerRecord>(&state, who.provider(), id.0, &text, &body.0, &expected.0, &who.by()).await
}

/// Read an officer
///
/// Needs `records:read`.
#[utoipa::path(operation_id = "getOfficer", tag = "Records", security(("bearer" = ["records:read"])), params(("officerId" = OfficerId, Path)),
    responses((status = 200, description = "The officer.", body = OfficerRecord), ReadErrors))]
#[get("/officers/{officerId}")]
pub async fn get(
    who: Caller<RecordsRead>,
    state: Data<State>,
    id: Id<OfficerId>,
) -> Result<Tagged<OfficerRecord>, Problem> {
    let text = id.0.as_str().to_owned();
    records::get::<OfficerRecord>(&state, who.provider(), id.0, &text).await
}

/// Delete an officer
///
/// Nothing happens upstream. Records that name the officer keep its id. Needs `records:write`.
#[utoipa::path(operation_id = "deleteOfficer", tag = "Records", security(("bearer" = ["records:write"])), params(("officerId" = OfficerId, Path)),
    responses((status = 204, description = "It is gone."), ReadErrors))]
#[delete("/officers/{officerId}")]
pub async fn delete(
    who: Caller<RecordsWrite>,
    state: Data<State>,
    id: Id<OfficerId>,
    expected: Precondition,
) -> Result<HttpResponse, Problem> {
    records::delete::<OfficerRecord>(&state, who.provider(), id.0.as_str(), &expected.0, &who.by()).await
}

/// List officers
///
/// In the order of their ids. Needs `records:read`.
#[utoipa::path(operation_id = "listOfficers", tag = "Records", security(("bearer" = ["records:read"])),
    params(("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."), ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of officers.", body = OfficerPage), ReadErrors))]
#[get("/officers")]
pub async fn list(
    who: Caller<RecordsRead>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<OfficerRecord>>, Problem> {
    let mut params = Params::of(&request);
    let paging = params.paging(who.provider());
    params.done()?;
    records::list(&state, who.provider(), &paging).await.map(Json)
}

/// Import officers
///
/// Up to 10,000 records as a JSON array, or one a line as `application/x-ndjson`. Each carries its `officerId` and replaces what is kept under
/// it. Every record has its outcome; the good ones are kept. Needs `records:write`.
#[utoipa::path(operation_id = "importOfficers", tag = "Records", security(("bearer" = ["records:write"])),
    request_body(content((Vec<OfficerRecord> = "application/json"), (OfficerRecord = "application/x-ndjson"))),
    responses((status = 200, description = "Every record with its outcome, also when some or all failed.", body = ImportAnswer), WriteErrors))]
#[post("/officers:import")]
pub async fn bring(
    who: Caller<RecordsWrite>,
    state: Data<State>,
    body: ImportBody,
) -> Result<HttpResponse, Problem> {
    import::import::<OfficerRecord>(&state, who.provider(), body, &who.by()).await
}
