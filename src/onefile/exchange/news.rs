//! What OneFile has that it had not when it was read last, for the feed: reviews that came down, were held or are gone. What comes
//! down into the record itself: `apply.rs`. Pure.

use serde_json::{Value, json};

use crate::domain::ChangeType;
use crate::store::{Portfolio, PortfolioReview};

/// What the feed is told of reviews that PICSWeb has not claimed, and of all that are gone.
pub(super) fn of_reviews(before: &Portfolio, now: &Portfolio) -> Vec<(ChangeType, Value)> {
    let mut told = Vec::new();
    for own in &now.reviews {
        let old = before.reviews.iter().find(|old| old.one_file_id == own.one_file_id);
        let mut tell = |field: &str, before: Value, after: Value| {
            let data = json!({
                "reviewId": own.review_id, "oneFileId": own.one_file_id, "field": field, "before": before, "after": after
            });
            told.push((ChangeType::ReviewChanged, data));
        };
        let Some(old) = old else {
            if own.review_id.is_none() && !own.gone {
                tell("review", Value::Null, shown(own));
            }
            continue;
        };
        if own.gone && !old.gone {
            tell("review", shown(old), Value::Null);
        } else if own.review_id.is_none()
            && (own.started_on, own.scheduled_for) != (old.started_on, old.scheduled_for)
        {
            tell("review", shown(old), shown(own));
        }
    }
    told
}

fn shown(review: &PortfolioReview) -> Value {
    json!({"scheduledFor": review.scheduled_for, "startedOn": review.started_on, "attended": review.started_on.is_some()})
}

/// Whether OneFile's learning aims or reviews are other than they were.
pub(super) fn is_other(before: &Portfolio, now: &Portfolio) -> bool {
    let reviews = |own: &Portfolio| -> Vec<_> {
        own.reviews
            .iter()
            .map(|it| (it.one_file_id.clone(), it.scheduled_for, it.started_on, it.gone))
            .collect()
    };
    before.aims != now.aims || reviews(before) != reviews(now)
}
