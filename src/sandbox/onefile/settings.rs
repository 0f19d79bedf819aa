//! Switches for behaviour of OneFile that is unknown or is known to vary.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sandbox::SandboxOptions;

/// The behaviour of OneFile where several variants are possible.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = OneFileSettings)]
pub struct Settings {
    /// The most calls of one customer token in one minute, `Authentication` included; null: no
    /// limit.
    pub calls_per_minute: Option<u32>,
    /// Whether a 429 contains a `Retry-After` header.
    pub retry_after: bool,
    /// The most rows of a page, whatever was requested; null: no maximum.
    pub page_cap: Option<usize>,
    /// Whether the rows of paged searches have all fields of the single record.
    pub detailed_pages: bool,
    /// Whether `Authentication` returns the session as a JSON string instead of raw text.
    pub session_as_json: bool,
    /// Which id is in the path of `User/{id}/Assign`.
    pub assign: AssignReading,
    /// Whether a learner's `LastModified` changes with the learner's aims and reviews.
    pub last_modified_moves: bool,
    /// Whether learning aims contain the total of elements and the elements done.
    pub element_counts: bool,
    /// The seconds by which OneFile's clock is ahead of the true time, for sessions and the call
    /// limit.
    pub clock_ahead_seconds: u32,
    /// How many times faster the minute of the call limit passes. At 100, a bench of an hour takes
    /// half a minute.
    pub limit_clock_factor: u32,
}

/// Which id is in the path of `User/{id}/Assign`. The other id is the body's `LearnerID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum AssignReading {
    /// The assessor's id, as in clients that ran in production.
    AssessorInPath,
    /// The learner's id, as in the vendor's article since 2026.
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
