//! Who calls: with a token of ours, or as a user of a trusted issuer.

use uuid::Uuid;

use super::scope::Scopes;
use crate::store::Provider;

#[derive(Clone, Debug)]
pub struct Principal {
    /// The token's id; of a user's tokens the same for all of them.
    pub token_id: Uuid,
    /// Of a trusted issuer's token, whose it is.
    pub(super) user: Option<User>,
    /// Whose token it is.
    pub provider: Provider,
    /// What it may do.
    pub scopes: Scopes,
    /// When it ends, seconds since 1970.
    pub expires_at: i64,
}

/// The user of a trusted issuer.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) subject: String,
    /// Of the issuer's keys that verified the token.
    pub(super) generation: u64,
}

impl Principal {
    /// As the audit tells it.
    pub fn actor(&self) -> String {
        match &self.user {
            Some(user) => format!("user:{}", user.subject),
            None => format!("token:{}", self.token_id),
        }
    }
}
