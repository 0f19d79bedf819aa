//! Whether ACE360 has a learner already, cheaply. Its list has no filter and no ULN, so a mirror of it is kept (the
//! status run refreshes it), and before a create only the newest pages are read on top. Name and birth date,
//! or birth date and standard, propose; the single record's ULN confirms or clears.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::ace360::client::Client;
use crate::ace360::client::wire::{Apprentice, ApprenticePage, ListPosition};
use crate::ace360::create::plan::PossibleDuplicate;
use crate::ace360::links::readings::mirror_row;
use crate::ace360::{Ace360, Ace360Error};
use crate::domain::folding::near_names;
use crate::domain::{Learner, Uln};
use crate::store::{Mirrored, PersonIndex, StoreError, Twin, TwinMatch};
use crate::upstream::failure::FailureKind;

/// Pages read before a create, at most: with ours of 100 the newest thousand records. More is the status run's work.
const NEWEST_PAGES: i64 = 10;
/// Records that are read singly in one search, for their ULN.
const LOOKED_AT: usize = 20;

/// What the search found.
#[derive(Clone, Debug, Default)]
pub struct Duplicates {
    /// Records that may be this learner's, with why.
    pub possible: Vec<PossibleDuplicate>,
    /// Those that a create would probably double: it is refused unless `allowDuplicate`.
    pub likely: Vec<i64>,
    /// Every record of the same name and birth date that is there now: none of them is taken for a lost create's.
    pub present: Vec<i64>,
    /// Whether the mirror holds ACE360's whole list, and every record that may be the learner's was looked at.
    pub complete: bool,
}

impl Duplicates {
    /// What was found in a mirror that is complete, or not.
    #[must_use]
    pub fn among(self, complete: bool) -> Self {
        Self { complete: self.complete && complete, ..self }
    }
}

/// Whether a record is probably the learner's, and why; `None`: it is another person's.
fn likeness(person: Person<'_>, twin: &Twin, single: Option<&Apprentice>) -> Option<(bool, &'static str)> {
    let theirs =
        single.and_then(|single| single.uln_number.as_deref()).filter(|uln| *uln != Uln::PLACEHOLDER);
    let near = || {
        let names =
            single.and_then(|single| Some((single.first_name.as_deref()?, single.last_name.as_deref()?)));
        names.is_none_or(|theirs| near_names((person.first_name, person.last_name), theirs))
    };
    match (person.uln, theirs) {
        (Some(own), Some(theirs)) if own == theirs => Some(match twin.found_by {
            TwinMatch::Person => (true, "the same ULN, name and birth date"),
            TwinMatch::Uln => (true, "the same ULN, though another name or birth date"),
            TwinMatch::Birth => (true, "the same ULN and birth date, though another name"),
        }),
        (Some(_), Some(_)) => match twin.found_by {
            TwinMatch::Person => Some((false, "the same name and birth date, but another ULN")),
            // A learner here had this ULN, and its record has another: it is somebody else's.
            TwinMatch::Uln | TwinMatch::Birth => None,
        },
        (None, _) | (_, None) => match twin.found_by {
            TwinMatch::Person => Some((true, "the same name and birth date")),
            TwinMatch::Uln => Some((true, "the same ULN")),
            TwinMatch::Birth => {
                near().then_some((true, "the same birth date and standard, and nearly the same name"))
            }
        },
    }
}

/// Whose records are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    pub provider: Uuid,
    pub environment: &'a str,
    pub id: &'a str,
    /// The learner, as ACE360 would have it.
    pub person: Person<'a>,
    /// That it would be uploaded for.
    pub standard: Option<i64>,
}

/// What tells a learner from others.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    first_name: &'a str,
    last_name: &'a str,
    birth: Option<NaiveDate>,
    uln: Option<&'a str>,
}

impl<'a> Person<'a> {
    /// The placeholder for "has no ULN yet" is none.
    pub fn new(
        first_name: &'a str,
        last_name: &'a str,
        birth: Option<NaiveDate>,
        uln: Option<&'a str>,
    ) -> Self {
        Self { first_name, last_name, birth, uln: uln.filter(|uln| *uln != Uln::PLACEHOLDER) }
    }
}

impl<'a> From<&'a Learner> for Person<'a> {
    fn from(learner: &'a Learner) -> Self {
        let uln = learner.uln.as_ref().map(Uln::as_str);
        Self::new(&learner.first_name, &learner.last_name, learner.date_of_birth, uln)
    }
}

impl Ace360 {
    /// Reads ACE360's newest pages into the mirror, then judges the records of this learner.
    pub async fn search_on_top(
        &self,
        client: &Client,
        sought: Sought<'_>,
    ) -> Result<Duplicates, Ace360Error> {
        let index = self.index_of(sought);
        let (complete, twins) =
            self.newest_and_twins(client, sought.provider, sought.environment, &index).await?;
        Ok(self.judge(client, sought, twins).await?.among(complete))
    }

    /// The records of this learner in the mirror.
    pub async fn mirrored_twins(&self, sought: Sought<'_>) -> Result<Vec<Twin>, Ace360Error> {
        let index = self.index_of(sought);
        Ok(self.store.twins(sought.provider, sought.environment, &index).await?)
    }

