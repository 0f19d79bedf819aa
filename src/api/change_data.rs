//! What the `data` of each type of change holds, for the document: as its schemas, and as the webhooks that tell of it. The data itself is
//! written where things change; the tests hold every change that they read to these.

#![expect(dead_code, reason = "these describe JSON that is written elsewhere")]

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{AllOfBuilder, SchemaType, Type};
use utoipa::openapi::{
    Components, ContentBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, OpenApi, Paths, Ref, RefOr,
    Required, ResponseBuilder, Schema, SchemaFormat,
};
use utoipa::{PartialSchema as _, ToSchema};
use uuid::Uuid;

use super::ace360::learner::Status;
use crate::domain::{ChangeType, RunKind};

/// Of `ace360.uploaded`.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"recordId": 248, "status": {"id": 1, "text": "In Training"}, "method": "upload"}))]
pub struct UploadedData {
    /// ACE360's id of the record.
    record_id: i64,
    /// The status that came with it.
    status: Status,
    /// `upload`; `reconciled`: its answer was lost, and the record was found.
    method: String,
}

/// Of `ace360.statusChanged`.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"recordId": 248, "before": {"id": 1, "text": "In Training"}, "after": {"id": 2, "text": "Gateway in Progress"}}))]
pub struct StatusChangedData {
    /// ACE360's id of the record.
    record_id: i64,
    /// As it was read before.
    before: Status,
    /// As it is now.
    after: Status,
}

/// Grades of a record in ACE360.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grades {
    /// Before the assessment is settled.
    provisional_grade: Option<String>,
    /// The final grade.
    overall_grade: Option<String>,
    /// When it was given.
    grade_date: Option<String>,
}

/// Of `ace360.gradeChanged`.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"recordId": 248, "before": {"provisionalGrade": null, "overallGrade": null, "gradeDate": null},
    "after": {"provisionalGrade": null, "overallGrade": "merit", "gradeDate": "2026-11-20"}}))]
pub struct GradeChangedData {
    /// ACE360's id of the record.
    record_id: i64,
    /// As they were.
    before: Grades,
    /// As they are.
    after: Grades,
}

/// Whether and why a record is in ACE360's archive.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Archiving {
    /// When it went there; null: it is not there.
    archived_at: Option<String>,
    /// Why, in ACE360's words.
    archival_status: Option<String>,
}

/// Of `ace360.archived`.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"recordId": 248, "before": {"archivedAt": null, "archivalStatus": null},
    "after": {"archivedAt": "2026-11-20 10:12:00", "archivalStatus": "Withdrawn"}}))]
pub struct ArchivedData {
    /// ACE360's id of the record.
    record_id: i64,
    /// As it was.
    before: Archiving,
    /// As it is.
    after: Archiving,
}

/// Of `ace360.certificateClaimed`.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"recordId": 248, "before": null, "after": "2026-11-20 10:12:00"}))]
pub struct CertificateClaimedData {
    /// ACE360's id of the record.
    record_id: i64,
    /// When it was claimed, as it was read before.
    before: Option<String>,
    /// As it is now.
    after: Option<String>,
}

/// Of `ace360.gone` and `ace360.returned`.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"recordId": 248}))]
pub struct RecordGoneData {
    /// ACE360's id of the record.
    record_id: i64,
}

/// Of `onefile.enrolled`, `onefile.gone` and `onefile.returned`.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"userId": "700412", "centreId": "1001"}))]
pub struct OneFileUserData {
    /// OneFile's id of the user.
    user_id: Option<String>,
    /// OneFile's id of the centre.
    centre_id: String,
}

/// Of `onefile.archived`.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"userId": "700412", "centreId": "1001", "archived": true}))]
pub struct OneFileArchivedData {
    /// OneFile's id of the user.
    user_id: String,
    /// OneFile's id of the centre.
    centre_id: String,
    /// Whether it went into the archive; else it came out.
    archived: bool,
}

/// Of `onefile.progressChanged`, `onefile.registrationChanged` and `onefile.certificateChanged`: a field of a qualification.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"qualificationId": "Q-1", "vqReference": "105AS", "learningAimId": "700413", "field": "elementsDone", "before": 12, "after": 15,
    "why": "OneFile counts the elements."}))]
pub struct QualificationChangedData {
    /// PICSWeb's id of the qualification.
    qualification_id: Option<String>,
    /// Its reference.
    vq_reference: Option<String>,
    /// OneFile's id of the learning aim.
    learning_aim_id: Option<String>,
    /// Which field of it.
    field: String,
    #[schema(schema_with = text_or_count_before)]
    before: Value,
    #[schema(schema_with = text_or_count_after)]
    after: Value,
    /// Which rule let it.
    why: String,
    /// `sweep`: OneFile's searches had not told of it; a reading of the whole learner found it.
    #[schema(nullable = false)]
    found_by: Option<String>,
}

/// Of `onefile.detailsChanged`: a field of a learner, an officer or an organisation.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"userId": "700412", "field": "mobile", "before": null, "after": "07700 900123",
    "why": "Update Learner Demographics Mode takes OneFile's values."}))]
