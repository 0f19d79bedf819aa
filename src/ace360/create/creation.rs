//! The creation of a learner's record in ACE360: how to search for duplicates, send the record,
//! settle the intent, and reconcile it when the response was lost.

use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::duplicates::{Duplicates, Person, Sought};
use crate::ace360::client::Client;
use crate::ace360::client::wire::{Apprentice, ListPosition};
use crate::ace360::links::readings::{mirror_row, single};
use crate::ace360::{Ace360, Ace360Error, STEP};
use crate::domain::folding::name_key;
use crate::domain::{IntentState, SubjectKind, Uln, UploadMethod, Upstream};
use crate::store::{By, IntentKey, IntentRow, LinkRow, NewIntent, SettleOutcome, StoreError, Unlinked};
use crate::upstream::creation::{Creation, Fence, Look, Reconciled, Search, Sent};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::pace::Class;
use crate::upstream::read::Answered;

/// ACE360 writes creation times without a time zone, and its clock may differ. A record counts as
/// older than the send only when it is older by more than this.
const CLOCK_DOUBT: TimeDelta = TimeDelta::hours(24);
/// Records that one look reads singly whatever their creation time says. There are more only where ACE360's list was not
/// known before the send.
const READ_ANYWAY: usize = 300;

pub struct Registration {
    pub ace360: Ace360,
    pub client: Client,
    pub key: IntentKey,
    /// The record as JSON.
    pub payload: Vec<u8>,
    pub person: SentPerson,
    /// Create the record even if ACE360 probably has the learner.
    pub allow_duplicate: bool,
    /// Whether the mirror holds ACE360's full list. `None`: read the newest pages first.
    pub mirror_complete: Option<bool>,
    /// The latest upload that was done before this one.
    pub done_before: Option<Uuid>,
    pub run_id: Option<Uuid>,
    pub by: By,
    /// Cancelled when the intent is written.
    pub opened: CancellationToken,
}

/// What identifies the learner in a payload.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SentPerson {
    first_name: String,
    last_name: String,
    date_of_birth: NaiveDate,
    standard_id: i64,
    uln_number: String,
}

/// Why a record is not sent to ACE360.
#[derive(Debug)]
pub enum SearchStop {
    /// ACE360 probably has the learner in these records.
    LikelyDuplicate(Box<Duplicates>),
    /// The mirror does not hold ACE360's full list, so the search could miss a duplicate.
    CannotTell,
}

impl SentPerson {
    pub fn read(payload: &[u8]) -> Result<Self, StoreError> {
        Ok(serde_json::from_slice(payload)?)
    }
}

impl Ace360 {
    /// The key of the only creation that a learner has in ACE360.
    pub fn key_of(provider: Uuid, learner: &str, environment: &str) -> IntentKey {
        IntentKey {
            provider,
            upstream: Upstream::Ace360,
            environment: environment.to_owned(),
            subject_kind: SubjectKind::Learner,
            subject_id: learner.to_owned(),
            step: STEP.to_owned(),
        }
    }

    /// The latest upload of a learner in the provider's environment.
    pub async fn latest_upload(
        &self,
        provider: Uuid,
        learner: &str,
    ) -> Result<Option<IntentRow>, StoreError> {
        let environment = self.store.ace360_settings(provider).await?.environment;
        self.store.latest_intent(&Self::key_of(provider, learner, &environment)).await
    }

    pub async fn reconcile(&self, intent: &IntentRow) -> Result<Reconciled, Ace360Error> {
        let registration = Arc::new(self.creation_of(intent).await?);
        self.creations.reconcile(&registration, intent).await
    }

    /// The creation that an intent describes, to reconcile it. It uses the environment that the
    /// record was sent to, even if the settings have changed since.
    async fn creation_of(&self, intent: &IntentRow) -> Result<Registration, Ace360Error> {
        let mut settings = self.store.ace360_settings(intent.provider_id).await?;
        settings.environment.clone_from(&intent.environment);
        let payload = self.store.intent_payload(intent)?;
        Ok(Registration {
            client: self.client_of(&settings, Class::Bulk)?,
            ace360: self.clone(),
            key: Self::key_of(intent.provider_id, &intent.subject_id, &intent.environment),
            person: SentPerson::read(&payload)?,
            payload,
            allow_duplicate: false,
            mirror_complete: None,
            done_before: None,
            run_id: intent.run_id,
            by: By::itself("reconcile"),
            opened: CancellationToken::new(),
        })
    }
}

impl Registration {
    fn sought(&self) -> Sought<'_> {
        let sent = &self.person;
        Sought {
            provider: self.key.provider,
            environment: &self.key.environment,
            id: &self.key.subject_id,
            person: Person::new(
                &sent.first_name,
                &sent.last_name,
                Some(sent.date_of_birth),
                Some(&sent.uln_number),
            ),
            standard: Some(sent.standard_id),
        }
    }

    fn uln(&self) -> Option<&str> {
        Some(self.person.uln_number.as_str()).filter(|uln| *uln != Uln::PLACEHOLDER)
    }

    fn uln_index(&self) -> Option<Vec<u8>> {
        self.uln().map(|uln| self.ace360.store.uln_index(self.key.provider, uln))
    }

    /// Whether a single record is the one that was sent. The ULN decides; who has none yet is known by name, birth date and
    /// standard.
    fn is_sent(&self, single: &Apprentice) -> bool {
        let sent = &self.person;
        match (self.uln(), single.uln_number.as_deref().filter(|uln| *uln != Uln::PLACEHOLDER)) {
            (Some(own), Some(theirs)) => own == theirs,
            (Some(_), None) | (None, Some(_)) => false,
            (None, None) => {
                let key = |first: &str, last: &str| (name_key(first), name_key(last));
                let theirs = single.first_name.as_deref().zip(single.last_name.as_deref());
                theirs.is_some_and(|(first, last)| key(first, last) == key(&sent.first_name, &sent.last_name))
                    && single.date_of_birth == Some(sent.date_of_birth)
                    && single.standard_id.is_none_or(|id| id == sent.standard_id)
            }
        }
    }
}

