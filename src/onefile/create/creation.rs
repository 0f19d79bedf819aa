//! Creations in OneFile, in the form that the engine for creations needs. The sealed payload of the
//! intent holds what is sent, how to find it later, and the record to link. A process that finds
//! the intent needs nothing else.

use std::time::Duration;

use uuid::Uuid;

use crate::domain::{OneFileEnvironment, SubjectKind, Upstream};
use crate::onefile::client::Client;
use crate::onefile::create::create_steps::{CreateCall, CreatedKind, Find};
use crate::onefile::{OneFile, OneFileError};
use crate::store::{By, IntentKey, IntentRow, NewIntent, SettleOutcome, StoreError, Unlinked};
use crate::upstream::creation::{Creation, Fence, Look, Reconciled, Search, Sent};
use crate::upstream::failure::Failure;
use crate::upstream::pace::Class;
use crate::upstream::read::Answered;

/// How long a creation waits for its permit before it is postponed.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct OneFileCreation {
    pub onefile: OneFile,
    pub client: Client,
    pub key: IntentKey,
    pub call: CreateCall,
    pub before: Before,
    /// The latest creation of the same record that was done before the search.
    pub done_before: Option<Uuid>,
    pub run_id: Option<Uuid>,
    pub by: By,
}

/// The search before a creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// No search: its parent was created a moment ago, or OneFile has no look-up for it.
    Nothing,
    /// Search for the same record and for similar ones. A person may have allowed a creation
    /// despite similar records.
    Search { allow_duplicate: bool },
}

/// Why a creation is not sent to OneFile.
#[derive(Debug)]
pub enum SearchStop {
    /// OneFile has the record already.
    There(i64),
    /// These records look similar.
    Alike(Vec<i64>),
}

impl OneFile {
    /// The creation that an intent describes, to reconcile it.
    async fn creation_of(&self, intent: &IntentRow) -> Result<OneFileCreation, OneFileError> {
        Ok(OneFileCreation {
            client: self.client_there(intent.provider_id, &intent.environment, Class::Bulk).await?,
            onefile: self.clone(),
            key: IntentKey {
                provider: intent.provider_id,
                upstream: Upstream::OneFile,
                environment: intent.environment.clone(),
                subject_kind: intent.subject_kind,
                subject_id: intent.subject_id.clone(),
                step: intent.step.clone(),
            },
            call: serde_json::from_slice(&self.store.intent_payload(intent)?).map_err(StoreError::from)?,
            before: Before::Nothing,
            done_before: None,
            run_id: intent.run_id,
            by: By::itself("reconcile"),
        })
    }

    /// Reconciles an intent. Enrolments that wait for it continue afterwards.
    pub async fn reconcile(&self, intent: &IntentRow) -> Result<Reconciled, OneFileError> {
        let creation = std::sync::Arc::new(self.creation_of(intent).await?);
        let reconciled = self.creations.reconcile(&creation, intent).await?;
        match reconciled {
            Reconciled::Found | Reconciled::SentAgain | Reconciled::ForAPerson => {
                self.wake_waiting(intent).await?;
            }
            Reconciled::NotDue | Reconciled::Absent | Reconciled::Later => {}
        }
        Ok(reconciled)
    }

    /// Wakes the enrolments that wait for an intent.
    pub async fn wake_waiting(&self, intent: &IntentRow) -> Result<(), StoreError> {
        let learner = (intent.subject_kind == SubjectKind::Learner).then_some(intent.subject_id.as_str());
        self.store.wake_enrolments(intent.provider_id, &intent.environment, learner).await
    }

    /// Checks that OneFile has the record that a person names. OneFile has no look-up for visits
    /// and classrooms, so those are not checked.
    pub async fn is_there(
        &self,
        provider: Uuid,
        environment: &str,
        call: &CreateCall,
        id: &str,
    ) -> Result<(), OneFileError> {
        let client = self.client_there(provider, environment, Class::Interactive).await?;
        match call.made {
            CreatedKind::User => drop(client.user(id).await??),
            CreatedKind::Placement => drop(client.placement(id).await??),
            CreatedKind::Aim => drop(client.learning_aim(id).await??),
            CreatedKind::Review => drop(client.review(id).await??),
            CreatedKind::Classroom | CreatedKind::Visit => {}
        }
        Ok(())
    }

