//! Reads from an upstream. A read is retried if its response was lost or unusable; a creation never
//! is.

use std::fmt::Display;
use std::time::Duration;

use super::call::{Caller, Meter};
use super::failure::{Failure, FailureKind};
use super::outcome::Outcome;
use super::pace::{Account, Class};
use crate::http::{Answer, Request};
use crate::store::StoreError;

/// The waits before the second and the third try.
pub const BACKOFF: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// The result of a call. The outer error is our database's.
pub type Answered<T> = Result<Result<T, Failure>, StoreError>;

/// The account and the class of calls.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    pub caller: &'a Caller,
    /// The account whose rate limit applies.
    pub account: &'a Account,
    pub class: Class,
    pub meter: &'a Meter,
}

impl Line<'_> {
    /// Calls, and parses the response. Temporary failures are retried. A 429, a 401 and every
    /// explicit refusal end the read at once.
    pub async fn read<T, E: Display>(
        self,
        request: &Request,
        parse: impl Fn(&Answer) -> Result<T, E>,
    ) -> Answered<T> {
        let mut pauses = BACKOFF.iter();
        loop {
            let failure = match self.attempt(request, &parse).await? {
                Ok(value) => return Ok(Ok(value)),
                Err(failure) => failure,
            };
            match pauses.next().filter(|_| failure.kind.may_pass()) {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => return Ok(Err(failure)),
            }
        }
    }

    pub async fn attempt<T, E: Display>(
        self,
        request: &Request,
        parse: impl Fn(&Answer) -> Result<T, E>,
    ) -> Answered<T> {
        let outcome = self.caller.call(self.account, self.class, self.meter, request.clone()).await?;
        Ok(match outcome {
            Outcome::Answered(answer) => parse(&answer)
                .map_err(|error| Failure::new(FailureKind::Failed, Some(answer.status), error.to_string())),
            Outcome::Missing(answer) => Err(Failure::said(FailureKind::Missing, &answer)),
            Outcome::Refused(answer) => Err(Failure::said(FailureKind::Refused, &answer)),
            Outcome::Unauthorised(answer) => Err(Failure::said(FailureKind::Unauthorised, &answer)),
            Outcome::Forbidden(answer) => Err(Failure::said(FailureKind::Forbidden, &answer)),
            Outcome::Limited(wait) => Err(Failure::limited(wait)),
            Outcome::NotSent(what) => Err(Failure::new(FailureKind::Unreachable, None, what)),
            Outcome::Unclear { status, what } => Err(Failure::new(FailureKind::Failed, status, what)),
        })
    }
}
