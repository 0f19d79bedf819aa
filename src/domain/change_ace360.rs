//! Data of the changes to a learner's record in ACE360.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::UploadMethod;

/// The status of an ACE360 record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Status)]
pub struct Ace360Status {
    /// ACE360's number of the status, 1 to 10. Numbers outside this range are passed on unchanged.
    /// Null when ACE360 sent none.
    #[schema(example = 1)]
    pub id: Option<i32>,
    /// The status in ACE360's words.
    #[schema(example = "In Training")]
    pub text: Option<String>,
}

impl Ace360Status {
    /// `None` when no status was read.
    pub fn of(id: Option<i32>, text: Option<String>) -> Option<Self> {
        (id.is_some() || text.is_some()).then_some(Self { id, text })
    }
}

/// The data of `ace360.uploaded`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadedData {
    /// ACE360's id of the record.
    pub record_id: i64,
    /// The status of the new record.
    pub status: Ace360Status,
    /// How the record was found. `upload`: ACE360 answered the upload. `reconciled`: the answer was
    /// lost, and the service found the record. `manual`: the answer was lost, and a person named
    /// the record.
    #[schema(value_type = String)]
    pub method: UploadMethod,
}

/// The data of `ace360.statusChanged`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusChangedData {
    /// ACE360's id of the record.
    pub record_id: i64,
    /// The status that the previous read returned.
    pub before: Ace360Status,
    /// The status after the change.
    pub after: Ace360Status,
}

/// The grades of a record in ACE360.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grades {
    /// The provisional grade, before the assessment is final; null when there is none.
    pub provisional_grade: Option<String>,
    /// The final grade, in ACE360's words.
    pub overall_grade: Option<String>,
    /// The day on which the final grade was given; null when there is none.
    pub grade_date: Option<String>,
}

/// The data of `ace360.gradeChanged`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GradeChangedData {
    /// ACE360's id of the record.
    pub record_id: i64,
    /// The grades that the previous read returned.
    pub before: Grades,
    /// The grades after the change.
    pub after: Grades,
}

/// Whether a record is in ACE360's archive, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Archiving {
    /// When ACE360 archived the record (assumed to be UTC). A date in 1970 means that ACE360 gave
    /// no time. Null: the record is not archived.
    pub archived_at: Option<String>,
    /// ACE360's reason for archiving the record; null when there is none.
    pub archival_status: Option<String>,
}

/// The data of `ace360.archived`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArchivedData {
    /// ACE360's id of the record.
    pub record_id: i64,
    /// The archive state that the previous read returned.
    pub before: Archiving,
    /// The state after the change.
    pub after: Archiving,
}

/// The data of `ace360.certificateClaimed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateClaimedData {
    /// ACE360's id of the record.
    pub record_id: i64,
    /// When the certificate was claimed, as the previous read returned it (assumed to be UTC).
    /// Null: it was not claimed.
    pub before: Option<String>,
    /// When the certificate was claimed, as the latest read returned it (assumed to be UTC). Null:
    /// it is not claimed.
    pub after: Option<String>,
}

/// The data of `ace360.gone` and `ace360.returned`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordGoneData {
    /// ACE360's id of the record.
    pub record_id: i64,
}
