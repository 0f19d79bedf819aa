//! Reviews: open ones that would go up, those of OneFile's that would come down, and attendance.

use std::collections::{BTreeMap, BTreeSet};

use super::pair::{Of, Pair, TakeoverSettings};
use super::report::{ChangedRecord, LearnerTakeover, PulledReview, PushedReview};
use crate::domain::time::day_of;
use crate::domain::{DemographicsMode, OneFileId, Review, ReviewId};
use crate::onefile::create::reviews::is_open;
use crate::onefile::fields::{REVIEW, values};
use crate::store::PortfolioReview;

pub fn compare(pair: &Pair<'_>, settings: TakeoverSettings, draft: &mut LearnerTakeover) {
    let theirs: BTreeMap<&str, &PortfolioReview> =
        pair.reviews.iter().map(|review| (review.one_file_id.as_str(), review)).collect();
    let known = pair.learner.reviews.iter().filter_map(|review| review.one_file_id.as_ref());
    let known: BTreeSet<&str> = known.map(OneFileId::as_str).collect();
    for (place, review) in pair.learner.reviews.iter().enumerate() {
        match review.one_file_id.as_ref() {
            None if settings.upload_reviews && is_open(review) => push(review, &theirs, &known, settings, draft),
            Some(id) if settings.download_reviews => match theirs.get(id.as_str()) {
                Some(theirs) => attendance(place, review, theirs, draft),
                None => draft.notes.push(format!(
                    "OneFile has no review {} of this learner, which a review here holds as its OneFile System ID.",
                    id.as_str()
                )),
            },
            None | Some(_) => {}
        }
    }
    if settings.download_reviews {
        let new = theirs.values().filter(|review| !known.contains(review.one_file_id.as_str()));
        draft.reviews_pulled.extend(new.map(|review| PulledReview {
            one_file_id: review.one_file_id.clone(),
            scheduled_date: review.scheduled_for.map(day_of),
            attended: review.started_on.is_some(),
        }));
    }
}

fn push(
    review: &Review,
    theirs: &BTreeMap<&str, &PortfolioReview>,
    known: &BTreeSet<&str>,
    settings: TakeoverSettings,
    draft: &mut LearnerTakeover,
) {
    let id = review.review_id.as_ref().map(ReviewId::as_str);
    let Some(scheduled_date) = review.scheduled_date else {
        let name = id.unwrap_or("without an id");
        draft.notes.push(format!("Review {name} has no scheduled date: OneFile takes none without one."));
        return;
    };
    let same_day = theirs.values().filter(|other| {
        other.scheduled_for.map(day_of) == Some(scheduled_date) && !known.contains(other.one_file_id.as_str())
    });
    draft.reviews_pushed.push(PushedReview {
        review_id: id.map(str::to_owned),
        scheduled_date,
        old: scheduled_date < settings.today,
        same_day: same_day.map(|other| other.one_file_id.clone()).collect(),
    });
}

fn attendance(place: usize, ours: &Review, theirs: &PortfolioReview, draft: &mut LearnerTakeover) {
    let id = ours.review_id.as_ref().map(ReviewId::as_str);
    let of = Of { record: ChangedRecord::Review, id, place, remote: &theirs.one_file_id };
    draft.add(of, REVIEW, ours, &values(REVIEW, theirs), DemographicsMode::Ignored);
}
