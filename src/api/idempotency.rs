//! `Idempotency-Key`: the same call made again does nothing again, and is answered as it was. What did nothing (a refusal, a failure)
//! is not kept: the same key may be used once it is fixed.
//!
//! A process may die between doing and keeping the answer. Then the call is done again when its claim has run out, which does nothing
//! twice all the same: what is sent upstream is an intent, a run or a webhook gets the id that the key holds, records and links are what
//! they were.

use actix_web::body::{BoxBody, EitherBody, MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, web};
use aws_lc_rs::digest::{Context, SHA256, digest};
use std::time::Duration;
use tracing::error;
use uuid::Uuid;

use super::State;
use super::body::{IMPORT_CAP, read};
use super::extract::bearer;
use super::problem::{Code, Problem};
use crate::domain::Fault;
use crate::store::{KeptAnswer, KeyState, Keyed, Store};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Longer than any call waits.
const LEASE: Duration = Duration::from_mins(2);
const LONGEST: usize = 255;
/// Headers that belong to an answer.
const KEPT: [HeaderName; 3] = [LOCATION, CONTENT_TYPE, ETAG];

/// The id for what the call makes.
#[derive(Clone, Copy, Debug)]
pub struct DerivedId(pub Uuid);

/// An answer that shows a secret this once. A handler puts it into its response's extensions.
#[derive(Clone, Copy, Debug)]
pub struct ShownOnce;

/// The id for what the call makes: the key's, or a new one.
pub fn id_for(request: &HttpRequest) -> Uuid {
    request.extensions().get::<DerivedId>().map_or_else(crate::store::new_id, |id| id.0)
}

/// Wraps every request; only POSTs with a key are looked at.
///
/// # Errors
/// The key is none, belongs to another call, or to one that is under way; no token.
pub async fn around<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let Some(key) = request.headers().get(&KEY).cloned().filter(|_| request.method() == Method::POST) else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let answered = match keyed(&mut request, &key).await {
        Ok(Some(answered)) => answered,
        Ok(None) => return Ok(next.call(request).await?.map_into_left_body()),
        Err(problem) => return Ok(request.error_response(problem).map_into_right_body()),
    };
    let (store, keyed, claim) = match answered {
        Known::Again(response) => return Ok(request.into_response(response).map_into_right_body()),
        Known::Ours(store, keyed, claim) => (store, keyed, claim),
    };
    let held = Held { store: store.clone(), claim, kept: false };
    let response = next.call(request).await?;
    keep(held, &store, &keyed, response).await
}

/// What a key means for its call.
enum Known {
    /// It is answered as it was.
    Again(HttpResponse),
    /// It is to be done.
    Ours(Store, Box<Keyed>, Uuid),
}

/// `None`: there is no such path, which answers for itself.
async fn keyed(request: &mut ServiceRequest, key: &HeaderValue) -> Result<Option<Known>, Problem> {
    let Some(state) = request.app_data::<web::Data<State>>().cloned() else { return Ok(None) };
    let Some(pattern) = state.routes.template_of(request.request()) else { return Ok(None) };
    // Whose key it is, its token says; what it may do, the handler looks at.
    let Ok(principal) = bearer(request.request(), &state).await else { return Ok(None) };
    let text = key.to_str().ok().filter(|text| (1..=LONGEST).contains(&text.len()));
    let text = text.ok_or_else(|| {
        let message = format!("Send 1 to {LONGEST} visible ASCII characters: a UUID, say.");
        Problem::parameters(vec![Fault::in_parameter(KEY.as_str().to_owned(), "invalidKey", message)])
    })?;
    let payload = request.take_payload();
    let body = read(request.request(), payload, IMPORT_CAP).await?;
    let mut asked = Context::new(&SHA256);
    for part in [request.path().as_bytes(), b"?", request.query_string().as_bytes(), b"\n", &body] {
        asked.update(part);
    }
    let learner = request.match_info().get("learnerId").map(str::to_owned);
    let many = pattern.contains(":import") || pattern.starts_with("/intents") || pattern.ends_with(":resend");
    let keyed = Keyed {
        provider: principal.provider.id,
        token: principal.token_id,
        key_hash: digest(&SHA256, text.as_bytes()).as_ref().to_vec(),
        request_hash: asked.finish().as_ref().to_vec(),
        about: learner.or_else(|| many.then(|| "*".to_owned())),
    };
    request.set_payload(Payload::from(body));
    Ok(Some(match state.store.claim_key(&keyed, LEASE).await? {
        KeyState::Ours { claim, derived_id } => {
            request.extensions_mut().insert(DerivedId(derived_id));
            Known::Ours(state.store.clone(), Box::new(keyed), claim)
        }
        KeyState::Done(answer) => Known::Again(again(&answer)),
        KeyState::Secret => return Err(Problem::new(Code::SecretShownOnce, Code::SecretShownOnce.about())),
        KeyState::InFlight => {
            return Err(Problem::new(
                Code::IdempotencyInFlight,
                "A call with this Idempotency-Key is under way: ask again in a moment.",
            )
            .with_retry_after(Duration::from_secs(1)));
        }
        KeyState::OtherRequest => {
            return Err(Problem::new(Code::IdempotencyKeyReused, Code::IdempotencyKeyReused.about()));
        }
    }))
}

fn again(answer: &KeptAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    for (name, value) in &answer.headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    response.insert_header((REPLAYED, "true")).body(answer.body.clone())
}

/// A claim that is given back when whoever asked goes away.
struct Held {
    store: Store,
    claim: Uuid,
    kept: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.kept {
            let (store, claim) = (self.store.clone(), self.claim);
            actix_web::rt::spawn(async move {
                if let Err(error) = store.release_key(claim).await {
                    error!(%error, "an idempotency key could not be given back; it is when its claim runs out");
                }
            });
        }
    }
}

async fn keep<B: MessageBody + 'static>(
    mut held: Held,
    store: &Store,
    keyed: &Keyed,
    response: ServiceResponse<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    if !response.status().is_success() {
        // Nothing was done: with the same key it may be tried again. Given back before it is answered, so that it can be at once.
        held.kept = true;
        if response.status().is_client_error() {
            // A call that was refused has not used its key: the corrected one may have it.
            store.forget_key(held.claim).await.map_err(Problem::from)?;
        } else {
            store.release_key(held.claim).await.map_err(Problem::from)?;
        }
        return Ok(response.map_into_left_body());
    }
    let secret = response.response().extensions().get::<ShownOnce>().is_some();
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let body =
        to_bytes(body).await.map_err(|_| Problem::new(Code::Internal, "The answer could not be read."))?;
    let status = head.status().as_u16();
    let headers = KEPT.iter().filter_map(|name| {
        let value = head.headers().get(name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    let answer =
        KeptAnswer { status, headers: headers.collect(), body: String::from_utf8_lossy(&body).into_owned() };
    store
        .keep_answer(keyed, held.claim, status, (!secret).then_some(&answer))
        .await
        .map_err(Problem::from)?;
    held.kept = true;
    let response = head.set_body(body).map_into_boxed_body();
    Ok(ServiceResponse::new(request, response).map_into_right_body())
}
