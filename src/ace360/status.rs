//! Reads the status of one learner now, and says what ACE360's rows and single records mean. `status_sync.rs` reads all.

use chrono::NaiveDateTime;
use uuid::Uuid;

use super::wire::Apprentice;
use super::{Ace360, Ace360Error};
use crate::store::{Detail, MirrorRow, OutcomeKind, Reading, RecordOutcome, Store, StoreError, Told};
use crate::upstream::failure::{Failure, FailureKind, faults};
use crate::upstream::pace::Class;

/// What came of reading one learner's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncedOne {
    /// Something was other than before.
    Changed,
    Unchanged,
    /// The record is not there any more.
    Gone,
    /// The learner has no link.
    NotLinked,
}

impl Ace360 {
    /// Reads one learner's record now.
    pub async fn sync_one(&self, provider: Uuid, learner: &str) -> Result<SyncedOne, Ace360Error> {
        let (client, settings) = self.client(provider, Class::Interactive).await?;
        let Some(link) = self.store.ace360_link(provider, learner).await? else {
            return Ok(SyncedOne::NotLinked);
        };
        match client.apprentice(link.record_id).await? {
            Ok(apprentice) => {
                let mut tx = self.store.begin().await?;
                let applied = self
                    .store
                    .apply_readings(&mut tx, provider, &settings.environment, &[single(&apprentice)], None)
                    .await?;
                self.store
                    .mirror(
                        &mut tx,
                        provider,
                        &settings.environment,
                        &[mirror_row(&self.store, provider, &apprentice)],
                        None,
                    )
                    .await?;
                tx.commit().await.map_err(StoreError::from)?;
                self.note_connection(provider, None).await?;
                Ok(if applied.changed.is_empty() { SyncedOne::Unchanged } else { SyncedOne::Changed })
            }
            Err(failure) if failure.kind == FailureKind::Missing => {
                let mut tx = self.store.begin().await?;
                self.store.mark_gone(&mut tx, provider, &settings.environment, learner, None).await?;
                tx.commit().await.map_err(StoreError::from)?;
                Ok(SyncedOne::Gone)
            }
            Err(failure) => {
                self.note_connection(provider, Some(&failure)).await?;
                Err(failure.into())
            }
        }
    }
}

/// A learner's record that failed upstream, with the upstream's reasons.
pub(super) fn failed(learner: impl Into<String>, failure: &Failure) -> RecordOutcome {
    RecordOutcome::learner(learner, OutcomeKind::Failed, failure.kind.record_code()).told(Told {
        message: failure.text(),
        errors: faults(&failure.field_errors),
        ..Told::default()
    })
}

/// What a row of the list says.
pub fn listed(apprentice: &Apprentice) -> Reading {
    let status = apprentice.status.clone().unwrap_or_default();
    Reading {
        record_id: apprentice.id,
        status_id: status.id.and_then(|id| i32::try_from(id).ok()),
        status_text: status.text,
        archived_at: Some(archived_at(apprentice)),
        certificate_claimed_at: Some(apprentice.certificate_claimed_at.map(moment)),
        detail: None,
    }
}

/// What a single record says.
pub fn single(apprentice: &Apprentice) -> Reading {
    Reading {
        detail: Some(Detail {
            archival_status: apprentice.archival_status.clone(),
            provisional_grade: apprentice.provisional_grade.clone(),
            overall_grade: apprentice.overall_grade.clone(),
            grade_date: apprentice.grade_date.map(|date| date.to_string()),
        }),
        ..listed(apprentice)
    }
}

/// A row of the mirror.
pub fn mirror_row(store: &Store, provider: Uuid, apprentice: &Apprentice) -> MirrorRow {
    let person = match (&apprentice.first_name, &apprentice.last_name, apprentice.date_of_birth) {
        (Some(first), Some(last), Some(birth)) => Some(store.person_index(provider, first, last, birth)),
        _ => None,
    };
    let status = apprentice.status.clone().unwrap_or_default();
    MirrorRow {
        record_id: apprentice.id,
        person_index: person,
        standard_id: apprentice.standard_id,
        status_id: status.id.and_then(|id| i32::try_from(id).ok()),
        status_text: status.text,
        archived: apprentice.archived,
    }
}

/// An archive whose time cannot be read is an archive all the same: the year 1970 says that no time is known.
fn archived_at(apprentice: &Apprentice) -> Option<String> {
    match apprentice.archived_at {
        Some(at) => Some(moment(at)),
        None if apprentice.archived => Some("1970-01-01T00:00:00Z".to_owned()),
        None => None,
    }
}

/// ACE360 writes times without a zone; UTC is assumed.
fn moment(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
