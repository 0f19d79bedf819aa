//! `/control/users`: what a centre manager does to users in OneFile's own pages.

use actix_web::web::{self, Bytes, Json};
use actix_web::{HttpResponse, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::onefile::OneFileRecord;
use super::problem::{Problem, Refusal, optional};
use crate::sandbox::onefile::kind::Kind;
use crate::sandbox::onefile::lifecycle;
use crate::sandbox::onefile::world::Desk;
use crate::sandbox::world::{Shared, World};

/// Whether to archive or to restore.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Archive {
    /// `true` archives the user, `false` restores the user.
    archived: bool,
}

impl Default for Archive {
    fn default() -> Self {
        Self { archived: true }
    }
}

/// The user that stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Merge {
    /// The id of the user who stays.
    into: u64,
}

fn desk(world: &mut World, id: u64) -> Result<Desk<'_>, Refusal> {
    let desk = world.onefile.desk_with(id).filter(|desk| desk.books.get(Kind::User, id).is_some());
    desk.ok_or_else(|| Refusal::no_record(id))
}

/// Archive a user, or restore one
#[utoipa::path(
    tag = "onefile",
    params(("id" = u64, Path, description = "OneFile's id of the user")),
    request_body(content = Option<Archive>),
    responses((status = 200, body = OneFileRecord), (status = 400, body = Problem), (status = 404, body = Problem))
)]
#[post("/control/users/{id:[0-9]+}:archive")]
pub async fn archive(
    shared: web::Data<Shared>,
    id: web::Path<u64>,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    let asked: Archive = optional(&body)?;
    let mut world = shared.world();
    let mut desk = desk(&mut world, *id)?;
    lifecycle::archive(&mut desk, *id, asked.archived, &serde_json::Map::new());
    let user = desk.books.find(*id).map(OneFileRecord::from);
    Ok(HttpResponse::Ok().json(user))
}

/// Delete a user with all its records
#[utoipa::path(
    tag = "onefile",
    params(("id" = u64, Path, description = "OneFile's id of the user")),
    responses((status = 204), (status = 404, body = Problem))
)]
#[post("/control/users/{id:[0-9]+}:remove")]
pub async fn remove(shared: web::Data<Shared>, id: web::Path<u64>) -> Result<HttpResponse, Refusal> {
    let mut world = shared.world();
    lifecycle::remove(&mut desk(&mut world, *id)?, *id);
    Ok(HttpResponse::NoContent().finish())
}

/// Merge a user into another one
///
/// All records and references of the first user move to the other one. The first user is deleted.
#[utoipa::path(
    tag = "onefile",
    params(("id" = u64, Path, description = "OneFile's id of the user who goes")),
    responses(
        (status = 200, body = OneFileRecord), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)
    )
)]
#[post("/control/users/{id:[0-9]+}:merge")]
pub async fn merge(
    shared: web::Data<Shared>,
    id: web::Path<u64>,
    asked: Json<Merge>,
) -> Result<HttpResponse, Refusal> {
    let mut world = shared.world();
    let mut desk = desk(&mut world, *id)?;
    let from = desk.books.find(*id).map(|user| (user.centre, user.whole("Role")));
    let into = desk.books.get(Kind::User, asked.into).ok_or_else(|| Refusal::no_record(asked.into))?;
    if into.id == *id || from != Some((into.centre, into.whole("Role"))) {
        return Err(Refusal::invalid(&"take another user of the same organisation and role"));
    }
    lifecycle::merge(&mut desk, *id, asked.into);
    let user = desk.books.find(asked.into).map(OneFileRecord::from);
    Ok(HttpResponse::Ok().json(user))
}
