//! What is gathered while an enrolment is planned.

use crate::onefile::create::context::EnrolmentContext;
use crate::onefile::create::report::{EnrolmentMissing, EnrolmentWarning};
use crate::onefile::create::wanted::Wanted;

/// Where an officer or organisation stands is said for one centre.
pub(super) const NO_CENTRE: &str = "Where it stands shows when the centre is chosen.";

pub(super) struct Draft<'a> {
    pub(super) context: &'a EnrolmentContext,
    pub(super) wanted: &'a Wanted,
    pub(super) missing: Vec<EnrolmentMissing>,
    pub(super) warnings: Vec<EnrolmentWarning>,
}

impl Draft<'_> {
    pub(super) fn missing(&mut self, field: &str, pointer: impl Into<String>, message: impl Into<String>) {
        self.missing.push(EnrolmentMissing {
            field: field.to_owned(),
            pointer: pointer.into(),
            message: message.into(),
        });
    }

    pub(super) fn warn(&mut self, field: &str, message: impl Into<String>) {
        self.warnings.push(EnrolmentWarning { field: field.to_owned(), message: message.into() });
    }
}
