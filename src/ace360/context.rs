//! What the rooms of this folder share: the provider's connection, the store and the engine for creations.

use std::sync::Arc;

use quick_cache::sync::Cache;
use secrecy::SecretString;
use uuid::Uuid;

use crate::ace360::catalogue::cache::{CATALOGUES, Catalogues};
use crate::ace360::client::Client;
use crate::config::{Timings, Upstreams};
use crate::store::{Ace360Settings, Store, StoreError};
use crate::upstream::call::Caller;
use crate::upstream::creation::Creations;
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::pace::Class;

/// What the parts of this folder share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ace360 {
    /// Where state is kept.
    pub store: Store,
    pub(super) creations: Creations,
    pub(super) caller: Caller,
    pub(super) upstreams: Upstreams,
    pub(super) timings: Timings,
    pub(super) catalogues: Catalogues,
}

/// Why a call to ACE360 was not made.
#[derive(Debug, thiserror::Error)]
pub enum Ace360Error {
    /// The integration is switched off.
    #[error("the ACE360 integration is switched off")]
    Disabled,
    /// The settings lack something.
    #[error("{0}")]
    NotConfigured(&'static str),
    /// ACE360 did not do as asked.
    #[error("{}", .0.text())]
    Upstream(Failure),
    /// Our database did not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ace360Error {
    /// For the log and for rows that are not sealed: without the upstream's words.
    pub fn plain_text(&self) -> String {
        match self {
            Self::Upstream(failure) => failure.plain_text(),
            other => other.to_string(),
        }
    }
}

impl Ace360 {
    /// Over the store and the caller that all upstream calls go through.
    pub fn new(store: Store, caller: Caller, upstreams: Upstreams, timings: Timings) -> Self {
        Self {
            creations: Creations::new(store.clone(), &timings),
            store,
            caller,
            upstreams,
            timings,
            catalogues: Arc::new(Cache::new(CATALOGUES)),
        }
    }

    /// The same over another pool and another HTTP client: those of one runtime must not be driven by another, which
    /// may end first.
    #[must_use]
    pub fn over(&self, store: Store, caller: Caller) -> Self {
        Self { creations: Creations::new(store.clone(), &self.timings), store, caller, ..self.clone() }
    }

    /// The provider's connection, with its settings; the integration must be switched on.
    ///
    /// # Errors
    /// Switched off; no token; no sandbox.
    pub async fn client(
        &self,
        provider: Uuid,
        class: Class,
    ) -> Result<(Client, Ace360Settings), Ace360Error> {
        let settings = self.store.ace360_settings(provider).await?;
        Ok((self.enabled_client(&settings, class)?, settings))
    }

    /// The connection that settings describe, if they are switched on.
    pub(super) fn enabled_client(
        &self,
        settings: &Ace360Settings,
        class: Class,
    ) -> Result<Client, Ace360Error> {
        if !settings.enabled {
            return Err(Ace360Error::Disabled);
        }
        self.client_of(settings, class)
    }

    /// The connection that settings describe, whether switched on or not.
    ///
    /// # Errors
    /// No token; no sandbox.
    pub fn client_of(&self, settings: &Ace360Settings, class: Class) -> Result<Client, Ace360Error> {
        let token: SecretString = settings.token.clone().ok_or(Ace360Error::NotConfigured(
            "The ACE360 settings have no token: PUT /ace360/settings with the API token from ACE360 Connect's dashboard.",
        ))?;
        let base_url = self.address_of(settings)?;
        Ok(Client::new(
            self.caller.clone(),
            &self.store,
            &base_url,
            token,
            self.upstreams.ace360_calls_per_minute,
            class,
        ))
    }

    /// The base address that settings describe.
    ///
    /// # Errors
    /// No sandbox.
    pub fn address_of(&self, settings: &Ace360Settings) -> Result<String, Ace360Error> {
        Ok(match settings.environment.as_str() {
            "sandbox" => format!(
                "{}/ace360/connect-api/beta",
                self.upstreams.sandbox.as_deref().ok_or(Ace360Error::NotConfigured(
                    "The ACE360 settings say `sandbox`, but this service knows of none: set PICSBRIDGE_SANDBOX_URL, or choose `live`.",
                ))?
            ),
            _ => self.upstreams.ace360_live.clone(),
        })
    }

    /// Calls a minute that an account may make.
    pub fn per_minute(&self) -> u32 {
        self.upstreams.ace360_calls_per_minute
    }

    /// Tries the connection with the least that can be read, and says what is wrong in words; notes what came of it.
    pub async fn test_connection(&self, provider: Uuid) -> Result<Result<String, Failure>, Ace360Error> {
        let settings = self.store.ace360_settings(provider).await?;
        let client = self.client_of(&settings, Class::Interactive)?;
        let answered = client.apprentices(1).await?;
        self.note_connection(provider, answered.as_ref().err()).await?;
        Ok(answered.map(|page| match page.total {
            Some(total) => format!("ACE360 ({}) answers: {total} apprentices.", settings.environment),
            None => format!("ACE360 ({}) answers.", settings.environment),
        }))
    }

    /// Keeps what a call said of the connection as a whole, for the integration's page.
    pub(super) async fn note_connection(
        &self,
        provider: Uuid,
        failure: Option<&Failure>,
    ) -> Result<(), StoreError> {
        match failure {
            None => self.store.note_ace360_connection(provider, "ok").await,
            Some(failure)
                if matches!(
                    failure.kind,
                    FailureKind::Unauthorised
                        | FailureKind::Forbidden
                        | FailureKind::Unreachable
                        | FailureKind::Failed
                ) =>
            {
                self.store.note_ace360_connection(provider, failure.kind.code()).await
            }
            Some(_) => Ok(()),
        }
    }
}

impl From<Failure> for Ace360Error {
    fn from(failure: Failure) -> Self {
        Self::Upstream(failure)
    }
}
