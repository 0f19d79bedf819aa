//! What the exchange of each learner needs: the connection, the rules, the catalogue's codes and
//! the links.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::domain::time::day_of;
use crate::domain::{DemographicsMode, OneFileEnvironment};
use crate::onefile::catalogue::codes_cache::Catalogue;
use crate::onefile::client::Client;
use crate::onefile::sync::diff::TakeoverSettings;
use crate::onefile::{OneFile, OneFileError};
use crate::store::{By, OneFileChoices, OneFileSettings, RecordKind, RecordOutcome, StoreError};
use crate::upstream::failure::Failure;

/// What a learner is exchanged with.
pub(crate) struct ExchangeContext {
    pub(crate) onefile: OneFile,
    pub(crate) client: Client,
    pub(crate) provider: Uuid,
    pub(crate) environment: OneFileEnvironment,
    pub(crate) choices: OneFileChoices,
    pub(crate) rules: TakeoverSettings,
    pub(crate) now: DateTime<Utc>,
    pub(crate) today: NaiveDate,
    /// The run and its fence; none: a person waits.
    pub(crate) run: Option<(Uuid, Uuid)>,
    pub(crate) by: By,
    /// The codes of the catalogue.
    pub(crate) catalogue: Arc<Catalogue>,
    /// OneFile's assessors and placements, by PICSWeb's id and centre. Empty where nothing asks for them.
    pub(crate) officers: HashMap<(String, String), String>,
    pub(crate) organisations: HashMap<(String, String), String>,
}

/// How much of a learner is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    Whole,
    /// Only what the searches named.
    Named,
    /// Only reviews that are due.
    Reviews,
    /// Nothing: the stored portfolio is compared.
    Kept,
}

/// How to exchange a learner.
#[derive(Clone, Debug)]
pub(crate) struct Want {
    pub(crate) depth: Depth,
    /// Learning aims that were named as changed.
    pub(crate) aims: Vec<String>,
    /// The list has shown the user, and this of its archive.
    pub(crate) seen: Option<bool>,
    /// The searches had said nothing of the learner, though they should have.
    pub(crate) unsaid: bool,
}

impl Want {
    pub(crate) fn whole() -> Self {
        Self { depth: Depth::Whole, aims: Vec::new(), seen: None, unsaid: false }
    }
}

/// Why the exchange of a learner stopped early.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// OneFile as a whole does not answer.
    General(Failure),
    /// Another worker has the run.
    Replaced,
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What an exchange says of the connection as a whole.
pub(crate) fn failure_of(came: &Result<Option<RecordOutcome>, Trouble>) -> Option<&Failure> {
    match came {
        Err(Trouble::General(failure)) => Some(failure),
        Ok(_) | Err(Trouble::Replaced | Trouble::Store(_)) => None,
    }
}

impl ExchangeContext {
    pub(crate) async fn of(
        onefile: &OneFile,
        client: Client,
        settings: &OneFileSettings,
        provider: Uuid,
        run: Option<(Uuid, Uuid)>,
        by: By,
    ) -> Result<Self, OneFileError> {
        let choices = settings.choices.clone();
        let environment = choices.environment;
        let now = onefile.store.now().await.map_err(StoreError::from)?;
        let today = day_of(now);
        let mut officers = HashMap::new();
        let mut organisations = HashMap::new();
        if choices.push_changes || choices.upload_reviews {
            for (kind, map) in
                [(RecordKind::Officer, &mut officers), (RecordKind::Organisation, &mut organisations)]
            {
                let links = onefile.store.onefile_links_of(provider, environment, kind).await?;
                map.extend(links.into_iter().map(|link| ((link.local_id, link.centre_id), link.remote_id)));
            }
        }
        Ok(Self {
            onefile: onefile.clone(),
            catalogue: onefile.catalogue(provider, environment).await?,
            client: client.patient(),
            provider,
            environment,
            rules: TakeoverSettings {
                learner_demographics: choices.learner_demographics,
                upload_reviews: choices.upload_reviews,
                download_reviews: choices.download_reviews,
                today,
            },
            choices,
            now,
            today,
            run,
            by,
            officers,
            organisations,
        })
    }

    /// Whether the user's own details matter.
    pub(crate) fn needs_user(&self) -> bool {
        self.choices.learner_demographics != DemographicsMode::Ignored || self.choices.push_changes
    }

    /// Whether the catalogue has one standard of this code in the centre, and no other.
    pub(crate) fn has_standard(&self, centre: &str, key: &str) -> bool {
        self.catalogue.has_one(centre, key)
    }

    /// The code of a standard.
    pub(crate) fn code(&self, centre: &str, standard: Option<&str>) -> Option<String> {
        self.catalogue.code(centre, standard?)
    }
}
