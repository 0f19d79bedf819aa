//! Reviews: open ones that would go up, those of OneFile's that would come down, and attendance.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveTime;

use super::report::{ChangedRecord, LearnerTakeover, PulledReview, PushedReview, Side};
use super::{Of, Pair, RemoteReview, TakeoverSettings};
use crate::domain::{Attendance, Learner, OneFileId, Review, ReviewId, StartTime, SyncRule};
use crate::onefile::enrol::PlannedReview;
use crate::onefile::wire::time_out;
use crate::store::PortfolioReview;

/// PICSWeb's review type that goes up.
const NORMAL: &str = "normal";
/// When a review begins whose time is not known.
const NINE: NaiveTime = NaiveTime::from_hms_opt(9, 0, 0).unwrap();

pub fn compare(pair: &Pair<'_>, settings: TakeoverSettings, draft: &mut LearnerTakeover) {
    let theirs: BTreeMap<&str, &RemoteReview> =
        pair.reviews.iter().map(|review| (review.id.as_str(), review)).collect();
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
        let new = theirs.values().filter(|review| !known.contains(review.id.as_str()));
        draft.reviews_pulled.extend(new.map(|review| PulledReview {
            one_file_id: review.id.clone(),
            scheduled_date: review.scheduled,
            attended: review.started.is_some(),
        }));
    }
}

/// The reviews that go up at an enrolment, and what is to be said of others. A review without a time begins at nine (observed).
pub fn to_push(learner: &Learner, known: &[PortfolioReview]) -> (Vec<PlannedReview>, Vec<String>) {
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
fn is_open(review: &Review) -> bool {
    let normal = review.kind.as_deref().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(NORMAL));
    normal && review.attendance.is_none() && review.actual_date.is_none()
}

fn push(
    review: &Review,
    theirs: &BTreeMap<&str, &RemoteReview>,
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
    let same_day = theirs
        .values()
        .filter(|other| other.scheduled == Some(scheduled_date) && !known.contains(other.id.as_str()));
    draft.reviews_pushed.push(PushedReview {
        review_id: id.map(str::to_owned),
        scheduled_date,
        old: scheduled_date < settings.today,
        same_day: same_day.map(|other| other.id.clone()).collect(),
    });
}

fn attendance(place: usize, ours: &Review, theirs: &RemoteReview, draft: &mut LearnerTakeover) {
    if theirs.started.is_none() {
        return;
    }
    let before = match ours.attendance {
        Some(Attendance::Attended) => return,
        Some(Attendance::NotAttended) => Some("notAttended".to_owned()),
        None => None,
    };
    let id = ours.review_id.as_ref().map(ReviewId::as_str);
    let remote = Some(theirs.id.as_str());
    let of = Of { record: ChangedRecord::Review, id, field: "attendance", place, remote };
    draft.change(of, Side::PicsWeb, before, Some("attended".to_owned()), SyncRule::ReviewStarted);
}
