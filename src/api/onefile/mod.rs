//! OneFile at the API: the integration's settings and page, its connection, the look-ups, and links.

pub mod bulk;
pub mod connection;
pub mod create;
pub mod directory;
pub mod exchange;
pub mod learner;
pub mod learner_link;
pub mod link_import;
pub mod link_proposals;
pub mod links;
pub mod migration;
pub mod qualifications;
pub mod readiness;
mod remote_id;
pub mod settings;
pub mod settings_request;
mod settings_validation;
pub mod summary;

use super::problem::{Code, Problem};
use crate::onefile::OneFileError;

impl From<OneFileError> for Problem {
    fn from(error: OneFileError) -> Self {
        match error {
            OneFileError::Disabled => Self::new(
                Code::IntegrationDisabled,
                "The OneFile integration is switched off: POST /onefile:enable switches it on with the settings that are there.",
            ),
            OneFileError::NotConfigured(what) => Self::new(Code::IntegrationNotConfigured, what),
            OneFileError::Upstream(failure) => Self::of_failure("onefile", failure),
            OneFileError::Store(error) => error.into(),
        }
    }
}
