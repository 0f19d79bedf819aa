//! All that an upload is made of.

use crate::ace360::standards::{Sector, Standard};
use crate::domain::{Learner, LearnerId, Officer, OfficerId, Organisation, OrganisationId};

#[derive(Clone, Copy)]
pub struct UploadInput<'a> {
    /// The learner's id.
    pub learner_id: &'a LearnerId,
    /// The learner.
    pub learner: &'a Learner,
    /// The organisation that the learner's `employerId` names, if we have it.
    pub employer: Option<(&'a OrganisationId, &'a Organisation)>,
    /// Whether `employerId` names one that we do not have.
    pub employer_missing: bool,
    /// The officer that is the employer's Main Contact, if we have it.
    pub contact: Option<(&'a OfficerId, &'a Officer)>,
    /// Rows of the catalogue: at least those of the learner's LARS code, and the chosen one.
    pub standards: &'a [Standard],
    /// All employer sectors.
    pub sectors: &'a [Sector],
}
