//! A change as it stands in the feed and in the messages to webhooks, and the test of a webhook, which has the same fields.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::{Change, ChangeType, Subject};

/// A change, as in the feed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Change)]
pub struct ChangeEntry {
    /// The id of the change: the same in the feed and in webhooks.
    pub id: Uuid,
    /// The kind of change.
    #[serde(rename = "type")]
    pub kind: ChangeType,
    /// The record that changed.
    pub subject: Subject,
    /// When it changed, in UTC.
    pub at: DateTime<Utc>,
    /// What `Change` says of itself.
    #[schema(schema_with = Change::schema)]
    pub data: Change,
}

impl ChangeEntry {
    /// The kind comes from the data.
    pub fn new(id: Uuid, subject: Subject, at: DateTime<Utc>, data: Change) -> Self {
        Self { id, kind: data.kind(), subject, at, data }
    }
}

/// The data of `webhook.test`: an empty object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TestData {}

/// What the test of a webhook sends. It is in no feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TestEntry {
    /// The id of the delivery.
    pub id: Uuid,
    /// Always the word of [`TestEntry::KIND`].
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The webhook that is tested.
    pub subject: Subject,
    /// When somebody asked for the test.
    pub at: DateTime<Utc>,
    /// An empty object, since nothing changed.
    pub data: TestData,
}

impl TestEntry {
    /// Not a `ChangeType`: nobody subscribes to it.
    pub const KIND: &str = "webhook.test";

    /// A test of this webhook.
    pub fn new(id: Uuid, webhook: Uuid, at: DateTime<Utc>) -> Self {
        Self { id, kind: Self::KIND, subject: Subject::webhook(webhook), at, data: TestData {} }
    }
}
