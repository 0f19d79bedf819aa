//! The test of the connection to OneFile.

use actix_web::post;
use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::State;
use super::super::errors::ReadErrors;
use super::super::extract::Caller;
use super::super::problem::Problem;
use crate::auth::scope::needs::OnefileConfigure;
use crate::onefile::OneFileError;

/// What the test of the connection says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OneFileConnectionTest, example = json!({
    "ok": true, "detail": "OneFile (live, API v2.1) answers: the customer is Copperfold Training Group.", "problem": null
}))]
pub struct ConnectionTest {
    /// Whether OneFile answered as it should.
    ok: bool,
    /// What was seen, in words: the environment, the API's version and the customer's name.
    #[schema(
        example = "OneFile (sandbox, API v2.1) answers: the customer is Copperfold Training Group (sample)."
    )]
    detail: String,
    /// What is wrong and what to do; null when nothing is.
    problem: Option<Problem>,
}

/// Test the connection to OneFile
///
/// Opens a session if there is none, and reads the customer: one or two calls. Answers 200 also when it failed, and then what is wrong: a
/// token of another environment, for one. Works while the integration is switched off, so that it can be tried before it is on.
/// Needs `onefile:configure`.
#[utoipa::path(operation_id = "testOneFileConnection", tag = "OneFile settings", security(("bearer" = ["onefile:configure"])), responses((status = 200, description = "What was seen.", body = ConnectionTest), ReadErrors))]
#[post("/onefile/connection:test")]
pub async fn test(
    who: Caller<OnefileConfigure>,
    state: Data<State>,
) -> Result<Json<ConnectionTest>, Problem> {
    let problem = match state.onefile.test_connection(who.provider()).await {
        Ok(Ok(detail)) => return Ok(Json(ConnectionTest { ok: true, detail, problem: None })),
        Ok(Err(failure)) => Problem::of_failure("onefile", failure),
        Err(OneFileError::Store(error)) => return Err(error.into()),
        Err(error) => error.into(),
    };
    let request_id = who.by().request_id.unwrap_or_default();
    let problem = problem.within(&state.public_url, "/onefile/connection:test", &request_id);
    Ok(Json(ConnectionTest { ok: false, detail: problem.detail.clone(), problem: Some(problem) }))
}
