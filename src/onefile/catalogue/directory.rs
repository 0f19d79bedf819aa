//! The directory: what OneFile has that records can be linked to. Read whole, from OneFile's searches, at first use and when asked
//! to; one process reads a part, the others wait for it.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::{DirectoryKind, OneFileEnvironment};
use crate::onefile::client::pagination::{Next, Pagination};
use crate::onefile::client::wire::{Centre, Classroom, Placement};
use crate::onefile::client::wire::{Row, User};
use crate::onefile::client::{ASSESSOR_ROLES, Client, Search, endless};
use crate::onefile::{OneFile, OneFileError};
use crate::store::{
    DirectoryEntry, DirectoryFilter, DirectoryLabels, OneFileSettings, Refreshed, StoreError,
};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::pace::Class;

/// How long the reading of one page may take, with its permit and its retries.
const LEASE: Duration = Duration::from_mins(2);
/// How long a caller waits for a part that another one reads: ten thousand rows and a few centres.
const PATIENCE: Duration = Duration::from_mins(3);
const LOOK: Duration = Duration::from_millis(100);
/// Centres of one customer; most have one.
const MOST_CENTRES: i64 = 1000;

/// Rows that a query looks through at a time.
const SCAN: i64 = 1000;

/// Which entries a look-up wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub kind: DirectoryKind,
    /// Of this centre only.
    pub centre_id: Option<String>,
    /// In the archive, or not.
    pub archived: Option<bool>,
    /// A part of the name, the e-mail address or the MIS value, in either case.
    pub query: Option<String>,
    /// Those that follow this id.
    pub after: Option<String>,
    /// At most so many.
    pub most: i64,
}

/// What a look-up found.
#[derive(Clone, Debug, Default)]
pub struct LookedUp {
    /// In the order of their ids.
    pub entries: Vec<DirectoryEntry>,
    pub more: bool,
}

/// A part that is being read.
struct Reading<'a> {
    client: &'a Client,
    claim: Uuid,
    entries: Vec<DirectoryEntry>,
    seen: std::collections::HashSet<String>,
    unreadable: usize,
}

impl OneFile {
    /// The part of the directory, read from OneFile if it never was or `refresh` says so; answers when it was read.
    ///
    /// # Errors
    /// No token; OneFile's; the database's.
    pub async fn directory_part(
        &self,
        provider: Uuid,
        kind: DirectoryKind,
        refresh: bool,
    ) -> Result<Refreshed, OneFileError> {
        let settings = self.store.onefile_settings(provider).await?;
        // The searches of the others are by centre.
        if kind != DirectoryKind::Centre {
            let known = self.store.onefile_refreshed(provider, settings.choices.environment, kind).await?;
            if let Some(refreshed) = known.filter(|_| !refresh) {
                return Ok(refreshed);
            }
            self.part(provider, &settings, DirectoryKind::Centre, refresh).await?;
        }
        self.part(provider, &settings, kind, refresh).await
    }

    /// Entries of what was read last.
    pub async fn look_up(&self, provider: Uuid, wanted: Wanted) -> Result<LookedUp, OneFileError> {
        let environment = self.store.onefile_settings(provider).await?.choices.environment;
        let filter = DirectoryFilter {
            kind: wanted.kind,
            centre_id: wanted.centre_id.as_deref(),
            archived: wanted.archived,
        };
        let query = wanted.query.map(|query| folded(&query)).filter(|query| !query.is_empty());
        let most = usize::try_from(wanted.most).unwrap_or(usize::MAX);
        // What is searched for is sealed: it is looked for in what was unsealed, not by the database.
        let step = if query.is_some() { SCAN } else { wanted.most + 1 };
        let mut after = wanted.after;
        let mut found = LookedUp::default();
        loop {
            let rows =
                self.store.onefile_entries(provider, environment, filter, after.as_deref(), step).await?;
            let last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < step;
            after = rows.last().map(|row| row.remote_id.clone());
            for row in rows {
                if query.as_deref().is_none_or(|query| matches(&row.labels, query)) {
                    if found.entries.len() == most {
                        found.more = true;
                        return Ok(found);
                    }
                    found.entries.push(row);
                }
            }
            if last {
                return Ok(found);
            }
        }
    }

