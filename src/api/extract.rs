//! Extractors for handlers: the caller, ids in the path, the body. Each returns its own problem if
//! the request does not have what it needs.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use chrono::NaiveDate;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use uuid::Uuid;

use super::State;
use super::body::{BODY_CAP, read};
use super::limits::Standing;
use super::params::Params;
use super::problem::{Code, Problem};
use super::request_context::{Admitted, Known, by, state};
use crate::auth::scope::{Needs, Scope};
use crate::auth::{AuthError, Principal};
use crate::domain::{Check, Fault, parse};
use crate::store::{By, Provider};

pub use super::body::{Body, ImportBody, LargeBody, OptionalBody, RecordBody};
pub use super::path_id::{DeliveryId, Id};

/// The caller, who has the scope that the handler needs.
#[derive(Debug)]
pub struct Caller<N> {
    pub principal: Arc<Principal>,
    by: By,
    needs: PhantomData<N>,
}

impl<N> Caller<N> {
    pub fn provider(&self) -> Uuid {
        self.principal.provider.id
    }

    /// The token's provider, including its name.
    pub fn whole_provider(&self) -> &Provider {
        &self.principal.provider
    }

    /// Requires one more scope, for handlers that know only now which one.
    pub fn needs(&self, scope: Scope) -> Result<(), Problem> {
        if self.principal.scopes.contains(scope) { Ok(()) } else { Err(Problem::scope_missing(&[scope])) }
    }

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
            // A handler that takes parameters checks them itself and reports all faults at once.
            // Only reads take parameters. An import with `?validateOnly=true` must be refused,
            // because it would be carried out.
            let reads = request.method() == Method::GET
                && state.routes.template_of(&request).is_none_or(|template| state.routes.asks(&template));
            if !reads && !request.query_string().is_empty() {
                Params::of(&request).done()?;
            }
            let by = by(&request, &state, &principal);
            admitted.cancel();
            // A body is also refused: a caller who names learners must not get a call on all
            // learners.
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

/// The body of a call that needs none. It can be left out.
#[derive(Deserialize, ToSchema)]
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

/// The principal of the request's token.
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
            // The owner of the token is known, so the audit records the attempt.
            request.extensions_mut().insert(Known(Arc::clone(&principal)));
            return Err(AuthError::Over(why, principal).into());
        }
        Err(error) => return Err(error.into()),
    };
    // Counts each request once, whichever extractor comes first.
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
