//! The reasons for which a token is refused.

use std::sync::Arc;
use std::time::Duration;

use super::principal::Principal;
use crate::store::StoreError;

/// Older revocation data is not trusted: no response is better than one to a revoked token.
pub(super) const STALE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Not a valid token of this service or the trusted issuer. The text tells the caller why.
    #[error("{0}")]
    Invalid(&'static str),
    /// A known token that has expired or was revoked.
    #[error("{0}")]
    Over(&'static str, Arc<Principal>),
    /// The trusted issuer's keys have never been read.
    #[error("the trusted issuer's keys could not be read")]
    Keyless,
    /// The revocations have not been read recently.
    #[error("revocations could not be read for {}s", STALE.as_secs())]
    Stale,
    #[error(transparent)]
    Store(#[from] StoreError),
}
