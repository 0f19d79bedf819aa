//! What the coverage shows: of each VQ reference where it is in OneFile, of each standard its four aims.

use serde::Serialize;
use utoipa::ToSchema;

use crate::onefile::catalogue::codes::{AimMatch, StandardAim};

/// Which of the learners' qualifications OneFile has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// How many there are of each.
    pub counts: CoverageCounts,
    /// Each VQ reference in a delivery plan: the missing ones first, then the ambiguous ones.
    pub items: Vec<CoverageItem>,
    /// Each apprenticeship standard that a learner is on or has an aim of.
    pub standards: Vec<StandardCoverage>,
    /// Learners with a qualification that has no VQ reference: nothing can be matched by it.
    pub without_reference: LearnersMet,
}

/// How many VQ references there are of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"matched": 14, "ambiguous": 1, "missing": 2}))]
pub struct CoverageCounts {
    /// One learning aim each.
    pub matched: usize,
    /// Several learning aims: somebody has to choose.
    pub ambiguous: usize,
    /// References that OneFile does not have.
    pub missing: usize,
}

/// A VQ reference and where OneFile has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "vqReference": "196AS", "spellings": ["196AS"], "state": "matched", "learners": {"count": 2, "ids": ["L-1001", "L-1002"]},
    "matches": [{"centreId": "3", "standardId": "901", "title": "Sample aim [196AS]", "code": "196AS", "archived": false}],
    "choose": [], "similar": [], "standard": {"larsCode": 196, "present": ["AS", "OP"], "absent": ["GW", "EP"]},
    "message": "Found: nothing to do."
}))]
pub struct CoverageItem {
    /// As it is written most often.
    #[schema(example = "196AS")]
    pub vq_reference: String,
    /// All the ways in which it is written; case and blanks do not matter.
    #[schema(example = json!(["196AS"]))]
    pub spellings: Vec<String>,
    /// Whether OneFile has it.
    pub state: CoverageState,
    /// Who has it in the delivery plan.
    pub learners: LearnersMet,
    /// The learning aims with this code; archived ones only when there is no other.
    pub matches: Vec<AimMatch>,
    /// What has to be chosen at the enrolment when it is ambiguous.
    pub choose: Vec<Choose>,
    /// Codes that differ in punctuation only: probably meant, and not matched.
    #[schema(example = json!(["603/9001/1"]))]
    pub similar: Vec<String>,
    /// When it is an aim of an apprenticeship standard: which of the four are in OneFile.
    pub standard: Option<StandardAims>,
    /// What was found, and what to do.
    #[schema(example = "Found: nothing to do.")]
    pub message: String,
}

/// Whether OneFile has a VQ reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum CoverageState {
    /// No learning aim that is in use has this code.
    Missing,
    /// Several learning aims have the code.
    Ambiguous,
    /// One learning aim has the code.
    Matched,
}

/// What has to be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Choose {
    /// Several centres have it.
    Centre,
    /// A centre has several with this code: its pathways.
    Pathway,
}

/// Learners that something concerns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LearnersMet {
    /// Number of learners with this reference.
    pub count: usize,
    /// The first 20, by id.
    #[schema(example = json!(["L-1001"]))]
    pub ids: Vec<String>,
}

/// Which aims of a standard are in OneFile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandardAims {
    /// The standard's LARS code.
    #[schema(example = 196)]
    pub lars_code: u32,
    /// Aims that OneFile has.
    pub present: Vec<StandardAim>,
    /// Aims that OneFile does not have.
    pub absent: Vec<StandardAim>,
}

/// An apprenticeship standard and its four aims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandardCoverage {
    /// The standard's LARS code.
    #[schema(example = 196)]
    pub lars_code: u32,
    /// Who is on it (programme type 25) or has one of its aims in the delivery plan.
    pub learners: LearnersMet,
    /// The four aims of the standard.
    pub aims: Vec<AimCoverage>,
    /// What was found, and what to do.
    #[schema(example = "Found: nothing to do.")]
    pub message: String,
}

/// One aim of a standard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimCoverage {
    /// Which of the four aims.
    pub aim: StandardAim,
    /// The code of the aim.
    #[schema(example = "196AS")]
    pub code: String,
    /// Whether OneFile has it.
    pub state: CoverageState,
    /// Learners of the standard whose delivery plan lacks it.
    pub not_in_plan: LearnersMet,
}
