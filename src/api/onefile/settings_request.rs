//! The OneFile settings in a request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::remote_id::RemoteId;
use crate::domain::serde_fields::{object, optional_list};
use crate::domain::{DemographicsMode, DesktopIntegration, OneFileEnvironment, VisitType};

/// When the daily exchange runs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OneFileDailySync)]
pub struct DailySync {
    /// Whether the daily run is on.
    pub enabled: bool,
    /// The time of the daily exchange, `HH:MM`, London time. OneFile installs releases between
    /// 07:00 and 07:30: choose another time.
    #[schema(example = "05:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub at: String,
}

/// The OneFile settings to save. A field that is left out gets its default, except for the customer
/// token and the environment, which stay.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = OneFileSettingsRequest, example = json!({
    "enabled": false, "uploadReviews": true, "downloadReviews": true,
    "visitType": "faceToFace", "additionalAssessors": ["IQA"], "classroomFromMainTag": true, "defaultClassroomId": "301",
    "learnerDemographics": "pushed", "desktopIntegration": "off", "dailySync": {"enabled": true, "at": "05:00"}, "fullSweepDays": 7
}))]
pub struct SettingsRequest {
    /// Whether learners are enrolled and exchanged. Refused (409 `notReady`) while something
    /// prevents it.
    pub(super) enabled: bool,
    /// The OneFile environment. Left out or null: the current one stays (`live` at first). A change
    /// requires the customer token of the new environment.
    #[serde(default)]
    pub(super) environment: Option<OneFileEnvironment>,
    /// The customer token that OneFile Support issued for this environment. Write-only. Left out or
    /// null: the current one stays.
    #[serde(default)]
    #[schema(write_only, max_length = 4096)]
    pub(super) customer_token: Option<String>,
    /// Whether a learner's reviews are created in OneFile. Default: `false`.
    #[serde(default)]
    pub(super) upload_reviews: Option<bool>,
    /// Whether OneFile's reviews are copied to PICSWeb. Default: `false`.
    #[serde(default)]
    pub(super) download_reviews: Option<bool>,
    /// The kind of visit that an uploaded review becomes. Default: `notSpecified`.
    #[serde(default)]
    pub(super) visit_type: Option<VisitType>,
    /// Roles of learners' officers who become additional assessors. Default: none.
    #[serde(default, deserialize_with = "optional_list::<50, _, _>")]
    #[schema(max_items = 50)]
    pub(super) additional_assessors: Option<Vec<String>>,
    /// Whether a learner's Main Tag names the classroom. Default: `false`.
    #[serde(default)]
    pub(super) classroom_from_main_tag: Option<bool>,
    /// Whether a classroom that a Main Tag names and OneFile lacks is created. Default: `false`.
    #[serde(default)]
    pub(super) create_missing_classrooms: Option<bool>,
    /// OneFile's id of the default classroom, for providers with one centre: a string or a number.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub(super) default_classroom_id: Option<RemoteId>,
    /// The default classroom of each centre: centre id to classroom id.
    #[serde(default)]
    pub(super) default_classrooms: Option<BTreeMap<String, RemoteId>>,
    /// The direction in which learners' details are copied. Default: `ignored`.
    #[serde(default)]
    pub(super) learner_demographics: Option<DemographicsMode>,
    /// The direction in which officers' details are copied. Default: `ignored`.
    #[serde(default)]
    pub(super) officer_demographics: Option<DemographicsMode>,
    /// The direction in which organisations' details are copied. Default: `ignored`.
    #[serde(default)]
    pub(super) organisation_demographics: Option<DemographicsMode>,
    /// Whether a change of a learner's main officer or placement is sent to OneFile. Default:
    /// `false`.
    #[serde(default)]
    pub(super) push_changes: Option<bool>,
    /// Whether PICS Desktop's OneFile integration is on. Default: `never`.
    #[serde(default)]
    pub(super) desktop_integration: Option<DesktopIntegration>,
    /// The daily exchange. Left out or null: on at 05:00.
    #[serde(default, deserialize_with = "object")]
    pub(super) daily_sync: Option<DailySync>,
    /// The number of days between exchanges that read all learners, 1 to 31. Default: 7.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 31)]
    pub(super) full_sweep_days: Option<i64>,
}

impl std::fmt::Debug for SettingsRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SettingsRequest {…}")
    }
}
