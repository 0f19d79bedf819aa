//! The records and accounts of all organisations, with indexes that keep every call cheap at
//! 100,000 records: a call reads only the rows that it returns.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::account::Account;
use super::entry::{Entry, Past};
use super::record::Record;

/// The credits that an organisation starts with.
pub const CREDITS: u64 = 100_000;
/// The id of the very first record.
const FIRST_ID: u64 = 248;
/// The documentation's example of a provider's id, given to the first organisation.
const FIRST_PROVIDER: u32 = 57;

/// An organisation with the positions of its records.
#[derive(Debug)]
pub struct Organisation {
    pub account: Account,
    /// Ids in ascending order. `live` leaves out archived records.
    all: Vec<u64>,
    live: Vec<u64>,
    by_uln: HashMap<String, Vec<u64>>,
    duplicates: BTreeSet<String>,
    by_standard: HashMap<u32, u32>,
}

#[derive(Debug)]
pub struct Books {
    /// Boxed, because a growing map moves its values.
    records: HashMap<u64, Box<Record>>,
    organisations: BTreeMap<String, Organisation>,
    next_id: u64,
}

impl Default for Books {
    fn default() -> Self {
        Self { records: HashMap::new(), organisations: BTreeMap::new(), next_id: FIRST_ID }
    }
}

impl Books {
    /// The organisation of this token. It is created at its first call.
    pub fn organisation(&mut self, token: &str) -> &mut Organisation {
        let number = u32::try_from(self.organisations.len()).unwrap_or(0);
        self.organisations.entry(token.to_owned()).or_insert_with(|| {
            let account = Account {
                token: token.to_owned(),
                tpo_id: FIRST_PROVIDER + number,
                credits_left: CREDITS,
                credits_used: 0,
            };
            Organisation::new(account)
        })
    }

    pub fn organisations(&self) -> impl Iterator<Item = &Organisation> {
        self.organisations.values()
    }

    pub fn next_id(&self) -> u64 {
        self.next_id
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Stores a new record, or the new state of an existing one.
    pub fn put(&mut self, record: Record) {
        let id = record.apprentice.id;
        self.next_id = self.next_id.max(id + 1);
        if let Some(before) = self.records.remove(&id) {
            self.organisation(&before.organisation).forget(&before);
        }
        self.organisation(&record.organisation).index(&record);
        self.records.insert(id, Box::new(record));
    }

    pub fn get(&self, id: u64) -> Option<&Record> {
        self.records.get(&id).map(Box::as_ref)
    }

    pub fn remove(&mut self, id: u64) {
        if let Some(record) = self.records.remove(&id) {
            self.organisation(&record.organisation).forget(&record);
        }
    }

    /// The number of records in the organisation's list.
    pub fn count(&self, token: &str, hide_archived: bool) -> usize {
        self.organisations.get(token).map_or(0, |organisation| organisation.listed(hide_archived).len())
    }

    /// The records at these positions of the organisation's list, newest first.
    pub fn list(&self, token: &str, hide_archived: bool, places: Range<usize>) -> Vec<&Record> {
        let ids = self.organisations.get(token).map_or(&[][..], |found| found.listed(hide_archived));
        let places = ids.len().saturating_sub(places.end)..ids.len().saturating_sub(places.start);
        ids[places].iter().rev().filter_map(|id| self.get(*id)).collect()
    }

    /// One line for each stored item, to replace all earlier lines.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let accounts = self.organisations().map(|organisation| Entry::Account(&organisation.account));
        let records = self.records.values().map(|record| Entry::Record(record));
        std::iter::once(Entry::NextId(self.next_id)).chain(accounts).chain(records)
    }

    /// Reads a line of the journal.
    pub fn replay(&mut self, entry: Past) {
        match entry {
            Past::Record(record) => self.put(*record),
            Past::Removed(id) => self.remove(id),
            Past::Account(account) => {
                let organisation = self.organisation(&account.token);
                organisation.account = account;
            }
            Past::NextId(id) => self.next_id = self.next_id.max(id),
        }
    }
}

impl Organisation {
    fn new(account: Account) -> Self {
        Self {
            account,
            all: Vec::new(),
            live: Vec::new(),
            by_uln: HashMap::new(),
            duplicates: BTreeSet::new(),
            by_standard: HashMap::new(),
        }
    }

    pub fn records(&self) -> usize {
        self.all.len()
    }

    pub fn archived(&self) -> usize {
        self.all.len() - self.live.len()
    }

    /// The records with this ULN, by id.
    pub fn with_uln(&self, uln: &str) -> &[u64] {
        self.by_uln.get(uln).map_or(&[], Vec::as_slice)
    }

    /// The ULNs that more than one record has, with those records.
    pub fn duplicates(&self) -> impl Iterator<Item = (&str, &[u64])> {
        self.duplicates.iter().map(|uln| (uln.as_str(), self.with_uln(uln)))
    }

    /// The number of the organisation's apprentices on this standard.
    pub fn attached(&self, standard: u32) -> u32 {
        self.by_standard.get(&standard).copied().unwrap_or(0)
    }

    fn listed(&self, hide_archived: bool) -> &[u64] {
        if hide_archived { &self.live } else { &self.all }
    }

    fn index(&mut self, record: &Record) {
        let apprentice = &record.apprentice;
        insert(&mut self.all, apprentice.id);
        if apprentice.archived_at.is_none() {
            insert(&mut self.live, apprentice.id);
        }
        let same = self.by_uln.entry(apprentice.uln_number.clone()).or_default();
        insert(same, apprentice.id);
        if same.len() > 1 {
            self.duplicates.insert(apprentice.uln_number.clone());
        }
        *self.by_standard.entry(apprentice.standard_id).or_default() += 1;
    }

    fn forget(&mut self, record: &Record) {
        let apprentice = &record.apprentice;
        remove(&mut self.all, apprentice.id);
        remove(&mut self.live, apprentice.id);
        if let Some(same) = self.by_uln.get_mut(&apprentice.uln_number) {
            remove(same, apprentice.id);
            if same.len() < 2 {
                self.duplicates.remove(&apprentice.uln_number);
            }
            if same.is_empty() {
                self.by_uln.remove(&apprentice.uln_number);
            }
        }
        if let Some(count) = self.by_standard.get_mut(&apprentice.standard_id) {
            *count = count.saturating_sub(1);
        }
    }
}

/// Ids arrive in ascending order except in a journal's replay, so this is nearly always a push.
fn insert(ids: &mut Vec<u64>, id: u64) {
    if let Err(place) = ids.binary_search(&id) {
        ids.insert(place, id);
    }
}

fn remove(ids: &mut Vec<u64>, id: u64) {
    if let Ok(place) = ids.binary_search(&id) {
        ids.remove(place);
    }
}
