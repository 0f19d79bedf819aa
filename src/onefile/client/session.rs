//! The session that calls carry: opened with the customer token, good for 24 hours, shared by all processes. One opens it while
//! the others wait; nobody holds a transaction meanwhile.

use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use tracing::{info, warn};
use uuid::Uuid;

use super::wire;
use crate::http::{Method, Request};
use crate::onefile::client::Client;
use crate::store::{OneFileSession, SessionState, StoreError};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::read::{Answered, BACKOFF};

/// How long a caller waits for a session that another one opens.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(100);
/// The longest that the one who opens waits for its permit, and a margin.
const PERMIT: Duration = Duration::from_secs(22);

impl Client {
    /// A session that serves; `refused`: the version that OneFile has answered 401 to.
    pub(crate) async fn session(&self, refused: Option<i64>) -> Answered<OneFileSession> {
        // Held while waiting, so that of one process's callers one waits.
        let mut held = self.session.lock().await;
        if let Some(session) = &*held
            && Some(session.version) != refused
        {
            return Ok(Ok(session.clone()));
        }
        let patience_ends = Instant::now() + PATIENCE;
        let mut pauses = BACKOFF.iter();
        loop {
            let lease = PERMIT + self.caller.timeout();
            match self.store.onefile_session(&self.account.key, refused, lease).await? {
                SessionState::Ready(session) => {
                    *held = Some(session.clone());
                    return Ok(Ok(session));
                }
                SessionState::Ours(claim) => {
                    let own = self.clone();
                    // A caller who goes away must not leave a claim behind that the others wait for.
                    let opened = tokio::spawn(async move { own.open(claim).await }).await;
                    let failure = match opened {
                        Ok(Ok(Ok(()))) => continue,
                        Ok(Ok(Err(failure))) => failure,
                        Ok(Err(error)) => return Err(error),
                        Err(_) => Failure::new(FailureKind::Failed, None, "opening a session broke off"),
                    };
                    match pauses.next().filter(|_| failure.kind.may_pass()) {
                        Some(pause) => tokio::time::sleep(*pause).await,
                        None => return Ok(Err(failure)),
                    }
                }
                SessionState::Awaited if Instant::now() < patience_ends => tokio::time::sleep(LOOK).await,
                SessionState::Awaited => {
                    let seen = "another process has been opening a session for long";
                    return Ok(Err(Failure::new(FailureKind::Unreachable, None, seen)));
                }
            }
        }
    }

    /// Authenticates, and keeps the session for all processes. The claim is ours.
    async fn open(&self, claim: Uuid) -> Answered<()> {
        let opened = self.authenticate().await;
        match opened {
            Ok(Ok(token)) => {
                if self.store.keep_onefile_session(&self.account.key, claim, &token).await?.is_none() {
                    warn!("a OneFile session came too late: another process has opened its own");
                } else {
                    info!(environment = self.environment.as_str(), "a OneFile session was opened");
                }
                Ok(Ok(()))
            }
            other => {
                self.store.release_onefile_session(&self.account.key, claim).await?;
                Ok(other?.map(drop))
            }
        }
    }

    async fn authenticate(&self) -> Result<Result<SecretString, Failure>, StoreError> {
        let request = Request {
            method: Method::Post,
            url: format!("{}/Authentication", self.base_url),
            operation: "authenticate",
            headers: vec![("x-customertoken", SecretString::from(self.token.expose_secret().to_owned()))],
            // Some servers want a length where nothing is sent: clients send this.
            body: Some(b"[]".to_vec()),
        };
        let answered = self.line().attempt(&request, |answer| wire::session(&answer.body)).await?;
        Ok(answered.map_err(|failure| match failure.kind {
            FailureKind::Unauthorised | FailureKind::Forbidden => Failure {
                seen: Some(format!(
                    "OneFile's environment `{}` did not open a session for the customer token; each environment has tokens of its own, so that a Live token does not work in Beta or Practice, nor one of theirs in Live",
                    self.environment.as_str()
                )),
                ..failure
            },
            _ => failure,
        }))
    }
}