    fn index_of(&self, sought: Sought<'_>) -> PersonIndex {
        let (provider, Person { first_name, last_name, birth, uln }) = (sought.provider, sought.person);
        PersonIndex {
            name: birth.map(|birth| self.store.person_index(provider, first_name, last_name, birth)),
            uln: uln.map(|uln| self.store.uln_index(provider, uln)),
            birth: birth.map(|birth| self.store.birth_index(provider, birth)),
            standard: sought.standard,
        }
    }

    /// Which of the records that may be this learner's a create would double; they are read singly.
    ///
    /// # Errors
    /// ACE360's, since a create must not go ahead on half a search; the database's.
    pub async fn judge(
        &self,
        client: &Client,
        sought: Sought<'_>,
        mut twins: Vec<Twin>,
    ) -> Result<Duplicates, Ace360Error> {
        let Sought { id, person, standard, .. } = sought;
        let mut search = Duplicates {
            present: twins.iter().map(|twin| twin.record_id).collect(),
            complete: true,
            ..Duplicates::default()
        };
        twins.retain(|twin| twin.linked_to.as_deref() != Some(id));
        // The likeliest first, as long as records are read.
        twins.sort_by_key(|twin| twin.found_by);
        for (at, twin) in twins.into_iter().enumerate() {
            if at >= LOOKED_AT && twin.found_by == TwinMatch::Birth {
                search.complete = false;
                break;
            }
            let single = if at < LOOKED_AT { Some(client.apprentice(twin.record_id).await?) } else { None };
            let single = match single {
                Some(Ok(apprentice)) => Some(apprentice),
                // Gone since the list was read.
                Some(Err(failure)) if failure.kind == FailureKind::Missing => continue,
                Some(Err(failure)) => return Err(failure.into()),
                None => None,
            };
            if let Some(single) = &single {
                self.note_uln(sought, single).await?;
            }
            let Some((same, reason)) = likeness(person, &twin, single.as_ref()) else { continue };
            // Another programme of the same person, which another learner here has, is no duplicate.
            let elsewhere = twin.linked_to.is_some() && standard.is_some() && twin.standard_id != standard;
            if same && !elsewhere {
                search.likely.push(twin.record_id);
            }
            let likeness = reason;
            let reason = match &twin.linked_to {
                Some(other) => format!("{likeness}; it is linked to learner {other}"),
                None => likeness.to_owned(),
            };
            search.possible.push(PossibleDuplicate {
                record_id: twin.record_id,
                standard_id: twin.standard_id,
                status_text: twin.status_text,
                archived: twin.archived,
                linked_to: twin.linked_to,
                likeness,
                reason,
            });
        }
        Ok(search)
    }

    /// Keeps a record's ULN in the mirror, so that it is read once.
    pub async fn note_uln(&self, sought: Sought<'_>, single: &Apprentice) -> Result<(), Ace360Error> {
        let uln = single.uln_number.as_deref().filter(|uln| *uln != Uln::PLACEHOLDER);
        let Some(index) = uln.map(|uln| self.store.uln_index(sought.provider, uln)) else { return Ok(()) };
        let mut tx = self.store.begin().await?;
        self.store
            .note_record_read(&mut tx, sought.provider, sought.environment, single.id, Some(&index))
            .await?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(())
    }

    /// Reads ACE360's newest pages into the mirror; answers whether the mirror holds the whole list now.
    pub async fn read_newest(
        &self,
        client: &Client,
        provider: Uuid,
        environment: &str,
    ) -> Result<bool, Ace360Error> {
        let nobody = PersonIndex::default();
        Ok(self.newest_and_twins(client, provider, environment, &nobody).await?.0)
    }

    /// Reads ACE360's newest pages into the mirror, until a page holds nothing new and the mirror is as large as the list.
    /// Answers whether it is, and the learner's records in it. The order, newest first, is observed and not documented. So the
    /// size must agree, and where the list has several pages the last one holds nothing new either.
    async fn newest_and_twins(
        &self,
        client: &Client,
        provider: Uuid,
        environment: &str,
        index: &PersonIndex,
    ) -> Result<(bool, Vec<Twin>), Ace360Error> {
        let mut found = Vec::new();
        let mut list = ListPosition::default();
        while list.page < NEWEST_PAGES {
            let page = client.apprentices(list.next()).await??;
            let last = list.note(&page);
            let (mirrored, twins) = self.mirror_page(provider, environment, &page, index).await?;
            found = twins;
            if last {
                return Ok((true, found));
            }
            let holds_all = |mirrored: Mirrored| {
                mirrored.fresh == 0
                    && page.total.zip(mirrored.size).is_some_and(|(total, size)| total > 0 && size >= total)
            };
            if holds_all(mirrored) {
                let Some(pages) = page.total_pages.filter(|pages| *pages > list.page) else { continue };
                let end = client.apprentices(pages).await??;
                let (mirrored, twins) = self.mirror_page(provider, environment, &end, index).await?;
                found = twins;
                if holds_all(mirrored) {
                    return Ok((true, found));
                }
            }
        }
        Ok((false, found))
    }

    async fn mirror_page(
        &self,
        provider: Uuid,
        environment: &str,
        page: &ApprenticePage,
        index: &PersonIndex,
    ) -> Result<(Mirrored, Vec<Twin>), Ace360Error> {
        let apprentices = page.data.iter().flatten().map(|(apprentice, _)| apprentice);
        let rows: Vec<_> =
            apprentices.map(|apprentice| mirror_row(&self.store, provider, apprentice)).collect();
        Ok(self.store.mirror_and_find(provider, environment, &rows, index).await?)
    }
}
