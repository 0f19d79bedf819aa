//! The lines of ACE360's journal.

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::record::Record;

/// One line, to be written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Entry<'a> {
    /// The record as it is now.
    Record(&'a Record),
    Removed(u64),
    /// The organisation's credits as they are now.
    Account(&'a Account),
    /// No id below this is given out again, also when its record is gone.
    NextId(u64),
}

/// One line, read back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Past {
    Record(Box<Record>),
    Removed(u64),
    Account(Account),
    NextId(u64),
}
