//! A learner beside what OneFile has of it, and the fields that differ.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::report::{ChangedRecord, Effect, FieldChange, LearnerTakeover};
use crate::domain::{DemographicsMode, Learner, LearnerId};
use crate::onefile::fields::{self, Row};
use crate::store::{PortfolioAim, PortfolioReview, PortfolioUser};

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

impl LearnerTakeover {
    /// Adds the fields of a record that would become another on one side.
    pub fn add<Ours, Theirs>(
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
pub struct Of<'a> {
    pub record: ChangedRecord,
    pub id: Option<&'a str>,
    /// Its place in the learner's list.
    pub place: usize,
    /// OneFile's id of its partner.
    pub remote: &'a str,
}
