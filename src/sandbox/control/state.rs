//! `GET /control/state`: what happened so far, in numbers.

use std::collections::BTreeMap;

use actix_web::{get, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::onefile_state::OneFileState;
use crate::sandbox::ace360::OPERATIONS;
use crate::sandbox::ace360::books::Organisation;
use crate::sandbox::world::Shared;

/// The state of the sandbox in numbers: ACE360's totals over all organisations, and `onefile`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct State {
    records: u64,
    archived: u64,
    credits_used: u64,
    credits_left: u64,
    /// Calls with a valid token, by operation. They include refused calls and calls with a fault.
    calls: BTreeMap<&'static str, u64>,
    /// Calls that the limit answered with 429.
    limited: u64,
    /// Calls without a valid token.
    unauthorised: u64,
    faults_fired: u64,
    /// The ULNs that several records of one organisation have, with the ids of those records.
    records_by_uln: BTreeMap<String, Vec<u64>>,
    invariants: Invariants,
    /// The same numbers for each organisation that has called, by its token.
    organisations: BTreeMap<String, OrganisationState>,
    onefile: OneFileState,
}

/// Lists of ids that should stay empty.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invariants {
    duplicate_ulns: Vec<String>,
}

/// The state of one organisation in numbers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganisationState {
    tpo_id: u32,
    records: u64,
    archived: u64,
    credits_used: u64,
    credits_left: u64,
    duplicate_ulns: Vec<String>,
}

impl From<&Organisation> for OrganisationState {
    fn from(organisation: &Organisation) -> Self {
        Self {
            tpo_id: organisation.account.tpo_id,
            records: organisation.records() as u64,
            archived: organisation.archived() as u64,
            credits_used: organisation.account.credits_used,
            credits_left: organisation.account.credits_left,
            duplicate_ulns: organisation.duplicates().map(|(uln, _)| uln.to_owned()).collect(),
        }
    }
}

/// Read the state in numbers
#[utoipa::path(tag = "state", responses((status = 200, body = State)))]
#[get("/control/state")]
pub async fn get_state(shared: web::Data<Shared>) -> web::Json<State> {
    let mut world = shared.world();
    // An uncalled sandbox shows the credits that it has.
    world.books.organisation("sandbox");
    let mut records_by_uln: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (uln, ids) in world.books.organisations().flat_map(Organisation::duplicates) {
        records_by_uln.entry(uln.to_owned()).or_default().extend(ids);
    }
    let organisations: BTreeMap<String, OrganisationState> =
        world.books.organisations().map(|found| (found.account.token.clone(), found.into())).collect();
    let sum = |number: fn(&OrganisationState) -> u64| organisations.values().map(number).sum();
    let calls = |name: &'static str| (name, world.counts.calls.get(name).copied().unwrap_or(0));
    web::Json(State {
        records: world.books.len() as u64,
        archived: sum(|one| one.archived),
        credits_used: sum(|one| one.credits_used),
        credits_left: sum(|one| one.credits_left),
        calls: OPERATIONS.into_iter().map(calls).collect(),
        limited: world.counts.limited,
        unauthorised: world.counts.unauthorised,
        faults_fired: world.faults.rules().iter().map(|rule| rule.fired).sum(),
        invariants: Invariants { duplicate_ulns: records_by_uln.keys().cloned().collect() },
        records_by_uln,
        organisations,
        onefile: OneFileState::of(&mut world.onefile),
    })
}
