//! Events for the feed about OneFile's reviews: reviews that are new, were held or were deleted
//! since the last read. `apply.rs` handles values for the record itself. Pure.

use crate::domain::Change;
use crate::domain::change_onefile::{ReviewChangedData, ReviewThere, ReviewValue};
use crate::store::{Portfolio, PortfolioReview};

/// The changes in the feed for reviews that PICSWeb has not claimed, and for all that are gone.
pub(crate) fn of_reviews(before: &Portfolio, now: &Portfolio) -> Vec<Change> {
    let mut told = Vec::new();
    for own in &now.reviews {
        let old = before.reviews.iter().find(|old| old.one_file_id == own.one_file_id);
        let mut tell = |before: Option<ReviewValue>, after: Option<ReviewValue>| {
            told.push(Change::ReviewChanged(ReviewChangedData {
                review_id: own.review_id.clone(),
                one_file_id: Some(own.one_file_id.clone()),
                field: "review".to_owned(),
                before,
                after,
                why: None,
                found_by: None,
            }));
        };
        let Some(old) = old else {
            if own.review_id.is_none() && !own.gone {
                tell(None, Some(shown(own)));
            }
            continue;
        };
        if own.gone && !old.gone {
            tell(Some(shown(old)), None);
        } else if own.review_id.is_none()
            && (own.started_on, own.scheduled_for) != (old.started_on, old.scheduled_for)
        {
            tell(Some(shown(old)), Some(shown(own)));
        }
    }
    told
}

fn shown(review: &PortfolioReview) -> ReviewValue {
    ReviewValue::Review(ReviewThere {
        scheduled_for: review.scheduled_for,
        started_on: review.started_on,
        attended: review.started_on.is_some(),
    })
}

/// Whether OneFile's learning aims or reviews are other than they were.
pub(crate) fn is_other(before: &Portfolio, now: &Portfolio) -> bool {
    let reviews = |own: &Portfolio| -> Vec<_> {
        own.reviews
            .iter()
            .map(|it| (it.one_file_id.clone(), it.scheduled_for, it.started_on, it.gone))
            .collect()
    };
    before.aims != now.aims || reviews(before) != reviews(now)
}
