//! The kinds of records, and the operations that OneFile offers for each.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
// The fault switch has a `Kind` in the same document.
#[schema(as = RecordKind)]
pub enum Kind {
    Organisation,
    User,
    Placement,
    Classroom,
    Standard,
    Unit,
    FrameworkTemplate,
    LearningAim,
    UnitSummary,
    Visit,
    Review,
    /// The assignment of a person to a learner. The API cannot read it.
    Assignment,
}

/// The names of the operations of a kind, as the fault switch and the counts use them. `None`: not
/// offered.
#[derive(Debug, Default)]
pub struct Offered {
    pub search: Option<&'static str>,
    pub get: Option<&'static str>,
    pub create: Option<&'static str>,
    pub update: Option<&'static str>,
}

impl Kind {
    pub const ALL: [Self; 12] = [
        Self::Organisation,
        Self::User,
        Self::Placement,
        Self::Classroom,
        Self::Standard,
        Self::Unit,
        Self::FrameworkTemplate,
        Self::LearningAim,
        Self::UnitSummary,
        Self::Visit,
        Self::Review,
        Self::Assignment,
    ];

    /// The word in paths and messages.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Organisation => "Organisation",
            Self::User => "User",
            Self::Placement => "Placement",
            Self::Classroom => "Classroom",
            Self::Standard => "Standard",
            Self::Unit => "Unit",
            Self::FrameworkTemplate => "FrameworkTemplate",
            Self::LearningAim => "LearningAim",
            Self::UnitSummary => "UnitSummary",
            Self::Visit => "Visit",
            Self::Review => "Review",
            Self::Assignment => "Assignment",
        }
    }

    pub fn offered(self) -> Offered {
        let (search, get, create, update) = match self {
            Self::Organisation => (Some("searchOrganisations"), Some("getOrganisation"), None, None),
            Self::User => (Some("searchUsers"), Some("getUser"), Some("createUser"), Some("updateUser")),
            Self::Placement => (
                Some("searchPlacements"),
                Some("getPlacement"),
                Some("createPlacement"),
                Some("updatePlacement"),
            ),
            Self::Classroom => (
                Some("searchClassrooms"),
                Some("getClassroom"),
                Some("createClassroom"),
                Some("updateClassroom"),
            ),
            Self::Standard => (Some("searchStandards"), Some("getStandard"), None, None),
            Self::Unit => (Some("searchUnits"), Some("getUnit"), None, None),
            Self::FrameworkTemplate => (Some("searchFrameworkTemplates"), None, None, None),
            Self::LearningAim => {
                (Some("searchLearningAims"), Some("getLearningAim"), None, Some("updateLearningAim"))
            }
            Self::UnitSummary => (Some("searchUnitSummaries"), None, None, None),
            Self::Visit => (None, None, Some("createVisit"), None),
            Self::Review => (Some("searchReviews"), Some("getReview"), Some("createReview"), None),
            Self::Assignment => (None, None, None, None),
        };
        Offered { search, get, create, update }
    }
}