impl Creation for Registration {
    type Record = Apprentice;
    type Link = LinkRow;
    type Stop = SearchStop;
    type Error = Ace360Error;

    fn intent(&self) -> Result<NewIntent, StoreError> {
        Ok(NewIntent {
            key: self.key.clone(),
            payload: self.payload.clone(),
            candidates: Vec::new(),
            seen: self.done_before,
            unlinked: Some(Unlinked::Ace360),
            run_id: self.run_id,
        })
    }

    fn by(&self) -> &By {
        &self.by
    }

    fn patience(&self) -> Duration {
        // A person's request waits for its permit elsewhere, and a run comes back later.
        Duration::ZERO
    }

    async fn search(&self) -> Result<Search<SearchStop>, Ace360Error> {
        let sought = self.sought();
        let found = match self.mirror_complete {
            Some(complete) => {
                let twins = self.ace360.mirrored_twins(sought).await?;
                self.ace360.judge(&self.client, sought, twins).await?.among(complete)
            }
            None => self.ace360.search_on_top(&self.client, sought).await?,
        };
        Ok(if self.allow_duplicate {
            Search::Clear { candidates: found.present }
        } else if !found.likely.is_empty() {
            Search::Stop(SearchStop::LikelyDuplicate(Box::new(found)))
        } else if found.complete {
            Search::Clear { candidates: found.present }
        } else {
            Search::Stop(SearchStop::CannotTell)
        })
    }

    async fn permit(&self) -> Answered<()> {
        self.client.permit().await
    }

    fn opened(&self) {
        self.opened.cancel();
    }

    async fn send(&self, fence: Fence<'_>) -> Result<Sent<Apprentice>, StoreError> {
        self.client.create(fence, self.payload.clone()).await
    }

    fn remote_id(record: &Apprentice) -> i64 {
        record.id
    }

    async fn settle(
        &self,
        intent: &IntentRow,
        record: &Apprentice,
    ) -> Result<SettleOutcome<LinkRow>, StoreError> {
        let store = &self.ace360.store;
        let first_answer = intent.state == IntentState::Sending && intent.sends == 0;
        let method = if first_answer { UploadMethod::Upload } else { UploadMethod::Reconciled };
        let mirror = mirror_row(store, intent.provider_id, record);
        store.settle_uploaded(intent, method, &single(record), &mirror).await
    }

    async fn refused(&self, failure: &Failure) -> Result<(), StoreError> {
        self.ace360.note_connection(self.key.provider, Some(failure)).await
    }

    /// Reads the whole list, since nothing is promised about its order, and each record singly that may have been created by
    /// the send: the ULN decides, because ACE360 may keep a name or a date otherwise than it was sent.
    async fn look(&self, intent: &IntentRow) -> Result<Look<Apprentice>, Ace360Error> {
        let store = &self.ace360.store;
        let oldest = intent.created_at.naive_utc() - CLOCK_DOUBT;
        let (mut list, mut read) = (ListPosition::default(), 0);
        loop {
            let page = self.client.apprentices(list.next()).await??;
            let last = list.note(&page);
            let rows: Vec<&Apprentice> =
                page.data.iter().flatten().map(|(apprentice, _)| apprentice).collect();
            let mirrored: Vec<_> =
                rows.iter().map(|row| mirror_row(store, intent.provider_id, row)).collect();
            let mut tx = store.begin().await?;
            store.mirror(&mut tx, intent.provider_id, &intent.environment, &mirrored, None).await?;
            tx.commit().await.map_err(StoreError::from)?;
            let candidates =
                rows.iter().filter(|row| read < READ_ANYWAY || row.created_at.is_none_or(|at| at >= oldest));
            let ids: Vec<i64> = candidates.map(|row| row.id).collect();
            for id in store.records_since(intent, &ids, self.uln_index().as_deref()).await? {
                read += 1;
                match self.client.apprentice(id).await? {
                    Ok(single) if self.is_sent(&single) => return Ok(Look::Found(single)),
                    Ok(single) => self.ace360.note_uln(self.sought(), &single).await?,
                    Err(failure) if failure.kind == FailureKind::Missing => {}
                    Err(failure) => return Err(failure.into()),
                }
            }
            if last {
                return Ok(Look::Absent);
            }
        }
    }

    /// Records that would make an upload of this learner fail now: the record that was sent,
    /// without its ULN, or a record that somebody created by hand in the meantime. The
    /// reconciliation has just refreshed the mirror.
    async fn look_alikes(&self, intent: &IntentRow) -> Result<Vec<i64>, Ace360Error> {
        let sought = self.sought();
        let mut twins = self.ace360.mirrored_twins(sought).await?;
        twins.retain(|twin| !intent.candidates.contains(&twin.record_id));
        Ok(self.ace360.judge(&self.client, sought, twins).await?.likely)
    }
}
