//! What the document says of messages to webhooks, and of the data of changes. All of it comes from `domain::Change`.

use serde_json::{Value, json};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{AllOfBuilder, Type};
use utoipa::openapi::{
    Components, ContentBuilder, KnownFormat, ObjectBuilder, OpenApi, Paths, Ref, RefOr, Required,
    ResponseBuilder, Schema, SchemaFormat,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::domain::{Change, ChangeEntry, ChangeType, TestData, TestEntry};

const OF_CHANGE: &str = "Sent to the webhooks that want this type, signed as Standard Webhooks say. The same change stands in `GET /changes`.";
const OF_TEST: &str = "Sent to the webhook that is tested, signed as Standard Webhooks say. It is no change, and stands in no feed.";

/// Puts in the schemas of the data, each with an example, and the messages that webhooks send.
pub fn document(api: &mut OpenApi) {
    let mut schemas = vec![("TestData".to_owned(), TestData::schema())];
    Change::schemas(&mut schemas);
    let components = api.components.get_or_insert_default();
    components.schemas.extend(schemas);
    let mut webhooks = Paths::new();
    for kind in ChangeType::ALL {
        let (word, data) = (kind.as_str(), Change::data_name(*kind));
        let example = json!(ChangeEntry::example(*kind));
        show(components, data, &example["data"]);
        let change =
            AllOfBuilder::new().item(Ref::from_schema_name("Change")).item(own_fields(word, data)).into();
        webhooks.paths.insert(word.to_owned(), webhook(word, kind.about(), OF_CHANGE, change, &example));
    }
    let example = json!(TestEntry::example());
    show(components, "TestData", &example["data"]);
    let about = "What `POST /webhooks/{id}:test` sends; `data` is empty.";
    let test = webhook(TestEntry::KIND, about, OF_TEST, test_fields().into(), &example);
    webhooks.paths.insert(TestEntry::KIND.to_owned(), test);
    api.webhooks = Some(webhooks);
}

/// Of several kinds that share a schema the first gives the example.
fn show(components: &mut Components, name: &str, example: &Value) {
    if let Some(RefOr::T(Schema::Object(schema))) = components.schemas.get_mut(name) {
        schema.example.get_or_insert_with(|| example.clone());
    }
}

/// What a change of one type has of its own.
fn own_fields(kind: &str, data: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .property("type", only(kind))
        .property("data", Ref::from_schema_name(data))
        .required("type")
        .required("data")
}

/// A test has the fields of a change, but its type is not one of theirs.
fn test_fields() -> ObjectBuilder {
    own_fields(TestEntry::KIND, "TestData")
        .property("id", ObjectBuilder::new().schema_type(Type::String))
        .property("subject", Ref::from_schema_name("Subject"))
        .property("at", time())
}

fn only(kind: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some([kind]))
}

fn time() -> ObjectBuilder {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    ObjectBuilder::new().schema_type(Type::String).format(Some(format))
}

fn webhook(kind: &str, summary: &str, description: &str, change: Schema, example: &Value) -> PathItem {
    let message = ObjectBuilder::new()
        .property("type", only(kind))
        .property("timestamp", time())
        .property("data", change)
        .required("type")
        .required("timestamp")
        .required("data");
    let content = ContentBuilder::new()
        .schema(Some(message))
        .example(Some(json!({"type": kind, "timestamp": example["at"], "data": example})))
        .build();
    let body = RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
    let operation = OperationBuilder::new()
        .tag("Webhooks")
        .summary(Some(summary))
        .description(Some(description))
        .parameter(header("webhook-id", "The change's id: the same at every attempt."))
        .parameter(header("webhook-timestamp", "When it was sent, in seconds since 1970."))
        .parameter(header("webhook-signature", "One signature or more, with spaces between."))
        .request_body(Some(body.build()))
        .response("2XX", ResponseBuilder::new().description("Taken."))
        .response("410", ResponseBuilder::new().description("Never again: the webhook is switched off."))
        .response("default", ResponseBuilder::new().description("It is sent again, for a day."));
    PathItem::new(HttpMethod::Post, operation)
}

fn header(name: &str, about: &str) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
}
