//! Who calls: with a token of ours, or as a user of a trusted issuer.

use aws_lc_rs::digest;
use uuid::Uuid;

use super::AuthError;
use super::issuer::UserClaims;
use super::scope::Scopes;
use crate::store::{Provider, Store};

/// Who calls.
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
    /// Its `sub`.
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

/// Who a trusted issuer's token says it is. Limits and keys of idempotency go by an id: the user's, which is made of what names it.
pub(super) async fn of_user(store: &Store, claims: UserClaims) -> Result<Principal, AuthError> {
    let provider = store.provider_by_name(&claims.provider).await?;
    let provider = provider
        .ok_or(AuthError::Invalid("the token does not name its provider, or one that there is not"))?;
    let mut named = digest::Context::new(&digest::SHA256);
    for part in [b"user", provider.id.as_bytes().as_slice(), claims.subject.as_bytes()] {
        named.update(part);
    }
    let id: [u8; 16] =
        named.finish().as_ref().get(..16).and_then(|id| id.try_into().ok()).unwrap_or_default();
    Ok(Principal {
        token_id: uuid::Builder::from_custom_bytes(id).into_uuid(),
        user: Some(User { subject: claims.subject, generation: claims.generation }),
        provider,
        scopes: claims.scopes,
        expires_at: claims.ends_at,
    })
}
