//! `/control/learners`: what happens to a learner in OneFile's own pages.

use actix_web::web::{self, Bytes};
use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::problem::{Problem, Refusal, optional};
use crate::sandbox::onefile::body;
use crate::sandbox::onefile::fields;
use crate::sandbox::onefile::kind::Kind;
use crate::sandbox::onefile::lifecycle;
use crate::sandbox::onefile::record::Record;
use crate::sandbox::onefile::references::LEARNER;
use crate::sandbox::onefile::world::Desk;
use crate::sandbox::world::Shared;

/// What happens to a learner. Without any value: the usual next step.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Progress {
    /// The learning aim to change; all by default.
    aim_id: Option<u64>,
    /// Fields of the learning aims by OneFile's names; `null` removes a value.
    #[schema(value_type = Option<Object>, examples(json!({"Progress": 45, "ElementsDone": 9, "RegistrationNumber": "R1"})))]
    aim: Option<Map<String, Value>>,
    /// The review to change; all by default.
    review_id: Option<u64>,
    /// Fields of the reviews by OneFile's names.
    #[schema(value_type = Option<Object>, examples(json!({"StartedOn": "2025-10-14T09:05:00.000Z"})))]
    review: Option<Map<String, Value>>,
    /// A new review by OneFile's names. By default its assessor is the learner's own.
    #[schema(value_type = Option<Object>, examples(json!({"ScheduledFor": "2026-01-14T09:00:00.000Z"})))]
    new_review: Option<Map<String, Value>>,
}

/// The learner after the change, by OneFile's names.
#[derive(Serialize, ToSchema)]
pub struct Learner {
    #[schema(value_type = Object)]
    user: Value,
    #[schema(value_type = Vec<Object>)]
    aims: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    reviews: Vec<Value>,
}

/// Move a learner on
///
/// Without a body, each learning aim advances by ten percent, and the first review that was not
/// held is held. A setting decides whether the learner's `LastModified` changes.
#[utoipa::path(
    tag = "onefile",
    params(("id" = u64, Path, description = "OneFile's id of the user")),
    request_body(content = Option<Progress>),
    responses(
        (status = 200, body = Learner), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)
    )
)]
#[post("/control/learners/{id:[0-9]+}:progress")]
pub async fn progress(
    shared: web::Data<Shared>,
    id: web::Path<u64>,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    let asked: Progress = optional(&body)?;
    let mut world = shared.world();
    let mut desk = world.onefile.desk_with(*id).ok_or_else(|| Refusal::no_record(*id))?;
    desk.books.user(*id, LEARNER).ok_or_else(|| Refusal::no_record(*id))?;
    if asked.aim.is_none() && asked.review.is_none() && asked.new_review.is_none() {
        lifecycle::step(&mut desk, *id);
    }
    // Validate everything before changing anything.
    let aim = asked.aim.map(|sent| typed(sent, Kind::LearningAim)).transpose()?;
    let review = asked.review.map(|sent| typed(sent, Kind::Review)).transpose()?;
    let new_review = asked.new_review.map(|sent| typed(sent, Kind::Review)).transpose()?;
    let aims = owned(&desk, *id, Kind::LearningAim, asked.aim_id)?;
    let reviews = owned(&desk, *id, Kind::Review, asked.review_id)?;
    if let Some(fields) = aim {
        lifecycle::set(&mut desk, aims, &fields);
    }
    if let Some(fields) = review {
        lifecycle::set(&mut desk, reviews, &fields);
    }
    if let Some(fields) = new_review {
        lifecycle::review(&mut desk, *id, fields);
    }
    let shown = |kind| desk.books.owned(*id, kind).map(|record| record.detail(desk.settings)).collect();
    let user = desk.books.find(*id).map(|user| user.detail(desk.settings)).unwrap_or_default();
    Ok(HttpResponse::Ok().json(Learner {
        user,
        aims: shown(Kind::LearningAim),
        reviews: shown(Kind::Review),
    }))
}

/// The fields in OneFile's types. The owner of a record cannot be changed.
fn typed(sent: Map<String, Value>, kind: Kind) -> Result<Map<String, Value>, Refusal> {
    let mut fields = body::typed(sent, fields::of(kind)).map_err(|fault| Refusal::invalid(&fault))?;
    fields.retain(|name, _| Record::owner_field(kind) != Some(name));
    Ok(fields)
}

fn owned(desk: &Desk, learner: u64, kind: Kind, only: Option<u64>) -> Result<Vec<Record>, Refusal> {
    let records: Vec<Record> = desk
        .books
        .owned(learner, kind)
        .filter(|record| only.is_none_or(|id| record.id == id))
        .cloned()
        .collect();
    match only {
        Some(id) if records.is_empty() => Err(Refusal::no_record(id)),
        _ => Ok(records),
    }
}