    async fn part(
        &self,
        provider: Uuid,
        settings: &OneFileSettings,
        kind: DirectoryKind,
        refresh: bool,
    ) -> Result<Refreshed, OneFileError> {
        let environment = settings.choices.environment;
        let before = self.store.onefile_refreshed(provider, environment, kind).await?;
        if let Some(refreshed) = before.filter(|_| !refresh) {
            return Ok(refreshed);
        }
        let client = self.client_of(settings, Class::Interactive)?;
        let patience_ends = Instant::now() + PATIENCE;
        loop {
            if let Some(claim) = self.store.claim_onefile_refresh(provider, environment, kind, LEASE).await? {
                // Somebody else may have read it between our look and our claim.
                if let Some(newer) = self.newer(provider, environment, kind, before.as_ref()).await? {
                    self.store.release_onefile_refresh(claim).await?;
                    return Ok(newer);
                }
                let read = self.read_part(provider, &client, kind, claim).await;
                if let Err(OneFileError::Upstream(failure)) = &read {
                    self.note_connection(provider, Some(failure)).await?;
                }
                if read.is_err() {
                    self.store.release_onefile_refresh(claim).await?;
                }
                return read;
            }
            // Somebody else reads it: what comes of that will do.
            tokio::time::sleep(LOOK).await;
            if let Some(newer) = self.newer(provider, environment, kind, before.as_ref()).await? {
                return Ok(newer);
            }
            if Instant::now() >= patience_ends {
                let seen = "another process has been reading it for long";
                return Err(Failure::new(FailureKind::Unreachable, None, seen).into());
            }
        }
    }

    /// What was read since.
    async fn newer(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: DirectoryKind,
        before: Option<&Refreshed>,
    ) -> Result<Option<Refreshed>, StoreError> {
        let now = self.store.onefile_refreshed(provider, environment, kind).await?;
        Ok(now.filter(|now| before.is_none_or(|before| before.at < now.at)))
    }

    async fn read_part(
        &self,
        provider: Uuid,
        client: &Client,
        kind: DirectoryKind,
        claim: Uuid,
    ) -> Result<Refreshed, OneFileError> {
        let mut reading = Reading {
            client,
            claim,
            entries: Vec::new(),
            seen: std::collections::HashSet::new(),
            unreadable: 0,
        };
        let environment = client.environment;
        if kind == DirectoryKind::Centre {
            let customer = client.customer().await??;
            self.read_search(&mut reading, &Search::centres(&customer.id), |row| Some(centre(row))).await?;
        } else {
            let filter = DirectoryFilter { kind: DirectoryKind::Centre, centre_id: None, archived: None };
            let centres =
                self.store.onefile_entries(provider, environment, filter, None, MOST_CENTRES).await?;
            for DirectoryEntry { remote_id: id, .. } in &centres {
                match kind {
                    DirectoryKind::Centre => {}
                    DirectoryKind::Classroom => {
                        self.read_search(&mut reading, &Search::classrooms(id), |row| {
                            Some(classroom(row, id))
                        })
                        .await?;
                    }
                    DirectoryKind::Placement => {
                        self.read_search(&mut reading, &Search::placements(id), |row| {
                            Some(placement(row, id))
                        })
                        .await?;
                    }
                    DirectoryKind::Assessor => {
                        for role in ASSESSOR_ROLES {
                            let assessor = |row| assessor(row, id, role);
                            self.read_search(&mut reading, &Search::users(id, role), assessor).await?;
                        }
                    }
                }
            }
        }
        let unreadable = i32::try_from(reading.unreadable).unwrap_or(i32::MAX);
        let kept = self
            .store
            .keep_onefile_part(provider, environment, kind, claim, &reading.entries, unreadable)
            .await?;
        let refreshed = self.store.onefile_refreshed(provider, environment, kind).await?;
        match refreshed.filter(|_| kept) {
            Some(refreshed) => {
                self.note_connection(provider, None).await?;
                Ok(refreshed)
            }
            None => Err(superseded()),
        }
    }

