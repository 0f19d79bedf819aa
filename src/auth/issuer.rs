//! Tokens of an identity provider that the operator trusts: its users' own. They have no row here and cannot be revoked here; they end
//! by themselves, and soon. Its keys are read from its JWK set, and read again when they are old or when a token names another.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tracing::{info, warn};

use super::AuthError;
use super::jwks::{self, IssuerKey};
use super::jwt::Jwt;
use super::scope::{Scope, Scopes};
use crate::clock::Clock;
use crate::config::TrustedIssuer;
use crate::http::{Http, Method, Request};

/// Between two readings of the set in the background.
pub const REREAD: Duration = Duration::from_mins(10);
/// Tokens with keys that nobody knows cannot make us ask more often than this.
const GAP: TimeDelta = TimeDelta::seconds(30);
const LEEWAY: i64 = 30;
/// Nobody can revoke such a token: one that lives longer from now on is refused.
const LONGEST_LIFE: i64 = 24 * 3600;
/// OpenID Connect's own bound of a subject.
const LONGEST_SUBJECT: usize = 255;

const REFUSED: AuthError = AuthError::Invalid("the token is not a good one of the trusted issuer");

/// What a good token says.
#[derive(Clone, Debug)]
pub struct UserClaims {
    /// The issuer's name of the user.
    pub subject: String,
    pub provider: String,
    /// What of it is known here.
    pub scopes: Scopes,
    /// When it is over, leeway included; seconds since 1970.
    pub ends_at: i64,
    /// Of the keys that verified it.
    pub generation: u64,
}

/// The issuer with its keys. Shared by a process's workers.
#[derive(Debug)]
pub struct Issuer {
    rules: TrustedIssuer,
    clock: Clock,
    http: Http,
    /// Where its set is read: not with a request that may be dropped.
    runtime: Handle,
    /// The last set that was good; none: there was none yet.
    keys: RwLock<Option<Arc<Vec<IssuerKey>>>>,
    /// Counts the sets that were another than before.
    generation: AtomicU64,
    /// When the set was asked for last.
    asked_at: Mutex<Option<DateTime<Utc>>>,
}

impl Issuer {
    /// For the operator's settings; nothing is read yet. Must be made within the runtime that is to read.
    pub fn new(rules: TrustedIssuer, http: Http, clock: Clock) -> Self {
        Self {
            rules,
            clock,
            http,
            runtime: Handle::current(),
            keys: RwLock::default(),
            generation: AtomicU64::new(0),
            asked_at: Mutex::default(),
        }
    }

    /// Whether a token says that it is this issuer's.
    pub fn is_named_by(&self, jwt: &Jwt<'_>) -> bool {
        jwt.text("iss") == Some(self.rules.issuer.as_str())
    }

    /// Whether the keys are still those that verified a token.
    pub fn is_current(&self, generation: u64) -> bool {
        self.generation.load(Ordering::Acquire) == generation
    }

    /// Reads the set now.
    pub async fn reread(&self) {
        let mut asked_at = self.asked_at.lock().await;
        self.ask(&mut asked_at).await;
    }

    /// Reads the set, if that was not done a moment ago. Whoever comes meanwhile waits for it.
    async fn reread_if_due(&self) {
        let mut asked_at = self.asked_at.lock().await;
        let now = self.clock.now();
        // A clock that was set back must not keep us from asking.
        if asked_at.is_none_or(|at| now < at || now - at >= GAP) {
            self.ask(&mut asked_at).await;
        }
    }

    async fn ask(&self, asked_at: &mut Option<DateTime<Utc>>) {
        *asked_at = Some(self.clock.now());
        let (http, url) = (self.http.clone(), self.rules.jwks_url.clone());
        let request =
            Request { method: Method::Get, url, operation: "getIssuerKeys", headers: Vec::new(), body: None };
        let answer = self.runtime.spawn(async move { http.send(request).await }).await;
        let why = match answer {
            Ok(Ok(answer)) if answer.status == 200 => match jwks::read(&answer.body) {
                Some(keys) => return self.take(keys),
                None => "it is no set with a key that verifies".to_owned(),
            },
            Ok(Ok(answer)) => format!("status {}", answer.status),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it was cut off".to_owned(),
        };
        warn!(why, "the trusted issuer's keys could not be read; those that were read before stay good");
    }

