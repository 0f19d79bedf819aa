//! The coverage report: where OneFile has each VQ reference, and the four aims of each standard.

use serde::Serialize;
use utoipa::ToSchema;

use crate::onefile::catalogue::codes::{AimMatch, StandardAim};

/// Which of the learners' qualifications OneFile has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// The number of VQ references in each state.
    pub counts: CoverageCounts,
    /// Each VQ reference in a delivery plan: missing ones first, then ambiguous ones, then matched
    /// ones.
    pub items: Vec<CoverageItem>,
    /// Each apprenticeship standard that a learner is on or has an aim of.
    pub standards: Vec<StandardCoverage>,
    /// Learners with a qualification that has no VQ reference, so nothing can match it.
    pub without_reference: LearnersMet,
}

/// The number of VQ references in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"matched": 14, "ambiguous": 1, "missing": 2}))]
pub struct CoverageCounts {
    /// VQ references that match exactly one learning aim.
    pub matched: usize,
    /// VQ references that match several learning aims, so that a person has to choose.
    pub ambiguous: usize,
    /// References that OneFile does not have.
    pub missing: usize,
}

/// A VQ reference, and where OneFile has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "vqReference": "196AS", "spellings": ["196AS"], "state": "matched", "learners": {"count": 2, "ids": ["L-1001", "L-1002"]},
    "matches": [{"centreId": "3", "standardId": "901", "title": "Sample aim [196AS]", "code": "196AS", "archived": false}],
    "choose": [], "similar": [], "standard": {"larsCode": 196, "present": ["AS", "OP"], "absent": ["GW", "EP"]},
    "message": "Found: nothing to do."
}))]
pub struct CoverageItem {
    /// The most frequent spelling of the VQ reference.
    #[schema(example = "196AS")]
    pub vq_reference: String,
    /// All spellings of the VQ reference. Case and spaces do not matter.
    #[schema(example = json!(["196AS"]))]
    pub spellings: Vec<String>,
    /// Whether OneFile has the VQ reference.
    pub state: CoverageState,
    /// The learners with this VQ reference in their delivery plan.
    pub learners: LearnersMet,
    /// The learning aims with this code. Archived ones are listed only if there is no other.
    pub matches: Vec<AimMatch>,
    /// What to choose at the enrolment if the VQ reference is ambiguous; empty otherwise.
    pub choose: Vec<Choose>,
    /// Codes that differ only in punctuation. They probably mean the same, but do not match.
    #[schema(example = json!(["603/9001/1"]))]
    pub similar: Vec<String>,
    /// If the code is an aim of an apprenticeship standard: which of the four aims OneFile has.
    /// Null otherwise.
    pub standard: Option<StandardAims>,
    /// What was found, and what to do.
    #[schema(example = "Found: nothing to do.")]
    pub message: String,
}

/// Whether OneFile has a VQ reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum CoverageState {
    /// No learning aim in use has this code.
    Missing,
    /// Several learning aims have the code.
    Ambiguous,
    /// One learning aim has the code.
    Matched,
}

/// What a person has to choose at the enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Choose {
    /// The centre, because several centres have the code.
    Centre,
    /// The pathway, because one centre has several learning aims with this code.
    Pathway,
}

/// A number of learners, and the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LearnersMet {
    /// Number of learners with this reference.
    pub count: usize,
    /// PICSWeb's ids of the first 20 learners, in ascending order.
    #[schema(example = json!(["L-1001"]))]
    pub ids: Vec<String>,
}

/// Which aims of a standard are in OneFile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandardAims {
    /// The LARS code of the standard.
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
    /// The LARS code of the standard.
    #[schema(example = 196)]
    pub lars_code: u32,
    /// The learners who are on the standard (programme type 25) or have one of its aims in their
    /// delivery plan.
    pub learners: LearnersMet,
    /// The four aims of the standard.
    pub aims: Vec<AimCoverage>,
    /// What was found, and what to do.
    #[schema(example = "Found: nothing to do.")]
    pub message: String,
}

/// One of the four aims of a standard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimCoverage {
    /// Which of the four aims.
    pub aim: StandardAim,
    /// The code of the aim.
    #[schema(example = "196AS")]
    pub code: String,
    /// Whether OneFile has the aim.
    pub state: CoverageState,
    /// Learners of the standard whose delivery plan lacks this aim.
    pub not_in_plan: LearnersMet,
}
