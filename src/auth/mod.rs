//! Tokens: EdDSA JWTs that name a provider and scopes, and those of an issuer that the operator trusts. Verifying one costs more than the rest of a read, so verified
//! ones are kept in a bounded cache by their hash; expiry and revocation are looked at on every request.

mod error;
mod issuer;
mod jwks;
mod jwt;
mod principal;
pub mod scope;
mod user;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SubsecRound as _, TimeDelta};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use tracing::{error, warn};
use uuid::Uuid;

pub use self::error::AuthError;
use self::error::STALE;
pub use self::issuer::{Issuer, REREAD};
use self::jwt::Jwt;
pub use self::principal::Principal;
use self::scope::Scopes;
use self::user::of_user;
use crate::clock::Clock;
use crate::seal::{self, SealError};
use crate::store::{By, Provider, SigningKey, Store, StoreError, TokenRow, new_id};

const ISSUER: &str = "picsbridge";
const AUDIENCE: &str = "picsbridge";
/// RFC 9068: an access token, so that no other JWT of ours could pass for one.
const TYPE: &str = "at+jwt";
/// Ours are about 700 bytes.
const LONGEST_TOKEN: usize = 4096;
/// Identity providers put more into theirs.
const LONGEST_USER_TOKEN: usize = 8192;
/// Longer than any is issued for.
const LONGEST_LIFE: i64 = 3661 * 24 * 3600;
const CACHED_TOKENS: usize = 10_000;

/// A token to issue.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'a> {
    /// What it is for, for people.
    pub name: &'a str,
    pub scopes: Scopes,
    /// For how many days it is good.
    pub days: u32,
}

/// What is in a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: Uuid,
    provider: String,
    scope: String,
}

/// A signing key, ready for use.
struct Key {
    kid: String,
    public: Vec<u8>,
    signs: EncodingKey,
    verifies: DecodingKey,
}

/// Issues and verifies tokens. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    issuer: Option<Issuer>,
    keys: RwLock<Vec<Arc<Key>>>,
    verified: Cache<[u8; 32], Arc<Principal>>,
    revoked: RwLock<HashSet<Uuid>>,
    read_at: RwLock<Instant>,
    used: Mutex<HashSet<Uuid>>,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth").finish_non_exhaustive()
    }
}

impl Auth {
    /// Reads the signing keys, making the first one, and the revocations.
    ///
    /// # Errors
    /// The database's; keys that cannot be unsealed.
    pub async fn open(store: &Store, clock: Clock, issuer: Option<Issuer>) -> Result<Self, StoreError> {
        if store.signing_keys().await?.is_empty() {
            store.keep_first_signing_key(&new_key()?).await?;
        }
        let auth = Self {
            inner: Arc::new(Inner {
                clock,
                issuer,
                keys: RwLock::default(),
                verified: Cache::new(CACHED_TOKENS),
                revoked: RwLock::default(),
                read_at: RwLock::new(Instant::now()),
                used: Mutex::default(),
            }),
        };
        auth.load_keys(store).await?;
        auth.pulse(store).await?;
        Ok(auth)
    }

