//! The counts of a simulator.

use std::collections::BTreeMap;

/// What was counted since the start or the last reset.
#[derive(Debug, Default, Clone)]
pub struct Counts {
    /// The calls by operation. Calls that the limit refused or that met a fault count too.
    pub calls: BTreeMap<&'static str, u64>,
    pub limited: u64,
    pub unauthorised: u64,
}
