//! What links need of OneFile: whether the records are there that ours are to be linked to, and which they might be. The links
//! themselves are the store's.

pub mod in_use;
pub mod proposals;
pub mod suggest;
mod users;

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::client::{ASSESSOR_ROLES, Client};
use super::{OneFile, OneFileError};
use crate::domain::DirectoryKind;
use crate::onefile::client::wire::{Placement, User};
use crate::onefile::links::suggest::LinkKind;
use crate::store::{OneFileSettings, RecordKind};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::pace::Class;

/// So many are asked for one by one; for more, whole lists are read.
const SINGLY: usize = 25;
pub(super) const LEARNER_ROLE: i32 = 1;

/// What was found of a record of OneFile's.
#[derive(Clone, Debug)]
pub enum Seen {
    There(Found),
    Missing,
    /// It is a user of another role.
    OtherRole,
    /// OneFile did not say.
    Failed(Failure),
}

/// A record of OneFile's that is there.
#[derive(Clone)]
pub struct Found {
    /// Its centre, where that is said.
    pub centre_id: Option<String>,
    pub name: Option<String>,
    pub archived: bool,
}

crate::domain::redacted!(Found);

impl LinkKind {
    /// As the store says it.
    pub const fn record(self) -> RecordKind {
        match self {
            Self::Officer => RecordKind::Officer,
            Self::Organisation => RecordKind::Organisation,
            Self::Learner => RecordKind::Learner,
        }
    }

    /// As the store says it.
    pub const fn of(record: RecordKind) -> Self {
        match record {
            RecordKind::Officer => Self::Officer,
            RecordKind::Organisation => Self::Organisation,
            RecordKind::Learner => Self::Learner,
        }
    }

    /// The part of the directory in which the remotes stand; learners' users are in none.
    const fn directory(self) -> Option<DirectoryKind> {
        match self {
            Self::Officer => Some(DirectoryKind::Assessor),
            Self::Organisation => Some(DirectoryKind::Placement),
            Self::Learner => None,
        }
    }
}

impl OneFile {
    /// Whether these are there: from what was read last, else OneFile is asked.
    ///
    /// # Errors
    /// No token; OneFile's, where whole lists are read; the database's.
    pub async fn remotes(
        &self,
        provider: Uuid,
        settings: &OneFileSettings,
        kind: LinkKind,
        ids: &BTreeSet<String>,
    ) -> Result<HashMap<String, Seen>, OneFileError> {
        let mut seen = self.in_directory(provider, settings, kind, ids.iter().cloned().collect()).await?;
        let mut open = left(ids, &seen);
        if open.len() > SINGLY {
            // More than a few: lists are cheaper than calls for each, and what is in none of them is not there.
            if let Some(part) = kind.directory() {
                self.directory_part(provider, part, true).await?;
                seen.extend(self.in_directory(provider, settings, kind, open.clone()).await?);
            } else {
                let users = self.users_there(provider, settings, None).await?;
                let found = users.into_iter().filter(|(_, user)| ids.contains(&user.id));
                seen.extend(found.map(|(centre, user)| (user.id.clone(), learner(&user, Some(centre)))));
            }
            open = left(ids, &seen);
            seen.extend(open.drain(..).map(|id| (id, Seen::Missing)));
        }
        if !open.is_empty() {
            let client = self.client_of(settings, Class::Interactive)?;
            for id in open {
                let found = ask(&client, kind, &id).await?;
                seen.insert(id, found);
            }
        }
        Ok(seen)
    }

    async fn in_directory(
        &self,
        provider: Uuid,
        settings: &OneFileSettings,
        kind: LinkKind,
        ids: Vec<String>,
    ) -> Result<HashMap<String, Seen>, OneFileError> {
        let Some(part) = kind.directory() else { return Ok(HashMap::new()) };
        let entries =
            self.store.onefile_entries_of(provider, settings.choices.environment, part, &ids).await?;
        let seen = entries.into_iter().map(|entry| {
            let found =
                Found { centre_id: Some(entry.centre_id), name: entry.labels.name, archived: entry.archived };
            (entry.remote_id, Seen::There(found))
        });
        Ok(seen.collect())
    }
}

fn left(ids: &BTreeSet<String>, seen: &HashMap<String, Seen>) -> Vec<String> {
    ids.iter().filter(|id| !seen.contains_key(*id)).cloned().collect()
}

async fn ask(client: &Client, kind: LinkKind, id: &str) -> Result<Seen, OneFileError> {
    let answered = match kind {
        LinkKind::Officer => client.user(id).await?.map(|user| officer(&user)),
        LinkKind::Organisation => client.placement(id).await?.map(placement),
        LinkKind::Learner => client.user(id).await?.map(|user| learner(&user, None)),
    };
    Ok(answered.unwrap_or_else(|failure| match failure.kind {
        FailureKind::Missing => Seen::Missing,
        _ => Seen::Failed(failure),
    }))
}

/// Where the role is not said, it is believed.
fn officer(user: &User) -> Seen {
    let assesses = |role: i64| ASSESSOR_ROLES.iter().any(|own| i64::from(*own) == role);
    if user.role.is_none_or(assesses) { person(user, None) } else { Seen::OtherRole }
}

fn learner(user: &User, asked: Option<String>) -> Seen {
    if user.role.is_none_or(|role| role == i64::from(LEARNER_ROLE)) {
        person(user, asked)
    } else {
        Seen::OtherRole
    }
}

fn person(user: &User, asked: Option<String>) -> Seen {
    Seen::There(Found {
        centre_id: user.centre_id.clone().or(asked),
        name: user.name(),
        archived: user.archived.unwrap_or(false),
    })
}

fn placement(placement: Placement) -> Seen {
    Seen::There(Found {
        centre_id: placement.centre_id,
        name: placement.name,
        archived: placement.active == Some(false),
    })
}
