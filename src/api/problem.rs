//! Every error that the API answers: RFC 9457 problem details. One table of codes, from which status, title and the
//! page behind each `type` come. Nobody sees a stack, SQL or a secret.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use tracing::error;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::auth::AuthError;
use crate::auth::scope::Scope;
use crate::domain::{Fault, Faults};
use crate::store::StoreError;

macro_rules! codes {
    ($($variant:ident $text:literal $status:literal $retryable:literal $title:literal $about:literal,)*) => {
        /// What kind of error it is: stable, for programs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        pub enum Code { $(#[doc = $about] #[serde(rename = $text)] $variant,)* }

        // By hand: utoipa's derive does not read a `rename` that a macro puts in.
        impl PartialSchema for Code {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some("What kind of error it is: stable, for programs."))
                    .enum_values(Some([$($text,)*]))
                    .into()
            }
        }

        impl ToSchema for Code {}

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As it stands in an answer.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $text,)* } }

            pub fn status(self) -> u16 { match self { $(Self::$variant => $status,)* } }

            /// Whether the same request may succeed later.
            pub fn retryable(self) -> bool { match self { $(Self::$variant => $retryable,)* } }

            /// In a few words.
            pub fn title(self) -> &'static str { match self { $(Self::$variant => $title,)* } }

            /// What it means and what to do.
            pub fn about(self) -> &'static str { match self { $(Self::$variant => $about,)* } }
        }
    };
}

