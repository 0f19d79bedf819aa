//! Collects the data of the coverage and the set-up checklist from the database, without a call to
//! OneFile. Learners are unsealed page by page.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::coverage::{CatalogueRow, Coverage, Uses};
use super::readiness::{
    Classrooms, Desktop, Linking, Named, Readiness, ReadinessInput, Token, Unlinked, WithoutEmail, readiness,
    shared_mis_values,
};
use crate::domain::{
    DesktopIntegration, DirectoryKind, LinkState, Officer, OfficerId, OneFileEnvironment, Organisation,
    OrganisationId,
};
use crate::onefile::links::in_use::{InUse, PAGE};
use crate::onefile::links::suggest::{Existing, LinkKind, Local, Remote, SuggestInput, suggest, whole_name};
use crate::onefile::{OneFile, OneFileError};
use crate::store::{
    DirectoryEntry, DirectoryFilter, OneFileChoices, OneFileLink, OneFileStandard, RecordKind,
    StandardFilter, StoreError, Time,
};

/// How many records of one kind are linked.
struct Standing {
    in_use: usize,
    linked: BTreeSet<String>,
    unlinked: Vec<Unlinked>,
    gone: Vec<Named>,
}

impl Standing {
    fn as_input(&self, looked_up: bool) -> Linking<'_> {
        Linking { looked_up, in_use: self.in_use, unlinked: &self.unlinked, gone: &self.gone }
    }
}

impl OneFile {
    /// What OneFile has of the learners' delivery plans, and when its learning aims were read.
    pub async fn coverage(&self, provider: Uuid) -> Result<(Coverage, Option<Time>), OneFileError> {
        let choices = self.store.onefile_settings(provider).await?.choices;
        let (_, uses) = self.needed(provider, &choices).await?;
        let refreshed = self.store.onefile_standards_refreshed(provider, choices.environment).await?;
        Ok((self.compared(provider, choices.environment, &uses).await?, refreshed))
    }

    /// The set-up checklist as it would be with these settings. `with_token`: the request contains
    /// a customer token.
    pub async fn readiness_with(
        &self,
        provider: Uuid,
        choices: &OneFileChoices,
        with_token: bool,
    ) -> Result<Readiness, OneFileError> {
        let kept = self.store.onefile_settings(provider).await?;
        let environment = choices.environment;
        let (in_use, uses) = self.needed(provider, choices).await?;
        let coverage = match self.store.onefile_standards_refreshed(provider, environment).await? {
            Some(_) => Some(self.compared(provider, environment, &uses).await?),
            None => None,
        };
        let refreshed = |kind| self.store.onefile_refreshed(provider, environment, kind);
        let looked_up = [
            refreshed(DirectoryKind::Assessor).await?.is_some(),
            refreshed(DirectoryKind::Placement).await?.is_some(),
        ];
        let assessors = self.directory(provider, environment, DirectoryKind::Assessor).await?;
        let placements = self.directory(provider, environment, DirectoryKind::Placement).await?;
        let centres = self.directory(provider, environment, DirectoryKind::Centre).await?;
        let several = centres.len() > 1;
        let officers: BTreeMap<String, Officer> =
            self.records_of(provider, RecordKind::Officer, &in_use.officers).await?;
        let organisations: BTreeMap<String, Organisation> =
            self.records_of(provider, RecordKind::Organisation, &in_use.organisations).await?;

        let ids: Vec<(OfficerId, &Officer)> =
            officers.iter().filter_map(|(id, own)| Some((OfficerId::parse(id).ok()?, own))).collect();
        let locals: Vec<Local<'_>> = ids.iter().map(|(id, own)| Local::officer(id, own, None)).collect();
        let remotes: Vec<Remote<'_>> = assessors.iter().map(remote).collect();
        let shared = shared_mis_values(&remotes);
        let by_officer = self
            .linked(provider, environment, LinkKind::Officer, &in_use.officers, locals, &remotes, several)
            .await?;

        let ids: Vec<(OrganisationId, &Organisation)> = organisations
            .iter()
            .filter_map(|(id, own)| Some((OrganisationId::parse(id).ok()?, own)))
            .collect();
        let locals: Vec<Local<'_>> = ids.iter().map(|(id, own)| Local::organisation(id, own, None)).collect();
        let remotes: Vec<Remote<'_>> = placements.iter().map(remote).collect();
        let by_organisation = self
            .linked(
                provider,
                environment,
                LinkKind::Organisation,
                &in_use.organisations,
                locals,
                &remotes,
                several,
            )
            .await?;

        let silent = officers.iter().filter(|(_, officer)| officer.email.is_none());
        let without_email: Vec<WithoutEmail> = silent
            .map(|(id, officer)| WithoutEmail {
                record: named(id, &whole_name(officer.first_name.as_deref(), &officer.last_name)),
                linked: by_officer.linked.contains(id),
            })
            .collect();
        let mut used = self.store.linked_centres(provider, environment).await?;
        used.extend(coverage.iter().flat_map(only_there));
        let rooms = match refreshed(DirectoryKind::Classroom).await? {
            Some(_) => Some(self.directory(provider, environment, DirectoryKind::Classroom).await?),
            None => None,
        };
        let without_default = without_classroom(choices, &centres, &used, rooms.as_deref());
        let tested = format!("environment `{}`", environment.as_str());
        Ok(readiness(&ReadinessInput {
            token: if !with_token && kept.token.is_none() {
                Token::Missing
            } else if with_token || kept.choices.environment != environment {
                Token::NotTested
            } else {
                match kept.connection.as_deref() {
                    None => Token::NotTested,
                    Some("ok") => Token::Tested(&tested),
                    Some(code) => Token::Failed(code),
                }
            },
            desktop: match choices.desktop_integration {
                DesktopIntegration::Never => Desktop::Never,
                DesktopIntegration::Active => Desktop::Active,
                DesktopIntegration::Off => Desktop::Off,
            },
            officers: by_officer.as_input(looked_up[0]),
            organisations: by_organisation.as_input(looked_up[1]),
            shared_mis_values: &shared,
            without_email: &without_email,
            coverage: coverage.as_ref(),
            classrooms: Classrooms {
                from_main_tag: choices.classroom_from_main_tag,
                without_default: &without_default,
            },
        }))
    }

