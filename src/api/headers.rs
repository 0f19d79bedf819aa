//! Headers of the answers, in the document: each described once, and named by the answers that have it.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ObjectBuilder, OpenApi, Ref, RefOr, Response};

/// Name, type, and what it says.
const HEADERS: [(&str, Type, &str); 7] = [
    (
        "X-Request-Id",
        Type::String,
        "What finds this request in the log: as it was sent, or a new one. Every answer has it.",
    ),
    (
        "RateLimit",
        Type::String,
        "Requests that the token has left in this minute, and its seconds: `\"token\";r=5990;t=41`. Every answer to a token that is good has it.",
    ),
    ("RateLimit-Policy", Type::String, "Requests that a token has in a minute: `\"token\";q=6000;w=60`."),
    (
        "Idempotent-Replayed",
        Type::String,
        "`true`: the call was done before with this `Idempotency-Key`, and this is the answer of then.",
    ),
    (
        "WWW-Authenticate",
        Type::String,
        "`Bearer`; with `error=\"invalid_token\"` when a token was sent, with `error=\"insufficient_scope\"` and the `scope` when it lacks one.",
    ),
    ("Retry-After", Type::Integer, "Seconds until the same call may succeed, where that is known."),
    ("Location", Type::String, "Where to ask what comes of it: the run, or the learner's tab."),
];

/// Describes them in every operation.
pub fn document(api: &mut OpenApi) {
    let components = api.components.get_or_insert_default();
    for (name, schema_type, about) in HEADERS {
        components.headers.insert(name.to_owned(), header(schema_type, about).into());
    }
    for item in api.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.put, &mut item.delete].into_iter().flatten() {
            name(operation, false);
        }
        if let Some(operation) = &mut item.post {
            name(operation, true);
        }
    }
}

fn name(operation: &mut Operation, is_post: bool) {
    let counted = asks_for_token(operation);
    let cancels = operation.operation_id.as_deref() == Some("cancelRun");
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let done = status.starts_with('2');
        let status = status.as_str();
        let begins_run = matches!(status, "200" | "202") && answers(response, &["Run"]) && !cancels;
        let tells_tab = matches!(status, "201" | "202") && answers(response, &["Tab", "OneFileTab"]);
        let has = [
            // Of errors the body says it.
            ("X-Request-Id", done),
            ("RateLimit", counted && (done || status == "429")),
            ("RateLimit-Policy", counted && (done || status == "429")),
            ("Idempotent-Replayed", is_post && done),
            ("WWW-Authenticate", matches!(status, "401" | "403")),
            // 409: the same call, with its key, is under way.
            ("Retry-After", matches!(status, "429" | "503") || (is_post && status == "409")),
            ("Location", is_post && (begins_run || tells_tab)),
        ];
        for (name, _) in has.into_iter().filter(|(_, has)| *has) {
            let described = Ref::new(format!("#/components/headers/{name}"));
            response.headers.insert(name.to_owned(), RefOr::Ref(described));
        }
    }
}

/// Whether it is for those who have a token.
fn asks_for_token(operation: &Operation) -> bool {
    operation.security.iter().flatten().any(|own| *own != SecurityRequirement::default())
}

/// Whether the body is one of these.
fn answers(response: &Response, schemas: &[&str]) -> bool {
    let is_one = |reference: &Ref| {
        let name = reference.ref_location.strip_prefix("#/components/schemas/");
        name.is_some_and(|name| schemas.contains(&name))
    };
    response.content.values().any(|content| match content {
        RefOr::T(content) => matches!(&content.schema, Some(RefOr::Ref(own)) if is_one(own)),
        RefOr::Ref(_) => false,
    })
}

fn header(schema_type: Type, about: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(schema_type);
    HeaderBuilder::new().schema(Some(schema)).description(Some(about)).build()
}
