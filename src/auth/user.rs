//! The user that a trusted issuer's token names.

use aws_lc_rs::digest;

use super::error::AuthError;
use super::issuer::UserClaims;
use super::principal::{Principal, User};
use crate::store::Store;

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
