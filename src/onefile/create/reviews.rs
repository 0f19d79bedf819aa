//! Which reviews of a learner are created in OneFile.

use chrono::NaiveTime;

use crate::domain::{Learner, Review, ReviewId, StartTime};
use crate::onefile::client::wire::time_out;
use crate::onefile::create::report::PlannedReview;
use crate::store::PortfolioReview;

/// PICSWeb's review type that goes up.
const NORMAL: &str = "normal";
/// When a review begins whose time is not known.
const NINE: NaiveTime = NaiveTime::from_hms_opt(9, 0, 0).unwrap();

/// The reviews that go up at an enrolment, and what is to be said of others. A review without a time begins at nine (observed).
pub fn reviews_to_push(learner: &Learner, known: &[PortfolioReview]) -> (Vec<PlannedReview>, Vec<String>) {
    let (mut planned, mut notes) = (Vec::new(), Vec::new());
    for review in learner.reviews.iter().filter(|review| review.one_file_id.is_none() && is_open(review)) {
        let Some(id) = review.review_id.as_ref().map(ReviewId::as_str) else {
            notes.push(
                "A review has no id: it does not go up, since nobody could tell afterwards that it did."
                    .to_owned(),
            );
            continue;
        };
        if known.iter().any(|own| own.review_id.as_deref() == Some(id)) {
            continue;
        }
        let Some(day) = review.scheduled_date else {
            notes.push(format!("Review {id} has no scheduled date: OneFile takes none without one."));
            continue;
        };
        let at = review.start_time.map_or(NINE, StartTime::get);
        planned.push(PlannedReview {
            review_id: id.to_owned(),
            from: time_out(day, at),
            officer_id: review.officer_id.as_ref().map(|id| id.as_str().to_owned()),
        });
    }
    (planned, notes)
}

/// The rule of the first synchronisation: a Normal review with blank attendance and no actual date, whatever Desktop's
/// settings used to say.
pub fn is_open(review: &Review) -> bool {
    let normal = review.kind.as_deref().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(NORMAL));
    normal && review.attendance.is_none() && review.actual_date.is_none()
}
