//! What a simulator counts.

use std::collections::BTreeMap;

/// What was counted since the start or the last reset.
#[derive(Debug, Default, Clone)]
pub struct Counts {
    /// By operation; a call that was refused by the limit or met a fault is a call too.
    pub calls: BTreeMap<&'static str, u64>,
    pub limited: u64,
    pub unauthorised: u64,
}
