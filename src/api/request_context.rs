//! What middleware and extractors know of a request that is under way: its id, its caller, and whether
//! the caller is allowed in.

use std::future::Future;
use std::sync::Arc;

use actix_web::{HttpMessage as _, HttpRequest, web};
use tokio_util::sync::CancellationToken;

use super::State;
use super::address;
use super::problem::{Code, Problem};
use crate::auth::Principal;
use crate::store::By;

/// The request's id: the caller's, or one of ours.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The principal of a token that is no longer good.
#[derive(Clone, Debug)]
pub struct Known(pub Arc<Principal>);

/// Cancelled when the caller is allowed in. A handler's extractors run side by side, and a token that is
/// new here takes a while: without this a body would be read, and its faults reported, to a stranger.
pub(super) struct Admitted(pub(super) CancellationToken);

/// Waits until the caller is allowed in. Every handler that needs one extracts it first. Where the
/// caller is refused this never ends, and need not: that refusal answers the request.
pub(super) fn admitted(request: &HttpRequest) -> impl Future<Output = ()> + use<> {
    let admitted = request.extensions().get::<Admitted>().map(|admitted| admitted.0.clone());
    async move {
        if let Some(admitted) = admitted {
            admitted.cancelled().await;
        }
    }
}

/// Who acts, for the audit.
pub fn by(request: &HttpRequest, state: &State, principal: &Principal) -> By {
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    By {
        actor: principal.actor(),
        request_id: Some(request_id),
        address: address::of(request, &state.proxies).map(|address| address.to_string()),
    }
}

/// The state of the app that serves the request.
pub(super) fn state(request: &HttpRequest) -> Result<web::Data<State>, Problem> {
    request
        .app_data::<web::Data<State>>()
        .cloned()
        .ok_or_else(|| Problem::new(Code::Internal, "The service is not ready."))
}
