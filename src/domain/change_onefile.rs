//! The data of changes that an exchange with OneFile makes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, Ref, Schema};

/// Why an exchange with OneFile writes a value. It serialises as a sentence for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyncRule {
    /// The mode for details of learners is `pushed`.
    #[serde(rename = "Update Learner Demographics Mode pushes PICSWeb's values.")]
    DetailsPushed,
    /// The mode for details of learners is `pulled`.
    #[serde(rename = "Update Learner Demographics Mode takes OneFile's values.")]
    DetailsPulled,
    /// A blank of ours is filled.
    #[serde(rename = "Blank in PICSWeb: filled from OneFile.")]
    BlankHere,
    /// A blank of OneFile's is filled.
    #[serde(rename = "Blank in OneFile: filled from PICSWeb.")]
    BlankThere,
    /// Registration and certificate fields with two values.
    #[serde(rename = "Both sides have a value: OneFile's wins.")]
    OneFileWins,
    /// Element counts never go up.
    #[serde(rename = "Element counts are OneFile's.")]
    OneFileCounts,
    /// A review that was started was attended.
    #[serde(rename = "OneFile has a day on which the review started: it was attended.")]
    ReviewStarted,
}

/// What found a change, where the usual searches did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FoundBy {
    /// The regular reading of the learner in full.
    Sweep,
}

/// The data of `onefile.enrolled`, `onefile.gone` and `onefile.returned`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneFileUserData {
    /// OneFile's id of the user.
    pub user_id: Option<String>,
    /// OneFile's id of the centre.
    pub centre_id: String,
}

/// The data of `onefile.archived`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneFileArchivedData {
    /// OneFile's id of the user.
    pub user_id: String,
    /// OneFile's id of the centre.
    pub centre_id: String,
    /// True: the user went into the archive. False: the user came out of it.
    pub archived: bool,
}

/// A value of a qualification: a number for element counts, otherwise a text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum QualificationValue {
    /// A number of elements.
    Count(i64),
    /// A text or a day.
    Text(String),
}

/// The data of `onefile.progressChanged`, `onefile.registrationChanged` and `onefile.certificateChanged`: a field of a qualification.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QualificationChangedData {
    /// PICSWeb's id of the qualification; its reference where it has no id.
    pub qualification_id: Option<String>,
    /// The VQ reference of the qualification.
    pub vq_reference: Option<String>,
    /// OneFile's id of the learning aim.
    pub learning_aim_id: Option<String>,
    /// The name of the field here.
    pub field: String,
    /// The value that was here.
    #[schema(schema_with = qualification_value_before, required = true)]
    pub before: Option<QualificationValue>,
    /// The value from OneFile.
    #[schema(schema_with = qualification_value_after)]
    pub after: QualificationValue,
    /// The rule that wrote the value.
    #[schema(value_type = String)]
    pub why: SyncRule,
    /// `sweep`: OneFile's searches did not report the change. The regular reading of the learner in full found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub found_by: Option<FoundBy>,
}

/// The data of `onefile.detailsChanged`: a field of a learner, an officer or an organisation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DetailsChangedData {
    /// For a learner: OneFile's id of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub user_id: Option<String>,
    /// For an officer or an organisation: OneFile's id of the assessor or placement.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub one_file_id: Option<String>,
    /// The name of the field here; `address` is one text.
    pub field: String,
    /// The value that was here.
    pub before: Option<String>,
    /// The value from OneFile.
    #[schema(value_type = Option<String>)]
    pub after: String,
    /// For a learner: the rule that wrote the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub why: Option<SyncRule>,
    /// As for a qualification.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub found_by: Option<FoundBy>,
}

/// A review, as OneFile has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewThere {
    /// When the review is planned for.
    pub scheduled_for: Option<DateTime<Utc>>,
    /// When the review began.
    pub started_on: Option<DateTime<Utc>>,
    /// Whether the review was held.
    pub attended: bool,
}

/// A value of a review: one field, or all of it as OneFile has it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ReviewValue {
    /// The text of a field.
    Text(String),
    /// The review in full.
    Review(ReviewThere),
}

/// The data of `onefile.reviewChanged`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewChangedData {
    /// PICSWeb's id of the review. Null: it came from OneFile, and PICSWeb has not claimed it.
    pub review_id: Option<String>,
    /// OneFile's id, the OneFile System ID.
    pub one_file_id: Option<String>,
    /// The name of the field here; `review`: the review in full, as OneFile has it.
    pub field: String,
    /// The value that was there.
    #[schema(schema_with = review_value_before, required = true)]
    pub before: Option<ReviewValue>,
    /// The value that is there.
    #[schema(schema_with = review_value_after, required = true)]
    pub after: Option<ReviewValue>,
    /// The rule that wrote the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub why: Option<SyncRule>,
    /// As for a qualification.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub found_by: Option<FoundBy>,
}

redacted!(QualificationValue QualificationChangedData DetailsChangedData ReviewValue ReviewChangedData);

fn qualification_value_before() -> Schema {
    qualification_value("The value that was here: a number for element counts, otherwise a text.")
}

fn qualification_value_after() -> Schema {
    qualification_value("The value from OneFile.")
}

/// A list of types, which generated clients read better than a choice of schemas.
fn qualification_value(about: &str) -> Schema {
    let types: SchemaType = [Type::String, Type::Integer, Type::Null].into_iter().collect();
    ObjectBuilder::new().schema_type(types).description(Some(about)).into()
}

fn review_value_before() -> Schema {
    review_value("The value that was there.")
}

fn review_value_after() -> Schema {
    review_value("The value that is there. Null: the review is gone.")
}

fn review_value(about: &str) -> Schema {
    let text: SchemaType = [Type::String, Type::Null].into_iter().collect();
    OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(text))
        .item(Ref::from_schema_name("ReviewThere"))
        .description(Some(about))
        .into()
}
