//! What each error code means: the page behind a problem's `type`.

use actix_web::get;
use actix_web::web::{Data, Json, Path};
use serde::Serialize;
use utoipa::ToSchema;

use super::State;
use super::errors::NotFoundError;
use super::problem::{Code, Problem};

/// What an error code means.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "code": "invalidRequest", "status": 422, "title": "Fields are wrong", "retryable": false,
    "about": "Fields are missing or wrong: `errors` names all of them. Fix them and send it again."
}))]
pub struct CodePage {
    /// The stable code of the problem.
    code: Code,
    /// The HTTP status that comes with it.
    status: u16,
    /// In a few words.
    title: &'static str,
    /// What it means and what to do.
    about: &'static str,
    /// Whether the same request may succeed later.
    retryable: bool,
}

/// Read what an error code means
///
/// The `type` of every problem leads here. No token needed.
#[utoipa::path(operation_id = "getProblem", tag = "Service", security(()), params(("code" = Code, Path)), responses((status = 200, description = "What it means.", body = CodePage), NotFoundError))]
#[get("/problems/{code}")]
pub async fn get(_: Data<State>, code: Path<String>) -> Result<Json<CodePage>, Problem> {
    let found = Code::ALL
        .iter()
        .copied()
        .find(|own| own.as_str() == code.as_str())
        .ok_or_else(|| Problem::not_found("error code"))?;
    Ok(Json(CodePage {
        code: found,
        status: found.status(),
        title: found.title(),
        about: found.about(),
        retryable: found.retryable(),
    }))
}
