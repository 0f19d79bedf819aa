//! The checks before every OneFile call: the token or the session, the counts, the call limit, the
//! fault switch.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};

use super::call::Call;
use super::environment::Environment;
use super::world::OneFile;
use crate::sandbox::faults::play::play;
use crate::sandbox::faults::{Faults, Kind};
use crate::sandbox::world::Shared;

/// The caller, the environment and the operation.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The customer token that the session was opened with.
    pub customer: String,
    pub environment: Environment,
    pub call: Call,
}

/// Middleware around all OneFile routes.
pub async fn gate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let place = Environment::ALL
        .into_iter()
        .find_map(|environment| Some((environment, request.path().strip_prefix(environment.base())?)));
    let (Some(shared), Some((environment, path))) = (request.app_data::<web::Data<Shared>>().cloned(), place)
    else {
        return Ok(request.into_response(HttpResponse::InternalServerError().finish()));
    };
    let call = Call::read(request.method(), path);
    let passed = {
        let world = &mut *shared.world();
        let name = if call == Some(Call::Authenticate) { "X-CustomerToken" } else { "X-TokenID" };
        let token = request.headers().get(name).and_then(|token| token.to_str().ok()).unwrap_or_default();
        pass(&mut world.onefile, &mut world.faults, environment, call, token)
    };
    match passed {
        Ok((caller, fault)) => {
            request.extensions_mut().insert(caller);
            play(fault, request, next).await
        }
        Err(answer) => Ok(request.into_response(answer)),
    }
}

fn pass(
    onefile: &mut OneFile,
    faults: &mut Faults,
    environment: Environment,
    call: Option<Call>,
    token: &str,
) -> Result<(Caller, Option<Kind>), HttpResponse> {
    let customer = if call == Some(Call::Authenticate) {
        if token == "disabled" {
            return Err(HttpResponse::Forbidden().finish());
        }
        Some(token).filter(|token| Environment::of_token(token) == Some(environment))
    } else {
        onefile.sessions.customer(token, environment, onefile.now())
    };
    let Some(customer) = customer.map(str::to_owned) else {
        onefile.counts.unauthorised += 1;
        return Err(HttpResponse::Unauthorized().finish());
    };
    // Calls to unknown paths count too, but only against the limit.
    let operation = call.as_ref().and_then(Call::operation);
    if let Some(operation) = operation {
        *onefile.counts.calls.entry(operation).or_default() += 1;
    }
    let now = onefile.instant();
    if let Some(most) = onefile.settings.calls_per_minute
        && let Err(wait) = onefile.limiter.admit(&customer, most, onefile.window, now)
    {
        onefile.counts.limited += 1;
        let mut answer = HttpResponse::TooManyRequests();
        if onefile.settings.retry_after {
            answer.insert_header((header::RETRY_AFTER, wait.to_string()));
        }
        return Err(answer.finish());
    }
    let (Some(call), Some(operation)) = (call, operation) else {
        return Err(HttpResponse::NotFound().finish());
    };
    Ok((Caller { customer, environment, call }, faults.meet("onefile", operation)))
}
