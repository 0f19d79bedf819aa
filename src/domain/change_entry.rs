//! A change in the feed and in webhook messages, and the webhook test, which has the same fields.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::{Change, ChangeType, Subject};

/// A change, as in the feed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Change)]
pub struct ChangeEntry {
    /// The id of the change. It is the same in the feed and in webhook messages.
    pub id: Uuid,
    /// The kind of change, which selects the schema of `data`.
    #[serde(rename = "type")]
    pub kind: ChangeType,
    /// The record that changed.
    pub subject: Subject,
    /// When it changed, in UTC.
    pub at: DateTime<Utc>,
    /// The description comes from the `Change` schema.
    #[schema(schema_with = Change::schema)]
    pub data: Change,
}

impl ChangeEntry {
    /// Takes the kind from the data.
    pub fn new(id: Uuid, subject: Subject, at: DateTime<Utc>, data: Change) -> Self {
        Self { id, kind: data.kind(), subject, at, data }
    }
}

/// The data of `webhook.test`: an empty object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TestData {}

/// The message that tests a webhook. It never appears in a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TestEntry {
    /// The id of the delivery.
    pub id: Uuid,
    /// Always the word of [`TestEntry::KIND`].
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The webhook that is tested.
    pub subject: Subject,
    /// When the test was requested.
    pub at: DateTime<Utc>,
    /// An empty object, since nothing changed.
    pub data: TestData,
}

impl TestEntry {
    /// Not a `ChangeType`, because no webhook can subscribe to it.
    pub const KIND: &str = "webhook.test";

    pub fn new(id: Uuid, webhook: Uuid, at: DateTime<Utc>) -> Self {
        Self { id, kind: Self::KIND, subject: Subject::webhook(webhook), at, data: TestData {} }
    }
}
