//! Searches OneFile for a record that a creation makes: before it is sent, to avoid a duplicate,
//! and after its response was lost.

use crate::onefile::client::portfolio::AimFilter;
use crate::onefile::client::wire::{Classroom, LearningAim, Placement, Row, User};
use crate::onefile::client::{Client, Search};
use crate::onefile::create::create_steps::{Find, Person};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::read::Answered;

/// A OneFile record that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub id: i64,
    /// Whether an id proves that it is the same record: the MIS value, the visit, a learner's
    /// standard, or a classroom's name. Otherwise it is only similar.
    pub same: bool,
    pub archived: bool,
}

impl Client {
    /// The matching records in OneFile, oldest first.
    pub async fn find(&self, find: &Find) -> Answered<Vec<Hit>> {
        let found = match find {
            Find::Person(person) => self.find_person(person).await?,
            Find::Placement { centre_id, name, mis_id } => {
                let search = Search::placements(centre_id).with("Name", name);
                self.hits(&search, |row: &Placement| {
                    let by_mis = mis_id.as_deref().is_some_and(|mis| same_text(row.mis_id.as_deref(), mis));
                    let fits = by_mis || same_text(row.name.as_deref(), name);
                    fits.then(|| (by_mis, row.active == Some(false)))
                })
                .await?
            }
            Find::Classroom { centre_id, name } => {
                let search = Search::classrooms(centre_id).with("Name", name);
                self.hits(&search, |row: &Classroom| {
                    same_text(row.name.as_deref(), name).then(|| (true, row.archived.unwrap_or(false)))
                })
                .await?
            }
            Find::Aim { user_id, standard_id } => {
                let filter = AimFilter { user_id: Some(user_id), ..AimFilter::default() };
                self.hits(&Search::learning_aims(&filter), |aim: &LearningAim| {
                    let own = aim.user_id.as_deref().is_none_or(|own| own == user_id);
                    (own && aim.standard_id.as_deref() == Some(standard_id)).then_some((true, false))
                })
                .await?
            }
            Find::Review { user_id, visit_id } => self.find_review(user_id, visit_id).await?,
            Find::Nothing => {
                let seen = "OneFile has no look-up for it";
                Err(Failure::new(FailureKind::Missing, None, seen))
            }
        };
        Ok(found.map(|mut hits| {
            hits.sort_by_key(|hit| hit.id);
            hits.dedup_by_key(|hit| hit.id);
            hits
        }))
    }

    /// The matching rows of a search: whether each is certainly the same record, and whether it is
    /// archived.
    async fn hits<T: Row>(
        &self,
        search: &Search,
        fits: impl Fn(&T) -> Option<(bool, bool)>,
    ) -> Answered<Vec<Hit>> {
        let found = self.search_whole::<T>(search).await?;
        Ok(found.map(|found| {
            let rows = found.rows.iter();
            rows.filter_map(|row| {
                let (same, archived) = fits(row)?;
                Some(Hit { id: row.id().parse().ok()?, same, archived })
            })
            .collect()
        }))
    }

    /// Searches by MIS value and by e-mail address, because a person with another MIS value must
    /// not be created again.
    async fn find_person(&self, wanted: &Person) -> Answered<Vec<Hit>> {
        let mut hits = match self.find_by_ids(wanted).await? {
            Ok(hits) => hits,
            Err(failure) => return Ok(Err(failure)),
        };
        if let (true, Some(_), Some(_)) = (hits.is_empty(), &wanted.mis_id, &wanted.email) {
            let by_email = Person { mis_id: None, ..wanted.clone() };
            match self.find_by_ids(&by_email).await? {
                Ok(found) => hits.extend(found.into_iter().map(|hit| Hit { same: false, ..hit })),
                Err(failure) => return Ok(Err(failure)),
            }
        }
        Ok(Ok(hits))
    }

    async fn find_by_ids(&self, wanted: &Person) -> Answered<Vec<Hit>> {
        let mut hits = Vec::new();
        for role in &wanted.roles {
            let search = Search::users(&wanted.centre_id, *role);
            let search = match (&wanted.mis_id, &wanted.email) {
                (Some(mis), _) => search.with("MISID", mis),
                (None, Some(email)) => search.with("Email", email),
                (None, None) => {
                    search.with("FirstName", &wanted.first_name).with("LastName", &wanted.last_name)
                }
            };
            let found = self
                .hits(&search, |user: &User| {
                    let named = same_text(user.first_name.as_deref(), &wanted.first_name)
                        && same_text(user.last_name.as_deref(), &wanted.last_name);
                    // Rows of a search lack some properties. In that case the search filter itself
                    // is the match.
                    let agrees = |theirs: &Option<String>, ours: &str| {
                        theirs.as_deref().is_none_or(|theirs| same_text(Some(theirs), ours))
                    };
                    let (fits, same) = match (&wanted.mis_id, &wanted.email) {
                        (Some(mis), _) => (agrees(&user.mis_id, mis), true),
                        (None, Some(email)) => (agrees(&user.email, email), named),
                        (None, None) => (named, false),
                    };
                    fits.then(|| (same, user.archived.unwrap_or(false)))
                })
                .await?;
            match found {
                Ok(found) => hits.extend(found),
                Err(failure) => return Ok(Err(failure)),
            }
        }
        Ok(Ok(hits))
    }

    async fn find_review(&self, user_id: &str, visit_id: &str) -> Answered<Vec<Hit>> {
        let found = match self.review_rows_of(user_id).await? {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        // Newest first, because it was created a moment ago.
        for row in found.rows.into_iter().rev() {
            let visit = match row.visit_id {
                Some(visit) => Some(visit),
                None => match self.review(&row.id).await? {
                    Ok(review) => review.visit_id,
                    Err(failure) if failure.kind == FailureKind::Missing => None,
                    Err(failure) => return Ok(Err(failure)),
                },
            };
            if visit.as_deref() == Some(visit_id) {
                let hit = row.id.parse().ok().map(|id| Hit { id, same: true, archived: false });
                return Ok(Ok(hit.into_iter().collect()));
            }
        }
        Ok(Ok(Vec::new()))
    }
}

/// Two texts that differ in case and spaces at most; blank ones are no text.
pub(crate) fn same_text(theirs: Option<&str>, ours: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let ours = plain(ours);
    !ours.is_empty() && theirs.is_some_and(|theirs| plain(theirs) == ours)
}
