//! What an upstream did, as the API tells it.

use super::problem::{Code, Problem, UpstreamCause};
use crate::upstream::failure::{Failure, FailureKind, faults};

impl Problem {
    /// The failure of an upstream, `ace360` or `onefile`, with its words for those who may read the record.
    pub fn of_failure(upstream: &str, failure: Failure) -> Self {
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
            Self::new(code, detail).with_errors(faults(&failure.field_errors)).with_upstream(UpstreamCause {
                name: upstream.to_owned(),
                status: failure.status,
                message: failure.message,
            });
        if let Some(wait) = failure.wait {
            problem = problem.with_retry_after(wait);
        }
        problem
    }
}
