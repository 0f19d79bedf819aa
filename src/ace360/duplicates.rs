//! Whether ACE360 has a learner already, cheaply. Its list has no filter and no ULN, so a mirror of it is kept (the
//! status run refreshes it), and before a create only the newest pages are read on top. Name and birth date alone
//! propose; the single record's ULN confirms or clears.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use uuid::Uuid;

use super::client::Client;
use super::status::mirror_row;
use super::upload::PossibleDuplicate;
use super::wire::ApprenticePage;
use super::{Ace360, Ace360Error};
use crate::domain::{Learner, Uln};
use crate::store::{MirrorRow, StoreError, Twin};
use crate::upstream::failure::FailureKind;

/// Pages read before a create, at most: with ours of 100 the newest thousand records. More is the status run's work.
const NEWEST_PAGES: i64 = 10;
/// Records of one person whose ULN is looked at.
const LOOKED_AT: usize = 5;

/// What the search found.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Records that may be this learner's, with why.
    pub possible: Vec<PossibleDuplicate>,
    /// Those that a create would probably double: it is refused unless `allowDuplicate`.
    pub likely: Vec<i64>,
    /// Every record of the same name and birth date that is there now: none of them is taken for a lost create's.
    pub present: Vec<i64>,
    /// Whether the mirror holds ACE360's whole list; known when the newest pages were read for this search.
    pub complete: bool,
}

/// What reading the newest pages came to.
#[derive(Clone, Debug)]
pub struct Newest {
    /// Whether the mirror holds ACE360's whole list.
    pub complete: bool,
    /// Of the records that were read.
    people: Vec<Vec<u8>>,
}

/// What this process knows of the mirror, so that it need not ask for each upload: how many records it was counted to hold,
/// and some of its newest rows. It may know of fewer than there are; then the database is asked.
#[derive(Clone, Debug, Default)]
pub struct Known(Arc<Mutex<HashMap<Mirror, Seen>>>);

/// A provider's mirror. Other settings may have emptied it, hence their version.
type Mirror = (Uuid, Vec<u8>, i64);

#[derive(Debug, Default)]
struct Seen {
    counted: Option<(Instant, i64)>,
    rows: HashMap<i64, (Instant, MirrorRow)>,
}

impl Known {
    /// A status run may take records out of the mirror that are gone from ACE360, hence no longer.
    const LIFE: Duration = Duration::from_mins(1);
    /// Rows that are kept: what two pages hold.
    const ROWS: usize = 200;

    fn with<T>(&self, client: &Client, provider: Uuid, what: impl FnOnce(&mut Seen) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        what(all.entry((provider, client.account().key.clone(), client.version())).or_default())
    }

    /// Whether the mirror was counted a moment ago: then a search reads some rows, as a rule.
    pub fn is_fresh(&self, client: &Client, provider: Uuid) -> bool {
        self.at_least(client, provider, 0)
    }

    fn at_least(&self, client: &Client, provider: Uuid, total: i64) -> bool {
        self.with(client, provider, |seen| {
            seen.counted.is_some_and(|(at, count)| at.elapsed() < Self::LIFE && count >= total)
        })
    }

    fn count(&self, client: &Client, provider: Uuid, count: i64) {
        self.with(client, provider, |seen| seen.counted = Some((Instant::now(), count)));
    }

    /// Those of the rows that the mirror may not hold as they are.
    fn unknown(&self, client: &Client, provider: Uuid, rows: &[MirrorRow]) -> Vec<MirrorRow> {
        self.with(client, provider, |seen| {
            let holds = |row: &MirrorRow| {
                seen.rows
                    .get(&row.record_id)
                    .is_some_and(|(at, known)| at.elapsed() < Self::LIFE && known == row)
            };
            rows.iter().filter(|row| !holds(row)).cloned().collect()
        })
    }

    /// These were put into the mirror, and so many of them are new there.
    pub fn add(&self, client: &Client, provider: Uuid, rows: Vec<MirrorRow>, fresh: i64) {
        self.with(client, provider, |seen| {
            if let Some((_, count)) = &mut seen.counted {
                *count += fresh;
            }
            if seen.rows.len() + rows.len() > Self::ROWS {
                seen.rows.clear();
            }
            let now = Instant::now();
            seen.rows.extend(rows.into_iter().map(|row| (row.record_id, (now, row))));
        });
    }
}

/// Whose records are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// Of whom.
    pub provider: Uuid,
    /// Of ACE360.
    pub environment: &'a str,
    /// The learner's id.
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

/// By what a learner's records are found.
struct Indexes {
    person: Option<Vec<u8>>,
    uln: Option<Vec<u8>>,
}

