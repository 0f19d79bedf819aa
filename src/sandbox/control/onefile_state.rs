//! OneFile's part of `GET /control/state`.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::sandbox::onefile::call;
use crate::sandbox::onefile::environment::Environment;
use crate::sandbox::onefile::invariants::Duplicates;
use crate::sandbox::onefile::kind::Kind;
use crate::sandbox::onefile::world::OneFile;

/// Numbers of the simulated OneFile.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneFileState {
    /// Calls with a valid token or session, by operation. They include refused calls and calls with
    /// a fault.
    calls: BTreeMap<&'static str, u64>,
    /// Calls that the limit answered with 429.
    limited: u64,
    /// Calls without a valid token or session.
    unauthorised: u64,
    /// What a caller has created twice. All lists should stay empty.
    duplicates: Duplicates,
    /// The customers that have called, and `sandbox`, by their tokens.
    customers: BTreeMap<String, CustomerState>,
}

/// The state of one customer in numbers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerState {
    id: u64,
    #[schema(required)]
    environment: Option<Environment>,
    /// The ids of its centres, the main one first.
    organisations: Vec<u64>,
    /// The number of currently valid sessions.
    sessions: usize,
    /// The calls that count against the limit now.
    calls_this_minute: usize,
    /// Number of records by kind.
    records: BTreeMap<&'static str, usize>,
    archived_users: usize,
}

impl OneFileState {
    pub fn of(onefile: &mut OneFile) -> Self {
        // An uncalled sandbox shows the ids that it will have.
        onefile.desk("sandbox");
        let (now, instant) = (onefile.now(), onefile.instant());
        let customers = onefile.customers().map(|books| {
            let count = |kind: Kind| (kind.noun(), books.count(kind));
            let state = CustomerState {
                id: books.id,
                environment: Environment::of_token(&books.token),
                organisations: books.of_kind(Kind::Organisation).map(|centre| centre.id).collect(),
                sessions: onefile.sessions.count(&books.token, now),
                calls_this_minute: onefile.limiter.counted(&books.token, instant),
                records: Kind::ALL.into_iter().map(count).collect(),
                archived_users: books.of_kind(Kind::User).filter(|user| user.archived).count(),
            };
            (books.token.clone(), state)
        });
        let calls = |name| (name, onefile.counts.calls.get(name).copied().unwrap_or(0));
        Self {
            calls: call::operations().map(calls).collect(),
            limited: onefile.counts.limited,
            unauthorised: onefile.counts.unauthorised,
            duplicates: Duplicates::find(onefile.customers()),
            customers: customers.collect(),
        }
    }
}
