//! The error responses that operations of the API document share.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::problem::Code;

/// Declares sets of error responses that operations share.
macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident [$($code:ident)*],)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                problems(&[$(Code::$code),*])
            }
        }
    )*};
}

errors! {
    /// Errors of operations that read stored data.
    ReadErrors [InvalidParameter Unauthenticated ScopeMissing NotFound RateLimited Internal Unavailable],
    /// Errors of operations that write stored data.
    WriteErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing NotFound BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest RateLimited Internal Unavailable],
    /// Errors of changes to settings that can switch an integration on.
    SettingsErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing NotReady SettingsChanged BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest RateLimited Internal Unavailable],
    /// Errors of look-ups, which read from an upstream at first use.
    LookUpErrors [InvalidParameter Unauthenticated ScopeMissing UpstreamMissing IntegrationNotConfigured UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Errors of operations that read from an upstream.
    UpstreamErrors [InvalidParameter Unauthenticated ScopeMissing NotFound UpstreamMissing NotUploaded InFlight IntegrationDisabled IntegrationNotConfigured UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Errors of exchanging a learner.
    ExchangeErrors [InvalidParameter Unauthenticated ScopeMissing NotFound NotEnrolled InFlight NotEligible IntegrationDisabled IntegrationNotConfigured UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Errors of linking a learner by hand.
    LinkErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing NotFound UpstreamMissing AlreadyLinked OtherPerson InFlight IntegrationDisabled IntegrationNotConfigured BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Errors of links with OneFile.
    OneFileLinkErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing NotFound UpstreamMissing AlreadyLinked InFlight IntegrationNotConfigured BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Errors of an upload.
    UploadErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing NotFound UpstreamMissing AlreadyUploaded LikelyDuplicate Leaver StartsLater InFlight IntegrationDisabled IntegrationNotConfigured BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest NotEligible FieldsMissing UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Errors of an enrolment.
    EnrolErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing NotFound UpstreamMissing AlreadyLinked LikelyDuplicate InFlight IntegrationDisabled IntegrationNotConfigured BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest FieldsMissing UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Errors of operations that start a run.
    RunErrors [InvalidParameter Unauthenticated ScopeMissing IntegrationDisabled IntegrationNotConfigured RateLimited Internal Unavailable],
    /// Errors of cancelling a run.
    CancelErrors [InvalidParameter Unauthenticated ScopeMissing NotFound NotActive RateLimited Internal Unavailable],
    /// Errors of retrying a run's failed records.
    RetryErrors [InvalidParameter Unauthenticated ScopeMissing NotFound StillActive NothingToRetry IntegrationDisabled IntegrationNotConfigured RateLimited Internal Unavailable],
    /// Errors of settling an intent by hand.
    ResolveErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing NotFound UpstreamMissing AlreadySettled AlreadyLinked OtherPerson InFlight IntegrationDisabled IntegrationNotConfigured BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest UpstreamRejected RateLimited Internal UpstreamUnauthorised UpstreamForbidden UpstreamFailed Unavailable UpstreamUnavailable UpstreamLimited],
    /// Errors of creating a webhook.
    NewWebhookErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing TooManyWebhooks BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest RateLimited Internal Unavailable],
    /// Errors of sending a delivery again.
    ResendErrors [InvalidParameter Unauthenticated ScopeMissing NotFound WebhookDisabled RateLimited Internal Unavailable],
    /// Errors of operations that start a run with a body.
    BulkErrors [MalformedJson InvalidParameter Unauthenticated ScopeMissing IntegrationDisabled IntegrationNotConfigured BodyTooSlow PayloadTooLarge UnsupportedMediaType InvalidRequest RateLimited Internal Unavailable],
    /// Errors of operations without a token that can fail to find something.
    NotFoundError [NotFound Internal],
    /// Errors of operations without a token that can be unavailable.
    UnavailableError [Internal Unavailable],
}

/// Adds the responses of these error codes to an operation.
pub fn add_problems(operation: &mut Operation, codes: &[Code]) {
    for (status, response) in problems(codes) {
        let RefOr::T(more) = response else { continue };
        match operation.responses.responses.get_mut(&status) {
            Some(RefOr::T(own)) => {
                for line in more.description.split("\n\n").filter(|line| !line.is_empty()) {
                    if !own.description.contains(line) {
                        own.description = format!("{}\n\n{line}", own.description);
                    }
                }
            }
            _ => {
                operation.responses.responses.insert(status, RefOr::T(more));
            }
        }
    }
}

/// One response per status. Its description names the codes.
fn problems(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status()).or_default().push(*code);
    }
    by_status
        .into_iter()
        .map(|(status, codes)| {
            let lines: Vec<_> =
                codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.about())).collect();
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let response = ResponseBuilder::new()
                .description(lines.join("\n\n"))
                .content("application/problem+json", content)
                .build();
            (status.to_string(), RefOr::T(response))
        })
        .collect()
}