    /// A connection to the environment that the record was sent to, even if the settings have
    /// changed since.
    async fn client_there(
        &self,
        provider: Uuid,
        environment: &str,
        class: Class,
    ) -> Result<Client, OneFileError> {
        let mut settings = self.store.onefile_settings(provider).await?;
        if let Some(environment) = OneFileEnvironment::parse(environment) {
            settings.choices.environment = environment;
        }
        self.client_of(&settings, class)
    }
}

impl OneFileCreation {
    /// Whether another enrolment is creating the same record, or has created and linked it.
    async fn is_created_elsewhere(&self) -> Result<bool, StoreError> {
        let (store, key) = (&self.onefile.store, &self.key);
        if store.latest_intent(key).await?.is_some_and(|latest| latest.is_open()) {
            return Ok(true);
        }
        let Some(kind) = key.subject_kind.record() else { return Ok(false) };
        let (Some(link), Some(environment)) = (&self.call.link, OneFileEnvironment::parse(&key.environment))
        else {
            return Ok(false);
        };
        let links = store.onefile_links_of(key.provider, environment, kind).await?;
        Ok(links.iter().any(|own| own.local_id == key.subject_id && own.centre_id == link.centre_id))
    }
}

impl Creation for OneFileCreation {
    type Record = i64;
    type Link = i64;
    type Stop = SearchStop;
    type Error = OneFileError;

    fn intent(&self) -> Result<NewIntent, StoreError> {
        let centre = self.call.link.as_ref().map(|link| link.centre_id.clone());
        Ok(NewIntent {
            key: self.key.clone(),
            payload: serde_json::to_vec(&self.call)?,
            candidates: Vec::new(),
            seen: self.done_before,
            unlinked: centre.map(|centre_id| Unlinked::OneFile { centre_id }),
            run_id: self.run_id,
        })
    }

    fn by(&self) -> &By {
        &self.by
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    async fn search(&self) -> Result<Search<SearchStop>, OneFileError> {
        let Before::Search { allow_duplicate } = self.before else {
            return Ok(Search::Clear { candidates: Vec::new() });
        };
        let hits = self.client.find(&self.call.find).await??;
        let all: Vec<i64> = hits.iter().map(|hit| hit.id).collect();
        let same: Vec<_> = hits.iter().filter(|hit| hit.same).collect();
        // A user that OneFile has already is not taken for the learner: a person links it.
        let is_user = self.call.made == CreatedKind::User && self.key.subject_kind == SubjectKind::Learner;
        Ok(match same.as_slice() {
            [first, ..] if self.call.made == CreatedKind::Aim => Search::Stop(SearchStop::There(first.id)),
            [one] if !one.archived && !is_user => Search::Stop(SearchStop::There(one.id)),
            // Two records with one MIS value are never allowed, because OneFile could not
            // distinguish them.
            _ if all.is_empty() || (allow_duplicate && same.is_empty()) => Search::Clear { candidates: all },
            // Another enrolment created it between the two searches. Opening the intent finds out.
            _ if !is_user && self.is_created_elsewhere().await? => Search::Clear { candidates: all },
            _ => Search::Stop(SearchStop::Alike(all)),
        })
    }

    async fn permit(&self) -> Answered<()> {
        self.client.ready().await
    }

    async fn send(&self, fence: Fence<'_>) -> Result<Sent<i64>, StoreError> {
        self.client.create(&self.call, fence).await
    }

    fn remote_id(record: &i64) -> i64 {
        *record
    }

    async fn settle(&self, intent: &IntentRow, record: &i64) -> Result<SettleOutcome<i64>, StoreError> {
        let link = self.call.link.as_ref().and_then(|link| link.with(*record));
        self.onefile.store.settle_onefile(intent, *record, link.as_ref(), &self.by).await
    }

    async fn refused(&self, failure: &Failure) -> Result<(), StoreError> {
        self.onefile.note_connection(self.key.provider, Some(failure)).await
    }

    async fn look(&self, intent: &IntentRow) -> Result<Look<i64>, OneFileError> {
        if matches!(self.call.find, Find::Nothing) {
            return Ok(Look::Impossible);
        }
        let hits = self.client.find(&self.call.find).await??;
        let mine = hits.iter().find(|hit| hit.same && !intent.candidates.contains(&hit.id));
        Ok(mine.map_or(Look::Absent, |hit| Look::Found(hit.id)))
    }

    async fn look_alikes(&self, intent: &IntentRow) -> Result<Vec<i64>, OneFileError> {
        let hits = self.client.find(&self.call.find).await??;
        Ok(hits.iter().map(|hit| hit.id).filter(|id| !intent.candidates.contains(id)).collect())
    }
}
