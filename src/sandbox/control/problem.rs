//! Refusals of the control API: a status and a sentence.

use actix_web::error::{JsonPayloadError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

/// Why the sandbox did not do it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    pub message: String,
    /// By field, when it is ACE360's rules that a record does not keep.
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

    /// With the body of the 422 that ACE360 would give.
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

/// A body that may be left out. Not `Option<web::Json<_>>`, which takes a faulty body for none.
pub fn optional<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Refusal> {
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(body).map_err(|error| Refusal::malformed(&error))
}

/// Handler for bodies that do not fit.
#[expect(clippy::needless_pass_by_value, reason = "actix's signature")]
pub fn of_json(error: JsonPayloadError, _: &HttpRequest) -> Error {
    Refusal::malformed(&error).into()
}

/// Handler for queries that do not fit.
#[expect(clippy::needless_pass_by_value, reason = "actix's signature")]
pub fn of_query(error: QueryPayloadError, _: &HttpRequest) -> Error {
    Refusal::malformed(&error).into()
}
