//! The records of one customer, with the indexes that searches need.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::kind::Kind;
use super::record::Record;

/// One line of OneFile's journal to write.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Entry<'a> {
    /// A customer, and the id of its next record.
    Customer {
        token: &'a str,
        id: u64,
        next_id: u64,
    },
    /// The current state of a record.
    Record {
        customer: &'a str,
        record: &'a Record,
    },
    Removed {
        customer: &'a str,
        id: u64,
    },
}

/// One line that was read back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Past {
    Customer { token: String, id: u64, next_id: u64 },
    Record { customer: String, record: Box<Record> },
    Removed { customer: String, id: u64 },
}

#[derive(Debug)]
pub struct Books {
    pub token: String,
    pub id: u64,
    next_id: u64,
    records: BTreeMap<u64, Record>,
    by_kind: BTreeMap<Kind, BTreeSet<u64>>,
    by_owner: HashMap<u64, BTreeSet<u64>>,
}

impl Books {
    /// Empty books. The ids of its records follow the customer's id.
    pub fn new(token: &str, id: u64) -> Self {
        Self {
            token: token.to_owned(),
            id,
            next_id: id + 1,
            records: BTreeMap::new(),
            by_kind: BTreeMap::new(),
            by_owner: HashMap::new(),
        }
    }

    pub fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Ids below this are never given out again.
    pub fn reserve(&mut self, next_id: u64) {
        self.next_id = self.next_id.max(next_id);
    }

    /// Stores a new record, or the new state of an existing one.
    pub fn put(&mut self, record: Record) {
        self.remove(record.id);
        self.reserve(record.id + 1);
        self.by_kind.entry(record.kind).or_default().insert(record.id);
        if let Some(owner) = record.owner() {
            self.by_owner.entry(owner).or_default().insert(record.id);
        }
        self.records.insert(record.id, record);
    }

    pub fn remove(&mut self, id: u64) {
        let Some(record) = self.records.remove(&id) else { return };
        if let Some(ids) = self.by_kind.get_mut(&record.kind) {
            ids.remove(&id);
        }
        if let Some(ids) = record.owner().and_then(|owner| self.by_owner.get_mut(&owner)) {
            ids.remove(&id);
        }
    }

    pub fn find(&self, id: u64) -> Option<&Record> {
        self.records.get(&id)
    }

    pub fn get(&self, kind: Kind, id: u64) -> Option<&Record> {
        self.find(id).filter(|record| record.kind == kind)
    }

    pub fn user(&self, id: u64, roles: &[u64]) -> Option<&Record> {
        self.find(id).filter(|record| record.is_user(roles))
    }

    pub fn count(&self, kind: Kind) -> usize {
        self.by_kind.get(&kind).map_or(0, BTreeSet::len)
    }

    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Record> {
        self.by_kind.get(&kind).into_iter().flatten().filter_map(|id| self.find(*id))
    }

    /// The records that belong to this learner, by id.
    pub fn owned(&self, owner: u64, kind: Kind) -> impl Iterator<Item = &Record> {
        let ids = self.by_owner.get(&owner).into_iter().flatten();
        ids.filter_map(move |id| self.get(kind, *id))
    }

    /// The records from this id on.
    pub fn since(&self, id: u64) -> impl Iterator<Item = &Record> {
        self.records.range(id..).map(|(_, record)| record)
    }

    /// One line for each stored item.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let customer = Entry::Customer { token: &self.token, id: self.id, next_id: self.next_id };
        let records = self.records.values().map(|record| Entry::Record { customer: &self.token, record });
        std::iter::once(customer).chain(records)
    }
}
