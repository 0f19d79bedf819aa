//! The records that an upload is made of.

use crate::ace360::client::wire::{Sector, Standard};
use crate::domain::{Learner, LearnerId, Officer, OfficerId, Organisation, OrganisationId};

/// All that an upload is made of.
#[derive(Clone, Copy)]
pub struct UploadInput<'a> {
    pub learner_id: &'a LearnerId,
    pub learner: &'a Learner,
    /// The organisation that the learner's `employerId` names, if we have it.
    pub employer: Option<(&'a OrganisationId, &'a Organisation)>,
    /// Whether `employerId` names one that we do not have.
    pub employer_missing: bool,
    /// The officer that is the employer's Main Contact, if we have it.
    pub contact: Option<(&'a OfficerId, &'a Officer)>,
    /// Rows of the catalogue: at least those of the learner's LARS code, and the chosen one.
    pub standards: &'a [Standard],
    pub sectors: &'a [Sector],
}

impl UploadInput<'_> {
    /// The catalogue was never read: it has neither standards nor the sectors that come from them.
    pub(super) fn has_no_catalogue(&self) -> bool {
        self.standards.is_empty() && self.sectors.is_empty()
    }
}

/// What to do when the catalogue was never read.
pub(super) const NO_CATALOGUE: &str = "The catalogue of ACE360's standards is empty here, since it was not fetched yet: call \
     POST /ace360/standards:refresh, and ask again when its run has ended.";
