//! The subject of a change, an intent, a delivery or a run's record.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{RecordKind, SubjectKind};

/// The subject of a change, an intent, a delivery or a run's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Subject {
    /// The kind of subject, which says what `id` identifies.
    pub kind: SubjectKind,
    /// The id of the record.
    #[schema(example = "L1")]
    pub id: String,
}

impl Subject {
    /// A record that is stored here.
    pub fn record(kind: RecordKind, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }

    pub fn learner(id: impl Into<String>) -> Self {
        Self { kind: SubjectKind::Learner, id: id.into() }
    }

    pub fn run(id: Uuid) -> Self {
        Self { kind: SubjectKind::Run, id: id.to_string() }
    }

    pub fn webhook(id: Uuid) -> Self {
        Self { kind: SubjectKind::Webhook, id: id.to_string() }
    }
}

impl From<RecordKind> for SubjectKind {
    fn from(kind: RecordKind) -> Self {
        match kind {
            RecordKind::Learner => Self::Learner,
            RecordKind::Officer => Self::Officer,
            RecordKind::Organisation => Self::Organisation,
        }
    }
}

impl SubjectKind {
    /// The kind of record; `None` if the subject is not a record that is stored here.
    pub const fn record(self) -> Option<RecordKind> {
        match self {
            Self::Learner => Some(RecordKind::Learner),
            Self::Officer => Some(RecordKind::Officer),
            Self::Organisation => Some(RecordKind::Organisation),
            Self::Standard | Self::Classroom | Self::Run | Self::Webhook => None,
        }
    }
}
