//! The API's document: what frames the operations that the router collects, the errors that they share, and the table
//! of paths made from it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::Split;

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, get};
use serde::Serialize;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder,
};
use utoipa::{IntoResponses, Modify, OpenApi as _, ToSchema};

use super::State;
use super::audit::AuditLine;
use super::intents::Intent;
use super::onefile::link_proposals::LinkCandidate;
use super::onefile::links::Link;
use super::problem::{Code, Problem};
use super::run_records::RunRecord;
use super::runs::Run;
use super::tokens::Token;
use super::webhook_deliveries::Delivery;
use super::webhooks::Webhook;
use crate::domain::{OfficerRecord, OrganisationRecord};

/// The guide for third parties, and its table of fields, which `field_map.rs` holds to the mappings.
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

/// Declares these errors too.
pub fn add_problems(operation: &mut Operation, codes: &[Code]) {
    for (status, response) in problems(codes) {
        let RefOr::T(more) = response else { continue };
        match operation.responses.responses.get_mut(&status) {
            Some(RefOr::T(own)) => {
                for line in more.description.split("\n\n").filter(|line| !line.is_empty()) {
                    if !own.description.contains(line) {
                        own.description = format!("{}\n\n{line}", own.description);
                    }
                }
            }
            _ => {
                operation.responses.responses.insert(status, RefOr::T(more));
            }
        }
    }
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

/// The paths that there are, with their methods.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// By their first segment, which is never a parameter.
    templates: HashMap<String, Vec<Template>>,
    /// Those whose `GET` takes parameters in its query.
    asked: BTreeSet<String>,
    /// Those whose `POST` takes no body.
    posted_bare: BTreeSet<String>,
    /// The document, serialised once.
    json: String,
}

#[derive(Clone, Debug)]
struct Template {
    path: String,
    segments: Vec<String>,
    methods: Vec<&'static str>,
}

impl Routes {
    /// From the document.
    pub fn of(api: &OpenApi) -> Self {
        let mut paths: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
        let in_query = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(own) if matches!(own.parameter_in, ParameterIn::Query));
        let asked = api
            .paths
            .paths
            .iter()
            .filter(|(_, item)| {
                let parameters = item.get.as_ref().and_then(|read| read.parameters.as_ref());
                parameters.is_some_and(|parameters| parameters.iter().any(in_query))
            })
            .map(|(path, _)| path.clone())
            .collect();
        let bare = |item: &PathItem| item.post.as_ref().is_some_and(|post| post.request_body.is_none());
        let posted_bare =
            api.paths.paths.iter().filter(|(_, item)| bare(item)).map(|(path, _)| path.clone()).collect();
        for (path, item) in &api.paths.paths {
            let methods = paths.entry(path.clone()).or_default();
            for (method, operation) in
                [("GET", &item.get), ("PUT", &item.put), ("POST", &item.post), ("DELETE", &item.delete)]
            {
                if operation.is_some() {
                    methods.push(method);
                }
            }
        }
        let mut templates: HashMap<String, Vec<Template>> = HashMap::new();
        for (path, methods) in paths {
            let (first, rest) = parts(&path);
            let segments = rest.map(str::to_owned).collect();
            templates.entry(first.to_owned()).or_default().push(Template { path, segments, methods });
        }
        Self { templates, asked, posted_bare, json: serde_json::to_string(api).unwrap_or_default() }
    }

    /// Whether the `GET` of a template takes parameters in its query.
    pub fn asks(&self, template: &str) -> bool {
        self.asked.contains(template)
    }

    /// Whether the `POST` of a template takes no body.
    pub fn posts_nothing(&self, template: &str) -> bool {
        self.posted_bare.contains(template)
    }

    /// The methods of a path, as `Allow` says them; `None`: there is no such path.
    pub fn methods_of(&self, path: &str) -> Option<String> {
        let methods: Vec<&str> =
            self.of_path(path).flat_map(|template| template.methods.iter().copied()).collect();
        (!methods.is_empty()).then(|| methods.join(", "))
    }

    /// The template of a request's path, such as `/learners/{learnerId}`; `None`: there is no such path. As actix's
    /// `match_pattern`, which tries a regular expression for each route.
    pub fn template_of(&self, request: &HttpRequest) -> Option<Cow<'_, str>> {
        // Where a fixed one fits too (`/tokens/self`), it stands first: braces come after letters.
        match self.of_path(request.path()).next() {
            Some(template) => Some(Cow::Borrowed(&template.path)),
            None => request.match_pattern().map(Cow::Owned),
        }
    }

    fn of_path(&self, path: &str) -> impl Iterator<Item = &Template> {
        let (first, rest) = parts(path);
        self.templates.get(first).into_iter().flatten().filter(move |template| {
            let mut given = rest.clone();
            let fits =
                template.segments.iter().all(|own| given.next().is_some_and(|given| matches(own, given)));
            fits && given.next().is_none()
        })
    }
}

/// The first segment of a path, and those behind it.
fn parts(path: &str) -> (&str, Split<'_, char>) {
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
    (segments.next().unwrap_or_default(), segments)
}

/// Whether a template's segment, such as `{learnerId}`, `{id}:cancel` or `ace360:sync`, takes a path's.
fn matches(template: &str, given: &str) -> bool {
    match template.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((_, verb)) => {
            given.strip_suffix(verb).is_some_and(|value| !value.is_empty() && !value.contains(':'))
        }
        None => template == given,
    }
}

