//! ACE360 at the API: the integration's settings and page, its catalogue, and each learner's tab.

pub mod bulk;
pub mod catalogue;
pub mod create;
pub mod learner;
pub mod link;
pub mod settings;
pub mod summary;

use super::problem::{Code, Problem};
use crate::ace360::Ace360Error;
use crate::upstream::failure::Failure;

impl From<Ace360Error> for Problem {
    fn from(error: Ace360Error) -> Self {
        match error {
            Ace360Error::Disabled => Self::new(
                Code::IntegrationDisabled,
                "The ACE360 integration is switched off: PUT /ace360/settings with `enabled: true` (and `dailySync` as GET /ace360/settings shows it).",
            ),
            Ace360Error::NotConfigured(what) => Self::new(Code::IntegrationNotConfigured, what),
            Ace360Error::Upstream(failure) => of_failure(failure),
            Ace360Error::Store(error) => error.into(),
        }
    }
}

/// A failure of ACE360's as a problem.
pub fn of_failure(failure: Failure) -> Problem {
    Problem::of_failure("ace360", failure)
}
