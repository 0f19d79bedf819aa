//! What handlers ask a request for: its caller, ids in its path, its body. Each answers with a problem of its own when
//! the request does not have it.

use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use chrono::NaiveDate;
use futures_util::StreamExt as _;
use futures_util::future::Either;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::State;
use super::address;
use super::limits::Standing;
use super::params::Params;
use super::problem::{Code, Problem};
use super::request::RequestId;
use crate::auth::scope::{Needs, Scope};
use crate::auth::{AuthError, Principal};
use crate::domain::{Broken, Check, Fault, LearnerId, OfficerId, OrganisationId, parse};
use crate::store::{By, Provider};

/// A record is a few kB; a list of ids for a bulk call is some 100.
const BODY_CAP: usize = 1024 * 1024;
/// A body that pauses for longer than this is not waited for, nor one that takes longer in all.
const SLOWEST_PART: Duration = Duration::from_secs(10);
const SLOWEST_BODY: Duration = Duration::from_mins(2);
/// 10,000 learners of 3 kB.
pub const IMPORT_CAP: usize = 32 * 1024 * 1024;

/// Whoever calls, with the scope that the handler needs.
#[derive(Debug)]
pub struct Caller<N> {
    /// The token's.
    pub principal: Arc<Principal>,
    by: By,
    needs: PhantomData<N>,
}

impl<N> Caller<N> {
    /// The token's provider.
    pub fn provider(&self) -> Uuid {
        self.principal.provider.id
    }

    /// The token's provider, with its name.
    pub fn whole_provider(&self) -> &Provider {
        &self.principal.provider
    }

    /// Asks for one more scope: which one is known only now.
    ///
    /// # Errors
    /// The token lacks it.
    pub fn needs(&self, scope: Scope) -> Result<(), Problem> {
        if self.principal.scopes.contains(scope) { Ok(()) } else { Err(Problem::scope_missing(&[scope])) }
    }

    /// For the audit.
    pub fn by(&self) -> By {
        self.by.clone()
    }
}

impl<N: Needs + 'static> FromRequest for Caller<N> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let admitted = CancellationToken::new();
        request.extensions_mut().insert(Admitted(admitted.clone()));
        let body = takes_none(&request).then(|| payload.take());
        Box::pin(async move {
            let state = state(&request)?;
            let principal = bearer(&request, &state).await?;
            if !N::ONE_OF.iter().any(|scope| principal.scopes.contains(*scope)) {
                return Err(Problem::scope_missing(N::ONE_OF));
            }
            // A handler that takes parameters looks at them itself, and tells all their faults at once. Only reads take any: whoever says
            // `?validateOnly=true` with an import must not be taken for one who says nothing.
            let reads = request.method() == Method::GET
                && state.routes.template_of(&request).is_none_or(|template| state.routes.asks(&template));
            if !reads && !request.query_string().is_empty() {
                Params::of(&request).done()?;
            }
            let by = by(&request, &state, &principal);
            admitted.cancel();
            // Nor must whoever names learners where all are taken.
            if let Some(payload) = body {
                let bytes = read(&request, payload, BODY_CAP).await?;
                if !bytes.iter().all(u8::is_ascii_whitespace) {
                    parse::parse::<Nothing>(&bytes, state.auth.clock().today()).map_err(Problem::faults)?;
                }
            }
            Ok(Self { principal, by, needs: PhantomData })
        })
    }
}

/// The body of a call that takes none: it may be left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Check for Nothing {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        Vec::new()
    }
}

fn takes_none(request: &HttpRequest) -> bool {
    let state = request.app_data::<web::Data<State>>().filter(|_| request.method() == Method::POST);
    state.is_some_and(|state| {
        state.routes.template_of(request).is_some_and(|template| state.routes.posts_nothing(&template))
    })
}

/// Who does it, for the audit.
pub fn by(request: &HttpRequest, state: &State, principal: &Principal) -> By {
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    By {
        actor: principal.actor(),
        request_id: Some(request_id),
        address: address::of(request, &state.proxies).map(|address| address.to_string()),
    }
}

