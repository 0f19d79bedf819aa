//! What the first synchronisation after the move from PICS Desktop would send and overwrite. Pure:
//! our learners and OneFile's data are passed in.
//!
//! The rules: registration and certificate fields fill the blank side, and OneFile's value wins if
//! both have one. OneFile's element counts win. Open reviews are sent, whatever Desktop's settings
//! were. The demographics mode decides about demographics. A blank never overwrites a value
//! (assumed: not public).

mod pair;
mod qualifications;
mod report;
mod reviews;

#[cfg(test)]
mod tests;

use chrono::{Months, NaiveDate};

use self::pair::Of;

use crate::domain::{Learner, LearnerStatus};
use crate::onefile::client::wire::User;
use crate::onefile::fields;
use crate::onefile::fields::Side;
use crate::store::PortfolioUser;
pub use pair::{Pair, TakeoverSettings};
pub use report::{
    ChangedRecord, Effect, FieldChange, LearnerTakeover, PulledReview, PushedReview, Takeover, TakeoverCounts,
};

impl From<&User> for PortfolioUser {
    fn from(user: &User) -> Self {
        Self {
            fields: fields::values(fields::LEARNER, user),
            default_assessor_id: user.default_assessor_id.clone(),
            placement_id: user.placement_id.clone(),
        }
    }
}

impl Takeover {
    /// Adds what would happen to this learner. A learner that the synchronisation skips is only
    /// counted.
    pub fn add(&mut self, pair: &Pair<'_>, settings: TakeoverSettings) {
        if !is_synchronised(pair.learner, settings.today) {
            self.leave_alone();
            return;
        }
        self.counts.learners += 1;
        let found = of_learner(pair, settings);
        let quiet =
            found.changes.is_empty() && found.reviews_pushed.is_empty() && found.reviews_pulled.is_empty();
        self.counts.add(&found);
        self.counts.unchanged += usize::from(quiet);
        if !quiet || !found.notes.is_empty() {
            self.learners.push(found);
        }
    }

    /// Counts a learner that the synchronisation skips.
    pub fn leave_alone(&mut self) {
        self.counts.learners += 1;
        self.counts.not_eligible += 1;
    }
}

/// PICSWeb's rule: the learner is live and in learning (started, and not ended more than a month
/// ago).
pub fn is_synchronised(learner: &Learner, today: NaiveDate) -> bool {
    let programme = learner.programme.as_ref();
    let started = programme.and_then(|it| it.start_date).is_some_and(|start| start <= today);
    let month_ago = today.checked_sub_months(Months::new(1)).unwrap_or(today);
    let ended = programme.and_then(|it| it.actual_end_date).is_some_and(|end| end < month_ago);
    learner.status == Some(LearnerStatus::Live) && started && !ended
}

/// What the exchange of a learner does. The report shows the same.
pub fn of_learner(pair: &Pair<'_>, settings: TakeoverSettings) -> LearnerTakeover {
    let mut draft = LearnerTakeover {
        learner_id: pair.id.as_str().to_owned(),
        centre_id: pair.centre_id.to_owned(),
        user_id: pair.user_id.to_owned(),
        changes: Vec::new(),
        reviews_pushed: Vec::new(),
        reviews_pulled: Vec::new(),
        notes: pair.remarks.to_vec(),
    };
    let of =
        Of { record: ChangedRecord::Learner, id: Some(pair.id.as_str()), place: 0, remote: pair.user_id };
    draft.add(of, fields::LEARNER, pair.learner, &pair.user.fields, settings.learner_demographics);
    qualifications::compare(pair, &mut draft);
    reviews::compare(pair, settings, &mut draft);
    draft
}

impl TakeoverCounts {
    fn add(&mut self, found: &LearnerTakeover) {
        for change in &found.changes {
            *match (change.side, change.effect) {
                (Side::PicsWeb, Effect::Overwrites) => &mut self.overwritten_here,
                (Side::PicsWeb, Effect::Fills) => &mut self.filled_here,
                (Side::OneFile, Effect::Overwrites) => &mut self.overwritten_in_one_file,
                (Side::OneFile, Effect::Fills) => &mut self.filled_in_one_file,
            } += 1;
        }
        self.reviews_pushed += found.reviews_pushed.len();
        self.old_reviews_pushed += found.reviews_pushed.iter().filter(|review| review.old).count();
        self.reviews_pulled += found.reviews_pulled.len();
    }
}
