//! `/control/apprentices`: full records, and what other people do to them in ACE360's own pages.

use actix_web::web::{self, Bytes, Query};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::default_token::default_token;
use super::problem::{Problem, Refusal, optional};
use super::settings::ForToken;
use crate::sandbox::ace360::create;
use crate::sandbox::ace360::invented::People;
use crate::sandbox::ace360::lifecycle::{self, Grades};
use crate::sandbox::ace360::record::{Apprentice, Record, Status, WriteOnly};
use crate::sandbox::origin::Origin;
use crate::sandbox::world::Shared;

/// A record with everything that its creation sent, and its owner.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FullRecord {
    organisation: String,
    origin: Origin,
    #[serde(flatten)]
    apprentice: Apprentice,
    #[serde(flatten)]
    write_only: WriteOnly,
}

impl From<Record> for FullRecord {
    fn from(record: Record) -> Self {
        let Record { organisation, origin, apprentice, write_only } = record;
        Self { organisation, origin, apprentice, write_only }
    }
}

/// Chooses records of the simulator.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only records with this ULN.
    uln: Option<String>,
    /// The organisation's token; `sandbox` by default.
    #[serde(default = "default_token")]
    #[param(required = false)]
    for_token: String,
    /// The most records to return, newest first; 100 by default, at most 1000.
    limit: Option<usize>,
}

/// List an organisation's records in full, newest first
#[utoipa::path(tag = "apprentices", params(Wanted), responses((status = 200, body = Vec<FullRecord>)))]
#[get("/control/apprentices")]
pub async fn list(shared: web::Data<Shared>, wanted: Query<Wanted>) -> HttpResponse {
    let limit = wanted.limit.unwrap_or(100).min(1000);
    let mut world = shared.world();
    let records: Vec<&Record> = if let Some(uln) = &wanted.uln {
        let ids = world.books.organisation(&wanted.for_token).with_uln(uln).to_vec();
        ids.iter().rev().take(limit).filter_map(|id| world.books.get(*id)).collect()
    } else {
        let count = world.books.count(&wanted.for_token, false);
        world.books.list(&wanted.for_token, false, 0..limit.min(count))
    };
    let records: Vec<FullRecord> = records.into_iter().cloned().map(FullRecord::from).collect();
    HttpResponse::Ok().json(records)
}

/// Create a record as if a person had typed it into ACE360
///
/// Costs no credit. The body is that of a creation. Missing values are invented, and the rules of a
/// creation apply.
#[utoipa::path(
    tag = "apprentices",
    params(ForToken),
    request_body(content = Option<Object>, content_type = "application/json"),
    responses((status = 201, body = FullRecord), (status = 400, body = Problem), (status = 422, body = Problem))
)]
#[post("/control/apprentices")]
pub async fn make(
    shared: web::Data<Shared>,
    query: Query<ForToken>,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    let fields: Map<String, Value> = optional(&body)?;
    let mut world = shared.world();
    let mut whole = People::new(&shared.catalogue, shared.options.seed, world.invented).body();
    whole.extend(fields);
    let made = create::read(&whole, &shared.catalogue).map_err(|verdict| Refusal::by_the_rules(&verdict))?;
    let made = world.create(&query.for_token, Origin::Control, made).ok().map(|apprentice| apprentice.id);
    world.invented += 1;
    let record = made.and_then(|id| world.books.get(id)).cloned();
    let record = record.ok_or_else(|| Refusal::broken(&"the record was not kept"))?;
    Ok(HttpResponse::Created().json(FullRecord::from(record)))
}

/// What happens to a record. Without any value: the usual next step.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Advance {
    /// The new status, set with its dates and grades.
    status_id: Option<u32>,
    overall_grade: Option<String>,
    provisional_grade: Option<String>,
    /// `true` archives the record, `false` restores it.
    archive: Option<bool>,
    /// The reason of the archiving; `Withdrawn` by default.
    archival_status: Option<String>,
    /// Deletes the record, so that ACE360 no longer has it.
    #[serde(default)]
    remove: bool,
}

/// Move a record on
///
/// Without a body it moves to the next status, and after EPA Passed to the claimed certificate.
/// Returns the record, or 204 if it was deleted.
#[utoipa::path(
    tag = "apprentices",
    params(("id" = u64, Path, description = "ACE360's id of the record")),
    request_body(content = Option<Advance>),
    responses(
        (status = 200, body = FullRecord), (status = 204), (status = 400, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)
    )
)]
#[post("/control/apprentices/{id:[0-9]+}:advance")]
pub async fn advance(
    shared: web::Data<Shared>,
    id: web::Path<u64>,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    let asked: Advance = optional(&body)?;
    let mut world = shared.world();
    let mut record = world.books.get(*id).cloned().ok_or_else(|| Refusal::no_record(*id))?;
    if asked.remove {
        world.remove(*id);
        return Ok(HttpResponse::NoContent().finish());
    }
    apply(&mut record.apprentice, asked)?;
    world.change(record.clone());
    Ok(HttpResponse::Ok().json(FullRecord::from(record)))
}

fn apply(apprentice: &mut Apprentice, asked: Advance) -> Result<(), Refusal> {
    let grades = Grades { overall: asked.overall_grade, provisional: asked.provisional_grade };
    let said = grades.overall.is_some()
        || grades.provisional.is_some()
        || asked.archive.is_some()
        || asked.archival_status.is_some();
    if let Some(id) = asked.status_id {
        let status = Status::of(id)
            .ok_or_else(|| Refusal::invalid(&format!("there is no status {id}: take 1 to 10")))?;
        lifecycle::enter(apprentice, status, &grades);
    } else if said {
        // Only grades or the archive change: the status stays.
        lifecycle::grade(apprentice, &grades);
    } else if !lifecycle::next(apprentice) {
        return Err(Refusal::conflict("the certificate is claimed: nothing comes after that"));
    }
    match (asked.archive, asked.archival_status) {
        (Some(archived), reason) => lifecycle::archive(apprentice, archived, reason.as_deref()),
        (None, Some(reason)) => apprentice.archival_status = Some(reason),
        (None, None) => {}
    }
    Ok(())
}
