//! Why an upstream call did not give what was asked, as it is kept, logged and answered.

use std::time::Duration;

use super::message::error_message;
use crate::domain::{Fault, RecordCode};
use crate::http::Answer;
use crate::store::IntentProblem;

/// The kinds of failure. Their words are the codes of the API's problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The token is not good.
    Unauthorised,
    /// The token may not do this.
    Forbidden,
    /// There is no such thing.
    Missing,
    Refused,
    /// No more calls for now.
    Limited,
    /// Nothing reached the upstream.
    Unreachable,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    pub message: Option<String>,
    /// What we saw, in our words.
    pub seen: Option<String>,
    /// The upstream's faults by its own field names.
    pub field_errors: Vec<(String, String)>,
    /// When it is worth asking again.
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

    /// As it stands in a run's records.
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

    /// Whether a moment later the same read may go well.
    pub fn may_pass(self) -> bool {
        match self {
            Self::Unreachable | Self::Failed => true,
            Self::Unauthorised | Self::Forbidden | Self::Missing | Self::Refused | Self::Limited => false,
        }
    }

    /// Whether the upstream is the trouble, not the record: then a run waits instead of failing record after record.
    pub fn is_general(self) -> bool {
        match self {
            Self::Unauthorised | Self::Forbidden | Self::Limited | Self::Unreachable => true,
            Self::Missing | Self::Refused | Self::Failed => false,
        }
    }
}

impl Failure {
    /// One without the upstream's words.
    pub fn new(kind: FailureKind, status: Option<u16>, seen: impl Into<String>) -> Self {
        Self { kind, status, message: None, seen: Some(seen.into()), field_errors: Vec::new(), wait: None }
    }

    /// One with the upstream's words.
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

    /// No more calls for so long.
    pub fn limited(wait: Duration) -> Self {
        Self {
            wait: Some(wait),
            ..Self::new(FailureKind::Limited, Some(429), format!("ask again in {} s", wait.as_secs().max(1)))
        }
    }

    /// For people, with the upstream's words if it had any.
    pub fn text(&self) -> String {
        match self.message.as_ref().or(self.seen.as_ref()) {
            Some(message) => format!("{}: {message}", self.what()),
            None => format!("{}.", self.what()),
        }
    }

    /// For the log and for rows that are not sealed: never with the upstream's words, which may repeat personal values.
    pub fn plain_text(&self) -> String {
        match self.kind {
            // These carry what the upstream said.
            FailureKind::Unauthorised
            | FailureKind::Forbidden
            | FailureKind::Missing
            | FailureKind::Refused => match self.status {
                Some(status) => format!("{} (HTTP status {status}).", self.what()),
                None => format!("{}.", self.what()),
            },
            // These what we saw.
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

    /// As it is kept.
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

/// An upstream's faults as ours. The field is the upstream's: where it comes from here, the preview of an upload says.
pub fn faults(field_errors: &[(String, String)]) -> Vec<Fault> {
    field_errors
        .iter()
        .map(|(field, message)| {
            let message = if field.is_empty() { message.clone() } else { format!("{field}: {message}") };
            Fault::at("", "upstream", message)
        })
        .collect()
}
