//! Limits the faults in the response of an import: so many per record, and so many in all. Every
//! failed record still has its outcome.

use crate::domain::{Fault, Faults};

pub const MOST_OF_A_RECORD: usize = 10;
const MOST_IN_ALL: usize = 1000;

/// The number of faults that the response can still hold.
#[derive(Debug)]
pub struct FaultRoom {
    left: usize,
}

impl Default for FaultRoom {
    fn default() -> Self {
        Self { left: MOST_IN_ALL }
    }
}

impl FaultRoom {
    /// The faults of one record to list. A last one counts the others.
    pub fn list(&mut self, faults: Faults) -> Vec<Fault> {
        let room = MOST_OF_A_RECORD.min(self.left);
        let listed = faults.list(room);
        self.left -= listed.len().min(room);
        listed
    }
}
