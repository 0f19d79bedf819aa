//! What the first synchronisation after moving over from PICS Desktop would push and overwrite, before it does. Pure: our
//! learners and what OneFile has of them come in.
//!
//! Its rules: registration and certificate fields fill the blank side, and where both have a value OneFile's wins; element
//! counts are OneFile's; open reviews go up whatever was set in Desktop; demographics go by the mode. A blank never
//! overwrites a value (assumed: not public).

mod qualifications;
mod report;
mod reviews;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{Months, NaiveDate};

use crate::domain::{DemographicsMode, Learner, LearnerId, LearnerStatus};
use crate::onefile::client::wire::User;
use crate::onefile::fields;
use crate::onefile::fields::{Row, Side};
use crate::store::{PortfolioAim, PortfolioReview, PortfolioUser};
pub use report::{
    ChangedRecord, Effect, FieldChange, LearnerTakeover, PulledReview, PushedReview, Takeover, TakeoverCounts,
};

/// The settings that decide.
#[derive(Debug, Clone, Copy)]
pub struct TakeoverSettings {
    /// Update Learner Demographics Mode.
    pub learner_demographics: DemographicsMode,
    /// Upload Reviews to OneFile.
    pub upload_reviews: bool,
    /// Download Reviews from OneFile.
    pub download_reviews: bool,
    /// What day it is, in London.
    pub today: NaiveDate,
}

/// A learner with what OneFile has of it.
#[derive(Clone, Copy)]
pub struct Pair<'a> {
    pub id: &'a LearnerId,
    pub learner: &'a Learner,
    /// OneFile's id of the centre.
    pub centre_id: &'a str,
    /// OneFile's id of the user.
    pub user_id: &'a str,
    /// The user in OneFile.
    pub user: &'a PortfolioUser,
    /// The user's learning aims.
    pub aims: &'a [PortfolioAim],
    pub reviews: &'a [PortfolioReview],
    /// What was odd when they were read.
    pub remarks: &'a [String],
}

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
    /// Says what would happen to this learner too; one whom the synchronisation leaves alone is counted only.
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

    /// Counts a learner whom the synchronisation leaves alone.
    pub fn leave_alone(&mut self) {
        self.counts.learners += 1;
        self.counts.not_eligible += 1;
    }
}

/// PICSWeb's rule: live, and in learning (started, and not ended more than a month ago).
pub fn is_synchronised(learner: &Learner, today: NaiveDate) -> bool {
    let programme = learner.programme.as_ref();
    let started = programme.and_then(|it| it.start_date).is_some_and(|start| start <= today);
    let month_ago = today.checked_sub_months(Months::new(1)).unwrap_or(today);
    let ended = programme.and_then(|it| it.actual_end_date).is_some_and(|end| end < month_ago);
    learner.status == Some(LearnerStatus::Live) && started && !ended
}

/// What the exchange of a learner does: the same as is said before.
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

impl LearnerTakeover {
    /// Adds the fields of a record that would become another on one side.
    fn add<Ours, Theirs>(
        &mut self,
        of: Of<'_>,
        table: &'static [Row<Ours, Theirs>],
        ours: &Ours,
        theirs: &BTreeMap<String, String>,
        mode: DemographicsMode,
    ) {
        let found = fields::differences(table, ours, theirs, mode);
        self.changes.extend(found.into_iter().map(|own| FieldChange {
            record: of.record,
            id: of.id.map(str::to_owned),
            field: own.field,
            side: own.side,
            effect: if own.before.is_some() { Effect::Overwrites } else { Effect::Fills },
            before: own.before,
            after: own.after,
            why: own.why,
            place: of.place,
            remote: of.remote.to_owned(),
        }));
    }
}

/// Which record is compared.
#[derive(Clone, Copy)]
struct Of<'a> {
    record: ChangedRecord,
    id: Option<&'a str>,
    /// Its place in the learner's list.
    place: usize,
    /// OneFile's id of its partner.
    remote: &'a str,
}
