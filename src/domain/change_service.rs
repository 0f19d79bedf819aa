//! Data of the changes that the service itself makes: links, runs and webhooks.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::change_ace360::Ace360Status;
use super::{LinkMethod, RunKind, RunState, Upstream};

/// The data of `link.created` and `link.removed`. A link with ACE360 has `recordId`; a link with
/// OneFile has `linkId`, `centreId` and `remoteId`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkData {
    /// The linked system: `ace360` or `onefile`.
    #[schema(value_type = String)]
    pub upstream: Upstream,
    /// For ACE360: the id of the record in ACE360.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub record_id: Option<i64>,
    /// For a new link with ACE360: the status of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub status: Option<Ace360Status>,
    /// For OneFile: the id of the link in this API.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub link_id: Option<Uuid>,
    /// For OneFile: the id of the centre in OneFile.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub centre_id: Option<String>,
    /// For OneFile: the id of the linked record in OneFile.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub remote_id: Option<String>,
    /// For a new link, how it was created: `manual`, `imported`, `created` or `matched`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub method: Option<LinkMethod>,
}

impl LinkData {
    pub fn ace360(record_id: i64) -> Self {
        Self { record_id: Some(record_id), ..Self::with(Upstream::Ace360) }
    }

    pub fn onefile(link_id: Uuid, centre_id: String, remote_id: String) -> Self {
        Self {
            link_id: Some(link_id),
            centre_id: Some(centre_id),
            remote_id: Some(remote_id),
            ..Self::with(Upstream::OneFile)
        }
    }

    fn with(upstream: Upstream) -> Self {
        Self {
            upstream,
            record_id: None,
            status: None,
            link_id: None,
            centre_id: None,
            remote_id: None,
            method: None,
        }
    }
}

/// The data of `run.finished`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunFinishedData {
    /// What the run did.
    pub kind: RunKind,
    /// The system: `ace360` or `onefile`.
    #[schema(value_type = String)]
    pub upstream: Upstream,
    /// Whether the run only checked the records and changed nothing.
    pub validate_only: bool,
    /// How the run ended: `succeeded`, `partial`, `failed` or `cancelled`.
    #[schema(value_type = String)]
    pub state: RunState,
    /// The number of records that the run changed.
    pub succeeded: i32,
    /// The number of records that needed no change.
    pub unchanged: i32,
    /// Number of records that failed.
    pub failed: i32,
    /// The number of records that the run skipped.
    pub skipped: i32,
}

/// The data of `webhook.disabled`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookDisabledData {
    /// The reason, as in the webhook's `disabledReason`.
    pub reason: String,
    /// When the first of the failures happened (UTC).
    pub failing_since: DateTime<Utc>,
}

impl WebhookDisabledData {
    /// The reason after a 410. After a day of failures, the reason quotes the last failure instead.
    pub const GONE: &str = "The receiver answered 410: it wants no more.";
}
