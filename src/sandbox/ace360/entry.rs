//! The lines of ACE360's journal.

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::record::Record;

/// One line to write.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Entry<'a> {
    /// The current state of a record.
    Record(&'a Record),
    Removed(u64),
    /// The current credits of an organisation.
    Account(&'a Account),
    /// Ids below this are never given out again, even if their records are deleted.
    NextId(u64),
}

/// One line that was read back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Past {
    Record(Box<Record>),
    Removed(u64),
    Account(Account),
    NextId(u64),
}
