//! What the first synchronisation after moving over from PICS Desktop would push and overwrite, before it does. Pure: our
//! learners and what OneFile has of them come in.
//!
//! Its rules: registration and certificate fields fill the blank side, and where both have a value OneFile's wins; element
//! counts are OneFile's; open reviews go up whatever was set in Desktop; demographics go by the mode. A blank never
//! overwrites a value (assumed: not public).

mod demographics;
mod qualifications;
mod report;
mod reviews;

#[cfg(test)]
mod tests;

use chrono::{Months, NaiveDate};

use super::wire::User;
use crate::domain::{DemographicsMode, Learner, LearnerId, LearnerStatus, SyncRule};
use crate::store::PortfolioUser;
pub use report::{
    ChangedRecord, Effect, FieldChange, LearnerTakeover, PulledReview, PushedReview, Side, Takeover,
    TakeoverCounts,
};
pub use reviews::to_push as reviews_to_push;

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
    /// PICSWeb's id.
    pub id: &'a LearnerId,
    /// The learner.
    pub learner: &'a Learner,
    /// OneFile's id of the centre.
    pub centre_id: &'a str,
    /// OneFile's id of the user.
    pub user_id: &'a str,
    /// The user in OneFile.
    pub user: &'a PortfolioUser,
    /// The user's learning aims.
    pub aims: &'a [RemoteAim],
    /// The user's reviews.
    pub reviews: &'a [RemoteReview],
    /// What was odd when they were read.
    pub remarks: &'a [String],
}

/// A learning aim of a learner's in OneFile. Dates are London's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteAim {
    /// OneFile's id.
    pub id: String,
    /// The code of its Standard, as it is written in the catalogue.
    pub code: Option<String>,
    /// It is there, and could not be read: what follows is not known.
    pub unread: bool,
    /// `RegistrationNumber`.
    pub registration_number: Option<String>,
    /// `RegistrationDate`.
    pub registration_date: Option<NaiveDate>,
    /// `CertificateAppliedDate`.
    pub certificate_applied: Option<NaiveDate>,
    /// `CertificateReceivedDate`.
    pub certificate_received: Option<NaiveDate>,
    /// `TotalElements`.
    pub total_elements: Option<i64>,
    /// `ElementsDone`.
    pub elements_done: Option<i64>,
    /// `Progress`, in percent: stands for elements done of 100 where OneFile does not count them.
    pub progress: Option<i64>,
}

/// A review in OneFile. Dates are London's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteReview {
    /// OneFile's id.
    pub id: String,
    /// `ScheduledFor`.
    pub scheduled: Option<NaiveDate>,
    /// `StartedOn`: it was held.
    pub started: Option<NaiveDate>,
}

impl From<User> for PortfolioUser {
    fn from(told: User) -> Self {
        Self {
            first_name: told.first_name,
            last_name: told.last_name,
            email: told.email,
            telephone: told.telephone,
            mobile: told.mobile,
            date_of_birth: told.date_of_birth,
            uln: told.uln,
            national_insurance_number: told.national_insurance_number,
            ethnicity: told.ethnicity,
            sex: told.sex,
            home_address: told.home_address,
            default_assessor_id: told.default_assessor_id,
            placement_id: told.placement_id,
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
    demographics::compare(pair, settings.learner_demographics, &mut draft);
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
    /// A value that would become another on one side; nothing when there is nothing to become.
    fn change(
        &mut self,
        of: Of<'_>,
        side: Side,
        before: Option<String>,
        after: Option<String>,
        why: SyncRule,
    ) {
        let Some(after) = after else { return };
        let effect = if before.is_some() { Effect::Overwrites } else { Effect::Fills };
        let Of { record, id, field, place, remote } = of;
        let (id, remote) = (id.map(str::to_owned), remote.map(str::to_owned));
        self.changes.push(FieldChange { record, id, field, side, effect, before, after, why, place, remote });
    }
}

/// Which field of which record.
#[derive(Clone, Copy)]
struct Of<'a> {
    record: ChangedRecord,
    id: Option<&'a str>,
    field: &'static str,
    /// Its place in the learner's list.
    place: usize,
    /// OneFile's id of its partner.
    remote: Option<&'a str>,
}

/// A text that says something.
fn filled(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}
