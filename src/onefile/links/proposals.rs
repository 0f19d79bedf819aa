//! Which of OneFile's records might be which of ours: the pure [`suggest`] over what is kept here and what OneFile has. Nothing is
//! linked by it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use chrono::NaiveDate;
use uuid::Uuid;

use super::in_use::PAGE;
use crate::domain::{Email, Learner, Officer, Organisation, Uln};
use crate::onefile::links::suggest::{
    Existing, LinkKind, Local, Remote, SuggestInput, Suggestion, Suggestions, suggest, whole_name,
};
use crate::onefile::{OneFile, OneFileError};
use crate::store::{DirectoryFilter, OneFileLink, OneFileSettings};
use crate::upstream::failure::{Failure, FailureKind};

/// Entries of the directory unsealed at a time.
const ENTRIES: i64 = 1000;

/// What counts of a record, on either side: the rest of it is not held while all are compared.
#[derive(Default)]
struct Side {
    id: String,
    centre_id: String,
    name: String,
    ident: Option<String>,
    email: Option<String>,
    uln: Option<String>,
    born: Option<NaiveDate>,
    archived: bool,
}

/// Suggestions, and whose links there are.
struct Compared {
    suggestions: Suggestions,
    linked: HashSet<String>,
}

/// An officer or an organisation in use that is not linked.
#[derive(Clone)]
pub struct Candidate {
    /// Which of the two.
    pub kind: LinkKind,
    pub local_id: String,
    pub local_name: String,
    /// Whether several fit, so that nothing is proposed.
    pub ambiguous: bool,
    /// What should be linked; in several centres: the best of them.
    pub proposal: Option<Suggestion>,
    /// What fits where nothing is proposed.
    pub alternatives: Vec<Suggestion>,
    /// What to do where nothing is proposed.
    pub message: Option<String>,
}

crate::domain::redacted!(Candidate);

impl OneFile {
    /// Proposals for records of a kind that have no link, in one centre or all of them. `None`: there is no such centre.
    ///
    /// # Errors
    /// No token; OneFile's; the database's.
    pub async fn proposals(
        &self,
        provider: Uuid,
        kind: LinkKind,
        centre: Option<&str>,
    ) -> Result<Option<Suggestions>, OneFileError> {
        let settings = self.store.onefile_settings(provider).await?;
        let centres = self.centre_ids(provider, &settings).await?;
        if centre.is_some_and(|centre| !centres.iter().any(|own| own == centre)) {
            return Ok(None);
        }
        let compared = self.compare(provider, &settings, kind, centre, centres.len() > 1).await?;
        Ok(Some(compared.suggestions))
    }

    /// The officers, or the organisations, in use that have no link, in the order of their ids.
    ///
    /// # Errors
    /// No token; OneFile's; the database's.
    pub async fn link_candidates(
        &self,
        provider: Uuid,
        kinds: &[LinkKind],
    ) -> Result<Vec<Candidate>, OneFileError> {
        let settings = self.store.onefile_settings(provider).await?;
        let several = self.centre_ids(provider, &settings).await?.len() > 1;
        let in_use = self.in_use(provider, &settings.choices).await?;
        let mut all = Vec::new();
        for kind in kinds {
            let used = match kind {
                LinkKind::Officer => &in_use.officers,
                LinkKind::Organisation => &in_use.organisations,
                LinkKind::Learner => continue,
            };
            let Compared { suggestions, linked } =
                self.compare(provider, &settings, *kind, None, several).await?;
            let open = |id: &str| used.contains(id) && !linked.contains(id);
            let mut found: BTreeMap<String, Candidate> = BTreeMap::new();
            let blank = |local_id: String, local_name: String| Candidate {
                kind: *kind,
                local_id,
                local_name,
                ambiguous: false,
                proposal: None,
                alternatives: Vec::new(),
                message: None,
            };
            for own in suggestions.suggestions.into_iter().filter(|own| open(&own.local_id)) {
                let entry = found
                    .entry(own.local_id.clone())
                    .or_insert_with(|| blank(own.local_id.clone(), own.local_name.clone()));
                if entry.proposal.as_ref().is_none_or(|best| best.score < own.score) {
                    entry.proposal = Some(own);
                }
            }
            for own in suggestions.ambiguous.into_iter().filter(|own| open(&own.local_id)) {
                let entry =
                    found.entry(own.local_id.clone()).or_insert_with(|| blank(own.local_id, own.local_name));
                if entry.proposal.is_none() {
                    entry.ambiguous = true;
                    entry.alternatives.extend(own.candidates);
                    entry.message.get_or_insert(own.message);
                }
            }
            for own in suggestions.unmatched.into_iter().filter(|own| open(&own.local_id)) {
                let entry =
                    found.entry(own.local_id.clone()).or_insert_with(|| blank(own.local_id, own.local_name));
                entry.message.get_or_insert(own.message);
            }
            all.extend(found.into_values());
        }
        Ok(all)
    }

