//! Refusals of the control API: a status and a sentence.

use actix_web::error::{JsonPayloadError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

/// Why the sandbox refused the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    pub message: String,
    /// The errors by field, if a record violates ACE360's rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Value>,
}

/// A problem with its status.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    problem: Problem,
}

impl Refusal {
    fn new(status: StatusCode, message: &impl ToString) -> Self {
        Self { status, problem: Problem { message: message.to_string(), errors: None } }
    }

    pub fn malformed(message: &impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub fn no_record(id: u64) -> Self {
        Self::new(StatusCode::NOT_FOUND, &format!("there is no record {id}"))
    }

    pub fn conflict(message: &str) -> Self {
        Self::new(StatusCode::CONFLICT, &message)
    }

    pub fn invalid(message: &impl ToString) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    pub fn broken(message: &impl ToString) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// A refusal with the body of ACE360's 422.
    pub fn by_the_rules(verdict: &Value) -> Self {
        let mut refusal = Self::invalid(&verdict["message"].as_str().unwrap_or_default());
        refusal.problem.errors = verdict.get("errors").cloned();
        refusal
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.problem.message)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status).json(&self.problem)
    }
}

/// Reads an optional body. `Option<web::Json<_>>` would treat a faulty body as absent.
pub fn optional<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Refusal> {
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(body).map_err(|error| Refusal::malformed(&error))
}

/// The handler for invalid bodies.
#[expect(clippy::needless_pass_by_value, reason = "actix's signature")]
pub fn of_json(error: JsonPayloadError, _: &HttpRequest) -> Error {
    Refusal::malformed(&error).into()
}

/// The handler for invalid queries.
#[expect(clippy::needless_pass_by_value, reason = "actix's signature")]
pub fn of_query(error: QueryPayloadError, _: &HttpRequest) -> Error {
    Refusal::malformed(&error).into()
}
