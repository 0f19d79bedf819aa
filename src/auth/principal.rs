//! The caller: the owner of a token of this service, or a user of a trusted issuer.

use uuid::Uuid;

use super::scope::Scopes;
use crate::store::Provider;

#[derive(Clone, Debug)]
pub struct Principal {
    /// The token's id. All tokens of a trusted issuer's user share one id.
    pub token_id: Uuid,
    /// The user of a trusted issuer's token.
    pub(super) user: Option<User>,
    pub provider: Provider,
    pub scopes: Scopes,
    /// The expiry, in seconds since 1970.
    pub expires_at: i64,
}

/// A user of a trusted issuer.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) subject: String,
    /// The generation of the issuer's keys that verified the token.
    pub(super) generation: u64,
}

impl Principal {
    /// The name of the actor in the audit.
    pub fn actor(&self) -> String {
        match &self.user {
            Some(user) => format!("user:{}", user.subject),
            None => format!("token:{}", self.token_id),
        }
    }
}
