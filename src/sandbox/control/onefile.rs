//! `/control/onefile`: OneFile's records in full, and bulk creation.

use actix_web::web::{self, Bytes, Query};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::default_token::default_token;
use super::problem::{Problem, Refusal, optional};
use super::settings::ForToken;
use crate::sandbox::onefile::kind::Kind;
use crate::sandbox::onefile::record::Record;
use crate::sandbox::onefile::seed::more::{self, Made, More};
use crate::sandbox::origin::Origin;
use crate::sandbox::world::Shared;

/// The most records of a kind to create at once.
const MOST: u32 = 100_000;

/// A record with all stored values, including those that OneFile never returns.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneFileRecord {
    id: u64,
    kind: Kind,
    /// The organisation that the record belongs to.
    centre_id: u64,
    origin: Origin,
    archived: bool,
    modified: String,
    /// The fields by OneFile's names. In an assignment, `AssignedID` is the user who was assigned.
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
}

impl From<&Record> for OneFileRecord {
    fn from(record: &Record) -> Self {
        let Record { id, kind, centre, origin, archived, modified, fields } = record.clone();
        Self { id, kind, centre_id: centre, origin, archived, modified, fields }
    }
}

/// Chooses records of the simulator.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    kind: Kind,
    /// The customer's token; `sandbox` by default.
    #[serde(default = "default_token")]
    #[param(required = false)]
    for_token: String,
    centre_id: Option<u64>,
    /// Only records that belong to this learner.
    learner_id: Option<u64>,
    /// Only records with this MIS value.
    mis_id: Option<String>,
    /// Only records that were created in this way.
    origin: Option<Origin>,
    /// The most records to return, newest first; 100 by default, at most 1000.
    limit: Option<usize>,
}

impl Wanted {
    fn fits(&self, record: &Record) -> bool {
        self.centre_id.is_none_or(|centre| record.centre == centre)
            && self.learner_id.is_none_or(|learner| record.owner() == Some(learner))
            && self.mis_id.as_deref().is_none_or(|mis| record.text("MISID") == Some(mis))
            && self.origin.is_none_or(|origin| record.origin == origin)
    }
}

/// List a customer's records in full, newest first
#[utoipa::path(
    tag = "onefile", params(Wanted), responses((status = 200, body = Vec<OneFileRecord>), (status = 400, body = Problem))
)]
#[get("/control/onefile/records")]
pub async fn list(shared: web::Data<Shared>, wanted: Query<Wanted>) -> HttpResponse {
    let limit = wanted.limit.unwrap_or(100).min(1000);
    let mut world = shared.world();
    let desk = world.onefile.desk(&wanted.for_token);
    let mut found: Vec<&Record> =
        desk.books.of_kind(wanted.kind).filter(|record| wanted.fits(record)).collect();
    found.reverse();
    let records: Vec<OneFileRecord> = found.into_iter().take(limit).map(OneFileRecord::from).collect();
    HttpResponse::Ok().json(records)
}

/// Create many records at once
///
/// They count as seeded.
#[utoipa::path(
    tag = "onefile",
    params(ForToken),
    request_body(content = Option<More>),
    responses(
        (status = 201, body = Made), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)
    )
)]
#[post("/control/onefile/records:more")]
pub async fn make_more(
    shared: web::Data<Shared>,
    query: Query<ForToken>,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    let wanted: More = optional(&body)?;
    let counts = [wanted.assessors, wanted.placements, wanted.standards, wanted.learners];
    if counts.into_iter().any(|count| count > MOST)
        || wanted.aims_per_learner > 100
        || wanted.reviews_per_learner > 100
    {
        return Err(Refusal::invalid(&format!("at most {MOST} of each, and 100 aims and reviews a learner")));
    }
    // Not on the workers, because ten thousand learners take a moment.
    let done = web::block(move || {
        let mut world = shared.world();
        let mut desk = world.onefile.desk(&query.for_token);
        let first = desk.books.of_kind(Kind::Organisation).next().map(|centre| centre.id);
        let centre =
            wanted.centre_id.or(first).filter(|id| desk.books.get(Kind::Organisation, *id).is_some());
        let centre = centre.ok_or_else(|| Refusal::no_record(wanted.centre_id.unwrap_or_default()))?;
        more::more(&mut desk, centre, &wanted)
            .ok_or_else(|| Refusal::invalid(&"the centre lacks an assessor, a classroom or a placement"))
    });
    let made: Made = done.await.map_err(|error| Refusal::broken(&error))??;
    Ok(HttpResponse::Created().json(made))
}
