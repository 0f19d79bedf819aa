//! What middleware and extractors know about the current request: its id, its caller, and whether
//! the caller is admitted.

use std::future::Future;
use std::sync::Arc;

use actix_web::{HttpMessage as _, HttpRequest, web};
use tokio_util::sync::CancellationToken;

use super::State;
use super::address;
use super::problem::{Code, Problem};
use crate::auth::Principal;
use crate::store::By;

/// The request's id: the caller's, or a new one.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The principal of a token that is no longer valid.
#[derive(Clone, Debug)]
pub struct Known(pub Arc<Principal>);

/// Cancelled when the caller is admitted. A handler's extractors run concurrently, and verifying an
/// unknown token takes a while. Without this, a stranger's body would be read and its faults
/// reported.
pub(super) struct Admitted(pub(super) CancellationToken);

/// Waits until the caller is admitted. Every extractor that depends on it awaits it first. If the
/// caller is refused, this never completes, because the refusal answers the request.
pub(super) fn admitted(request: &HttpRequest) -> impl Future<Output = ()> + use<> {
    let admitted = request.extensions().get::<Admitted>().map(|admitted| admitted.0.clone());
    async move {
        if let Some(admitted) = admitted {
            admitted.cancelled().await;
        }
    }
}

/// The actor for the audit.
pub fn by(request: &HttpRequest, state: &State, principal: &Principal) -> By {
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    By {
        actor: principal.actor(),
        request_id: Some(request_id),
        address: address::of(request, &state.proxies).map(|address| address.to_string()),
    }
}

pub(super) fn state(request: &HttpRequest) -> Result<web::Data<State>, Problem> {
    request
        .app_data::<web::Data<State>>()
        .cloned()
        .ok_or_else(|| Problem::new(Code::Internal, "The service is not ready."))
}
