//! A learner's placements at organisations, and the officers with a role for the learner.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::check::{in_order, printable};
use super::fault::Fault;
use super::ids::{OfficerId, OrganisationId};
use super::time;

/// A period that a learner spends at an organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Placement {
    /// PICSWeb's id of the organisation.
    pub organisation_id: Option<OrganisationId>,
    /// PICSWeb's placement type. OneFile gets the latest placement of type `P`.
    #[serde(rename = "type")]
    #[validate(length(max = 50), custom(function = printable))]
    #[schema(max_length = 50, example = "P")]
    pub kind: Option<String>,
    /// The first day of the placement.
    #[serde(default, deserialize_with = "time::optional")]
    pub start_date: Option<NaiveDate>,
    /// The last day of the placement.
    #[serde(default, deserialize_with = "time::optional")]
    pub end_date: Option<NaiveDate>,
}

impl Placement {
    pub(super) fn across(&self) -> Option<Fault> {
        let message = "Make the placement's end date its start date or later.";
        in_order(self.start_date, self.end_date, "/endDate", message)
    }
}

/// An officer with a role for a learner.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LearnerOfficer {
    /// The officer's role for this learner.
    #[validate(length(max = 100), custom(function = printable))]
    #[schema(max_length = 100, example = "Internal Verifier")]
    pub role: Option<String>,
    /// PICSWeb's id of the officer.
    pub officer_id: Option<OfficerId>,
}