/// Whose token the request carries.
///
/// # Errors
/// None, or none that is good.
pub async fn bearer(request: &HttpRequest, state: &State) -> Result<Arc<Principal>, Problem> {
    let Some(value) = request.headers().get("authorization") else {
        return Err(Problem::new(Code::Unauthenticated, "No token: send `Authorization: Bearer <token>`."));
    };
    let text = value.to_str().unwrap_or_default();
    let token = match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => {
            return Err(Problem::new(
                Code::Unauthenticated,
                "The Authorization header is not `Bearer <token>`.",
            ));
        }
    };
    let principal = match state.auth.verify(&state.store, token).await {
        Ok(principal) => principal,
        Err(AuthError::Over(why, principal)) => {
            // Whose it was is known: the audit tells that it was tried.
            request.extensions_mut().insert(Known(Arc::clone(&principal)));
            return Err(AuthError::Over(why, principal).into());
        }
        Err(error) => return Err(error.into()),
    };
    // Once a request, whoever asks first.
    let known = request.extensions_mut().insert(Arc::clone(&principal)).is_some();
    if !known {
        let counted = state.limits.count(principal.token_id);
        if let Ok(Some(standing)) | Err(standing) = counted {
            request.extensions_mut().insert(standing);
        }
        counted.map_err(Standing::problem)?;
    }
    Ok(principal)
}

/// Whose token it was that is not good any more.
#[derive(Clone, Debug)]
pub struct Known(pub Arc<Principal>);

/// Whether the caller is known to be allowed in; cancelled when it is. A handler's extractors run side by side, and a
/// token that is new here takes a while: without this a body would be read, and its faults told, before.
struct Admitted(CancellationToken);

/// Waits until the caller, which every handler that needs one asks for first, is allowed in. When it is not, this never
/// ends, and need not: the caller's own problem answers the request.
pub(super) fn admitted(request: &HttpRequest) -> impl Future<Output = ()> + use<> {
    let admitted = request.extensions().get::<Admitted>().map(|admitted| admitted.0.clone());
    async move {
        if let Some(admitted) = admitted {
            admitted.cancelled().await;
        }
    }
}

/// An id in the path.
#[derive(Debug)]
pub struct Id<T>(pub T);

/// An id that a path may carry.
pub trait PathId: Sized {
    /// The name of the path's parameter.
    const NAME: &'static str;
    /// Reads it.
    fn read(text: &str) -> Result<Self, Broken>;
}

macro_rules! path_ids {
    ($($id:ident $name:literal,)*) => {$(
        impl PathId for $id {
            const NAME: &'static str = $name;
            fn read(text: &str) -> Result<Self, Broken> {
                Self::parse(text)
            }
        }
    )*};
}
path_ids! { LearnerId "learnerId", OfficerId "officerId", OrganisationId "organisationId", }

/// An id of ours.
impl PathId for Uuid {
    const NAME: &'static str = "id";
    fn read(text: &str) -> Result<Self, Broken> {
        Self::parse_str(text)
            .map_err(|_| Broken { code: "invalidId", message: "Send an id as it was answered." })
    }
}

/// A delivery of a webhook's.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryId(pub Uuid);

impl PathId for DeliveryId {
    const NAME: &'static str = "deliveryId";
    fn read(text: &str) -> Result<Self, Broken> {
        Uuid::read(text).map(Self)
    }
}

impl<T: PathId> FromRequest for Id<T> {
    type Error = Problem;
    type Future = Either<Ready<Result<Self, Problem>>, Pin<Box<dyn Future<Output = Result<Self, Problem>>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        match T::read(request.match_info().query(T::NAME)) {
            Ok(id) => Either::Left(ready(Ok(Self(id)))),
            Err(broken) => {
                let admitted = admitted(request);
                Either::Right(Box::pin(async move {
                    admitted.await;
                    let fault = Fault::in_parameter(T::NAME, broken.code, broken.message);
                    Err(Problem::parameters(vec![fault]))
                }))
            }
        }
    }
}

/// A JSON body, parsed and checked.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + Check + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = json(request, payload, BODY_CAP, false);
        Box::pin(async move { read.await.map(Self) })
    }
}

/// A JSON body of an import's size, parsed and checked.
#[derive(Debug)]
pub struct LargeBody<T>(pub T);

impl<T: DeserializeOwned + Check + 'static> FromRequest for LargeBody<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = json(request, payload, IMPORT_CAP, false);
        Box::pin(async move { read.await.map(Self) })
    }
}

