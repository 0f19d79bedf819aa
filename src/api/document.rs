//! The API's document: the frame around the operations that the router collects, and what they have in common.

use actix_web::get;
use actix_web::web::Data;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ObjectBuilder, OpenApi, Required};
use utoipa::{Modify, OpenApi as _};

use super::State;
use super::errors::add_problems;
use super::problem::{Code, Problem};

/// The guide for third parties, and its table of fields, which `tests/api/field_map.rs` makes from the upstreams' tables.
const GUIDE: &str =
    concat!(include_str!("../../openapi/guide.md"), "\n", include_str!("../../openapi/fields.md"));

/// Operations whose answers show a secret this once.
const SHOWN_ONCE: [&str; 3] = ["createToken", "createWebhook", "rotateWebhookSecret"];

/// What frames the operations.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "picsbridge", license(name = "Proprietary", identifier = "LicenseRef-Proprietary")),
    tags(
        (name = "Records", description = "What PICSWeb sends: learners, officers and organisations."),
        (name = "ACE360 settings", description = "Setting the ACE360 integration up."),
        (name = "ACE360", description = "End-point assessment: preview, upload, status, history, links, the catalogue."),
        (name = "OneFile settings", description = "Setting the OneFile integration up."),
        (name = "OneFile", description = "E-portfolio: looking up what records are linked to, and links."),
        (name = "Runs", description = "Long work: how far it is, and what happened to each record."),
        (name = "Changes", description = "Everything that changed, in order."),
        (name = "Webhooks", description = "Being told of changes as they happen, and what became of each telling."),
        (name = "Tokens", description = "Who may do what."),
        (name = "Audit", description = "Who did what, and what was refused."),
        (name = "Service", description = "Health, metrics, the meaning of errors."),
    ),
    components(schemas(Problem)),
    modifiers(&Frame)
)]
struct Base;

struct Frame;

impl Modify for Frame {
    fn modify(&self, api: &mut OpenApi) {
        api.info.description = Some(GUIDE.to_owned());
        env!("CARGO_PKG_VERSION").clone_into(&mut api.info.version);
        let components = api.components.get_or_insert_default();
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.bearer_format = Some("JWT".to_owned());
        bearer.description =
            Some("A token that `picsbridge token create` or `POST /tokens` issued.".to_owned());
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// The document's frame, for the router to put the operations in.
pub fn base() -> OpenApi {
    Base::openapi()
}

/// What operations have in common, so that none forgets it: the key with which a POST is not done twice.
pub fn finish(api: &mut OpenApi) {
    for item in api.paths.paths.values_mut() {
        let Some(operation) = &mut item.post else { continue };
        let mut key = Parameter::new("Idempotency-Key");
        key.parameter_in = ParameterIn::Header;
        key.required = Required::False;
        key.description = Some(
            "1 to 255 visible ASCII characters, a UUID say: the same call with the same key does nothing again, and is answered as it was (`Idempotent-Replayed: true`), for 24 hours.".to_owned(),
        );
        key.schema = Some(
            ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255)).into(),
        );
        operation.parameters.get_or_insert_default().push(key.into());
        let mut codes = vec![
            Code::InvalidParameter,
            Code::BodyTooSlow,
            Code::IdempotencyInFlight,
            Code::IdempotencyKeyReused,
            Code::PayloadTooLarge,
        ];
        if operation.request_body.is_none() {
            codes.extend([Code::MalformedJson, Code::InvalidRequest]);
        }
        if operation.operation_id.as_deref().is_some_and(|id| SHOWN_ONCE.contains(&id)) {
            codes.push(Code::SecretShownOnce);
        }
        add_problems(operation, &codes);
    }
    super::etag::document(api);
    super::headers::document(api);
    super::follow::document(api);
    super::webhook_document::document(api);
    super::examples::document(api);
}

/// Read this document
///
/// OpenAPI 3.1. No token needed.
#[utoipa::path(operation_id = "getDocument", tag = "Service", security(()), responses((status = 200, description = "The document.", body = Object)))]
#[get("/openapi.json")]
pub async fn get(state: Data<State>) -> actix_web::HttpResponse {
    actix_web::HttpResponse::Ok().content_type("application/json").body(state.routes.document())
}
