//! What became of an upload whose answer was lost. ACE360's list is read, newest first, for a record of the same person
//! and standard that was not there before; the single record's ULN confirms it. Found: the learner is linked.
//! Surely absent, by two complete looks: it is sent once more. Lost again: a person decides.

use chrono::{NaiveDate, TimeDelta};
use serde::Deserialize;

use super::client::Client;
use super::duplicates::{Person, Sought};
use super::status::{mirror_row, single};
use super::wire::Apprentice;
use super::{Ace360, Ace360Error};
use crate::domain::UploadMethod;
use crate::store::{IntentRow, StoreError};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::intent::{Lease, Looked};
use crate::upstream::pace::Class;

/// ACE360 writes creation times without a zone, and its clock may differ: a record counts as older than the send only
/// when it is older by more than this.
const CLOCK_DOUBT: TimeDelta = TimeDelta::hours(24);

/// What is known of what was sent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    first_name: String,
    last_name: String,
    date_of_birth: NaiveDate,
    standard_id: i64,
    uln_number: String,
}

impl Ace360 {
    /// Looks what became of an intent.
    ///
    /// # Errors
    /// ACE360's, which say that the look could not be completed; the database's.
    pub async fn look_at(&self, intent: &IntentRow) -> Result<Looked, Ace360Error> {
        let provider = intent.provider_id;
        // The settings may have moved on; the record is where it was sent.
        let mut settings = self.store.ace360_settings(provider).await?;
        settings.environment.clone_from(&intent.environment);
        let client = self.client_of(&settings, Class::Bulk)?;
        let sent: Sent =
            serde_json::from_slice(&self.store.intent_payload(intent)?).map_err(StoreError::from)?;
        if let Some(apprentice) = self.find(&client, intent, &sent).await? {
            let linked = self
                .store
                .settle_uploaded(intent, UploadMethod::Reconciled, &single(&apprentice), None)
                .await?;
            if linked.is_some() {
                return Ok(Looked::Found);
            }
            // Settled by somebody else meanwhile; or the record was linked to another learner, which no look can sort out.
            let problem = Failure::new(
                FailureKind::Failed,
                None,
                format!(
                    "ACE360 record {} is the learner's by its ULN, but is linked to another learner here",
                    apprentice.id
                ),
            );
            let left = self.store.leave_to_person(intent.id, &problem.problem()).await?;
            return Ok(if left { Looked::ForAPerson } else { Looked::NotDue });
        }
        if !self.store.note_absent(intent.id, self.timings.absence, self.timings.job).await? {
            return Ok(if intent.absent_looks == 0 { Looked::Absent } else { Looked::ForAPerson });
        }
        if self.is_doubtful(&client, intent, &sent).await? {
            return Ok(Looked::ForAPerson);
        }
        client.permit().await?.map_err(Ace360Error::Upstream)?;
        let lease = Lease::begin(self.timings.lease);
        match self.store.reopen_intent(intent.id, lease.lasts()).await? {
            Some(intent) => {
                self.send(&client, &intent, lease).await?;
                Ok(Looked::SentAgain)
            }
            None => Ok(Looked::NotDue),
        }
    }

    /// Whether ACE360 has a record now for which an upload of this learner would be refused: a person decides then. It may be what was
    /// sent, without its ULN; or what somebody made by hand meanwhile. The mirror is as new as the look that was just made.
    async fn is_doubtful(
        &self,
        client: &Client,
        intent: &IntentRow,
        sent: &Sent,
    ) -> Result<bool, Ace360Error> {
        let sought = Sought {
            provider: intent.provider_id,
            environment: &intent.environment,
            id: &intent.subject_id,
            person: Person::new(
                &sent.first_name,
                &sent.last_name,
                Some(sent.date_of_birth),
                Some(&sent.uln_number),
            ),
            standard: Some(sent.standard_id),
        };
        let mut twins = self.mirrored_twins(sought).await?;
        twins.retain(|twin| !intent.candidates.contains(&twin.record_id));
        let search = self.judge(client, sought, twins).await?;
        if search.likely.is_empty() {
            return Ok(false);
        }
        let ids = search.likely.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let seen = format!(
            "It is not there, and not sent once more: ACE360 probably has the learner already, as record {ids}"
        );
        let problem = Failure::new(FailureKind::Failed, None, seen);
        self.store.leave_to_person(intent.id, &problem.problem()).await?;
        Ok(true)
    }

    /// A complete look: reads the list from its start until it comes to records that are surely older than the send.
    async fn find(
        &self,
        client: &Client,
        intent: &IntentRow,
        sent: &Sent,
    ) -> Result<Option<Apprentice>, Ace360Error> {
        let provider = intent.provider_id;
        let wanted = self.store.person_index(provider, &sent.first_name, &sent.last_name, sent.date_of_birth);
        let oldest = intent.created_at.naive_utc() - CLOCK_DOUBT;
        let mut number = 0;
        loop {
            number += 1;
            let page = client.apprentices(number).await?.map_err(Ace360Error::Upstream)?;
            let rows: Vec<&Apprentice> =
                page.data.iter().flatten().map(|(apprentice, _)| apprentice).collect();
            let mirrored: Vec<_> = rows.iter().map(|row| mirror_row(&self.store, provider, row)).collect();
            let mut tx = self.store.begin().await?;
            self.store.mirror(&mut tx, provider, &intent.environment, &mirrored, None).await?;
            tx.commit().await.map_err(StoreError::from)?;
            for (row, mirror) in rows.iter().zip(&mirrored) {
                let same = mirror.person_index.as_ref() == Some(&wanted)
                    && row.standard_id.is_none_or(|id| id == sent.standard_id);
                if !same || intent.candidates.contains(&row.id) {
                    continue;
                }
                let single = match client.apprentice(row.id).await? {
                    Ok(single) => single,
                    Err(failure) if failure.kind == FailureKind::Missing => continue,
                    Err(failure) => return Err(failure.into()),
                };
                if single.uln_number.as_deref() == Some(sent.uln_number.as_str()) {
                    return Ok(Some(single));
                }
            }
            let last = rows.is_empty() || page.total_pages.is_none_or(|pages| number >= pages);
            // Only where every row of the page says when it was made, and all of them are old, is the rest older still: the
            // order is seen, not promised, so a whole page must agree.
            let old = rows.iter().all(|row| row.created_at.is_some_and(|at| at < oldest));
            if last || old {
                return Ok(None);
            }
        }
    }
}