/// A JSON body that may be left out: then it is `{}`.
#[derive(Debug)]
pub struct OptionalBody<T>(pub T);

impl<T: DeserializeOwned + Check + 'static> FromRequest for OptionalBody<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = json(request, payload, BODY_CAP, true);
        Box::pin(async move { read.await.map(Self) })
    }
}

/// Reads, parses and checks a JSON body; one that may be empty is `{}` then.
fn json<T: DeserializeOwned + Check>(
    request: &HttpRequest,
    payload: &mut Payload,
    cap: usize,
    may_be_empty: bool,
) -> impl Future<Output = Result<T, Problem>> + use<T> {
    let (request, payload) = (request.clone(), payload.take());
    let admitted = admitted(&request);
    async move {
        admitted.await;
        let state = state(&request)?;
        // What is of another type is refused before it is read.
        if !may_be_empty {
            content_type(&request, &["application/json"])?;
        }
        let mut bytes = read(&request, payload, cap).await?;
        if may_be_empty && bytes.iter().all(u8::is_ascii_whitespace) {
            bytes = Bytes::from_static(b"{}");
        } else {
            content_type(&request, &["application/json"])?;
        }
        parse::parse(&bytes, state.auth.clock().today()).map_err(Problem::faults)
    }
}

/// A record's JSON body, unread: what is wrong with it depends on the path's id.
#[derive(Debug)]
pub struct RecordBody(pub Bytes);

impl FromRequest for RecordBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        let admitted = admitted(&request);
        Box::pin(async move {
            admitted.await;
            content_type(&request, &["application/json"])?;
            read(&request, payload, BODY_CAP).await.map(Self)
        })
    }
}

/// The records of an import, unread: JSON, or a line each.
#[derive(Debug)]
pub struct ImportBody {
    /// As it came.
    pub bytes: Bytes,
    /// One record a line.
    pub lines: bool,
}

impl FromRequest for ImportBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        let admitted = admitted(&request);
        Box::pin(async move {
            admitted.await;
            let kind = content_type(&request, &["application/json", "application/x-ndjson"])?;
            let bytes = read(&request, payload, IMPORT_CAP).await?;
            Ok(Self { bytes, lines: kind == "application/x-ndjson" })
        })
    }
}

/// The state of the app that serves the request.
fn state(request: &HttpRequest) -> Result<web::Data<State>, Problem> {
    request
        .app_data::<web::Data<State>>()
        .cloned()
        .ok_or_else(|| Problem::new(Code::Internal, "The service is not ready."))
}

fn content_type(request: &HttpRequest, allowed: &[&'static str]) -> Result<&'static str, Problem> {
    let given = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim();
    allowed.iter().copied().find(|own| own.eq_ignore_ascii_case(kind)).ok_or_else(|| {
        Problem::new(
            Code::UnsupportedMediaType,
            format!("Send the body with `Content-Type: {}`.", allowed.join("` or `")),
        )
    })
}

/// The whole body, for a middleware that must know it.
///
/// # Errors
/// It is too large, or breaks off.
pub async fn read_whole(request: &HttpRequest, payload: Payload, cap: usize) -> Result<Bytes, Problem> {
    read(request, payload, cap).await
}

async fn read(request: &HttpRequest, payload: Payload, cap: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            Code::PayloadTooLarge,
            format!("The body is larger than the {} MiB that this call takes.", cap / 1024 / 1024),
        )
    };
    let announced =
        request.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > cap) {
        return Err(too_large());
    }
    let mut bytes = BytesMut::with_capacity(announced.unwrap_or(0));
    let mut payload = payload;
    let ends = tokio::time::Instant::now() + SLOWEST_BODY;
    loop {
        // Whoever sends a byte now and then holds a connection, and is not waited for.
        let next =
            tokio::time::timeout_at(ends.min(tokio::time::Instant::now() + SLOWEST_PART), payload.next());
        let Some(chunk) =
            next.await.map_err(|_| Problem::new(Code::BodyTooSlow, Code::BodyTooSlow.about()))?
        else {
            break;
        };
        let chunk =
            chunk.map_err(|_| Problem::new(Code::MalformedJson, "The body broke off before its end."))?;
        if bytes.len() + chunk.len() > cap {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}