    /// What live learners need in OneFile, and the references of every delivery plan.
    async fn needed(&self, provider: Uuid, choices: &OneFileChoices) -> Result<(InUse, Uses), StoreError> {
        let (mut in_use, mut uses) = (InUse::default(), Uses::default());
        self.each_learner(provider, |id, learner| {
            uses.add(id, learner);
            in_use.add(learner, choices);
        })
        .await?;
        Ok((in_use, uses))
    }

    async fn compared(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        uses: &Uses,
    ) -> Result<Coverage, StoreError> {
        let mut rows: Vec<OneFileStandard> = Vec::new();
        loop {
            let last = rows.last().map(|row| (row.centre_id.as_str(), row.standard_id.as_str()));
            let filter = StandardFilter { after: last, ..StandardFilter::default() };
            let page = self.store.onefile_standards(provider, environment, filter, PAGE).await?;
            rows.extend(page.items);
            if !page.more {
                break;
            }
        }
        let rows: Vec<CatalogueRow<'_>> = rows
            .iter()
            .map(|row| CatalogueRow {
                centre_id: &row.centre_id,
                id: &row.standard_id,
                title: &row.title,
                code: row.code.as_deref(),
                archived: row.archived,
            })
            .collect();
        Ok(uses.compare(&rows))
    }

    async fn directory(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: DirectoryKind,
    ) -> Result<Vec<DirectoryEntry>, StoreError> {
        let filter = DirectoryFilter { kind, centre_id: None, archived: None };
        let mut found: Vec<DirectoryEntry> = Vec::new();
        loop {
            let after = found.last().map(|entry| entry.remote_id.clone());
            let page =
                self.store.onefile_entries(provider, environment, filter, after.as_deref(), PAGE).await?;
            let last = i64::try_from(page.len()).unwrap_or(i64::MAX) < PAGE;
            found.extend(page);
            if last {
                return Ok(found);
            }
        }
    }

