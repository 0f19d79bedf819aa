//! Whether the service lives, whether it can answer, and its metrics. No token.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::State;
use super::errors::UnavailableError;
use super::problem::{Code, Problem};

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`: a service that is not well answers 503.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the process lives
///
/// Looks at nothing else: an orchestrator restarts a process that does not answer this. No token needed.
#[utoipa::path(operation_id = "getLiveness", tag = "Service", security(()), responses((status = 200, description = "It lives.", body = Health)))]
#[get("/health/live")]
pub async fn live() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether the service can answer
///
/// Asks the database. No token needed.
#[utoipa::path(operation_id = "getReadiness", tag = "Service", security(()), responses((status = 200, description = "It can.", body = Health), UnavailableError))]
#[get("/health/ready")]
pub async fn ready(state: Data<State>) -> Result<Json<Health>, Problem> {
    let asked = tokio::time::timeout(std::time::Duration::from_secs(2), state.store.now()).await;
    match asked {
        Ok(Ok(_)) => Ok(Json(Health { status: "ok" })),
        _ => Err(Problem::new(Code::Unavailable, "The database does not answer.")),
    }
}

/// Read the metrics
///
/// In Prometheus' text format: requests by matched route, upstream calls by operation and outcome. No token needed.
#[utoipa::path(operation_id = "getMetrics", tag = "Service", security(()), responses((status = 200, description = "The metrics.", body = String, content_type = "text/plain; version=0.0.4")))]
#[get("/metrics")]
pub async fn metrics(state: Data<State>) -> HttpResponse {
    state.metrics.run_upkeep();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(state.metrics.render())
}