    async fn load_keys(&self, store: &Store) -> Result<(), StoreError> {
        let keys = store
            .signing_keys()
            .await?
            .into_iter()
            .map(|key| {
                Arc::new(Key {
                    signs: EncodingKey::from_ed_der(&key.private),
                    verifies: DecodingKey::from_ed_der(&key.public),
                    kid: key.kid,
                    public: key.public,
                })
            })
            .collect();
        *self.inner.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Reads the revocations and the shared clock once.
    pub async fn pulse(&self, store: &Store) -> Result<(), StoreError> {
        let used: Vec<Uuid> =
            self.inner.used.lock().unwrap_or_else(PoisonError::into_inner).drain().collect();
        let pulse = store.pulse(&used).await?;
        self.inner.clock.set_ahead_ms(pulse.ahead_ms);
        *self.inner.revoked.write().unwrap_or_else(PoisonError::into_inner) =
            pulse.revoked.into_iter().collect();
        *self.inner.read_at.write().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        Ok(())
    }

    /// Reads them again and again, until the process stops.
    pub async fn keep_reading(self, store: Store, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            ticks.tick().await;
            match self.pulse(&store).await {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    failing = true;
                    warn!(%error, "revoked tokens could not be read; requests are refused if this lasts");
                }
                Err(_) => {}
            }
        }
    }

    /// Reads the trusted issuer's keys again and again, until the process stops; where there is one.
    pub async fn keep_rereading(self) {
        let mut ticks = tokio::time::interval(REREAD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while let Some(issuer) = &self.inner.issuer {
            ticks.tick().await;
            issuer.reread().await;
        }
    }

    /// Takes a token for good or says why not.
    ///
    /// # Errors
    /// Not good; or it cannot be told.
    pub async fn verify(&self, store: &Store, token: &str) -> Result<Arc<Principal>, AuthError> {
        let longest = if self.inner.issuer.is_some() { LONGEST_USER_TOKEN } else { LONGEST_TOKEN };
        if token.len() > longest {
            return Err(AuthError::Invalid("the token is too long to be one of ours"));
        }
        let hash = digest::digest(&digest::SHA256, token.as_bytes());
        let key: [u8; 32] = hash.as_ref().try_into().unwrap_or_default();
        let known = self.inner.verified.get(&key).filter(|principal| self.is_current(principal));
        let principal = if let Some(principal) = known {
            principal
        } else {
            let principal = Arc::new(self.verify_slowly(store, token).await?);
            self.inner.verified.insert(key, Arc::clone(&principal));
            principal
        };
        if self.inner.read_at.read().unwrap_or_else(PoisonError::into_inner).elapsed() > STALE {
            return Err(AuthError::Stale);
        }
        if principal.expires_at <= self.inner.clock.now().timestamp() {
            return Err(AuthError::Over("the token has expired", principal));
        }
        if self.inner.revoked.read().unwrap_or_else(PoisonError::into_inner).contains(&principal.token_id) {
            return Err(AuthError::Over("the token was revoked", principal));
        }
        if principal.user.is_some() {
            return Ok(principal);
        }
        let mut used = self.inner.used.lock().unwrap_or_else(PoisonError::into_inner);
        if !used.contains(&principal.token_id) {
            used.insert(principal.token_id);
        }
        Ok(principal)
    }

    async fn verify_slowly(&self, store: &Store, token: &str) -> Result<Principal, AuthError> {
        const UNKNOWN: AuthError = AuthError::Invalid("the token is not one of ours");
        let jwt = Jwt::parse(token).ok_or(AuthError::Invalid("this is not a token"))?;
        if let Some(issuer) = self.inner.issuer.as_ref().filter(|issuer| issuer.is_named_by(&jwt)) {
            return of_user(store, issuer.verify(&jwt).await?).await;
        }
        let ours = jwt.header_text("alg") == Some("EdDSA") && jwt.header_text("typ") == Some(TYPE);
        if !ours || token.len() > LONGEST_TOKEN {
            return Err(UNKNOWN);
        }
        let kid = jwt.header_text("kid").ok_or(UNKNOWN)?;
        let key = if let Some(key) = self.key(kid) {
            key
        } else {
            // Another process may have made it since.
            self.load_keys(store).await?;
            self.key(kid).ok_or(UNKNOWN)?
        };
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // By our own clock, below, and without leeway: these are our own tokens.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let claims: Claims = jsonwebtoken::decode(token, &key.verifies, &rules).map_err(|_| UNKNOWN)?.claims;
        let lives = claims.exp.checked_sub(claims.iat).is_some_and(|life| (1..=LONGEST_LIFE).contains(&life));
        if !lives || claims.sub != subject(claims.jti) {
            return Err(UNKNOWN);
        }
        if claims.nbf > self.inner.clock.now().timestamp() {
            return Err(AuthError::Invalid("the token is not valid yet"));
        }
        let provider = store.token_owner(claims.jti).await?.ok_or(UNKNOWN)?;
        if provider.name != claims.provider {
            return Err(UNKNOWN);
        }
        Ok(Principal {
            token_id: claims.jti,
            user: None,
            provider,
            scopes: Scopes::of_claim(&claims.scope),
            expires_at: claims.exp,
        })
    }

    /// Whether a principal would be verified again by the keys that there are now.
    fn is_current(&self, principal: &Principal) -> bool {
        principal.user.as_ref().is_none_or(|user| {
            self.inner.issuer.as_ref().is_some_and(|issuer| issuer.is_current(user.generation))
        })
    }

    pub fn issuer(&self) -> Option<&Issuer> {
        self.inner.issuer.as_ref()
    }

    fn key(&self, kid: &str) -> Option<Arc<Key>> {
        self.inner
            .keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .find(|key| key.kid == kid)
            .cloned()
    }

    /// Makes a token; it is told here and nowhere else. One that a token or a user issues ends no later than its `parent`.
    ///
    /// # Errors
    /// The database's; no signing key.
    pub async fn issue(
        &self,
        store: &Store,
        provider: &Provider,
        new: NewToken<'_>,
        parent: Option<&Principal>,
        by: &By,
    ) -> Result<(String, TokenRow), StoreError> {
        let NewToken { name, scopes, days } = new;
        let key = self.inner.keys.read().unwrap_or_else(PoisonError::into_inner).last().cloned();
        let key = key.ok_or(StoreError::Seal(SealError::BadKey))?;
        // As precise as the database keeps it.
        let now = self.inner.clock.now().trunc_subsecs(6);
        let longest = now + TimeDelta::days(i64::from(days));
        let parents = parent.and_then(|parent| DateTime::from_timestamp(parent.expires_at, 0));
        let row = TokenRow {
            id: new_id(),
            parent_id: parent.filter(|parent| parent.user.is_none()).map(|parent| parent.token_id),
            name: name.to_owned(),
            scopes: scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            created_at: now,
            expires_at: parents.map_or(longest, |parents| longest.min(parents)),
            last_used_at: None,
        };
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: subject(row.id),
            aud: AUDIENCE.to_owned(),
            exp: row.expires_at.timestamp(),
            iat: now.timestamp(),
            nbf: now.timestamp(),
            jti: row.id,
            provider: provider.name.clone(),
            scope: scopes.claim(),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key.kid.clone());
        header.typ = Some(TYPE.to_owned());
        let token = jsonwebtoken::encode(&header, &claims, &key.signs).map_err(|error| {
            error!(%error, "a token could not be signed");
            StoreError::Seal(SealError::BadKey)
        })?;
        store.keep_token(provider.id, &row, by).await?;
        Ok((token, row))
    }

    /// Refuses a token from now on in this process; the others follow within a second.
    pub fn forget(&self, id: Uuid) {
        self.inner.revoked.write().unwrap_or_else(PoisonError::into_inner).insert(id);
    }

    /// The public keys, as a JWK set.
    pub fn jwks(&self) -> serde_json::Value {
        let keys = self.inner.keys.read().unwrap_or_else(PoisonError::into_inner);
        let keys: Vec<_> = keys
            .iter()
            .map(|key| {
                serde_json::json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.kid,
                                   "x": URL_SAFE_NO_PAD.encode(&key.public)})
            })
            .collect();
        serde_json::json!({ "keys": keys })
    }

    /// The clock that tokens go by.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }
}

/// The `sub` of a token of ours.
fn subject(token: Uuid) -> String {
    format!("token:{token}")
}

fn new_key() -> Result<SigningKey, SealError> {
    let pair = Ed25519KeyPair::generate().map_err(|_| SealError::NoRandomness)?;
    let private = pair.to_pkcs8().map_err(|_| SealError::NoRandomness)?;
    let public = pair.public_key().as_ref().to_vec();
    let kid = seal::hex(digest::digest(&digest::SHA256, &public).as_ref().get(..8).unwrap_or_default());
    Ok(SigningKey { kid, public, private: private.as_ref().to_vec() })
}