    /// Those of these records that are stored here.
    async fn records_of<T: serde::de::DeserializeOwned>(
        &self,
        provider: Uuid,
        kind: RecordKind,
        wanted: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, T>, StoreError> {
        let (mut found, mut after) = (BTreeMap::new(), None::<String>);
        loop {
            let page = self.store.list_records::<T>(provider, kind, after.as_deref(), PAGE).await?;
            after = page.items.last().map(|row| row.id.clone());
            let used = page.items.into_iter().filter(|row| wanted.contains(&row.id));
            found.extend(used.map(|row| (row.id, row.record)));
            if !page.more {
                return Ok(found);
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "both sides, and where they are")]
    async fn linked(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: LinkKind,
        in_use: &BTreeSet<String>,
        mut locals: Vec<Local<'_>>,
        remotes: &[Remote<'_>],
        several_centres: bool,
    ) -> Result<Standing, StoreError> {
        let links = self.store.onefile_links_of(provider, environment, kind.record()).await?;
        let (live, lost): (Vec<_>, Vec<_>) = links.iter().partition(|link| link.state == LinkState::Linked);
        let ids = |links: Vec<&OneFileLink>| links.into_iter().map(|link| link.local_id.clone()).collect();
        let linked: BTreeSet<String> = ids(live);
        let gone: BTreeSet<String> = ids(lost);
        let existing: Vec<Existing<'_>> = links.iter().map(Existing::of).collect();
        let names: BTreeMap<String, String> =
            locals.iter().map(|local| (local.id.to_owned(), local.name.to_string())).collect();
        let name = |id: &String| Named { id: id.clone(), name: names.get(id).cloned() };
        locals.retain(|local| !linked.contains(local.id) && !gone.contains(local.id));
        let found =
            suggest(&SuggestInput { kind, locals: &locals, remotes, linked: &existing, several_centres });
        let likely: BTreeSet<&str> = found
            .suggestions
            .iter()
            .map(|it| it.local_id.as_str())
            .chain(found.ambiguous.iter().map(|it| it.local_id.as_str()))
            .collect();
        let left = in_use.iter().filter(|id| !linked.contains(*id));
        Ok(Standing {
            in_use: in_use.len(),
            unlinked: left
                .clone()
                .filter(|id| !gone.contains(*id))
                .map(|id| Unlinked { record: name(id), likely_there: likely.contains(id.as_str()) })
                .collect(),
            gone: left.filter(|id| gone.contains(*id)).map(name).collect(),
            linked,
        })
    }
}

fn named(id: &str, name: &str) -> Named {
    Named { id: id.to_owned(), name: Some(name.to_owned()) }
}

fn remote(entry: &DirectoryEntry) -> Remote<'_> {
    Remote {
        id: &entry.remote_id,
        centre_id: &entry.centre_id,
        name: entry.labels.name.as_deref().unwrap_or_default().into(),
        mis_id: entry.labels.mis_id.as_deref(),
        email: entry.labels.email.as_deref(),
        uln: None,
        born: None,
        archived: entry.archived,
    }
}

/// The centres that are the only ones with a VQ reference in use. Learners with that reference can
/// be enrolled only there.
fn only_there(coverage: &Coverage) -> impl Iterator<Item = String> {
    coverage.items.iter().filter_map(|item| {
        let mut centres = item.matches.iter().filter(|aim| !aim.archived).map(|aim| &aim.centre_id);
        let first = centres.next()?;
        centres.all(|centre| centre == first).then(|| first.clone())
    })
}

/// The centres in use without a default classroom. The general default counts if there is one
/// centre. While it is unknown which centres are in use, one centre with a default is enough; if
/// none has one, all centres are named.
fn without_classroom(
    choices: &OneFileChoices,
    centres: &[DirectoryEntry],
    used: &BTreeSet<String>,
    rooms: Option<&[DirectoryEntry]>,
) -> Vec<Named> {
    // A default classroom that OneFile lacks, has in another centre or has archived does not count.
    // Before classrooms are read, the setting is trusted.
    let is_room = |room: &String, centre: &DirectoryEntry| {
        rooms.is_none_or(|rooms| {
            rooms
                .iter()
                .any(|own| own.remote_id == *room && own.centre_id == centre.remote_id && !own.archived)
        })
    };
    let defaults = &choices.default_classrooms;
    if centres.is_empty() {
        let none = choices.default_classroom_id.is_none() && defaults.is_empty();
        return none.then(|| named("all", "Centres were not read yet")).into_iter().collect();
    }
    let has_default =
        |centre: &DirectoryEntry| defaults.get(&centre.remote_id).is_some_and(|room| is_room(room, centre));
    let for_all = match centres {
        [only] => choices.default_classroom_id.as_ref().is_some_and(|room| is_room(room, only)),
        _ => false,
    };
    let undecided = !centres.iter().any(|centre| used.contains(&centre.remote_id));
    if for_all || (undecided && centres.iter().any(has_default)) {
        return Vec::new();
    }
    let lacking = centres
        .iter()
        .filter(|centre| (undecided || used.contains(&centre.remote_id)) && !has_default(centre));
    lacking.map(|centre| Named { id: centre.remote_id.clone(), name: centre.labels.name.clone() }).collect()
}
