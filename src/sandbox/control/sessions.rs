//! `/control/sessions`: OneFile's sessions.

use actix_web::{HttpResponse, post, web};

use crate::sandbox::world::Shared;

/// End all OneFile sessions
///
/// Ends the sessions of all customers at once, as after 24 hours. The next call of each is answered
/// with 401. With the setting `clockAheadSeconds` they end by themselves.
#[utoipa::path(tag = "onefile", responses((status = 204)))]
#[post("/control/sessions:end")]
pub async fn end(shared: web::Data<Shared>) -> HttpResponse {
    shared.world().onefile.sessions.end_all();
    HttpResponse::NoContent().finish()
}
