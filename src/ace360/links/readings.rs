//! What ACE360's rows and single records say about a linked learner. Pure.

use chrono::NaiveDateTime;
use uuid::Uuid;

use crate::ace360::client::wire::Apprentice;
use crate::store::{Detail, MirrorRow, OutcomeKind, Reading, RecordOutcome, Store, Told};
use crate::upstream::failure::{Failure, FailureKind, faults};

/// A learner's record that failed upstream, with the upstream's reasons.
pub(crate) fn failed(learner: impl Into<String>, failure: &Failure) -> RecordOutcome {
    RecordOutcome::learner(learner, OutcomeKind::Failed, failure.kind.record_code()).told(Told {
        message: failure.text(),
        errors: faults(&failure.field_errors),
        ..Told::default()
    })
}

/// A single record whose status can be read, or has none.
pub fn readable(answer: Result<Apprentice, Failure>) -> Result<Apprentice, Failure> {
    match answer {
        Ok(apprentice) if apprentice.status_unreadable => {
            Err(Failure::new(FailureKind::Failed, Some(200), "the record's status cannot be read"))
        }
        other => other,
    }
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

pub fn mirror_row(store: &Store, provider: Uuid, apprentice: &Apprentice) -> MirrorRow {
    let person = match (&apprentice.first_name, &apprentice.last_name, apprentice.date_of_birth) {
        (Some(first), Some(last), Some(birth)) => Some(store.person_index(provider, first, last, birth)),
        _ => None,
    };
    let status = apprentice.status.clone().unwrap_or_default();
    MirrorRow {
        record_id: apprentice.id,
        person_index: person,
        birth_index: apprentice.date_of_birth.map(|birth| store.birth_index(provider, birth)),
        standard_id: apprentice.standard_id,
        status_id: status.id.and_then(|id| i32::try_from(id).ok()),
        status_text: status.text,
        archived: apprentice.archived,
    }
}

/// A record whose archive time is unreadable is still archived. The year 1970 means "time unknown".
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
