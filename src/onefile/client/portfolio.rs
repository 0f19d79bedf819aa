//! Reading what learners have in OneFile: learning aims and reviews, of one learner whole, or of a centre by the window in which
//! something happened. The user itself is [`Client::user`].

use chrono::{DateTime, Utc};

use super::wire::{LearningAim, Review, Row, User, instant_out};
use crate::onefile::client::{Client, Found, Search};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::read::Answered;

/// From this many rows on, a search without pages may have been cut off: it is gone through by pages then (a client takes 50 for
/// what OneFile answers at most; assumed).
const MAYBE_CUT: usize = 50;
/// More than any one learner has; more than that means that OneFile did not look at whose they are.
const MOST: usize = 500;

/// A span of time, its ends with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default)]
pub struct AimFilter<'a> {
    pub user_id: Option<&'a str>,
    /// Of this centre (assumed).
    pub centre_id: Option<&'a str>,
    /// 1: achieved ones; the window is about the achievement then.
    pub completion_status: Option<u8>,
    /// Without a status: when they were changed last (assumed).
    pub window: Window,
}

#[derive(Clone, Debug, Default)]
pub struct ReviewFilter<'a> {
    pub learner_id: Option<&'a str>,
    pub centre_id: Option<&'a str>,
    pub status: Option<u8>,
    /// When they are planned for.
    pub window: Window,
}

/// What was read of one learner's records of a kind.
#[derive(Clone, Debug)]
pub struct Records<T> {
    /// Those that could be read, in full.
    pub read: Vec<T>,
    /// Those that could not, as the list has them, each with why.
    pub failed: Vec<(T, Failure)>,
    /// Rows without an id.
    pub unreadable: usize,
}

impl Search {
    pub fn learning_aims(filter: &AimFilter<'_>) -> Self {
        Self::of("LearningAim", "searchLearningAims")
            .with_some("UserID", filter.user_id)
            .with_some("OrganisationID", filter.centre_id)
            .with_code("LearningAimCompletionStatus", filter.completion_status)
            .within(filter.window)
    }

    pub fn reviews(filter: &ReviewFilter<'_>) -> Self {
        Self::of("Review", "searchReviews")
            .with_some("LearnerID", filter.learner_id)
            .with_some("OrganisationID", filter.centre_id)
            .with_code("Status", filter.status)
            .within(filter.window)
    }

    /// A centre's users of a role that were changed since then. Whether progress and reviews count as a change is not known.
    pub fn users_changed(centre_id: &str, role: i32, since: DateTime<Utc>) -> Self {
        Self::users(centre_id, role).with("LastModified", &instant_out(since))
    }

    fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn within(self, window: Window) -> Self {
        let text = |time: Option<DateTime<Utc>>| time.map(instant_out);
        self.with_some("DateFrom", text(window.from).as_deref())
            .with_some("DateTo", text(window.to).as_deref())
    }
}

impl Client {
    /// The rows of all learning aims that the filter finds, page by page. OneFile may find more than it was asked for.
    pub async fn search_learning_aims(&self, filter: &AimFilter<'_>) -> Answered<Found<LearningAim>> {
        self.search(&Search::learning_aims(filter)).await
    }

    pub async fn learning_aim(&self, id: &str) -> Answered<LearningAim> {
        self.record("getLearningAim", "LearningAim", id).await
    }

    /// The rows of all reviews that the filter finds, page by page: their ids, and when they are planned for.
    pub async fn search_reviews(&self, filter: &ReviewFilter<'_>) -> Answered<Found<Review>> {
        self.search(&Search::reviews(filter)).await
    }

    pub async fn review(&self, id: &str) -> Answered<Review> {
        self.record("getReview", "Review", id).await
    }

    /// The centre's learners that were changed since then.
    pub async fn users_changed(
        &self,
        centre_id: &str,
        role: i32,
        since: DateTime<Utc>,
    ) -> Answered<Found<User>> {
        self.search(&Search::users_changed(centre_id, role, since)).await
    }

