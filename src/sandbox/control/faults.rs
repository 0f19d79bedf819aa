//! `/control/faults`: the rules of the fault switch.

use actix_web::{HttpResponse, delete, get, put, web};

use super::problem::{Problem, Refusal};
use crate::sandbox::faults::{Rule, RuleState};
use crate::sandbox::world::Shared;

/// List the active rules, and how often each has fired
#[utoipa::path(tag = "faults", responses((status = 200, body = Vec<RuleState>)))]
#[get("/control/faults")]
pub async fn get_faults(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.world().faults.rules())
}

/// Replace the rules
///
/// For each call, only the first rule that fires applies.
#[utoipa::path(
    tag = "faults",
    responses(
        (status = 200, body = Vec<RuleState>), (status = 400, body = Problem), (status = 422, body = Problem)
    )
)]
#[put("/control/faults")]
pub async fn put_faults(
    shared: web::Data<Shared>,
    rules: web::Json<Vec<Rule>>,
) -> Result<HttpResponse, Refusal> {
    if let Some(fault) = rules.iter().find_map(Rule::fault) {
        return Err(Refusal::invalid(&fault));
    }
    let mut world = shared.world();
    world.faults.set(rules.into_inner());
    Ok(HttpResponse::Ok().json(world.faults.rules()))
}

/// Switch all faults off
#[utoipa::path(tag = "faults", responses((status = 204)))]
#[delete("/control/faults")]
pub async fn delete_faults(shared: web::Data<Shared>) -> HttpResponse {
    shared.world().faults.set(Vec::new());
    HttpResponse::NoContent().finish()
}
