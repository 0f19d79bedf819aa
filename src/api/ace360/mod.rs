//! ACE360 at the API: the integration's settings and page, its catalogue, and each learner's tab.

pub mod bulk;
pub mod catalogue;
pub mod learner;
pub mod link;
pub mod settings;
pub mod summary;

use super::problem::{Code, Problem, UpstreamCause};
use crate::ace360::Ace360Error;
use crate::domain::Fault;
use crate::upstream::failure::{Failure, FailureKind};

impl From<Ace360Error> for Problem {
    fn from(error: Ace360Error) -> Self {
        match error {
            Ace360Error::Disabled => Self::new(
                Code::IntegrationDisabled,
                "The ACE360 integration is switched off: PUT /ace360/settings with `enabled: true`.",
            ),
            Ace360Error::NotConfigured(what) => Self::new(Code::IntegrationNotConfigured, what),
            Ace360Error::Upstream(failure) => of_failure(failure),
            Ace360Error::Store(error) => error.into(),
        }
    }
}

/// An upstream's failure as a problem, with its words for those who may read the record.
pub fn of_failure(failure: Failure) -> Problem {
    let code = match failure.kind {
        FailureKind::Unauthorised => Code::UpstreamUnauthorised,
        FailureKind::Forbidden => Code::UpstreamForbidden,
        FailureKind::Missing => Code::UpstreamMissing,
        FailureKind::Refused => Code::UpstreamRejected,
        FailureKind::Limited => Code::UpstreamLimited,
        FailureKind::Unreachable => Code::UpstreamUnavailable,
        FailureKind::Failed => Code::UpstreamFailed,
    };
    let errors = failure
        .field_errors
        .iter()
        .map(|(field, message)| {
            // The field is the upstream's: the preview's `fields[]` says where in PICSWeb it comes from.
            let message = if field.is_empty() { message.clone() } else { format!("{field}: {message}") };
            Fault::at("", "upstream", message)
        })
        .collect();
    let mut problem = Problem::new(code, code.about()).with_errors(errors).with_upstream(UpstreamCause {
        name: "ace360".to_owned(),
        status: failure.status,
        message: failure.message,
    });
    if let Some(wait) = failure.wait {
        problem = problem.with_retry_after(wait);
    }
    problem
}
