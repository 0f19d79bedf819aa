//! The programme that a learner is on: its standard, its dates and its funding.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::check::{in_order, printable};
use super::codes::StandardCode;
use super::fault::Fault;
use super::time;

/// The standard that a learner is on, with dates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Programme {
    /// The ILR programme type; 25 is an apprenticeship standard. Null when not recorded.
    #[serde(rename = "type")]
    #[validate(range(min = 1, max = 99))]
    #[schema(minimum = 1, maximum = 99, example = 25)]
    pub kind: Option<i64>,
    /// The LARS code of the standard; null when not recorded.
    pub standard_code: Option<StandardCode>,
    /// The first day of the programme.
    #[serde(default, deserialize_with = "time::optional")]
    pub start_date: Option<NaiveDate>,
    /// The planned last day of the programme.
    #[serde(default, deserialize_with = "time::optional")]
    pub planned_end_date: Option<NaiveDate>,
    /// The actual last day of the programme; null while the learner is in learning.
    #[serde(default, deserialize_with = "time::optional")]
    pub actual_end_date: Option<NaiveDate>,
    /// The Funding Organisation in PICSWeb.
    #[validate(length(max = 50), custom(function = printable))]
    #[schema(max_length = 50, example = "SFZZ")]
    pub funding_organisation: Option<String>,
    /// Whether the learner has additional needs; null when not recorded.
    pub additional_needs: Option<bool>,
}

impl Programme {
    /// The ILR programme type of apprenticeship standards.
    pub const APPRENTICESHIP_STANDARD: i64 = 25;

    pub(super) fn across(&self) -> Vec<Fault> {
        let planned = "Make the planned end date the start date or later.";
        let actual = "Make the actual end date the start date or later.";
        [
            in_order(self.start_date, self.planned_end_date, "/plannedEndDate", planned),
            in_order(self.start_date, self.actual_end_date, "/actualEndDate", actual),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
