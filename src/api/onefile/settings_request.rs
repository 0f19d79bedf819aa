//! The OneFile settings as a caller sends them.

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
    /// Local time of the provider (Europe/London), `HH:MM`. OneFile is released between 07:00 and 07:30: choose another.
    #[schema(example = "05:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub at: String,
}

/// Settings to keep. What is left out gets its default, but for the customer token, which stays.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = OneFileSettingsRequest, example = json!({
    "enabled": false, "uploadReviews": true, "downloadReviews": true,
    "visitType": "faceToFace", "additionalAssessors": ["IQA"], "classroomFromMainTag": true, "defaultClassroomId": "301",
    "learnerDemographics": "pushed", "desktopIntegration": "off", "dailySync": {"enabled": true, "at": "05:00"}, "fullSweepDays": 7
}))]
pub struct SettingsRequest {
    /// Whether learners are enrolled and exchanged at all. Refused (409 `notReady`) while something is in the way.
    pub(super) enabled: bool,
    /// Which OneFile; left out or null: the present one stays (`live` at first). Another than before needs its own customer token.
    #[serde(default)]
    pub(super) environment: Option<OneFileEnvironment>,
    /// The customer token that OneFile Support issued for this environment. Write-only; left out or null: the present one stays.
    #[serde(default)]
    #[schema(write_only, max_length = 4096)]
    pub(super) customer_token: Option<String>,
    /// Whether a learner's reviews are made in OneFile; no if not said.
    #[serde(default)]
    pub(super) upload_reviews: Option<bool>,
    /// Whether OneFile's reviews come down; no if not said.
    #[serde(default)]
    pub(super) download_reviews: Option<bool>,
    /// What kind of visit an uploaded review becomes; `notSpecified` if not said.
    #[serde(default)]
    pub(super) visit_type: Option<VisitType>,
    /// Roles of learners' officers who become additional assessors; none if not said.
    #[serde(default, deserialize_with = "optional_list::<50, _, _>")]
    #[schema(max_items = 50)]
    pub(super) additional_assessors: Option<Vec<String>>,
    /// Whether a learner's Main Tag names the classroom; no if not said.
    #[serde(default)]
    pub(super) classroom_from_main_tag: Option<bool>,
    /// Whether a classroom that a Main Tag names and that is not there is made; no if not said.
    #[serde(default)]
    pub(super) create_missing_classrooms: Option<bool>,
    /// OneFile's id of the default classroom, for providers with one centre: a text or a number.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub(super) default_classroom_id: Option<RemoteId>,
    /// The same for each centre: centre id to classroom id.
    #[serde(default)]
    pub(super) default_classrooms: Option<BTreeMap<String, RemoteId>>,
    /// Which way learners' details go; `ignored` if not said.
    #[serde(default)]
    pub(super) learner_demographics: Option<DemographicsMode>,
    /// Which way officers' details go; `ignored` if not said.
    #[serde(default)]
    pub(super) officer_demographics: Option<DemographicsMode>,
    /// Which way organisations' details go; `ignored` if not said.
    #[serde(default)]
    pub(super) organisation_demographics: Option<DemographicsMode>,
    /// Whether a change of a learner's main officer or placement goes up; no if not said.
    #[serde(default)]
    pub(super) push_changes: Option<bool>,
    /// Whether PICS Desktop's OneFile integration is on; `never` if not said.
    #[serde(default)]
    pub(super) desktop_integration: Option<DesktopIntegration>,
    /// The daily exchange; on at 05:00 if not said.
    #[serde(default, deserialize_with = "object")]
    pub(super) daily_sync: Option<DailySync>,
    /// Days from one exchange over all learners to the next, 1 to 31; 7 if not said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 31)]
    pub(super) full_sweep_days: Option<i64>,
}

impl std::fmt::Debug for SettingsRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SettingsRequest {…}")
    }
}
