//! What the first synchronisation would do, learner by learner.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{SyncRule, redacted};
use crate::onefile::fields::{Field, Side};

/// What the first synchronisation would push and overwrite.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Takeover {
    /// How much of each.
    pub counts: TakeoverCounts,
    /// The learners for whom something would change, or something should be looked at.
    pub learners: Vec<LearnerTakeover>,
}

/// How much of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "learners": 100, "notEligible": 12, "unchanged": 71, "overwrittenHere": 4, "filledHere": 21, "overwrittenInOneFile": 0, "filledInOneFile": 9,
    "reviewsPushed": 3, "oldReviewsPushed": 1, "reviewsPulled": 38
}))]
pub struct TakeoverCounts {
    /// Learners that were compared.
    pub learners: usize,
    /// Learners whom the synchronisation leaves alone: not live, or not in learning.
    pub not_eligible: usize,
    /// Eligible learners for whom nothing would change.
    pub unchanged: usize,
    /// Values of PICSWeb's that would be replaced.
    pub overwritten_here: usize,
    /// Blank values of PICSWeb's that would be filled.
    pub filled_here: usize,
    /// Values of OneFile's that would be replaced.
    pub overwritten_in_one_file: usize,
    /// Blank values of OneFile's that would be filled.
    pub filled_in_one_file: usize,
    /// Reviews that would be made in OneFile.
    pub reviews_pushed: usize,
    /// Of these, those that were planned for a day that has passed.
    pub old_reviews_pushed: usize,
    /// Reviews that would be made in PICSWeb.
    pub reviews_pulled: usize,
}

/// What would happen to a learner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LearnerTakeover {
    /// PICSWeb's id of the learner.
    #[schema(example = "L-1001")]
    pub learner_id: String,
    /// OneFile's id of the centre.
    #[schema(example = "1001")]
    pub centre_id: String,
    /// OneFile's id of the user whom the learner is linked to.
    #[schema(example = "2041")]
    pub user_id: String,
    /// Fields that differ, and what they would become.
    pub changes: Vec<FieldChange>,
    /// Reviews that would be made in OneFile.
    pub reviews_pushed: Vec<PushedReview>,
    /// Reviews of OneFile's that would be made in PICSWeb.
    pub reviews_pulled: Vec<PulledReview>,
    /// What should be looked at.
    #[schema(example = json!(["OneFile has no learning aim [196GW] of this learner: the qualification is not exchanged until it has."]))]
    pub notes: Vec<String>,
}

/// A field that would change.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "record": "qualification", "id": "Q-31", "field": "registrationNumber", "side": "picsWeb", "effect": "overwrites",
    "before": "REG-1", "after": "REG-2", "why": "Both sides have a value: OneFile's wins."
}))]
pub struct FieldChange {
    /// What it is a field of.
    pub record: ChangedRecord,
    /// PICSWeb's id of it; of a qualification without one its VQ reference; null: of a review without one.
    #[schema(example = "Q-31")]
    pub id: Option<String>,
    /// The field, by its name here.
    #[schema(value_type = String, example = "registrationNumber")]
    pub field: &'static Field,
    /// Where it would change.
    pub side: Side,
    /// Whether something is lost.
    pub effect: Effect,
    /// The value there now; null: blank.
    pub before: Option<String>,
    /// The value after the change.
    pub after: String,
    /// The rule that decides.
    #[schema(value_type = String, example = "Both sides have a value: OneFile's wins.")]
    pub why: SyncRule,
    /// Its place in the learner's list, where the record is one of several.
    #[serde(skip)]
    pub place: usize,
    /// OneFile's id of its partner.
    #[serde(skip)]
    pub remote: String,
}

redacted!(FieldChange);

/// What a field is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ChangedRecord {
    /// The learner's own record.
    Learner,
    /// A qualification of the learner's.
    Qualification,
    /// A review of the learner's.
    Review,
}

/// Whether a value is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// It fills a blank field.
    Fills,
    /// It was something else.
    Overwrites,
}

/// A review that would be made in OneFile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PushedReview {
    /// PICSWeb's id; null: it has none.
    #[schema(example = "R-501")]
    pub review_id: Option<String>,
    /// The day it was planned for.
    pub scheduled_date: NaiveDate,
    /// Whether that day has passed: it was probably forgotten, and OneFile would show it as overdue.
    pub old: bool,
    /// OneFile's reviews of the same day: probably the same one. Enter the id as OneFile System ID, and it is not pushed.
    #[schema(example = json!(["70211"]))]
    pub same_day: Vec<String>,
}

/// A review of OneFile's that would be made in PICSWeb.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PulledReview {
    /// OneFile's id of the review.
    #[schema(example = "70211")]
    pub one_file_id: String,
    /// The day it is planned for, London's.
    pub scheduled_date: Option<NaiveDate>,
    /// Whether it was held: OneFile has a day on which it started.
    pub attended: bool,
}
