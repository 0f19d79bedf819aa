//! The changing state of the sandbox, behind one lock. Each call holds it only for a few look-ups,
//! so one lock is enough, and no call sees a half-done change.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::SandboxOptions;
use super::ace360::alterations::Alterations;
use super::ace360::books::Books;
use super::ace360::catalogue::Catalogue;
use super::ace360::entry::Entry;
use super::ace360::record::{Apprentice, Record, WriteOnly};
use super::counts::Counts;
use super::faults::Faults;
use super::journal::{self, Journal};
use super::limit::{LimitWindow, Limiter};
use super::now;
use super::onefile::world::OneFile;
use super::origin::Origin;

/// What every worker shares.
#[derive(Debug)]
pub struct Shared {
    pub catalogue: Catalogue,
    pub options: SandboxOptions,
    world: Mutex<World>,
    closed: AtomicBool,
}

#[derive(Debug)]
pub struct World {
    pub books: Books,
    pub faults: Faults,
    pub limiter: Limiter,
    pub counts: Counts,
    pub settings: Settings,
    /// The number of invented apprentices, so that no two get the same ULN.
    pub invented: u64,
    pub onefile: OneFile,
    journal: Option<Journal>,
}

/// The switches. They start with the options' values, also after a restart.
#[derive(Debug, Clone)]
pub struct Settings {
    pub calls_per_minute: Option<u32>,
    pub window: LimitWindow,
    pub hide_archived: bool,
    pub alterations: Alterations,
}

impl Shared {
    pub fn open(options: SandboxOptions) -> io::Result<Self> {
        let mut books = Books::default();
        let mut journal = match &options.journal {
            Some(folder) => Some(Journal::open(folder, "ace360", |entry| books.replay(entry))?),
            None => None,
        };
        if let Some(journal) = &mut journal {
            journal.rewrite(books.entries())?;
        }
        let world = World {
            faults: Faults::new(options.seed),
            limiter: Limiter::default(),
            counts: Counts::default(),
            settings: Settings::from(&options),
            // Ids are never reused, so counting from them gives new numbers after a restart as
            // well.
            invented: books.next_id(),
            books,
            onefile: OneFile::open(&options)?,
            journal,
        };
        Ok(Self {
            catalogue: Catalogue::build()?,
            options,
            world: Mutex::new(world),
            closed: AtomicBool::new(false),
        })
    }

    /// Releases the journal for the next sandbox on this folder.
    pub fn close(&self) {
        // Set this first, so that a call that is too late for the journal sees it.
        self.closed.store(true, Ordering::SeqCst);
        let mut world = self.world();
        world.journal = None;
        world.onefile.close();
    }

    /// Whether changes are no longer stored.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// A worker that panicked leaves no partial state that matters to a simulator.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<&SandboxOptions> for Settings {
    fn from(options: &SandboxOptions) -> Self {
        Self {
            calls_per_minute: options.ace360_calls_per_minute,
            window: options.limit_window,
            hide_archived: false,
            alterations: Alterations::default(),
        }
    }
}

/// The organisation has no credit left.
#[derive(Debug)]
pub struct NoCredit;

impl World {
    /// Creates a record, and takes a credit if it comes through the API.
    pub fn create(
        &mut self,
        token: &str,
        origin: Origin,
        (apprentice, write_only): (Apprentice, WriteOnly),
    ) -> Result<Apprentice, NoCredit> {
        let id = self.books.next_id();
        let account = &mut self.books.organisation(token).account;
        if origin == Origin::Api {
            account.credits_left = account.credits_left.checked_sub(1).ok_or(NoCredit)?;
            account.credits_used += 1;
        }
        let account = account.clone();
        let created_at = now::stamp();
        let apprentice = Apprentice { id, tpo_id: account.tpo_id, created_at, ..apprentice };
        let record =
            Record { organisation: token.to_owned(), origin, apprentice: apprentice.clone(), write_only };
        self.write(&[Entry::Record(&record), Entry::Account(&account)]);
        self.books.put(record);
        Ok(apprentice)
    }

    pub fn change(&mut self, record: Record) {
        self.write(&[Entry::Record(&record)]);
        self.books.put(record);
    }

    pub fn remove(&mut self, id: u64) {
        self.write(&[Entry::Removed(id)]);
        self.books.remove(id);
    }

    pub fn set_credits(&mut self, token: &str, credits: u64) {
        let account = &mut self.books.organisation(token).account;
        account.credits_left = credits;
        let account = account.clone();
        self.write(&[Entry::Account(&account)]);
    }

    /// Deletes everything, then `fill` fills the empty books.
    pub fn reset(&mut self, options: &SandboxOptions, fill: impl FnOnce(&mut Books)) {
        self.books = Books::default();
        self.faults = Faults::new(options.seed);
        self.limiter = Limiter::default();
        self.counts = Counts::default();
        self.settings = Settings::from(options);
        self.onefile.reset(options);
        fill(&mut self.books);
        self.invented = self.books.next_id();
        let outcome = self.journal.as_mut().map(|journal| journal.rewrite(self.books.entries()));
        journal::report(outcome);
    }

    fn write(&mut self, entries: &[Entry<'_>]) {
        let outcome = self.journal.as_mut().map(|journal| journal.append(entries));
        journal::report(outcome);
    }
}