/// Read this document
///
/// OpenAPI 3.1. No token needed.
#[utoipa::path(operation_id = "getDocument", tag = "Service", security(()), responses((status = 200, description = "The document.", body = Object)))]
#[get("/openapi.json")]
pub async fn get(state: Data<State>) -> actix_web::HttpResponse {
    actix_web::HttpResponse::Ok().content_type("application/json").body(state.routes.json.clone())
}

/// Declares sets of error answers that operations share.
macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident [$($code:ident)*],)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                problems(&[$(Code::$code),*])
            }
        }
    )*};
}

errors! {
    /// Of operations that read what is kept here.
    ReadErrors [InvalidParameter Unauthenticated ScopeMissing NotFound RateLimited Internal Unavailable],
    /// Of operations that write what is kept here.
    WriteErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing NotFound BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest RateLimited Internal Unavailable],
    /// Of settings that may switch something on.
    SettingsErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing NotReady SettingsChanged BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest RateLimited Internal Unavailable],
    /// Of look-ups, which read from an upstream at first use.
    LookUpErrors [InvalidParameter Unauthenticated ScopeMissing UpstreamMissing IntegrationNotConfigured UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Of operations that read from an upstream.
    UpstreamErrors [InvalidParameter Unauthenticated ScopeMissing NotFound UpstreamMissing NotUploaded InFlight IntegrationDisabled IntegrationNotConfigured UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Of exchanging a learner.
    ExchangeErrors [InvalidParameter Unauthenticated ScopeMissing NotFound NotEnrolled InFlight NotEligible IntegrationDisabled IntegrationNotConfigured UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Of linking by hand.
    LinkErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing NotFound UpstreamMissing AlreadyLinked OtherPerson InFlight IntegrationDisabled IntegrationNotConfigured BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Of links with OneFile.
    OneFileLinkErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing NotFound UpstreamMissing AlreadyLinked InFlight IntegrationNotConfigured BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Of uploads.
    UploadErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing NotFound UpstreamMissing AlreadyUploaded LikelyDuplicate InFlight IntegrationDisabled IntegrationNotConfigured BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest NotEligible FieldsMissing UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Of enrolments.
    EnrolErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing NotFound UpstreamMissing AlreadyLinked LikelyDuplicate InFlight IntegrationDisabled IntegrationNotConfigured BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest FieldsMissing UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Of operations that begin a run.
    RunErrors [InvalidParameter Unauthenticated ScopeMissing IntegrationDisabled IntegrationNotConfigured RateLimited Internal Unavailable],
    /// Of stopping a run.
    CancelErrors [InvalidParameter Unauthenticated ScopeMissing NotFound NotActive RateLimited Internal Unavailable],
    /// Of taking a run's failed records again.
    RetryErrors [InvalidParameter Unauthenticated ScopeMissing NotFound StillActive NothingToRetry IntegrationDisabled IntegrationNotConfigured RateLimited Internal Unavailable],
    /// Of settling an intent by hand.
    ResolveErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing NotFound UpstreamMissing AlreadySettled AlreadyLinked OtherPerson InFlight IntegrationDisabled IntegrationNotConfigured BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Of making a webhook.
    NewWebhookErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing TooManyWebhooks BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest RateLimited Internal Unavailable],
    /// Of asking for a delivery again.
    ResendErrors [InvalidParameter Unauthenticated ScopeMissing NotFound WebhookDisabled RateLimited Internal Unavailable],
    /// Of operations that begin a run with a body.
    BulkErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing IntegrationDisabled IntegrationNotConfigured BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest RateLimited Internal Unavailable],
    /// Of operations without a token that may not find something.
    NotFoundError [NotFound Internal],
    /// Of operations without a token that may not be able to answer.
    UnavailableError [Internal Unavailable],
}

/// One answer a status; its description names the codes.
fn problems(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status()).or_default().push(*code);
    }
    by_status
        .into_iter()
        .map(|(status, codes)| {
            let lines: Vec<_> =
                codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.about())).collect();
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let response = ResponseBuilder::new()
                .description(lines.join("\n\n"))
                .content("application/problem+json", content)
                .build();
            (status.to_string(), RefOr::T(response))
        })
        .collect()
}

/// Declares pages of lists.
macro_rules! pages {
    ($($(#[$doc:meta])* $name:ident of $item:ty,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Serialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// At most `pageSize`.
            items: Vec<$item>,
            /// Send it as `pageToken` for the next page; null: there is none.
            #[schema(example = "TC0xMDAx")]
            next_page_token: Option<String>,
        }
    )*};
}

pages! {
    /// A page of officers.
    OfficerPage of OfficerRecord,
    /// A page of organisations.
    OrganisationPage of OrganisationRecord,
    /// A page of runs.
    RunPage of Run,
    /// A page of a run's records.
    RunRecordPage of RunRecord,
    /// A page of intents.
    IntentPage of Intent,
    /// A page of links with OneFile.
    OneFileLinkPage of Link,
    /// A page of officers and organisations that are not linked.
    OneFileCandidatePage of LinkCandidate,
    /// A page of webhooks.
    WebhookPage of Webhook,
    /// A page of a webhook's deliveries.
    DeliveryPage of Delivery,
    /// A page of the audit.
    AuditPage of AuditLine,
    /// A page of tokens.
    TokenPage of Token,
}

/// For handlers that answer JSON of a value.
pub type Answer<T> = Result<Json<T>, Problem>;
