//! What an exchange has to do with a learner, by the rules of `diff`: what comes down, what goes up. Pure.

use std::collections::BTreeMap;

use crate::domain::{DemographicsMode, Learner, LearnerId, OneFileId, Review, ReviewId};
use crate::onefile::create::report::PlannedReview;
use crate::onefile::create::reviews::reviews_to_push;
use crate::onefile::fields::Side;
use crate::onefile::sync::diff::{ChangedRecord, FieldChange, Pair, TakeoverSettings, of_learner};
use crate::store::{Portfolio, PortfolioReview, PortfolioUser};

/// What is to be done.
#[derive(Default)]
pub(crate) struct Todo {
    pub(crate) here: Vec<FieldChange>,
    /// What goes up of the learner.
    pub(crate) user: Vec<FieldChange>,
    /// What goes up of learning aims, by their ids.
    pub(crate) aims: BTreeMap<String, Vec<FieldChange>>,
    /// Reviews that go up.
    pub(crate) reviews: Vec<PlannedReview>,
    /// What somebody should look at.
    pub(crate) notes: Vec<String>,
}

impl Todo {
    /// Whether something is to be done, beside notes.
    pub(crate) fn is_nothing(&self) -> bool {
        self.here.is_empty() && self.user.is_empty() && self.aims.is_empty() && self.reviews.is_empty()
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Whose<'a> {
    pub(crate) id: &'a LearnerId,
    pub(crate) centre_id: &'a str,
    pub(crate) user_id: &'a str,
}

/// Compares a learner with what OneFile has.
pub(crate) fn compare(
    whose: Whose<'_>,
    learner: &Learner,
    portfolio: &Portfolio,
    settings: TakeoverSettings,
) -> Todo {
    let learner = &claimed(learner, portfolio);
    let mut settings = settings;
    if portfolio.user.is_none() {
        settings.learner_demographics = DemographicsMode::Ignored;
    }
    let unread = PortfolioUser::default();
    let there = portfolio.reviews.iter().filter(|own| !own.gone).cloned();
    let (dropped, reviews): (Vec<_>, Vec<_>) = there.partition(|own| is_dropped(own, learner));
    let found = of_learner(
        &Pair {
            id: whose.id,
            learner,
            centre_id: whose.centre_id,
            user_id: whose.user_id,
            user: portfolio.user.as_ref().unwrap_or(&unread),
            aims: &portfolio.aims,
            reviews: &reviews,
            remarks: &[],
        },
        settings,
    );
    let mut todo = Todo { notes: found.notes, ..Todo::default() };
    for change in found.changes {
        match (change.side, change.record) {
            (Side::PicsWeb, _) => todo.here.push(change),
            (Side::OneFile, ChangedRecord::Learner) => todo.user.push(change),
            (Side::OneFile, ChangedRecord::Qualification | ChangedRecord::Review) => {
                todo.aims.entry(change.remote.clone()).or_default().push(change);
            }
        }
    }
    if settings.upload_reviews {
        let (planned, notes) = reviews_to_push(learner, &portfolio.reviews);
        todo.reviews = planned;
        todo.notes.extend(notes);
    }
    todo.notes.extend(dropped.into_iter().map(|own| {
        let id = own.review_id.as_deref().unwrap_or_default();
        format!("Review {id} was deleted in PICSWeb; OneFile has it still, as {}.", own.one_file_id)
    }));
    todo.notes.sort();
    todo.notes.dedup();
    todo
}

/// The learner, each review with the id that it got in OneFile, also where PICSWeb has sent the learner without it since.
fn claimed(learner: &Learner, portfolio: &Portfolio) -> Learner {
    let mut learner = learner.clone();
    for review in learner.reviews.iter_mut().filter(|review| review.one_file_id.is_none()) {
        let Some(id) = review.review_id.as_ref().map(ReviewId::as_str) else { continue };
        let known = portfolio.reviews.iter().find(|own| own.review_id.as_deref() == Some(id));
        review.one_file_id = known.and_then(|own| OneFileId::parse(&own.one_file_id).ok());
    }
    learner
}

/// Whether PICSWeb had this review, and has it no more.
fn is_dropped(own: &PortfolioReview, learner: &Learner) -> bool {
    own.review_id.is_some() && !learner.reviews.iter().any(|review| is_same(own, review))
}

fn is_same(own: &PortfolioReview, review: &Review) -> bool {
    let by_id = review.one_file_id.as_ref().is_some_and(|id| id.as_str() == own.one_file_id);
    by_id
        || (review.review_id.is_some()
            && review.review_id.as_ref().map(ReviewId::as_str) == own.review_id.as_deref())
}

/// Keeps which of PICSWeb's reviews is which of OneFile's, as the record says it by its OneFile System IDs.
pub(crate) fn claim(learner: &Learner, portfolio: &mut Portfolio) {
    for review in &learner.reviews {
        let (Some(id), Some(remote)) = (&review.review_id, &review.one_file_id) else { continue };
        let own = portfolio.reviews.iter_mut().find(|own| own.one_file_id == remote.as_str());
        if let Some(own) = own {
            own.review_id = Some(id.as_str().to_owned());
        }
    }
}
