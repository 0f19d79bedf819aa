//! What ACE360 says of a record.

use crate::domain::Ace360Status;

/// What ACE360 says of one record, from its list or from the single record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub record_id: i64,
    /// `None`: ACE360 did not say.
    pub status_id: Option<i32>,
    pub status_text: Option<String>,
    /// As ACE360 wrote it; the outer `None`: it did not say.
    pub archived_at: Option<Option<String>>,
    /// As ACE360 wrote it.
    pub certificate_claimed_at: Option<Option<String>>,
    /// What only the single record carries.
    pub detail: Option<Detail>,
}

/// What only the single record carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Why it is archived.
    pub archival_status: Option<String>,
    /// Before the assessment is settled.
    pub provisional_grade: Option<String>,
    pub overall_grade: Option<String>,
    /// When it was given.
    pub grade_date: Option<String>,
}

impl Reading {
    /// The status that ACE360 said.
    pub(crate) fn status(&self) -> Ace360Status {
        Ace360Status { id: self.status_id, text: self.status_text.clone() }
    }
}
