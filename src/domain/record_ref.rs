//! A reference to one of PICSWeb's records.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{LearnerId, OfficerId, OrganisationId};

/// The kinds of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RecordKind {
    /// A person on a programme.
    Learner,
    /// A member of the provider's staff, or an employer's contact.
    Officer,
    /// An employer or a site.
    Organisation,
}

impl RecordKind {
    /// The name in the tables and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Learner => "learner",
            Self::Officer => "officer",
            Self::Organisation => "organisation",
        }
    }
}

/// A reference to a PICSWeb record that is stored here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordRef {
    /// The kind of the record.
    pub kind: RecordKind,
    /// PICSWeb's id of the record.
    #[schema(example = "L-1001")]
    pub id: String,
}

impl From<&LearnerId> for RecordRef {
    fn from(id: &LearnerId) -> Self {
        Self { kind: RecordKind::Learner, id: id.to_string() }
    }
}

impl From<&OfficerId> for RecordRef {
    fn from(id: &OfficerId) -> Self {
        Self { kind: RecordKind::Officer, id: id.to_string() }
    }
}

impl From<&OrganisationId> for RecordRef {
    fn from(id: &OrganisationId) -> Self {
        Self { kind: RecordKind::Organisation, id: id.to_string() }
    }
}
