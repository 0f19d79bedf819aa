//! Why a token is refused.

use std::sync::Arc;
use std::time::Duration;

use super::principal::Principal;
use crate::store::StoreError;

/// Revocations older than this are not trusted: better no answer than one to a revoked token.
pub(super) const STALE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Not a token of ours, or not any more; the word says which, for the caller.
    #[error("{0}")]
    Invalid(&'static str),
    /// It was one, and is not any more: it has expired or was revoked.
    #[error("{0}")]
    Over(&'static str, Arc<Principal>),
    /// The trusted issuer's keys could never be read.
    #[error("the trusted issuer's keys could not be read")]
    Keyless,
    /// The revocations could not be read lately.
    #[error("revocations could not be read for {}s", STALE.as_secs())]
    Stale,
    #[error(transparent)]
    Store(#[from] StoreError),
}
