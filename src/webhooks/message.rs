//! The body of a message: the change as the feed shows it, in the format of Standard Webhooks.
//! Every attempt sends the same bytes.

use serde::Serialize;

use crate::store::{Time, WebhookMessage};

#[derive(Serialize)]
struct Frame<'a, D> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: Time,
    data: &'a D,
}

pub(super) fn body(message: &WebhookMessage) -> Vec<u8> {
    let bytes = match message {
        WebhookMessage::Change(data) => {
            serde_json::to_vec(&Frame { kind: data.kind.as_str(), timestamp: data.at, data })
        }
        WebhookMessage::Test(data) => {
            serde_json::to_vec(&Frame { kind: data.kind, timestamp: data.at, data })
        }
    };
    // Strings, numbers and times always serialise.
    bytes.unwrap_or_default()
}