impl Ace360 {
    /// Reads the newest pages, then looks for records of this learner. Those that the mirror had before are known already.
    ///
    /// # Errors
    /// ACE360's; the database's.
    pub async fn search_on_top(
        &self,
        client: &Client,
        sought: Sought<'_>,
        twins: Vec<Twin>,
    ) -> Result<Search, Ace360Error> {
        let newest = self.read_newest(client, sought.provider, sought.environment).await?;
        // They are looked up again only if ACE360's answer holds this very person.
        let indexes = self.indexes_of(sought.provider, sought.person);
        let twins = if indexes.person.as_ref().is_some_and(|index| newest.people.contains(index)) {
            self.twins_of(sought.provider, sought.environment, &indexes).await?
        } else {
            twins
        };
        let search = self.judge(client, sought, twins).await?;
        Ok(Search { complete: newest.complete, ..search })
    }

    /// The records of this learner in the mirror.
    ///
    /// # Errors
    /// The database's.
    pub async fn mirrored_twins(&self, sought: Sought<'_>) -> Result<Vec<Twin>, Ace360Error> {
        let indexes = self.indexes_of(sought.provider, sought.person);
        self.twins_of(sought.provider, sought.environment, &indexes).await
    }

    fn indexes_of(&self, provider: Uuid, person: Person<'_>) -> Indexes {
        Indexes {
            person: person
                .birth
                .map(|birth| self.store.person_index(provider, person.first_name, person.last_name, birth)),
            uln: person.uln.map(|uln| self.store.uln_index(provider, uln)),
        }
    }

    async fn twins_of(
        &self,
        provider: Uuid,
        environment: &str,
        indexes: &Indexes,
    ) -> Result<Vec<Twin>, Ace360Error> {
        Ok(self.store.twins(provider, environment, indexes.person.as_deref(), indexes.uln.as_deref()).await?)
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
    ) -> Result<Search, Ace360Error> {
        let Sought { id, person, standard, .. } = sought;
        let mut search =
            Search { present: twins.iter().map(|twin| twin.record_id).collect(), ..Search::default() };
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

    /// Reads ACE360's newest pages into the mirror until nothing new comes and the mirror is as large as the list. Answers
    /// whether it is. The order, newest first, is seen and not promised: hence the count.
    ///
    /// # Errors
    /// ACE360's; the database's.
    pub async fn read_newest(
        &self,
        client: &Client,
        provider: Uuid,
        environment: &str,
    ) -> Result<Newest, Ace360Error> {
        let mut people = Vec::new();
        if self.known.is_fresh(client, provider) {
            // Counted a moment ago: some rows are enough to see whether the mirror still holds all.
            let page = client.few_apprentices().await?.map_err(Ace360Error::Upstream)?;
            let (fresh, rows) = self.take_in(client, provider, environment, &page, &mut people).await?;
            if fresh < rows && self.holds_all(client, provider, environment, page.total).await? {
                return Ok(Newest { complete: true, people });
            }
        }
        for number in 1..=NEWEST_PAGES {
            let page = client.apprentices(number).await?.map_err(Ace360Error::Upstream)?;
            let (fresh, rows) = self.take_in(client, provider, environment, &page, &mut people).await?;
            let last = rows == 0 || page.total_pages.is_none_or(|pages| number >= pages);
            if last {
                // Whatever the mirror holds: the next search need not read all.
                self.holds_all(client, provider, environment, page.total).await?;
                return Ok(Newest { complete: true, people });
            }
            if fresh == 0 && self.holds_all(client, provider, environment, page.total).await? {
                return Ok(Newest { complete: true, people });
            }
        }
        Ok(Newest { complete: false, people })
    }

    /// Whether the mirror is as large as ACE360 says that its list is.
    async fn holds_all(
        &self,
        client: &Client,
        provider: Uuid,
        environment: &str,
        total: Option<i64>,
    ) -> Result<bool, StoreError> {
        let Some(total) = total else { return Ok(false) };
        // Counting takes longer the more there is: what was counted a moment ago still holds.
        if self.known.at_least(client, provider, total) {
            return Ok(true);
        }
        let known = self.store.mirror_size(provider, environment).await?;
        self.known.count(client, provider, known);
        Ok(known >= total)
    }

    /// Puts a page into the mirror; answers how many of its records were new there, and how many it has.
    async fn take_in(
        &self,
        client: &Client,
        provider: Uuid,
        environment: &str,
        page: &ApprenticePage,
        people: &mut Vec<Vec<u8>>,
    ) -> Result<(i64, i64), StoreError> {
        let rows: Vec<_> = page
            .data
            .iter()
            .flatten()
            .map(|(apprentice, _)| mirror_row(&self.store, provider, apprentice))
            .collect();
        let unknown = self.known.unknown(client, provider, &rows);
        let mut fresh = 0;
        if !unknown.is_empty() {
            fresh = self.store.mirror_lightly(provider, environment, &unknown).await?;
            self.known.add(client, provider, unknown, fresh);
        }
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        people.extend(rows.into_iter().filter_map(|row| row.person_index));
        Ok((fresh, count))
    }
}
