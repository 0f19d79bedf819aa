//! Why an upstream call failed, in the form that is stored, logged and returned.

use std::time::Duration;

use super::message::error_message;
use crate::domain::{Fault, RecordCode};
use crate::http::Answer;
use crate::store::IntentProblem;

/// The kinds of failure. Their words are the problem codes of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The token is not valid.
    Unauthorised,
    /// The token does not have permission.
    Forbidden,
    /// The requested record does not exist.
    Missing,
    Refused,
    /// The rate limit is reached.
    Limited,
    /// Nothing reached the upstream.
    Unreachable,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    pub message: Option<String>,
    /// What this service observed, in its own words.
    pub seen: Option<String>,
    /// The upstream's errors by its own field names.
    pub field_errors: Vec<(String, String)>,
    /// How long to wait before the next try.
    pub wait: Option<Duration>,
}

impl FailureKind {
    pub fn code(self) -> &'static str {
        match self {
            Self::Unauthorised => "upstreamUnauthorised",
            Self::Forbidden => "upstreamForbidden",
            Self::Missing => "upstreamMissing",
            Self::Refused => "upstreamRejected",
            Self::Limited => "upstreamLimited",
            Self::Unreachable => "upstreamUnavailable",
            Self::Failed => "upstreamFailed",
        }
    }

    /// The code in a run's records.
    pub fn record_code(self) -> RecordCode {
        match self {
            Self::Unauthorised => RecordCode::UpstreamUnauthorised,
            Self::Forbidden => RecordCode::UpstreamForbidden,
            Self::Missing => RecordCode::UpstreamMissing,
            Self::Refused => RecordCode::UpstreamRejected,
            Self::Limited => RecordCode::UpstreamLimited,
            Self::Unreachable => RecordCode::UpstreamUnavailable,
            Self::Failed => RecordCode::UpstreamFailed,
        }
    }

    /// Whether the same read may succeed a moment later.
    pub fn may_pass(self) -> bool {
        match self {
            Self::Unreachable | Self::Failed => true,
            Self::Unauthorised | Self::Forbidden | Self::Missing | Self::Refused | Self::Limited => false,
        }
    }

    /// Whether the failure concerns the upstream and not the record. Then a run waits instead of
    /// failing record after record.
    pub fn is_general(self) -> bool {
        match self {
            Self::Unauthorised | Self::Forbidden | Self::Limited | Self::Unreachable => true,
            Self::Missing | Self::Refused | Self::Failed => false,
        }
    }
}

impl Failure {
    /// A failure without the upstream's words.
    pub fn new(kind: FailureKind, status: Option<u16>, seen: impl Into<String>) -> Self {
        Self { kind, status, message: None, seen: Some(seen.into()), field_errors: Vec::new(), wait: None }
    }

    /// A failure with the upstream's words.
    pub fn said(kind: FailureKind, answer: &Answer) -> Self {
        let message = error_message(answer.status, answer.content_type.as_deref(), &answer.body);
        Self {
            kind,
            status: Some(answer.status),
            message: message.message,
            seen: message.seen.map(str::to_owned),
            field_errors: message.field_errors,
            wait: None,
        }
    }

    /// A failure because of the rate limit.
    pub fn limited(wait: Duration) -> Self {
        Self {
            wait: Some(wait),
            ..Self::new(FailureKind::Limited, Some(429), format!("ask again in {} s", wait.as_secs().max(1)))
        }
    }

    /// A text for people, with the upstream's words if there are any.
    pub fn text(&self) -> String {
        match self.message.as_ref().or(self.seen.as_ref()) {
            Some(message) => format!("{}: {message}", self.what()),
            None => format!("{}.", self.what()),
        }
    }

    /// A text for logs and unsealed rows, never with the upstream's words, which may repeat
    /// personal values.
    pub fn plain_text(&self) -> String {
        match self.kind {
            // These kinds carry the upstream's words.
            FailureKind::Unauthorised
            | FailureKind::Forbidden
            | FailureKind::Missing
            | FailureKind::Refused => match self.status {
                Some(status) => format!("{} (HTTP status {status}).", self.what()),
                None => format!("{}.", self.what()),
            },
            // These kinds carry what this service observed.
            FailureKind::Limited | FailureKind::Unreachable | FailureKind::Failed => self.text(),
        }
    }

    fn what(&self) -> &'static str {
        match self.kind {
            FailureKind::Unauthorised => "The upstream does not accept the token",
            FailureKind::Forbidden => "The upstream does not allow this",
            FailureKind::Missing => "The upstream has no such record",
            FailureKind::Refused => "The upstream refused it",
            FailureKind::Limited => "The upstream takes no more calls for now",
            FailureKind::Unreachable => "The upstream cannot be reached",
            FailureKind::Failed => "The upstream gave no usable answer",
        }
    }

    pub fn problem(&self) -> IntentProblem {
        IntentProblem {
            code: self.kind.code().to_owned(),
            message: self.message.clone().or_else(|| self.seen.clone()).unwrap_or_else(|| self.text()),
            status: self.status,
            field_errors: self.field_errors.clone(),
            upstream_message: self.message.clone(),
        }
    }
}

/// An upstream's errors as faults. The field is the upstream's; the preview of an upload says where
/// its value comes from.
pub fn faults(field_errors: &[(String, String)]) -> Vec<Fault> {
    field_errors
        .iter()
        .map(|(field, message)| {
            let message = if field.is_empty() { message.clone() } else { format!("{field}: {message}") };
            Fault::at("", "upstream", message)
        })
        .collect()
}
