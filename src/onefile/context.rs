//! What the rooms of this folder share: the provider's connection, the store and the engine for creations.

use std::sync::Arc;

use uuid::Uuid;

use crate::config::{Timings, Upstreams};
use crate::domain::{OneFileEnvironment, RunKind};
use crate::onefile::catalogue::codes_cache::{Catalogue, Catalogues};
use crate::onefile::client::{Client, Connection};
use crate::store::{OneFileSettings, Store, StoreError};
use crate::upstream::call::Caller;
use crate::upstream::creation::Creations;
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::pace::Class;

/// What the parts of this folder share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OneFile {
    /// Where state is kept.
    pub store: Store,
    pub(super) creations: Creations,
    pub(super) caller: Caller,
    pub(super) upstreams: Arc<Upstreams>,
    pub(super) timings: Arc<Timings>,
    pub(super) catalogues: Catalogues,
}

/// Why a call to OneFile was not made, or gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum OneFileError {
    /// The integration is switched off.
    #[error("the OneFile integration is switched off")]
    Disabled,
    /// The settings lack something.
    #[error("{0}")]
    NotConfigured(&'static str),
    /// OneFile did not do as asked.
    #[error("{}", .0.text())]
    Upstream(Failure),
    /// Our database did not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OneFileError {
    /// For the log and for rows that are not sealed: without the upstream's words.
    pub fn plain_text(&self) -> String {
        match self {
            Self::Upstream(failure) => failure.plain_text(),
            other => other.to_string(),
        }
    }
}

impl From<Failure> for OneFileError {
    fn from(failure: Failure) -> Self {
        Self::Upstream(failure)
    }
}

impl OneFile {
    /// Over the store and the caller that all upstream calls go through.
    pub fn new(store: Store, caller: Caller, upstreams: Upstreams, timings: Timings) -> Self {
        Self {
            creations: Creations::new(store.clone(), &timings),
            store,
            caller,
            upstreams: Arc::new(upstreams),
            timings: Arc::new(timings),
            catalogues: Catalogues::default(),
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
    ) -> Result<(Client, OneFileSettings), OneFileError> {
        let settings = self.store.onefile_settings(provider).await?;
        if !settings.choices.enabled {
            return Err(OneFileError::Disabled);
        }
        Ok((self.client_of(&settings, class)?, settings))
    }

    /// The connection for a run of this kind: what is refreshed before the integration is switched on does not ask for it.
    ///
    /// # Errors
    /// Switched off; no token; no sandbox.
    pub async fn client_for(
        &self,
        provider: Uuid,
        kind: RunKind,
    ) -> Result<(Client, OneFileSettings), OneFileError> {
        if kind == RunKind::QualificationsRefresh {
            let settings = self.store.onefile_settings(provider).await?;
            return Ok((self.client_of(&settings, Class::Bulk)?, settings));
        }
        self.client(provider, Class::Bulk).await
    }

    /// The connection that settings describe, whether switched on or not: what is linked before it is switched on has to be seen.
    ///
    /// # Errors
    /// No token; no sandbox.
    pub fn client_of(&self, settings: &OneFileSettings, class: Class) -> Result<Client, OneFileError> {
        let token = settings.token.clone().ok_or(OneFileError::NotConfigured(
            "The OneFile settings have no customer token: PUT /onefile/settings with the `customerToken` that OneFile Support issued.",
        ))?;
        let connection = Connection {
            environment: settings.choices.environment,
            base_url: self.address_of(settings.choices.environment)?,
            token,
            per_minute: self.per_minute(),
            version: settings.version,
        };
        Ok(Client::new(self.caller.clone(), self.store.clone(), connection, class))
    }

    /// An environment's base address.
    ///
    /// # Errors
    /// No sandbox.
    pub fn address_of(&self, environment: OneFileEnvironment) -> Result<String, OneFileError> {
        Ok(match environment {
            OneFileEnvironment::Live => self.upstreams.onefile_live.clone(),
            OneFileEnvironment::Practice => self.upstreams.onefile_practice.clone(),
            OneFileEnvironment::Beta => self.upstreams.onefile_beta.clone(),
            OneFileEnvironment::Sandbox => format!(
                "{}/onefile/api/v2.1",
                self.upstreams.sandbox.as_deref().ok_or(OneFileError::NotConfigured(
                    "The OneFile settings say `sandbox`, but this service knows of none: set PICSBRIDGE_SANDBOX_URL, or choose another environment.",
                ))?
            ),
        })
    }

    /// The codes of the provider's catalogue, as it was refreshed last.
    pub async fn catalogue(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
    ) -> Result<Arc<Catalogue>, StoreError> {
        self.catalogues.of(&self.store, provider, environment).await
    }

    /// Calls a minute that an account may make.
    pub fn per_minute(&self) -> u32 {
        self.upstreams.onefile_calls_per_minute
    }

    /// Calls that the provider's account could still make within the next minute; `None`: it has no connection.
    pub async fn calls_left(&self, settings: &OneFileSettings) -> Result<Option<u32>, OneFileError> {
        let Ok(client) = self.client_of(settings, Class::Interactive) else { return Ok(None) };
        Ok(Some(self.store.pace_left(client.account()).await.map_err(StoreError::from)?))
    }

    /// Tries the connection with the least that can be read, and says what is wrong in words; notes what came of it.
    ///
    /// # Errors
    /// No token; no sandbox; the database's.
    pub async fn test_connection(&self, provider: Uuid) -> Result<Result<String, Failure>, OneFileError> {
        let settings = self.store.onefile_settings(provider).await?;
        let client = self.client_of(&settings, Class::Interactive)?;
        let answered = client.customer().await?;
        self.note_connection(provider, answered.as_ref().err()).await?;
        let environment = settings.choices.environment.as_str();
        Ok(answered.map(|customer| match customer.name {
            Some(name) => format!("OneFile ({environment}, API v2.1) answers: the customer is {name}."),
            None => {
                format!("OneFile ({environment}, API v2.1) answers: the customer's id is {}.", customer.id)
            }
        }))
    }

    /// Keeps what a call said of the connection as a whole, for the integration's page.
    pub(super) async fn note_connection(
        &self,
        provider: Uuid,
        failure: Option<&Failure>,
    ) -> Result<(), StoreError> {
        let code = match failure {
            None => "ok",
            Some(failure) => match failure.kind {
                FailureKind::Unauthorised
                | FailureKind::Forbidden
                | FailureKind::Unreachable
                | FailureKind::Failed => failure.kind.code(),
                FailureKind::Missing | FailureKind::Refused | FailureKind::Limited => return Ok(()),
            },
        };
        self.store.note_onefile_connection(provider, code).await
    }
}