pub struct DetailsChangedData {
    /// Of a learner: OneFile's id of the user.
    #[schema(required = false)]
    user_id: Option<String>,
    /// Of an officer or an organisation: OneFile's id of the assessor or placement.
    #[schema(required = false, nullable = false)]
    one_file_id: Option<String>,
    /// Which field of the record; `address` is one text.
    field: String,
    /// What was kept here.
    before: Option<String>,
    /// What came down.
    after: Option<String>,
    /// Of a learner: which rule let it.
    #[schema(required = false, nullable = false)]
    why: Option<String>,
    /// As for a qualification.
    #[schema(nullable = false)]
    found_by: Option<String>,
}

/// Of `onefile.reviewChanged`.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"reviewId": "R-7", "oneFileId": "70211", "field": "attendance", "before": null, "after": "attended",
    "why": "The review was started in OneFile."}))]
pub struct ReviewChangedData {
    /// PICSWeb's id of the review; null: it came down from OneFile, and PICSWeb has not claimed it.
    review_id: Option<String>,
    /// OneFile's id, the OneFile System ID.
    one_file_id: Option<String>,
    /// Which field of the record; `review`: the whole, as OneFile has it.
    field: String,
    #[schema(schema_with = review_before)]
    before: Value,
    #[schema(schema_with = review_after)]
    after: Value,
    /// Which rule let it.
    #[schema(required = false, nullable = false)]
    why: Option<String>,
    /// As for a qualification.
    #[schema(nullable = false)]
    found_by: Option<String>,
}

/// A review, as OneFile has it.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewThere {
    /// When it is planned for.
    scheduled_for: Option<DateTime<Utc>>,
    /// When it began.
    started_on: Option<DateTime<Utc>>,
    /// Whether it was held.
    attended: bool,
}

/// Of `link.created` and `link.removed`: of ACE360 with `recordId`, of OneFile with `linkId`, `centreId` and `remoteId`.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"upstream": "onefile", "linkId": "019acb5e-7a10-7c3e-9d52-6f0e3b1a2c4d", "centreId": "1001", "remoteId": "50012", "method": "manual"}))]
pub struct LinkData {
    /// `ace360` or `onefile`.
    upstream: String,
    /// ACE360's id of the record.
    #[schema(nullable = false)]
    record_id: Option<i64>,
    /// ACE360's status of it, of a new link.
    #[schema(nullable = false)]
    status: Option<Status>,
    /// The link's id here.
    #[schema(nullable = false)]
    link_id: Option<Uuid>,
    /// OneFile's id of the centre.
    #[schema(nullable = false)]
    centre_id: Option<String>,
    /// OneFile's id of what it is linked to.
    #[schema(nullable = false)]
    remote_id: Option<String>,
    /// How a new link came to be.
    #[schema(nullable = false)]
    method: Option<String>,
}

/// Of `run.finished`.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"kind": "ace360.statusSync", "upstream": "ace360", "validateOnly": false, "state": "succeeded", "succeeded": 3, "unchanged": 410,
    "failed": 0, "skipped": 0}))]
pub struct RunFinishedData {
    /// What it did.
    kind: RunKind,
    /// `ace360` or `onefile`.
    upstream: String,
    /// Whether it only looked.
    validate_only: bool,
    /// How it ended: `succeeded`, `partial`, `failed`, `cancelled`.
    state: String,
    /// Records that it changed.
    succeeded: i32,
    /// Records that needed nothing.
    unchanged: i32,
    /// Records that failed.
    failed: i32,
    /// Records that it left alone.
    skipped: i32,
}

/// Of `webhook.test`: nothing.
#[derive(ToSchema)]
#[schema(example = json!({}))]
pub struct TestData {}

/// Of `webhook.disabled`.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"reason": "failing", "failingSince": "2026-11-21T10:00:00Z"}))]
pub struct WebhookDisabledData {
    /// Why, as the webhook's own `disabledReason` says it.
    reason: String,
    /// Since when nothing was taken.
    failing_since: DateTime<Utc>,
}

fn text_or_count_before() -> Schema {
    text_or_count("What was kept here: a number for element counts, else a text.")
}

fn text_or_count_after() -> Schema {
    text_or_count("What came down.")
}

fn text_or_count(about: &str) -> Schema {
    ObjectBuilder::new()
        .schema_type(of([Type::String, Type::Integer, Type::Null]))
        .description(Some(about))
        .into()
}

fn review_before() -> Schema {
    text_or_review("What was there.")
}

fn review_after() -> Schema {
    text_or_review("What is there; null: it is gone.")
}

fn text_or_review(about: &str) -> Schema {
    OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(of([Type::String, Type::Null])))
        .item(Ref::from_schema_name("ReviewThere"))
        .description(Some(about))
        .into()
}

fn of<const N: usize>(types: [Type; N]) -> SchemaType {
    types.into_iter().collect()
}