    async fn compare(
        &self,
        provider: Uuid,
        settings: &OneFileSettings,
        kind: LinkKind,
        centre: Option<&str>,
        several_centres: bool,
    ) -> Result<Compared, OneFileError> {
        let environment = settings.choices.environment;
        let locals = self.locals(provider, kind).await?;
        let links = self.store.onefile_links_of(provider, environment, kind.record()).await?;
        let linked: HashSet<String> = links.iter().map(|link| link.local_id.clone()).collect();
        // Learners' users are asked for at OneFile: not where nobody looks for one.
        let idle = kind == LinkKind::Learner && locals.iter().all(|own| linked.contains(&own.id));
        let remotes =
            if idle { Vec::new() } else { self.remote_sides(provider, settings, kind, centre).await? };
        // It may take a second, and others are served by this thread.
        let compared =
            tokio::task::spawn_blocking(move || compared(kind, &locals, &remotes, &links, several_centres));
        let suggestions = compared.await.map_err(|_| {
            Failure::new(FailureKind::Failed, None, "the comparison here broke off: ask again")
        })?;
        Ok(Compared { suggestions, linked })
    }

    async fn locals(&self, provider: Uuid, kind: LinkKind) -> Result<Vec<Side>, OneFileError> {
        match kind {
            LinkKind::Officer => self.sides(provider, kind, officer).await,
            LinkKind::Organisation => self.sides(provider, kind, organisation).await,
            LinkKind::Learner => self.sides(provider, kind, learner).await,
        }
    }

    async fn sides<T: serde::de::DeserializeOwned>(
        &self,
        provider: Uuid,
        kind: LinkKind,
        read: fn(String, &T) -> Side,
    ) -> Result<Vec<Side>, OneFileError> {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = self.store.list_records::<T>(provider, kind.record(), after.as_deref(), PAGE).await?;
            after = page.items.last().map(|own| own.id.clone());
            found.extend(page.items.into_iter().map(|own| read(own.id, &own.record)));
            if !page.more {
                return Ok(found);
            }
        }
    }

    async fn remote_sides(
        &self,
        provider: Uuid,
        settings: &OneFileSettings,
        kind: LinkKind,
        centre: Option<&str>,
    ) -> Result<Vec<Side>, OneFileError> {
        let Some(part) = kind.directory() else {
            let users = self.users_there(provider, settings, centre).await?;
            return Ok(users
                .into_iter()
                .map(|(centre_id, user)| Side {
                    centre_id,
                    name: user.name().unwrap_or_default(),
                    id: user.id,
                    ident: user.mis_id,
                    email: user.email,
                    uln: user.uln,
                    born: user.date_of_birth,
                    archived: user.archived.unwrap_or(false),
                })
                .collect());
        };
        self.directory_part(provider, part, false).await?;
        let filter = DirectoryFilter { kind: part, centre_id: centre, archived: None };
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let environment = settings.choices.environment;
            let rows =
                self.store.onefile_entries(provider, environment, filter, after.as_deref(), ENTRIES).await?;
            after = rows.last().map(|row| row.remote_id.clone());
            let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) == ENTRIES;
            found.extend(rows.into_iter().map(|row| Side {
                id: row.remote_id,
                centre_id: row.centre_id,
                name: row.labels.name.unwrap_or_default(),
                ident: row.labels.mis_id,
                email: row.labels.email,
                archived: row.archived,
                ..Side::default()
            }));
            if !more {
                return Ok(found);
            }
        }
    }
}

fn compared(
    kind: LinkKind,
    locals: &[Side],
    remotes: &[Side],
    links: &[OneFileLink],
    several_centres: bool,
) -> Suggestions {
    let locals: Vec<Local<'_>> = locals
        .iter()
        .map(|own| Local {
            id: &own.id,
            ident: own.ident.as_deref(),
            held_id: None,
            name: Cow::Borrowed(&own.name),
            email: own.email.as_deref(),
            uln: own.uln.as_deref(),
            born: own.born,
        })
        .collect();
    let remotes: Vec<Remote<'_>> = remotes
        .iter()
        .map(|own| Remote {
            id: &own.id,
            centre_id: &own.centre_id,
            name: Cow::Borrowed(&own.name),
            mis_id: own.ident.as_deref(),
            email: own.email.as_deref(),
            uln: own.uln.as_deref(),
            born: own.born,
            archived: own.archived,
        })
        .collect();
    let linked: Vec<Existing<'_>> = links.iter().map(Existing::of).collect();
    suggest(&SuggestInput { kind, locals: &locals, remotes: &remotes, linked: &linked, several_centres })
}

impl<'a> Existing<'a> {
    /// A link, as the comparison sees it.
    pub(crate) fn of(link: &'a OneFileLink) -> Self {
        Self { local_id: &link.local_id, centre_id: &link.centre_id, remote_id: &link.remote_id }
    }
}

fn text(email: Option<&Email>) -> Option<String> {
    email.map(|email| email.as_str().to_owned())
}

fn officer(id: String, own: &Officer) -> Side {
    Side {
        id,
        name: whole_name(own.first_name.as_deref(), &own.last_name).into_owned(),
        email: text(own.email.as_ref()),
        ident: own.ident.clone(),
        ..Side::default()
    }
}

fn organisation(id: String, own: &Organisation) -> Side {
    Side {
        id,
        name: own.name.clone(),
        email: text(own.email.as_ref()),
        ident: own.ident.clone(),
        ..Side::default()
    }
}

fn learner(id: String, own: &Learner) -> Side {
    Side {
        id,
        name: whole_name(Some(&own.first_name), &own.last_name).into_owned(),
        email: text(own.email.as_ref()),
        uln: own.uln.as_ref().map(|uln| Uln::as_str(uln).to_owned()),
        born: own.date_of_birth,
        ..Side::default()
    }
}