codes! {
    MalformedJson "malformedJson" 400 false "The body is not JSON" "The body could not be read as JSON. The detail says where it breaks.",
    InvalidParameter "invalidParameter" 400 false "A parameter is wrong" "A query, path or header parameter cannot be used. `errors[]` names each, with what to do.",
    Unauthenticated "unauthenticated" 401 false "No valid token" "Send `Authorization: Bearer <token>` with a token that was issued here, or by the identity provider that the operator trusts, and that has neither expired nor been revoked.",
    ScopeMissing "scopeMissing" 403 false "The token may not do this" "The token is good, but lacks the scope that the detail names. Ask whoever issued it for one with that scope.",
    NotFound "notFound" 404 false "There is no such thing" "Nothing of that name belongs to the token's provider.",
    MethodNotAllowed "methodNotAllowed" 405 false "Not with this method" "The path exists, but not with this method. The `Allow` header lists those that it has.",
    BodyTooSlow "bodyTooSlow" 408 true "The body came too slowly" "The body paused for more than 10 seconds, or took more than two minutes. Nothing was done.",
    AlreadyUploaded "alreadyUploaded" 409 false "The learner is uploaded already" "The learner has an ACE360 record. Nothing was sent. To link another record, unlink this one first.",
    Leaver "leaver" 409 false "The learner has left" "The learner is dormant, or the programme has ended. Nothing was sent: a record in ACE360 costs a credit. If it is right all the same, repeat with `overrule: [\"leaver\"]`.",
    StartsLater "startsLater" 409 false "The programme starts later" "The programme starts in more than 30 days. Nothing was sent: a record in ACE360 costs a credit. Upload later, or repeat with `overrule: [\"startsLater\"]`.",
    LikelyDuplicate "likelyDuplicate" 409 false "The upstream probably has this learner" "The upstream has records of the same person (`recordIds`). Nothing was sent: one in ACE360 costs a credit, and a second user in OneFile is not got rid of. The detail says whose they are and what to do: link one that is the learner's, correct the learner that is wrong, or repeat with `allowDuplicate: true`.",
    OtherPerson "otherPerson" 409 false "The record is another person's" "The record's ULN is not the learner's. Nothing was linked. Look at the number again; if it is right all the same, repeat with `allowOtherPerson: true`.",
    InFlight "inFlight" 409 true "It is under way" "An upload or an enrolment of this learner was sent and its outcome is not known yet, or somebody exchanges the learner just now. Ask again in a minute.",
    AlreadyLinked "alreadyLinked" 409 false "Linked already" "The learner, or the record, is linked to another. Remove that link first.",
    NotActive "notActive" 409 false "The run has ended" "A run that has ended cannot be stopped.",
    StillActive "stillActive" 409 true "The run has not ended" "Wait for the run's end, or cancel it; then its failed records can be taken again.",
    NothingToRetry "nothingToRetry" 409 false "Nothing failed" "The run has no failed record that could be taken again.",
    AlreadySettled "alreadySettled" 409 false "It is settled" "The intent's outcome is known: there is nothing to settle by hand.",
    SettledByHand "settledByHand" 409 false "Settled by hand" "A person looked in the upstream and found that it does not have what was sent. The learner may be uploaded again.",
    NotUploaded "notUploaded" 409 false "The learner has no ACE360 record" "There is no status to read: upload the learner, or link it to its record.",
    NotEnrolled "notEnrolled" 409 false "The learner is not in OneFile" "There is nothing to exchange: enrol the learner, or link it to its user.",
    IntegrationDisabled "integrationDisabled" 409 false "The integration is switched off" "Switch it on in the settings of the integration (`enabled`).",
    IntegrationNotConfigured "integrationNotConfigured" 409 false "The integration is not set up" "The settings lack what the call needs; the detail says what.",
    NotReady "notReady" 409 false "Not ready to be switched on" "Something is in the way of switching the integration on; `errors[]` names each and what to do. Nothing was kept.",
    SettingsChanged "settingsChanged" 409 true "The settings were changed meanwhile" "Somebody else changed the settings at the same moment. Nothing was kept: read them, and send yours again.",
    TooManyWebhooks "tooManyWebhooks" 409 false "There are too many webhooks" "A provider may have 20 webhooks: delete one that is not needed.",
    WebhookDisabled "webhookDisabled" 409 false "The webhook is switched off" "Nothing is sent to it. Switch it on (`enabled`), then ask for the delivery again.",
    Expired "expired" 410 false "Too old" "Retention has passed this position of the feed, or it was never given: the database may have been restored from a backup since. Read the records again, then follow the feed from its start.",
    PreconditionFailed "preconditionFailed" 412 false "It is not as you expected" "Somebody else changed it since you read it, or, with `If-None-Match: *`, it exists already. Nothing was done: read it again, make your change to what is there now, and send it with the new `ETag`.",
    PayloadTooLarge "payloadTooLarge" 413 false "The body is too large" "Send less at once. Imports take up to 10,000 records.",
    UnsupportedMediaType "unsupportedMediaType" 415 false "Not this content type" "Send `Content-Type: application/json`; imports take `application/x-ndjson` as well.",
    InvalidRequest "invalidRequest" 422 false "Fields are wrong" "The body is JSON but breaks rules. `errors[]` names every fault with its JSON pointer and what to do. Nothing was done.",
    NotEligible "notEligible" 422 false "The learner is not eligible" "Only learners of programme type 25 (apprenticeship standards) go to ACE360; only live learners who are in learning, or ended within the last month, are exchanged with OneFile.",
    FieldsMissing "fieldsMissing" 422 false "Fields are missing" "The records lack what the upload or the enrolment needs. `errors[]` names every field and where in PICSWeb to fix it. Nothing was sent.",
    UpstreamRejected "upstreamRejected" 422 false "The upstream refused it" "The upstream gave an explicit no; `upstream.message` and `errors[]` hold its reasons. Nothing was created. Fix the record and upload again.",
    IdempotencyInFlight "idempotencyInFlight" 409 true "The same call is under way" "A call with this Idempotency-Key has not been answered yet. Nothing was done now: ask again in a moment, with the same key.",
    SecretShownOnce "secretShownOnce" 409 false "The secret was shown" "The call with this Idempotency-Key was done, and its answer showed a secret, which is not shown again. Make another with a new key, and delete the first.",
    IdempotencyKeyReused "idempotencyKeyReused" 422 false "The key belongs to another call" "This Idempotency-Key came with another path, query or body within the last 24 hours. Nothing was done now: send a new key with each new call.",
    RateLimited "rateLimited" 429 true "Too many requests" "The token made more requests than it may in a minute. Nothing was done. Wait as long as `Retry-After` says; `RateLimit` tells with every answer how many are left.",
    Internal "internal" 500 true "Our fault" "Something unexpected happened here. Tell the operator the `requestId`.",
    UpstreamUnauthorised "upstreamUnauthorised" 502 false "The upstream does not accept the token" "The token in the settings is wrong, expired or was withdrawn. Put a new one there.",
    UpstreamForbidden "upstreamForbidden" 502 false "The upstream does not allow it" "The token is good, but the upstream does not allow this: for ACE360, Connect may not be enabled for the organisation.",
    UpstreamFailed "upstreamFailed" 502 true "The upstream failed" "The upstream gave no usable answer. Nothing was changed by a call that only reads.",
    UpstreamMissing "upstreamMissing" 404 false "The upstream has no such record" "The record does not exist at the upstream, or not for this token.",
    Unavailable "unavailable" 503 true "Not available now" "The service, or its database, cannot answer now. Try again shortly.",
    UpstreamUnavailable "upstreamUnavailable" 503 true "The upstream cannot be reached" "No connection to the upstream could be made. Nothing was sent.",
    UpstreamLimited "upstreamLimited" 503 true "The upstream's limit is reached" "The upstream takes no more calls for now. Nothing was sent. Wait as long as `Retry-After` says.",
}

