//! ACE360 at the API: the integration's settings and page, its catalogue, and each learner's tab.

pub mod bulk;
pub mod catalogue;
pub mod learner;
pub mod link;
pub mod settings;
pub mod summary;

use super::problem::{Code, Problem, UpstreamCause};
use crate::ace360::Ace360Error;
use crate::upstream::failure::{Failure, FailureKind, faults};

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
    // What we saw is ours to say: `upstream.message` has the upstream's words only.
    let detail = match &failure.seen {
        Some(seen) if failure.kind != FailureKind::Limited => {
            format!("{} What was seen: {seen}.", code.about())
        }
        _ => code.about().to_owned(),
    };
    let mut problem =
        Problem::new(code, detail).with_errors(faults(&failure.field_errors)).with_upstream(UpstreamCause {
            name: "ace360".to_owned(),
            status: failure.status,
            message: failure.message,
        });
    if let Some(wait) = failure.wait {
        problem = problem.with_retry_after(wait);
    }
    problem
}
