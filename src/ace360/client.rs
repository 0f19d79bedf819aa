//! Calls to ACE360 Connect: one function an operation of `openapi/upstream/ace360-connect.yaml`. Reads are tried again
//! when the answer was lost or cannot be used; a creation never is.

use secrecy::{ExposeSecret as _, SecretString};

use super::wire::{self, Apprentice, ApprenticePage, StandardPage, Unreadable};
use crate::http::{Answer, Method, Request};
use crate::store::{IntentRow, Store, StoreError};
use crate::upstream::call::{Caller, Meter};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::intent::{self, Lease};
use crate::upstream::outcome::Outcome;
use crate::upstream::pace::{Account, Class};
use crate::upstream::read::{Answered, Line};

/// Asked for; ACE360 may answer with fewer a page, and is believed.
pub const PAGE_SIZE: u32 = 100;
/// Rows that show whether anything is new: a hundred take twenty times as long to read and to compare.
const FEW: u32 = 5;

/// A provider's connection to ACE360.
#[derive(Clone, Debug)]
pub struct Client {
    caller: Caller,
    account: Account,
    base_url: String,
    token: SecretString,
    class: Class,
    version: i64,
    meter: Meter,
}

/// What a creation came to.
#[derive(Debug)]
pub enum Created {
    /// There is a record; this is what ACE360 answered of it.
    Yes(Box<Apprentice>),
    /// An explicit no.
    No(Failure),
    /// Nothing reached ACE360.
    NotSent(Failure),
    /// Nobody can tell.
    Unknown(Failure),
}

impl Client {
    /// A connection with this token, of this version of the settings.
    pub fn new(
        caller: Caller,
        store: &Store,
        base_url: &str,
        token: SecretString,
        per_minute: u32,
        class: Class,
        version: i64,
    ) -> Self {
        let account = Account {
            key: store.account_key("ace360", base_url, token.expose_secret()),
            upstream: "ace360",
            per_minute,
        };
        Self {
            caller,
            account,
            base_url: base_url.to_owned(),
            token,
            class,
            version,
            meter: Meter::default(),
        }
    }

    /// The same connection for another kind of caller.
    #[must_use]
    pub fn for_class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Counts this connection's calls.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The account whose pace it keeps.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Of which version of the settings it is.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// A page of apprentices, from 1.
    ///
    /// # Errors
    /// The database's.
    pub async fn apprentices(&self, page: i64) -> Answered<ApprenticePage> {
        self.apprentices_by(page, PAGE_SIZE).await
    }

    /// Some of the newest apprentices.
    ///
    /// # Errors
    /// The database's.
    pub async fn few_apprentices(&self) -> Answered<ApprenticePage> {
        self.apprentices_by(1, FEW).await
    }

    async fn apprentices_by(&self, page: i64, size: u32) -> Answered<ApprenticePage> {
        let url = format!("{}/apprentices?page={page}&perPage={size}", self.base_url);
        self.read("listApprentices", url, wire::page).await
    }

    /// One apprentice.
    ///
    /// # Errors
    /// The database's.
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
    ///
    /// # Errors
    /// The database's.
    pub async fn standards(&self, page: i64) -> Answered<StandardPage> {
        self.read(
            "listStandards",
            format!("{}/standards?page={page}&perPage={PAGE_SIZE}", self.base_url),
            wire::page,
        )
        .await
    }

    /// Waits for a permit, for a creation that is about to be written down.
    ///
    /// # Errors
    /// The database's.
    pub async fn permit(&self) -> Answered<()> {
        Ok(self.caller.permit(&self.account, self.class).await?.map_err(Failure::limited))
    }

    /// Creates the apprentice that the intent holds. The permit is there, the lease is ours.
    ///
    /// # Errors
    /// The database's.
    pub async fn create(
        &self,
        store: &Store,
        intent: &IntentRow,
        lease: Lease,
    ) -> Result<Created, StoreError> {
        let body = store.intent_payload(intent)?;
        let request = Request {
            method: Method::Post,
            body: Some(body),
            ..self.request("createApprentice", format!("{}/apprentices", self.base_url))
        };
        let outcome = intent::send(&self.caller, &self.account, &self.meter, lease, request).await?;
        Ok(match outcome {
            Outcome::Answered(answer) => match wire::record::<Apprentice>(&answer.body) {
                Ok((apprentice, _)) => Created::Yes(Box::new(apprentice)),
                // It said yes and not to what: the record is there and must be looked for.
                Err(error) => Created::Unknown(unreadable(&answer, &error)),
            },
            Outcome::Unauthorised(answer) => Created::No(Failure::said(FailureKind::Unauthorised, &answer)),
            Outcome::Forbidden(answer) => Created::No(Failure::said(FailureKind::Forbidden, &answer)),
            // 404: there is no such place to create at, which is a no like any other, and not a record that is missing.
            Outcome::Refused(answer) | Outcome::Missing(answer) => {
                Created::No(Failure::said(FailureKind::Refused, &answer))
            }
            Outcome::Limited(wait) => Created::NotSent(Failure::limited(wait)),
            Outcome::NotSent(what) => Created::NotSent(Failure::new(FailureKind::Unreachable, None, what)),
            Outcome::Unclear { status, what } => {
                Created::Unknown(Failure::new(FailureKind::Failed, status, what))
            }
        })
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
        let line =
            Line { caller: &self.caller, account: &self.account, class: self.class, meter: &self.meter };
        line.read(&self.request(operation, url), |answer| parse(&answer.body)).await
    }
}

fn unreadable(answer: &Answer, error: &Unreadable) -> Failure {
    Failure::new(FailureKind::Failed, Some(answer.status), error.to_string())
}
