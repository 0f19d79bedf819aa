//! What happens to every request, whatever its handler: an id, one log line, metrics by its route, and problems made
//! whole with the path and the id.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, web};
use tracing::{error, info};
use uuid::Uuid;

use super::State;
use super::limits::Standing;
use super::problem::{Code, Problem};
use super::refusals::is_worth_a_line;
use super::request_context::{Known, RequestId, by};
use crate::auth::Principal;
use crate::domain::LearnerId;
use crate::store::RefusedCall;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The parameters of paths that say on whom.
const SUBJECTS: [(&str, &str); 3] =
    [("learnerId", "learner"), ("officerId", "officer"), ("organisationId", "organisation")];

/// Wraps every request.
///
/// # Errors
/// None: errors of the inside become answers here.
pub async fn around<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let started = Instant::now();
    let id = request_id(&request);
    request.extensions_mut().insert(RequestId(id.clone()));
    let path = request.path().to_owned();
    // By the matched route: a path holds ids, and would make a metric of each.
    let state = request.app_data::<web::Data<State>>();
    let route = state.and_then(|state| state.routes.template_of(request.request()));
    let route = route.map_or_else(|| "unmatched".to_owned(), Cow::into_owned);
    let method = request.method().clone();
    let public_url = state.map(|state| state.public_url.clone()).unwrap_or_default();
    // The request must not be cloned before it is routed: actix wants it for itself.
    let mut response = match next.call(request).await {
        Ok(response) => match response.response().error().map(whole) {
            Some(problem) => {
                refused(response.request(), &route, problem.code).await;
                response.into_response(problem.response(&public_url, &path, &id)).map_into_right_body()
            }
            None => response.map_into_left_body(),
        },
        // From a middleware within; handlers' and extractors' errors are answers by now.
        Err(error) => return Err(whole(&error).placed(&path, &id).into()),
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let standing = response.request().extensions().get::<Standing>().copied();
    if let Some(standing) = standing {
        standing.tell(response.headers_mut());
    }
    guard(&path, public_url.starts_with("https:"), response.headers_mut());
    let status = response.status().as_u16();
    let seconds = started.elapsed().as_secs_f64();
    metrics::histogram!("picsbridge_request_seconds", "method" => label(&method), "route" => route.clone(), "status" => status.to_string())
        .record(seconds);
    let token = response.request().extensions().get::<Arc<Principal>>().map(|principal| principal.token_id);
    // Ids only: the route's pattern instead of the path, since an id in it may be a person's.
    info!(
        target: "picsbridge::request",
        method = label(&method),
        route,
        status,
        duration_ms = started.elapsed().as_millis(),
        request_id = id,
        token = token.map(tracing::field::display),
        "request"
    );
    Ok(response)
}

/// Callers may invent methods, and each would be a metric of its own.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::PUT => "PUT",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Writes a refusal that is worth it into the audit, before it is answered.
async fn refused(request: &HttpRequest, route: &str, code: Code) {
    if !is_worth_a_line(request.method(), code) {
        return;
    }
    let known = request.extensions().get::<Known>().map(|known| Arc::clone(&known.0));
    let who = known.or_else(|| request.extensions().get::<Arc<Principal>>().cloned());
    let (Some(who), Some(state)) = (who, request.app_data::<web::Data<State>>().cloned()) else { return };
    let by = by(request, &state, &who);
    let named = |name: &str| request.match_info().get(name).map(str::to_owned);
    // An id that is none may say anything, and stays out.
    let record = |(name, kind): (&str, &str)| {
        named(name).filter(|id| LearnerId::parse(id).is_ok()).map(|id| (kind.to_owned(), id))
    };
    let own = || {
        let id = named("id").filter(|id| Uuid::parse_str(id).is_ok())?;
        let kind = route.split("/{id}").next()?.rsplit('/').next()?;
        Some((kind.trim_end_matches('s').to_owned(), id))
    };
    let subject = SUBJECTS.into_iter().find_map(record).or_else(own);
    let call = RefusedCall {
        action: format!("{} {route}", label(request.method())),
        code: code.as_str().to_owned(),
        subject,
        calls: 1,
    };
    state.refusals.tell(&state.store, &who, call, &by).await;
}

/// What browsers should make of an answer. The page of the document needs its own scripts, and styles that are written in it.
fn guard(path: &str, https: bool, headers: &mut HeaderMap) {
    const PAGE: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    const DATA: &str = "default-src 'none'; frame-ancestors 'none'";
    let policy = if path.starts_with("/docs/") { PAGE } else { DATA };
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    // Records are not for caches; the page's own files may stay in them.
    if !path.starts_with("/docs/") && !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Any error as a problem: ours as they are; actix's own (a path that is not UTF-8, a query that cannot be read) by
/// their status.
fn whole(error: &Error) -> Problem {
    if let Some(problem) = error.as_error::<Problem>() {
        return problem.clone();
    }
    let status = error.as_response_error().status_code().as_u16();
    let code = match status {
        404 => Code::NotFound,
        405 => Code::MethodNotAllowed,
        408 => Code::BodyTooSlow,
        413 => Code::PayloadTooLarge,
        415 => Code::UnsupportedMediaType,
        400..=499 => Code::InvalidParameter,
        _ => {
            error!(%error, "an error that nobody mapped");
            Code::Internal
        }
    };
    Problem::new(code, code.about())
}

fn request_id(request: &ServiceRequest) -> String {
    request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| {
            (1..=64).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        })
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// The answer to a path that no handler has: 405 when another method has it.
pub async fn nowhere(request: HttpRequest, state: web::Data<State>) -> Problem {
    match state.routes.methods_of(request.path()) {
        Some(methods) => Problem::new(
            Code::MethodNotAllowed,
            format!("{} is not for this path; it has {methods}.", request.method()),
        )
        .with_allow(methods),
        None => Problem::new(Code::NotFound, "There is no such path. `/docs/` lists those that there are."),
    }
}

impl actix_web::Responder for Problem {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> actix_web::HttpResponse {
        actix_web::HttpResponse::from_error(self)
    }
}
