//! A qualification on a learner's Delivery Plan.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::check::{in_order, printable};
use super::codes::VqReference;
use super::fault::Fault;
use super::ids::{OfficerId, QualificationId};
use super::time;

/// A qualification that a learner works towards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Qualification {
    /// PICSWeb's identifier of the qualification; unique in the list.
    pub qualification_id: Option<QualificationId>,
    /// The title of the qualification.
    #[validate(length(max = 300), custom(function = printable))]
    #[schema(max_length = 300, example = "Level 2 Vehicle Maintenance")]
    pub title: Option<String>,
    /// The VQ reference, which identifies OneFile's learning aim; null when not recorded.
    pub vq_reference: Option<VqReference>,
    /// PICSWeb's id of the assessor.
    pub assessor_id: Option<OfficerId>,
    /// The first day of the qualification.
    #[serde(default, deserialize_with = "time::optional")]
    pub start_date: Option<NaiveDate>,
    /// The planned last day of the qualification.
    #[serde(default, deserialize_with = "time::optional")]
    pub planned_end_date: Option<NaiveDate>,
    /// The registration number at the awarding body; null when not registered.
    #[validate(length(max = 50), custom(function = printable))]
    #[schema(max_length = 50, example = "REG-1")]
    pub registration_number: Option<String>,
    /// The date of registration with the awarding organisation.
    #[serde(default, deserialize_with = "time::optional")]
    pub registration_date: Option<NaiveDate>,
    /// The day on which the certificate was applied for; null when it was not.
    #[serde(default, deserialize_with = "time::optional")]
    pub certificate_applied_for_date: Option<NaiveDate>,
    /// The day on which the certificate was received; null when it was not.
    #[serde(default, deserialize_with = "time::optional")]
    pub certificate_received_date: Option<NaiveDate>,
    /// The number of elements in total; null when not recorded.
    #[validate(range(min = 0, max = 100_000))]
    #[schema(minimum = 0, maximum = 100_000, example = 12)]
    pub total_elements: Option<i64>,
    /// The number of elements that are done; null when not recorded.
    #[validate(range(min = 0, max = 100_000))]
    #[schema(minimum = 0, maximum = 100_000, example = 3)]
    pub elements_done: Option<i64>,
}

impl Qualification {
    pub(super) fn across(&self) -> Vec<Fault> {
        let planned = "Make the planned end date the start date or later.";
        let done = self.elements_done.zip(self.total_elements).is_some_and(|(done, total)| done > total);
        let done = done.then(|| {
            Fault::at(
                "/elementsDone",
                "moreThanTotal",
                "Send at most as many elements done as totalElements.",
            )
        });
        in_order(self.start_date, self.planned_end_date, "/plannedEndDate", planned)
            .into_iter()
            .chain(done)
            .collect()
    }
}
