//! An enrolment that a person or a run asks for.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::domain::LearnerId;
use crate::onefile::client::Client;
use crate::store::By;

/// An enrolment that somebody wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub provider: Uuid,
    pub learner: LearnerId,
    /// In which centre; none: the only one.
    pub centre_id: Option<String>,
    /// OneFile's standard for a VQ reference that has several.
    pub pathways: BTreeMap<String, String>,
    /// Also when OneFile probably has the learner, or an officer or organisation of the learner's.
    pub allow_duplicate: bool,
    /// Only say what would come of it.
    pub validate_only: bool,
    /// The run that wants it, with its connection; none: a person waits.
    pub run: Option<(Uuid, Client)>,
    pub by: By,
}