/// The upstream that caused an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UpstreamCause {
    /// The system that failed: `ace360` or `onefile`.
    #[schema(example = "ace360")]
    pub name: String,
    /// HTTP status of its answer; null when there was none.
    #[schema(example = 422)]
    pub status: Option<u16>,
    /// Its own words, where it had any.
    #[schema(example = "The given data was invalid.")]
    pub message: Option<String>,
}

/// An error, as it goes out.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "type": "http://127.0.0.1:8080/problems/invalidRequest", "title": "Fields are wrong", "status": 422, "detail": "2 faults: see errors",
    "instance": "/learners/L-1002", "code": "invalidRequest",
    "errors": [{"pointer": "/sex", "code": "invalidValue", "message": "Send one of: F, M."},
        {"pointer": "/birthDate", "code": "unknownField", "message": "There is no field birthDate here: take it out."}],
    "requestId": "01a20126-7c6e-7b2e-8a53-0c1d2e3f4a5b", "retryable": false, "upstream": null
}))]
pub struct Problem {
    /// A page that says what this code means.
    #[serde(rename = "type")]
    #[schema(format = "uri", example = "http://127.0.0.1:8080/problems/invalidRequest")]
    pub type_: String,
    /// The code, in words.
    #[schema(example = "Fields are wrong")]
    pub title: String,
    /// The HTTP status of the response.
    #[schema(example = 422)]
    pub status: u16,
    /// What happened this time.
    #[schema(example = "2 faults: see errors")]
    pub detail: String,
    /// The path that was asked.
    #[schema(example = "/learners/L1")]
    pub instance: String,
    /// What kind of error it is: stable, for programs.
    pub code: Code,
    /// Every fault that was found. At most 100 are listed: a last one, `tooManyFaults`, says how many more there are.
    pub errors: Vec<Fault>,
    /// Finds this request in the log.
    pub request_id: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// The upstream, when one caused it.
    pub upstream: Option<UpstreamCause>,
    /// The upstream's ids of the records that were found, for `likelyDuplicate`, `alreadyUploaded` and, of OneFile, `alreadyLinked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_ids: Option<Vec<i64>>,
    #[serde(skip)]
    retry_after_s: Option<u64>,
    #[serde(skip)]
    allow: Option<String>,
    /// What `WWW-Authenticate` says (RFC 6750, 3).
    #[serde(skip)]
    challenge: Option<String>,
}

