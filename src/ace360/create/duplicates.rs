//! Whether ACE360 has a learner already, cheaply. Its list has no filter and no ULN, so a mirror of it is kept (the
//! status run refreshes it), and before a create only the newest pages are read on top. Name and birth date alone
//! propose; the single record's ULN confirms or clears.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::ace360::client::Client;
use crate::ace360::create::plan::PossibleDuplicate;
use crate::ace360::links::readings::mirror_row;
use crate::ace360::{Ace360, Ace360Error};
use crate::domain::{Learner, Uln};
use crate::store::{PersonIndex, Twin};
use crate::upstream::failure::FailureKind;

/// Pages read before a create, at most: with ours of 100 the newest thousand records. More is the status run's work.
const NEWEST_PAGES: i64 = 10;
/// Records of one person whose ULN is looked at.
const LOOKED_AT: usize = 5;

/// What the search found.
#[derive(Clone, Debug, Default)]
pub struct Duplicates {
    /// Records that may be this learner's, with why.
    pub possible: Vec<PossibleDuplicate>,
    /// Those that a create would probably double: it is refused unless `allowDuplicate`.
    pub likely: Vec<i64>,
    /// Every record of the same name and birth date that is there now: none of them is taken for a lost create's.
    pub present: Vec<i64>,
    /// Whether the mirror holds ACE360's whole list; known when the newest pages were read for this search.
    pub complete: bool,
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
        let index = self.index_of(sought.provider, sought.person);
        let (complete, twins) =
            self.newest_and_twins(client, sought.provider, sought.environment, &index).await?;
        Ok(Duplicates { complete, ..self.judge(client, sought, twins).await? })
    }

    /// The records of this learner in the mirror.
    pub async fn mirrored_twins(&self, sought: Sought<'_>) -> Result<Vec<Twin>, Ace360Error> {
        let index = self.index_of(sought.provider, sought.person);
        Ok(self.store.twins(sought.provider, sought.environment, &index).await?)
    }

    fn index_of(&self, provider: Uuid, person: Person<'_>) -> PersonIndex {
        let Person { first_name, last_name, birth, uln } = person;
        PersonIndex {
            name: birth.map(|birth| self.store.person_index(provider, first_name, last_name, birth)),
            uln: uln.map(|uln| self.store.uln_index(provider, uln)),
        }
    }

    /// Which of the records of the same person a create would double; they are read singly.
    ///
    /// # Errors
    /// ACE360's, since a create must not go ahead on half a search; the database's.
    pub async fn judge(
        &self,
        client: &Client,
        sought: Sought<'_>,
        twins: Vec<Twin>,
    ) -> Result<Duplicates, Ace360Error> {
        let Sought { id, person, standard, .. } = sought;
        let mut search = Duplicates {
            present: twins.iter().map(|twin| twin.record_id).collect(),
            ..Duplicates::default()
        };
        for (at, twin) in twins.into_iter().enumerate() {
            if twin.linked_to.as_deref() == Some(id) {
                continue;
            }
            let single = if at < LOOKED_AT { Some(client.apprentice(twin.record_id).await?) } else { None };
            let theirs = match single {
                Some(Ok(apprentice)) => apprentice.uln_number.filter(|uln| uln != Uln::PLACEHOLDER),
                // Gone since the list was read.
                Some(Err(failure)) if failure.kind == FailureKind::Missing => continue,
                Some(Err(failure)) => return Err(failure.into()),
                None => None,
            };
            let (same, reason) = match (person.uln, theirs, twin.by_person) {
                (Some(own), Some(theirs), true) if own == theirs => {
                    (true, "the same ULN, name and birth date")
                }
                (Some(own), Some(theirs), false) if own == theirs => {
                    (true, "the same ULN, though another name or birth date")
                }
                (Some(_), Some(_), true) => (false, "the same name and birth date, but another ULN"),
                // A learner here had this ULN, and its record has another: it is somebody else's.
                (Some(_), Some(_), false) => continue,
                (_, _, true) => (true, "the same name and birth date"),
                (_, _, false) => (true, "the same ULN"),
            };
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
    /// Answers whether it is, and the learner's records in it. The order, newest first, is observed and not documented: hence
    /// the count.
    async fn newest_and_twins(
        &self,
        client: &Client,
        provider: Uuid,
        environment: &str,
        index: &PersonIndex,
    ) -> Result<(bool, Vec<Twin>), Ace360Error> {
        let mut found = Vec::new();
        for number in 1..=NEWEST_PAGES {
            let page = client.apprentices(number).await??;
            let apprentices = page.data.iter().flatten().map(|(apprentice, _)| apprentice);
            let rows: Vec<_> =
                apprentices.map(|apprentice| mirror_row(&self.store, provider, apprentice)).collect();
            let (mirrored, twins) = self.store.mirror_and_find(provider, environment, &rows, index).await?;
            found = twins;
            let last = rows.is_empty() || page.total_pages.is_none_or(|pages| number >= pages);
            let whole = page.total.zip(mirrored.size).is_some_and(|(total, size)| size >= total);
            if last || mirrored.fresh == 0 && whole {
                return Ok((true, found));
            }
        }
        Ok((false, found))
    }
}
