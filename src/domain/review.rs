//! A review of a learner's progress, planned or held.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::check::printable;
use super::codes::{Attendance, OneFileId, one_file_id};
use super::ids::{OfficerId, ReviewId};
use super::time::{self, StartTime};

/// A review of a learner's progress.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Review {
    /// PICSWeb's identifier of the review; unique in the list.
    pub review_id: Option<ReviewId>,
    /// The OneFile System ID, once the review is in OneFile; unique in the list.
    #[serde(default, deserialize_with = "one_file_id")]
    pub one_file_id: Option<OneFileId>,
    /// The review type in PICSWeb.
    #[serde(rename = "type")]
    #[validate(length(max = 100), custom(function = printable))]
    #[schema(max_length = 100, example = "Normal")]
    pub kind: Option<String>,
    /// The day on which the review is planned; null when not recorded.
    #[serde(default, deserialize_with = "time::optional")]
    pub scheduled_date: Option<NaiveDate>,
    /// The planned start, London time; null when not recorded.
    pub start_time: Option<StartTime>,
    /// PICSWeb's id of the officer who holds it.
    pub officer_id: Option<OfficerId>,
    /// Whether the learner attended; null when not recorded.
    pub attendance: Option<Attendance>,
    /// The day on which the review was held; null when it was not held yet.
    #[serde(default, deserialize_with = "time::optional")]
    pub actual_date: Option<NaiveDate>,
}