impl Problem {
    /// A problem of this code.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            type_: format!("/problems/{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            instance: String::new(),
            code,
            errors: Vec::new(),
            request_id: String::new(),
            retryable: code.retryable(),
            upstream: None,
            record_ids: None,
            retry_after_s: None,
            allow: None,
            challenge: (code == Code::Unauthenticated).then(|| "Bearer".to_owned()),
        }
    }

    /// All that is wrong with a body.
    pub fn faults(faults: impl Into<Faults>) -> Self {
        let faults = faults.into();
        let detail = faults.summary();
        let errors = faults.list(Faults::MOST);
        let malformed = errors.iter().any(|fault| fault.code == "malformedJson");
        let code = if malformed { Code::MalformedJson } else { Code::InvalidRequest };
        Self { errors, ..Self::new(code, detail) }
    }

    /// All that is wrong with the parameters.
    pub fn parameters(faults: Vec<Fault>) -> Self {
        Self { code: Code::InvalidParameter, ..Self::faults(faults) }.recoded(Code::InvalidParameter)
    }

    fn recoded(self, code: Code) -> Self {
        Self { errors: self.errors, ..Self::new(code, self.detail) }
    }

    /// There is no such thing here.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}."))
    }

    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Fault>) -> Self {
        self.errors = errors;
        self
    }

    /// With the upstream that caused it.
    #[must_use]
    pub fn with_upstream(mut self, upstream: UpstreamCause) -> Self {
        self.upstream = Some(upstream);
        self
    }

    /// With the records that were found.
    #[must_use]
    pub fn with_records(mut self, ids: Vec<i64>) -> Self {
        self.record_ids = Some(ids);
        self
    }

    #[must_use]
    pub fn with_retry_after(mut self, wait: std::time::Duration) -> Self {
        self.retry_after_s = Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        self
    }

    /// With the methods that the path has.
    #[must_use]
    pub fn with_allow(mut self, allow: String) -> Self {
        self.allow = Some(allow);
        self
    }

    /// A scope is missing; any of these would do.
    pub fn scope_missing(one_of: &[Scope]) -> Self {
        let names: Vec<_> = one_of.iter().map(|scope| format!("`{}`", scope.as_str())).collect();
        let scope = one_of.first().map_or("", |scope| scope.as_str());
        Self {
            challenge: Some(format!(r#"Bearer error="insufficient_scope", scope="{scope}""#)),
            ..Self::new(
                Code::ScopeMissing,
                format!("This needs the scope {}, which the token lacks.", names.join(" or ")),
            )
        }
    }

    /// With the path and the id of the request.
    #[must_use]
    pub fn placed(mut self, instance: &str, request_id: &str) -> Self {
        instance.clone_into(&mut self.instance);
        request_id.clone_into(&mut self.request_id);
        self
    }

    /// As a part of another answer: whole, with its page, the path and the id of the request.
    #[must_use]
    pub fn within(self, public_url: &str, instance: &str, request_id: &str) -> Self {
        let mut whole = self.placed(instance, request_id);
        whole.type_ = format!("{public_url}/problems/{}", whole.code.as_str());
        whole
    }

    /// The whole answer, for this request.
    pub fn response(&self, public_url: &str, instance: &str, request_id: &str) -> HttpResponse {
        let mut whole = self.clone();
        whole.type_ = format!("{public_url}/problems/{}", self.code.as_str());
        instance.clone_into(&mut whole.instance);
        request_id.clone_into(&mut whole.request_id);
        let mut response = HttpResponseBuilder::new(self.status_code());
        if let Some(seconds) = self.retry_after_s {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(allow) = &self.allow {
            response.insert_header((header::ALLOW, allow.clone()));
        }
        if let Some(challenge) = &self.challenge {
            response.insert_header((header::WWW_AUTHENTICATE, challenge.as_str()));
        }
        let body = serde_json::to_vec(&whole).unwrap_or_default();
        response.content_type("application/problem+json").body(body)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The middleware makes the answer again, with the request's path and id.
    fn error_response(&self) -> HttpResponse {
        self.response("", &self.instance, &self.request_id)
    }
}

/// Classes of SQLSTATE that pass by themselves: no connection, no resources, an administrator's stop or start.
const PASSING: [&str; 3] = ["08", "53", "57P"];

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let passing = matches!(
            &error,
            StoreError::Sql(
                // A connection that ends while it is being made, at a pooler's door say, is a broken protocol to sqlx.
                sqlx::Error::Io(_)
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
            )
        ) || matches!(&error, StoreError::Sql(sqlx::Error::Database(error)) if error.code().is_some_and(|code| PASSING.iter().any(|class| code.starts_with(class))));
        // Logged once, here.
        error!(%error, "the store failed");
        if matches!(&error, StoreError::Seal(crate::seal::SealError::UnknownKey(_))) {
            return Self::new(
                Code::Unavailable,
                "The record is sealed with a key that this process does not have: restart it with every key in PICSBRIDGE_MASTER_KEY.",
            );
        }
        if passing {
            Self::new(Code::Unavailable, "The database cannot be reached now. Try again shortly.")
        } else {
            Self::new(Code::Internal, "Something unexpected happened here.")
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Invalid(why) | AuthError::Over(why, _) => Self {
                challenge: Some(r#"Bearer error="invalid_token""#.to_owned()),
                ..Self::new(
                    Code::Unauthenticated,
                    format!("Send a token that was issued for this service and is still good: {why}."),
                )
            },
            AuthError::Stale => Self::new(
                Code::Unavailable,
                "It cannot be told now which tokens are revoked. Try again shortly.",
            ),
            AuthError::Keyless => Self::new(
                Code::Unavailable,
                "The keys of the token's issuer could not be read yet. Try again shortly.",
            ),
            AuthError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_of_its_kind() {
        for code in Code::ALL {
            assert!((400..600).contains(&code.status()), "{}", code.as_str());
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
