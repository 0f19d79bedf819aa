//! One handler for all calls that passed the gate, which has read the path already.

use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, web};

use super::answer::Answer;
use super::body;
use super::call::Call;
use super::environment::Environment;
use super::gate::{Caller, gate};
use super::operations::answer;
use crate::sandbox::world::Shared;

/// The routes of all environments.
pub fn routes(config: &mut web::ServiceConfig) {
    for environment in Environment::ALL {
        let scope = web::scope(environment.base()).wrap(from_fn(gate));
        config.service(scope.default_service(web::to(handle)));
    }
}

async fn handle(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    request: HttpRequest,
    sent: web::Bytes,
) -> HttpResponse {
    let onefile = &mut shared.world().onefile;
    if caller.call == Call::Authenticate {
        let now = onefile.now();
        let session = onefile.sessions.open(&caller.customer, caller.environment, now);
        return if onefile.settings.session_as_json {
            HttpResponse::Ok().json(session)
        } else {
            HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(session)
        };
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    match body::read(kind.unwrap_or_default(), &sent) {
        Ok(sent) => answer(&mut onefile.desk(&caller.customer), &caller.call, sent).into(),
        Err(message) => Answer::Refused(message).into(),
    }
}
