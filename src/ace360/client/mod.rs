//! Calls to ACE360 Connect: one function an operation of `openapi/upstream/ace360-connect.yaml`. Reads are tried again
//! when the answer was lost or cannot be used; a creation never is.

pub mod line;
pub mod wire;

use secrecy::{ExposeSecret as _, SecretString};

use crate::ace360::client::wire::{Apprentice, ApprenticePage, StandardPage, Unreadable};
use crate::http::{Answer, Method, Request};
use crate::store::{Store, StoreError};
use crate::upstream::call::{Caller, Meter};
use crate::upstream::creation::{Fence, Sent};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::outcome::Outcome;
use crate::upstream::pace::{Account, Class};
use crate::upstream::read::{Answered, Line};

/// Asked for; ACE360 may answer with fewer a page, and is believed.
pub const PAGE_SIZE: u32 = 100;

/// A provider's connection to ACE360.
#[derive(Clone, Debug)]
pub struct Client {
    caller: Caller,
    account: Account,
    base_url: String,
    token: SecretString,
    class: Class,
    meter: Meter,
}

impl Client {
    /// A connection with this token, for one class of callers.
    pub fn new(
        caller: Caller,
        store: &Store,
        base_url: &str,
        token: SecretString,
        per_minute: u32,
        class: Class,
    ) -> Self {
        let account = Account {
            key: store.account_key("ace360", base_url, token.expose_secret()),
            upstream: "ace360",
            per_minute,
        };
        Self { caller, account, base_url: base_url.to_owned(), token, class, meter: Meter::default() }
    }

    /// Counts this connection's calls.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The account whose pace it keeps.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// A page of apprentices, from 1.
    pub async fn apprentices(&self, page: i64) -> Answered<ApprenticePage> {
        let url = format!("{}/apprentices?page={page}&perPage={PAGE_SIZE}", self.base_url);
        self.read("listApprentices", url, wire::page).await
    }

    pub async fn apprentice(&self, id: i64) -> Answered<Apprentice> {
        let answered = self
            .read("getApprentice", format!("{}/apprentices/{id}", self.base_url), wire::record::<Apprentice>)
            .await?;
        Ok(answered.and_then(|(apprentice, _)| {
            // Another record than the one asked for is not believed.
            if apprentice.id == id {
                Ok(apprentice)
            } else {
                Err(Failure::new(
                    FailureKind::Failed,
                    Some(200),
                    "the answer is another record than the one asked for",
                ))
            }
        }))
    }

    /// A page of the catalogue, from 1.
    pub async fn standards(&self, page: i64) -> Answered<StandardPage> {
        self.read(
            "listStandards",
            format!("{}/standards?page={page}&perPage={PAGE_SIZE}", self.base_url),
            wire::page,
        )
        .await
    }

    /// Waits for a permit, for a creation that is about to be written down.
    pub async fn permit(&self) -> Answered<()> {
        Ok(self.caller.permit(&self.account, self.class).await?.map_err(Failure::limited))
    }

    /// Creates the apprentice, once. The caller has the permit.
    pub async fn create(&self, fence: Fence<'_>, body: Vec<u8>) -> Result<Sent<Apprentice>, StoreError> {
        let request = Request {
            method: Method::Post,
            body: Some(body),
            ..self.request("createApprentice", format!("{}/apprentices", self.base_url))
        };
        Ok(match fence.send(self.line(), request).await? {
            Outcome::Answered(answer) => match wire::record::<Apprentice>(&answer.body) {
                Ok((apprentice, _)) => Sent::Created(apprentice),
                // ACE360 accepted it but does not say which record it is, so the record must be looked for.
                Err(error) => Sent::Unknown(unreadable(&answer, &error)),
            },
            Outcome::Unauthorised(answer) => Sent::Refused(Failure::said(FailureKind::Unauthorised, &answer)),
            Outcome::Forbidden(answer) => Sent::Refused(Failure::said(FailureKind::Forbidden, &answer)),
            // A 404 says that nothing can be created at this address. It is a refusal like any other.
            Outcome::Refused(answer) | Outcome::Missing(answer) => {
                Sent::Refused(Failure::said(FailureKind::Refused, &answer))
            }
            Outcome::Limited(wait) => Sent::NotSent(Failure::limited(wait)),
            Outcome::NotSent(what) => Sent::NotSent(Failure::new(FailureKind::Unreachable, None, what)),
            Outcome::Unclear { status, what } => {
                Sent::Unknown(Failure::new(FailureKind::Failed, status, what))
            }
        })
    }

    fn line(&self) -> Line<'_> {
        Line { caller: &self.caller, account: &self.account, class: self.class, meter: &self.meter }
    }

    fn request(&self, operation: &'static str, url: String) -> Request {
        let bearer = SecretString::from(format!("Bearer {}", self.token.expose_secret()));
        Request { method: Method::Get, url, operation, headers: vec![("authorization", bearer)], body: None }
    }

    async fn read<T>(
        &self,
        operation: &'static str,
        url: String,
        parse: fn(&[u8]) -> Result<T, Unreadable>,
    ) -> Answered<T> {
        self.line().read(&self.request(operation, url), |answer| parse(&answer.body)).await
    }
}

fn unreadable(answer: &Answer, error: &Unreadable) -> Failure {
    Failure::new(FailureKind::Failed, Some(answer.status), error.to_string())
}
