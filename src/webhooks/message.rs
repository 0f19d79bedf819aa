//! A message's body: the change, as it stands in the feed, in Standard Webhooks' frame. The same bytes at every attempt.

use serde::Serialize;
use uuid::Uuid;

use crate::store::{ChangeRow, Time};

#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    type_: &'a str,
    timestamp: Time,
    data: Change<'a>,
}

#[derive(Serialize)]
struct Change<'a> {
    id: Uuid,
    #[serde(rename = "type")]
    type_: &'a str,
    subject: Subject<'a>,
    at: Time,
    data: &'a serde_json::Value,
}

#[derive(Serialize)]
struct Subject<'a> {
    kind: &'a str,
    id: &'a str,
}

/// The body that tells of a change.
pub(super) fn body(change: &ChangeRow) -> Vec<u8> {
    let message = Message {
        type_: &change.type_,
        timestamp: change.at,
        data: Change {
            id: change.id,
            type_: &change.type_,
            subject: Subject { kind: &change.subject_kind, id: &change.subject_id },
            at: change.at,
            data: &change.data,
        },
    };
    // Strings, times and JSON: there is nothing that could fail.
    serde_json::to_vec(&message).unwrap_or_default()
}
