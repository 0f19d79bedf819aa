//! The data of changes of a learner's record in ACE360.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::UploadMethod;

/// The status of an ACE360 record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Status)]
pub struct Ace360Status {
    /// 1 to 10. Other numbers are kept as they come.
    #[schema(example = 1)]
    pub id: Option<i32>,
    /// The status in ACE360's words.
    #[schema(example = "In Training")]
    pub text: Option<String>,
}

impl Ace360Status {
    /// `None`: no status was read.
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
    /// `upload`: ACE360 answered the upload. `reconciled`: the answer was lost, and the record was found. `manual`: a person named the record.
    #[schema(value_type = String)]
    pub method: UploadMethod,
}

/// The data of `ace360.statusChanged`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusChangedData {
    /// ACE360's id of the record.
    pub record_id: i64,
    /// The status that was read before.
    pub before: Ace360Status,
    /// The status after the change.
    pub after: Ace360Status,
}

/// The grades of a record in ACE360.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grades {
    /// The grade before the assessment is settled.
    pub provisional_grade: Option<String>,
    /// The final grade, in ACE360's words.
    pub overall_grade: Option<String>,
    /// The day on which the final grade was given.
    pub grade_date: Option<String>,
}

/// The data of `ace360.gradeChanged`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GradeChangedData {
    /// ACE360's id of the record.
    pub record_id: i64,
    /// The grades that were read before.
    pub before: Grades,
    /// The grades after the change.
    pub after: Grades,
}

/// Whether and why a record is in ACE360's archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Archiving {
    /// When ACE360 archived the record (UTC is assumed; 1970: ACE360 did not say when). Null: it is not archived.
    pub archived_at: Option<String>,
    /// Why, in ACE360's words.
    pub archival_status: Option<String>,
}

/// The data of `ace360.archived`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArchivedData {
    /// ACE360's id of the record.
    pub record_id: i64,
    /// What was read before.
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
    /// When the certificate was claimed, as it was read before.
    pub before: Option<String>,
    /// When the certificate was claimed, as it is now (UTC is assumed).
    pub after: Option<String>,
}

/// The data of `ace360.gone` and `ace360.returned`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordGoneData {
    /// ACE360's id of the record.
    pub record_id: i64,
}