macro_rules! described {
    ($($schema:ident of $($type_:ident)*,)*) => {
        /// The schema of the data of a change of this type.
        fn schema_of(type_: ChangeType) -> &'static str {
            match type_ { $($(ChangeType::$type_)|* => stringify!($schema),)* }
        }

        fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
            vec![$((stringify!($schema), $schema::schema()),)* ("Grades", Grades::schema()), ("Archiving", Archiving::schema()), ("ReviewThere", ReviewThere::schema()), ("TestData", TestData::schema())]
        }
    };
}

described! {
    UploadedData of Uploaded,
    StatusChangedData of StatusChanged,
    GradeChangedData of GradeChanged,
    ArchivedData of Archived,
    CertificateClaimedData of CertificateClaimed,
    RecordGoneData of Gone Returned,
    OneFileUserData of Enrolled UserGone UserReturned,
    OneFileArchivedData of UserArchived,
    QualificationChangedData of ProgressChanged RegistrationChanged CertificateChanged,
    DetailsChangedData of DetailsChanged,
    ReviewChangedData of ReviewChanged,
    LinkData of LinkCreated LinkRemoved,
    RunFinishedData of RunFinished,
    WebhookDisabledData of WebhookDisabled,
}

/// Puts the schemas into the document, and what a webhook's receiver is sent.
pub fn document(api: &mut OpenApi) {
    let components = api.components.get_or_insert_default();
    for (name, schema) in schemas() {
        components.schemas.insert(name.to_owned(), schema);
    }
    let mut webhooks = Paths::new();
    for type_ in ChangeType::ALL {
        let data = schema_of(*type_);
        webhooks
            .paths
            .insert(type_.as_str().to_owned(), webhook(type_.as_str(), type_.about(), data, components));
    }
    let test = webhook(
        "webhook.test",
        "What `POST /webhooks/{id}:test` sends; `data` is empty.",
        "TestData",
        components,
    );
    webhooks.paths.insert("webhook.test".to_owned(), test);
    api.webhooks = Some(webhooks);
}

fn webhook(type_: &str, about: &str, name: &str, components: &Components) -> PathItem {
    let example = components
        .schemas
        .get(name)
        .and_then(|schema| serde_json::to_value(schema).ok())
        .map_or(Value::Null, |schema| schema["example"].clone());
    let kind = match type_.split('.').next() {
        Some("run") => ("run", "019acb5e-7a10-7c3e-9d52-6f0e3b1a2c4d"),
        Some("webhook") => ("webhook", "019acb5e-7a10-7c3e-9d52-6f0e3b1a2c4d"),
        _ => ("learner", "L-1001"),
    };
    let at = "2026-11-22T05:00:03Z";
    let change = json!({"id": "01a20126-7c6e-7b2e-8a53-0c1d2e3f4a5b", "type": type_,
        "subject": {"kind": kind.0, "id": kind.1}, "at": at, "data": example});
    let own_type = || ObjectBuilder::new().schema_type(Type::String).enum_values(Some([type_]));
    let time = || {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
    };
    let own = ObjectBuilder::new()
        .property("type", own_type())
        .property("data", Ref::from_schema_name(name))
        .required("type")
        .required("data");
    let told: Schema = if ChangeType::parse(type_).is_some() {
        AllOfBuilder::new().item(Ref::from_schema_name("Change")).item(own).into()
    } else {
        // It is told alone, and stands in no feed.
        let text = || ObjectBuilder::new().schema_type(Type::String);
        own.property("id", text())
            .property("subject", Ref::from_schema_name("Subject"))
            .property("at", time())
            .into()
    };
    let message = ObjectBuilder::new()
        .property("type", own_type())
        .property("timestamp", time())
        .property("data", told)
        .required("type")
        .required("timestamp")
        .required("data");
    let content = ContentBuilder::new()
        .schema(Some(message))
        .example(Some(json!({"type": type_, "timestamp": at, "data": change})))
        .build();
    let header = |name: &str, about: &str| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(about))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
    };
    let operation = OperationBuilder::new()
        .tag("Webhooks")
        .summary(Some(about))
        .description(Some("Sent to the webhooks that want this type, signed as Standard Webhooks say; the same change as in `GET /changes`."))
        .parameter(header("webhook-id", "The change's id: the same at every attempt."))
        .parameter(header("webhook-timestamp", "When it was sent, in seconds since 1970."))
        .parameter(header("webhook-signature", "One signature or more, with spaces between."))
        .request_body(Some(RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build()))
        .response("2XX", ResponseBuilder::new().description("Taken."))
        .response("410", ResponseBuilder::new().description("Never again: the webhook is switched off."))
        .response("default", ResponseBuilder::new().description("It is sent again, for a day."));
    PathItem::new(HttpMethod::Post, operation)
}

/// The types with their data, for the description of a change.
pub fn table() -> String {
    let lines =
        ChangeType::ALL.iter().map(|type_| format!("\n- `{}`: `{}`", type_.as_str(), schema_of(*type_)));
    lines.collect()
}