    fn take(&self, new: Vec<IssuerKey>) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.as_deref().is_some_and(|old| *old == new) {
            return;
        }
        info!(keys = new.len(), "the trusted issuer's keys are others now");
        *keys = Some(Arc::new(new));
        // Tokens that were verified with the earlier ones are verified again.
        self.generation.fetch_add(1, Ordering::Release);
    }

    fn set(&self) -> (u64, Option<Arc<Vec<IssuerKey>>>) {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        (self.generation.load(Ordering::Acquire), keys.clone())
    }

    /// Takes a token of the issuer's for good or says why not.
    ///
    /// # Errors
    /// Not good; or it cannot be told, since its keys could never be read.
    pub async fn verify(&self, jwt: &Jwt<'_>) -> Result<UserClaims, AuthError> {
        let alg = jwt.header_text("alg").and_then(jwks::algorithm).ok_or(REFUSED)?;
        let kid = jwt.header_text("kid").ok_or(REFUSED)?;
        if !is_access_token(jwt) {
            return Err(AuthError::Invalid("the token is not an access token"));
        }
        let find = |keys: Option<Arc<Vec<IssuerKey>>>| keys?.iter().find(|key| key.is(kid, alg)).cloned();
        let (mut generation, keys) = self.set();
        let key = if let Some(key) = find(keys) {
            key
        } else {
            self.reread_if_due().await;
            let (now, keys) = self.set();
            generation = now;
            if keys.is_none() {
                return Err(AuthError::Keyless);
            }
            find(keys).ok_or(AuthError::Invalid("the token's key is none of the trusted issuer's"))?
        };
        if !key.verifies(alg, jwt.message, jwt.signature) {
            return Err(REFUSED);
        }
        self.claims(jwt, generation)
    }

    fn claims(&self, jwt: &Jwt<'_>, generation: u64) -> Result<UserClaims, AuthError> {
        let now = self.clock.now().timestamp();
        let for_us = match jwt.claims.get("aud") {
            Some(Value::String(one)) => *one == self.rules.audience,
            Some(Value::Array(many)) => {
                many.iter().all(Value::is_string) && many.iter().any(|own| *own == self.rules.audience)
            }
            _ => false,
        };
        if !self.is_named_by(jwt) || !for_us {
            return Err(AuthError::Invalid("the token is for another audience"));
        }
        let time = |name: &str| match jwt.claims.get(name) {
            None => Ok(None),
            Some(value) => seconds(value).map(Some).ok_or(REFUSED),
        };
        let expires = time("exp")?.ok_or(REFUSED)?;
        if expires.saturating_add(LEEWAY) <= now {
            return Err(AuthError::Invalid("the token has expired"));
        }
        if expires > now.saturating_add(LONGEST_LIFE) {
            return Err(AuthError::Invalid(
                "the token lives for more than a day, and nobody could revoke it: have the issuer make shorter ones",
            ));
        }
        for name in ["nbf", "iat"] {
            if time(name)?.is_some_and(|begins| begins > now.saturating_add(LEEWAY)) {
                return Err(AuthError::Invalid("the token is not valid yet"));
            }
        }
        let subject = jwt.text("sub").filter(|sub| is_subject(sub)).ok_or(REFUSED)?;
        let provider = jwt
            .text(&self.rules.provider_claim)
            .filter(|name| is_subject(name))
            .ok_or(AuthError::Invalid("the token does not name its provider, or one that there is not"))?;
        Ok(UserClaims {
            subject: subject.to_owned(),
            provider: provider.to_owned(),
            scopes: scopes(jwt.claims.get(&self.rules.scope_claim)).ok_or(REFUSED)?,
            ends_at: expires.saturating_add(LEEWAY),
            generation,
        })
    }
}

/// Issuers sign other things with the same keys, ID tokens first of all: what says that it is one of them is not taken.
fn is_access_token(jwt: &Jwt<'_>) -> bool {
    let typ = jwt.header_text("typ").unwrap_or_default();
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    let words = |claim: &str, good: &[&str]| match jwt.claims.get(claim) {
        None => true,
        Some(value) => {
            value.as_str().is_some_and(|own| good.iter().any(|good| good.eq_ignore_ascii_case(own)))
        }
    };
    (typ.eq_ignore_ascii_case("at+jwt") || typ.eq_ignore_ascii_case("JWT"))
        && words("typ", &["Bearer", "at+jwt"])
        && words("token_use", &["access"])
        && !["at_hash", "c_hash", "s_hash", "events"].iter().any(|claim| jwt.claims.contains_key(*claim))
}

/// A NumericDate: whole seconds, or with a fraction.
#[allow(clippy::cast_possible_truncation, reason = "what does not fit was refused before")]
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        // Until the year 9999.
        (0.0..253_402_300_800.0).contains(&number).then_some(number as i64)
    })
}

/// It stands in the audit and in logs of others: printable ASCII, as OpenID Connect has it.
fn is_subject(text: &str) -> bool {
    (1..=LONGEST_SUBJECT).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Words with spaces between, or a list of words; none: it may do nothing. `None`: it is neither.
fn scopes(claim: Option<&Value>) -> Option<Scopes> {
    match claim {
        None => Some(Scopes::default()),
        Some(Value::String(words)) => Some(Scopes::of_claim(words)),
        Some(Value::Array(words)) => {
            let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
            Some(words?.into_iter().filter_map(Scope::parse).collect())
        }
        Some(_) => None,
    }
}