    /// A learner's learning aims, in full: a call for the list, and one for each. One that cannot be read does not spoil the others.
    pub async fn aims_of(&self, user_id: &str) -> Answered<Records<LearningAim>> {
        let filter = AimFilter { user_id: Some(user_id), ..AimFilter::default() };
        let found = match self.of_one::<LearningAim>(&Search::learning_aims(&filter)).await? {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        let mut records = Records::of(found.unreadable);
        for row in found.rows.into_iter().filter(|row| own(row.user_id.as_deref(), user_id)) {
            // What the row says and the single record does not, holds.
            let answered = self.learning_aim(&row.id).await?.map(|aim| LearningAim {
                standard_id: aim.standard_id.or_else(|| row.standard_id.clone()),
                ..aim
            });
            if let Err(failure) = records.take(row, answered) {
                return Ok(Err(failure));
            }
        }
        records.read.retain(|aim| own(aim.user_id.as_deref(), user_id));
        Ok(Ok(records))
    }

    /// A learner's reviews, in full: a call for the list, and one for each.
    pub async fn reviews_of(&self, learner_id: &str) -> Answered<Records<Review>> {
        let found = match self.review_rows_of(learner_id).await? {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        let mut records = Records::of(found.unreadable);
        for row in found.rows {
            let answered = self.review(&row.id).await?;
            if let Err(failure) = records.take(row, answered) {
                return Ok(Err(failure));
            }
        }
        records.read.retain(|review| own(review.learner_id.as_deref(), learner_id));
        Ok(Ok(records))
    }

    /// A learner's reviews as a search lists them: their ids, and when they are planned for.
    pub async fn review_rows_of(&self, learner_id: &str) -> Answered<Found<Review>> {
        let filter = ReviewFilter { learner_id: Some(learner_id), ..ReviewFilter::default() };
        let found = self.of_one::<Review>(&Search::reviews(&filter)).await?;
        Ok(found.map(|mut found| {
            found.rows.retain(|row| own(row.learner_id.as_deref(), learner_id));
            found
        }))
    }

    /// What one learner has of a kind: they are few, and one call without pages brings them, where pages cost four.
    async fn of_one<T: Row>(&self, search: &Search) -> Answered<Found<T>> {
        let mut found = self.search_whole(search).await?;
        if matches!(&found, Ok(found) if found.rows.is_empty()) {
            // Nothing, where there should be something: it is not believed the first time.
            found = self.search_whole(search).await?;
        }
        if matches!(&found, Ok(found) if found.rows.len() >= MAYBE_CUT) {
            found = self.search(search).await?;
        }
        Ok(found.and_then(|found| {
            if found.rows.len() > MOST {
                let seen =
                    "it found more records than one learner can have: it did not look at whose they are";
                return Err(Failure::new(FailureKind::Failed, Some(200), seen));
            }
            Ok(found)
        }))
    }
}

impl<T> Records<T> {
    fn of(unreadable: usize) -> Self {
        Self { read: Vec::new(), failed: Vec::new(), unreadable }
    }

    /// Takes a record, or why there is none. One that went since it was listed is none.
    ///
    /// # Errors
    /// It is of the connection as a whole: the others would fare the same.
    fn take(&mut self, row: T, answered: Result<T, Failure>) -> Result<(), Failure> {
        match answered {
            Ok(record) => self.read.push(record),
            Err(failure) if failure.kind.is_general() => return Err(failure),
            Err(failure) if failure.kind == FailureKind::Missing => {}
            Err(failure) => self.failed.push((row, failure)),
        }
        Ok(())
    }
}

/// Whether it is that learner's; where it does not say, it is what was asked for.
fn own(said: Option<&str>, asked: &str) -> bool {
    said.is_none_or(|said| said == asked)
}
