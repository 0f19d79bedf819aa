//! What links need from OneFile: whether the records exist that should be linked, and which
//! candidates there are. The store holds the links themselves.

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

/// The most records that are requested singly. For more, full lists are read.
const SINGLY: usize = 25;
pub(super) const LEARNER_ROLE: i32 = 1;

#[derive(Clone, Debug)]
pub enum Seen {
    There(Found),
    Missing,
    /// It is a user with another role.
    OtherRole,
    /// OneFile did not answer.
    Failed(Failure),
}

/// An existing OneFile record.
#[derive(Clone)]
pub struct Found {
    /// The record's centre, if OneFile says it.
    pub centre_id: Option<String>,
    pub name: Option<String>,
    pub archived: bool,
}

crate::domain::redacted!(Found);

impl LinkKind {
    pub const fn record(self) -> RecordKind {
        match self {
            Self::Officer => RecordKind::Officer,
            Self::Organisation => RecordKind::Organisation,
            Self::Learner => RecordKind::Learner,
        }
    }

    pub const fn of(record: RecordKind) -> Self {
        match record {
            RecordKind::Officer => Self::Officer,
            RecordKind::Organisation => Self::Organisation,
            RecordKind::Learner => Self::Learner,
        }
    }

    /// The part of the directory that holds these records. Learners' users are in none.
    const fn directory(self) -> Option<DirectoryKind> {
        match self {
            Self::Officer => Some(DirectoryKind::Assessor),
            Self::Organisation => Some(DirectoryKind::Placement),
            Self::Learner => None,
        }
    }
}

impl OneFile {
    /// Whether these records exist: from the last read of the directory, or else from OneFile.
    /// Fails if the token is missing, or if a full list cannot be read.
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
            // For many records, lists need fewer calls than single requests. A record that no list
            // shows does not exist.
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

/// If OneFile does not say the role, the user is accepted.
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