    /// Reads all pages of a search into the entries, lengthening the claim with each page.
    async fn read_search<T: Row>(
        &self,
        reading: &mut Reading<'_>,
        search: &Search,
        entry: impl Fn(T) -> Option<DirectoryEntry>,
    ) -> Result<(), OneFileError> {
        let mut pagination = Pagination::default();
        loop {
            let page = reading.client.search_page::<T>(search, pagination.page()).await??;
            let (rows, next) = pagination.take(page);
            for row in rows {
                // The same user in two searches counts once.
                if !reading.seen.contains(row.id())
                    && let Some(entry) = entry(row)
                {
                    reading.seen.insert(entry.remote_id.clone());
                    reading.entries.push(entry);
                }
            }
            match next {
                Next::Page(_) => {}
                Next::End => break,
                Next::Endless => return Err(endless().into()),
            }
            if !self.store.hold_onefile_refresh(reading.claim, LEASE).await? {
                return Err(superseded());
            }
        }
        reading.unreadable += pagination.unreadable();
        if pagination.unreadable() + pagination.odd() > 0 {
            tracing::warn!(
                unreadable = pagination.unreadable(),
                odd_values = pagination.odd(),
                "some of OneFile's rows could not be read"
            );
        }
        Ok(())
    }
}

/// Case and space do not count.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn matches(labels: &DirectoryLabels, query: &str) -> bool {
    [&labels.name, &labels.email, &labels.mis_id]
        .into_iter()
        .flatten()
        .any(|text| folded(text).contains(query))
}

fn superseded() -> OneFileError {
    let seen = "the settings changed, or another process was quicker, while it was read: ask again";
    Failure::new(FailureKind::Failed, None, seen).into()
}

fn entry(id: String, centre_id: String, labels: DirectoryLabels) -> DirectoryEntry {
    let refreshed_at = DateTime::<Utc>::UNIX_EPOCH;
    DirectoryEntry { centre_id, remote_id: id, role: None, archived: false, labels, refreshed_at }
}

fn centre(row: Centre) -> DirectoryEntry {
    let labels = DirectoryLabels { name: row.name, ..DirectoryLabels::default() };
    entry(row.id.clone(), row.id, labels)
}

/// What a row says of its centre counts more than what was asked for.
fn classroom(row: Classroom, asked: &str) -> DirectoryEntry {
    let labels = DirectoryLabels { name: row.name, mis_id: row.mis_id, ..DirectoryLabels::default() };
    let centre = row.centre_id.unwrap_or_else(|| asked.to_owned());
    DirectoryEntry { archived: row.archived.unwrap_or(false), ..entry(row.id, centre, labels) }
}

fn placement(row: Placement, asked: &str) -> DirectoryEntry {
    let labels = DirectoryLabels {
        name: row.name,
        mis_id: row.mis_id,
        email: row.email,
        ..DirectoryLabels::default()
    };
    let centre = row.centre_id.unwrap_or_else(|| asked.to_owned());
    DirectoryEntry { archived: row.active == Some(false), ..entry(row.id, centre, labels) }
}

/// `None`: it says that it is nobody who assesses, so the search ignored its filter.
fn assessor(row: User, asked: &str, role: i32) -> Option<DirectoryEntry> {
    let role = row.role.map_or(Some(role), |role| i32::try_from(role).ok());
    let role = role.filter(|role| ASSESSOR_ROLES.contains(role))?;
    let name = row.name();
    let labels = DirectoryLabels {
        name,
        first_name: row.first_name,
        last_name: row.last_name,
        email: row.email,
        mis_id: row.mis_id,
    };
    let centre = row.centre_id.unwrap_or_else(|| asked.to_owned());
    Some(DirectoryEntry {
        role: Some(role),
        archived: row.archived.unwrap_or(false),
        ..entry(row.id, centre, labels)
    })
}
