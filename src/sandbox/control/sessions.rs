//! `/control/sessions`: OneFile's sessions.

use actix_web::{HttpResponse, post, web};

use crate::sandbox::world::Shared;

/// End all sessions of OneFile's
///
/// Of all customers, at once, as after 24 hours: the next call of each is answered 401. `clockAheadSeconds` in the
/// settings makes them end by themselves.
#[utoipa::path(tag = "onefile", responses((status = 204)))]
#[post("/control/sessions:end")]
pub async fn end(shared: web::Data<Shared>) -> HttpResponse {
    shared.world().onefile.sessions.end_all();
    HttpResponse::NoContent().finish()
}
