//! What the checklist shows.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::redacted;

/// The set-up guide as a checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"ready": false, "checks": [{
    "id": "officersLinked", "verdict": "blocked", "count": 1, "examples": [{"id": "O-17", "name": "Sam Okoro"}],
    "message": "1 officer in use is not linked and is probably in OneFile already: link it, or an enrolment makes it a second time.",
    "fix": {"method": "POST", "path": "/onefile/links:suggest"}
}]}))]
pub struct Readiness {
    /// Whether the integration may be enabled: nothing is blocked.
    pub ready: bool,
    /// Its lines, in the order in which to work through them.
    pub checks: Vec<Check>,
}

impl Readiness {
    /// The lines that stand in the way.
    pub fn blocked(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.verdict == Verdict::Blocked)
    }
}

/// A line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "officersLinked", "verdict": "blocked", "count": 1, "examples": [{"id": "O-17", "name": "Sam Okoro"}],
    "message": "1 officer in use is not linked and is probably in OneFile already: link it, or an enrolment makes it a second time.",
    "fix": {"method": "POST", "path": "/onefile/links:suggest"}
}))]
pub struct Check {
    /// The stable id of the check.
    pub id: CheckId,
    /// Whether it stands in the way.
    pub verdict: Verdict,
    /// How many records are behind it.
    pub count: usize,
    /// The first 20 of them.
    pub examples: Vec<Named>,
    /// What is so, and what to do.
    pub message: String,
    /// The call that fixes it or begins to; null: nothing to fix.
    pub fix: Option<Fix>,
}

/// The lines of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum CheckId {
    /// The customer token is there and OneFile takes it.
    TokenTested,
    /// The PICS Desktop integration is off.
    DesktopIntegrationOff,
    /// All officers in use that OneFile has are linked.
    OfficersLinked,
    /// All organisations in use that OneFile has are linked.
    OrganisationsLinked,
    /// No two assessors of a centre share a MIS value.
    MisValuesUnique,
    /// All officers that an enrolment would create have an e-mail address.
    OfficersHaveEmail,
    /// OneFile has the qualifications of the delivery plans.
    QualificationsCovered,
    /// Each learner gets a classroom.
    DefaultClassroom,
}

/// Whether a line stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// There is nothing to do.
    Ok,
    /// It works, but somebody should know.
    Attention,
    /// Fix it before the integration is enabled.
    Blocked,
}

/// A record, by id and name.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Named {
    /// Its id, or what it is known by.
    #[schema(example = "O-17")]
    pub id: String,
    /// Its name; null: it has none.
    #[schema(example = "Sam Okoro")]
    pub name: Option<String>,
}

redacted!(Named);

/// A call of this API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fix {
    /// The HTTP method of the call.
    #[schema(value_type = String, example = "POST")]
    pub method: &'static str,
    /// The path of the call.
    #[schema(value_type = String, example = "/onefile/links:suggest")]
    pub path: &'static str,
}
