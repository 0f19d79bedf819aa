//! The switches: what is not known of OneFile, or is known to differ, can be had either way.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sandbox::SandboxOptions;

/// How OneFile behaves where it could do so in several ways.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = OneFileSettings)]
pub struct Settings {
    /// By one customer token, `Authentication` included. Null: no limit.
    pub calls_per_minute: Option<u32>,
    /// Whether a 429 says when to come again.
    pub retry_after: bool,
    /// The most rows of a page, whatever was asked for. Null: as many as asked for.
    pub page_cap: Option<usize>,
    /// Whether the rows of paged searches have all the fields of the single record.
    pub detailed_pages: bool,
    /// Whether `Authentication` answers the session as a JSON string instead of raw text.
    pub session_as_json: bool,
    /// Whose id stands in the path of `User/{id}/Assign`.
    pub assign: AssignReading,
    /// Whether a learner's `LastModified` moves when an aim or a review of the learner changes.
    pub last_modified_moves: bool,
    /// Whether learning aims say how many elements they have, and how many are done.
    pub element_counts: bool,
    /// So far OneFile's clock is ahead of the true time: sessions end early, and the minute of the call limit passes.
    pub clock_ahead_seconds: u32,
    /// So many times as fast the minute of the call limit passes: a bench of an hour takes half a minute at 100.
    pub limit_clock_factor: u32,
}

/// Whose id stands in the path of `User/{id}/Assign`; the other one is the body's `LearnerID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum AssignReading {
    /// As clients in production had it.
    AssessorInPath,
    /// As the vendor's article has it since 2026.
    LearnerInPath,
    Either,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            calls_per_minute: Some(300),
            retry_after: false,
            page_cap: None,
            detailed_pages: false,
            session_as_json: false,
            assign: AssignReading::AssessorInPath,
            last_modified_moves: true,
            element_counts: true,
            clock_ahead_seconds: 0,
            limit_clock_factor: 1,
        }
    }
}

impl From<&SandboxOptions> for Settings {
    fn from(options: &SandboxOptions) -> Self {
        Self { calls_per_minute: options.onefile_calls_per_minute, ..Self::default() }
    }
}
