//! The checks before every ACE360 call: the token, the counts, the call limit, the fault switch.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};
use serde_json::json;

use super::BASE;
use crate::sandbox::faults::play::play;
use crate::sandbox::world::Shared;

/// The caller's organisation, named by its token.
#[derive(Debug, Clone)]
pub struct Caller(pub String);

/// Middleware around all ACE360 routes.
pub async fn gate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(shared) = request.app_data::<web::Data<Shared>>().cloned() else {
        return Ok(request.into_response(HttpResponse::InternalServerError().finish()));
    };
    let token = bearer(&request).unwrap_or_default().to_owned();
    if token == "disabled" {
        let answer = json!({ "message": "ACE360 Connect is not enabled for this organisation." });
        return Ok(request.into_response(HttpResponse::Forbidden().json(answer)));
    }
    if token != "sandbox" && token.strip_prefix("sandbox-").is_none_or(str::is_empty) {
        shared.world().counts.unauthorised += 1;
        let answer = json!({ "message": "Unauthenticated." });
        return Ok(request.into_response(HttpResponse::Unauthorized().json(answer)));
    }
    let fault = {
        let mut world = shared.world();
        let world = &mut *world;
        let operation = operation(request.method(), request.path());
        if let Some(operation) = operation {
            *world.counts.calls.entry(operation).or_default() += 1;
        }
        let limit = world.settings.calls_per_minute;
        let window = world.settings.window;
        if let Some(Err(wait)) = limit.map(|most| world.limiter.admit(&token, most, window, Instant::now())) {
            world.counts.limited += 1;
            let mut answer = HttpResponse::TooManyRequests();
            let answer = answer.insert_header((header::RETRY_AFTER, wait.to_string()));
            return Ok(request.into_response(answer.json(json!({ "message": "Too Many Attempts." }))));
        }
        operation.and_then(|operation| world.faults.meet("ace360", operation))
    };
    request.extensions_mut().insert(Caller(token));
    play(fault, request, next).await
}

fn bearer(request: &ServiceRequest) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn operation(method: &Method, path: &str) -> Option<&'static str> {
    let path = path.strip_prefix(BASE)?;
    match (method, path.trim_matches('/').split_once('/')) {
        (&Method::GET, Some(("apprentices", _))) => Some("getApprentice"),
        (&Method::GET, Some(("standards", _))) => Some("getStandard"),
        (_, Some(_)) => None,
        (method, None) => match (method, path.trim_matches('/')) {
            (&Method::GET, "apprentices") => Some("listApprentices"),
            (&Method::POST, "apprentices") => Some("createApprentice"),
            (&Method::GET, "standards") => Some("listStandards"),
            _ => None,
        },
    }
}
