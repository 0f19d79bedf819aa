//! The state of OneFile while the sandbox runs. It is a part of the sandbox's world, under its
//! lock.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::books::{Books, Entry, Past};
use super::kind::Kind;
use super::record::Record;
use super::session::Sessions;
use super::settings::Settings;
use super::{seed, times};
use crate::sandbox::SandboxOptions;
use crate::sandbox::counts::Counts;
use crate::sandbox::journal::{self, Journal};
use crate::sandbox::limit::{LimitWindow, Limiter};
use crate::sandbox::now;
use crate::sandbox::origin::Origin;
use crate::sandbox::titles::{self, Title};

/// The id of the first customer. Each has a fixed range of ids, so that no two records share one.
const FIRST_ID: u64 = 1000;
const ROOM: u64 = 10_000_000;

#[derive(Debug)]
pub struct OneFile {
    customers: BTreeMap<String, Books>,
    pub sessions: Sessions,
    pub limiter: Limiter,
    pub counts: Counts,
    pub settings: Settings,
    /// How a minute is counted. The setting is shared with ACE360.
    pub window: LimitWindow,
    titles: Vec<Title>,
    journal: Option<Journal>,
    /// The start of the call limit's clock.
    opened: Instant,
}

/// One customer's books, open for a call.
pub struct Desk<'a> {
    pub books: &'a mut Books,
    pub settings: &'a Settings,
    pub titles: &'a [Title],
    /// The current time in OneFile's format.
    pub now: String,
    journal: &'a mut Option<Journal>,
}

impl OneFile {
    pub fn open(options: &SandboxOptions) -> io::Result<Self> {
        let mut customers = BTreeMap::new();
        let mut journal = match &options.journal {
            Some(folder) => Some(Journal::open(folder, "onefile", |past| replay(&mut customers, past))?),
            None => None,
        };
        if let Some(journal) = &mut journal {
            journal.rewrite(customers.values().flat_map(Books::entries))?;
        }
        Ok(Self {
            customers,
            sessions: Sessions::default(),
            limiter: Limiter::default(),
            counts: Counts::default(),
            settings: Settings::from(options),
            window: options.limit_window,
            titles: titles::all()?,
            journal,
            opened: Instant::now(),
        })
    }

    pub fn now(&self) -> DateTime<Utc> {
        now::utc() + TimeDelta::seconds(self.settings.clock_ahead_seconds.into())
    }

    /// The same time, for the call limit.
    pub fn instant(&self) -> Instant {
        let passed = self.opened.elapsed() * self.settings.limit_clock_factor.max(1);
        self.opened + passed + Duration::from_secs(self.settings.clock_ahead_seconds.into())
    }

    pub fn customers(&self) -> impl Iterator<Item = &Books> {
        self.customers.values()
    }

    /// The books of this customer token. They are seeded at its first call.
    pub fn desk(&mut self, token: &str) -> Desk<'_> {
        let now = times::written(self.now());
        let next = self.customers.values().map(|books| books.id + ROOM).max().unwrap_or(FIRST_ID);
        let journal = &mut self.journal;
        let books = self.customers.entry(token.to_owned()).or_insert_with(|| {
            let mut books = Books::new(token, next);
            seed::first(&mut books, &self.titles);
            let lines: Vec<Entry<'_>> = books.entries().collect();
            journal::report(journal.as_mut().map(|journal| journal.append(&lines)));
            books
        });
        Desk { books, settings: &self.settings, titles: &self.titles, now, journal: &mut self.journal }
    }

    /// The books that contain this record.
    pub fn desk_with(&mut self, id: u64) -> Option<Desk<'_>> {
        let token = self.customers().find(|books| books.find(id).is_some())?.token.clone();
        Some(self.desk(&token))
    }

    /// Deletes everything. Customers are seeded again at their first call.
    pub fn reset(&mut self, options: &SandboxOptions) {
        self.customers = BTreeMap::new();
        self.sessions = Sessions::default();
        self.limiter = Limiter::default();
        self.counts = Counts::default();
        self.settings = Settings::from(options);
        self.window = options.limit_window;
        let nothing = std::iter::empty::<Entry<'_>>();
        journal::report(self.journal.as_mut().map(|journal| journal.rewrite(nothing)));
    }

    pub fn close(&mut self) {
        self.journal = None;
    }
}

fn replay(customers: &mut BTreeMap<String, Books>, past: Past) {
    match past {
        Past::Customer { token, id, next_id } => {
            let books = customers.entry(token).or_insert_with_key(|token| Books::new(token, id));
            books.reserve(next_id);
        }
        Past::Record { customer, record } => {
            if let Some(books) = customers.get_mut(&customer) {
                books.put(*record);
            }
        }
        Past::Removed { customer, id } => {
            if let Some(books) = customers.get_mut(&customer) {
                books.remove(id);
            }
        }
    }
}

impl Desk<'_> {
    /// Creates a record through the API, and returns its id.
    pub fn add(&mut self, kind: Kind, centre: u64, origin: Origin, fields: Map<String, Value>) -> u64 {
        let id = self.books.next_id();
        let modified = self.now.clone();
        self.put(Record { id, kind, centre, origin, archived: false, modified, fields });
        id
    }

    /// Stores a record that changed now.
    pub fn change(&mut self, mut record: Record) {
        record.modified.clone_from(&self.now);
        self.put(record);
    }

    /// Stores a record unchanged.
    pub fn put(&mut self, record: Record) {
        let line = Entry::Record { customer: &self.books.token, record: &record };
        journal::report(self.journal.as_mut().map(|journal| journal.append(&[line])));
        self.books.put(record);
    }

    pub fn remove(&mut self, id: u64) {
        let line = Entry::Removed { customer: &self.books.token, id };
        journal::report(self.journal.as_mut().map(|journal| journal.append(&[line])));
        self.books.remove(id);
    }

    /// Journals the records from this id on.
    pub fn write_since(&mut self, id: u64) {
        let customer = &self.books.token;
        let lines: Vec<_> = self.books.since(id).map(|record| Entry::Record { customer, record }).collect();
        journal::report(self.journal.as_mut().map(|journal| journal.append(&lines)));
    }
}
