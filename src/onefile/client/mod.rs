//! Calls to OneFile that read: one function an operation of `openapi/upstream/onefile-v2.1.yaml`. Each is paced, tried again when
//! its answer was lost, and once more with a new session when OneFile answers 401.

pub mod assign;
pub mod line;
pub mod pagination;
pub mod portfolio;
pub mod session;
pub mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use crate::domain::OneFileEnvironment;
use crate::http::{Method, Request};
use crate::onefile::client::pagination::{Next, Pagination};
use crate::onefile::client::wire::{
    Centre, Classroom, Customer, Page, Placement, Row, Standard, Unreadable, User,
};
use crate::store::{OneFileSession, Store};
use crate::upstream::call::{Caller, Meter};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::pace::{Account, Class};
use crate::upstream::read::{Answered, Line};

/// Asked for; OneFile may answer with fewer a page, and is believed. Larger ones are seen in no client.
pub const PAGE_SIZE: u32 = 200;
/// How long a patient connection waits for the pace.
const PATIENCE: Duration = Duration::from_secs(30);
/// What roles assessors have: trainee, and assessor.
pub const ASSESSOR_ROLES: [i32; 2] = [4, 5];

/// A provider's connection to OneFile. Cheap to clone; clones share their session.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) caller: Caller,
    pub(super) store: Store,
    pub(super) account: Account,
    pub(super) base_url: String,
    pub(super) token: SecretString,
    pub(super) environment: OneFileEnvironment,
    pub(super) session: Arc<Mutex<Option<OneFileSession>>>,
    class: Class,
    version: i64,
    meter: Meter,
    patient: bool,
}

/// Where a connection leads, and with what.
#[derive(Clone, Debug)]
pub struct Connection {
    pub environment: OneFileEnvironment,
    pub base_url: String,
    pub token: SecretString,
    pub per_minute: u32,
    /// Of which version of the settings it is.
    pub version: i64,
}

/// A search: what is looked for, and by which filters.
#[derive(Clone, Debug)]
pub struct Search {
    noun: &'static str,
    operation: &'static str,
    filters: Map<String, Value>,
}

/// All that a search found.
#[derive(Clone, Debug)]
pub struct Found<T> {
    /// Each record once, in the order of the pages.
    pub rows: Vec<T>,
    /// Rows without a usable id.
    pub unreadable: usize,
}

impl Search {
    pub fn centres(customer_id: &str) -> Self {
        Self::of("Organisation", "searchOrganisations").with("CustomerID", customer_id)
    }

    pub fn classrooms(centre_id: &str) -> Self {
        Self::of("Classroom", "searchClassrooms").with("OrganisationID", centre_id)
    }

    /// A centre's users of a role.
    pub fn users(centre_id: &str, role: i32) -> Self {
        let mut search = Self::of("User", "searchUsers").with("OrganisationID", centre_id);
        search.filters.insert("Role".to_owned(), role.into());
        search
    }

    /// Users of a role, in whichever centre (that a centre need not be said is observed).
    pub fn people(role: i32) -> Self {
        Self::of("User", "searchUsers").with_code("Role", u8::try_from(role).ok())
    }

    pub fn placements(centre_id: &str) -> Self {
        Self::of("Placement", "searchPlacements").with("OrganisationID", centre_id)
    }

    /// A centre's standards and qualifications.
    pub fn standards(centre_id: &str) -> Self {
        Self::of("Standard", "searchStandards").with("OrganisationID", centre_id)
    }

    pub(super) fn of(noun: &'static str, operation: &'static str) -> Self {
        Self { noun, operation, filters: Map::new() }
    }

    /// With a filter that is one of OneFile's numbers.
    #[must_use]
    pub(super) fn with_code(mut self, name: &str, code: Option<u8>) -> Self {
        if let Some(code) = code {
            self.filters.insert(name.to_owned(), code.into());
        }
        self
    }

    /// With one more filter: `MISID`, `Email`, `LastModified`. OneFile may find more than what it names: look at what comes.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let value = if name.ends_with("ID") && name != "MISID" { id_out(value) } else { json!(value) };
        self.filters.insert(name.to_owned(), value);
        self
    }
}

impl Client {
    pub fn new(caller: Caller, store: Store, connection: Connection, class: Class) -> Self {
        let Connection { environment, base_url, token, per_minute, version } = connection;
        let account = Account {
            key: store.account_key("onefile", &base_url, token.expose_secret()),
            upstream: "onefile",
            per_minute,
        };
        Self {
            caller,
            store,
            account,
            base_url,
            token,
            environment,
            session: Arc::default(),
            class,
            version,
            meter: Meter::default(),
            patient: false,
        }
    }

    /// The same, whose reads wait for the pace as long as it takes, up to half a minute: for work that is lost when it is broken off.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.patient = true;
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

    /// The customer whose token it is.
    pub async fn customer(&self) -> Answered<Customer> {
        self.one("getCustomer", "Customer".to_owned()).await
    }

    pub async fn user(&self, id: &str) -> Answered<User> {
        self.record("getUser", "User", id).await
    }

    pub async fn placement(&self, id: &str) -> Answered<Placement> {
        self.record("getPlacement", "Placement", id).await
    }

    pub async fn centres(&self, customer_id: &str) -> Answered<Found<Centre>> {
        self.search(&Search::centres(customer_id)).await
    }

    /// All classrooms of a centre.
    pub async fn classrooms(&self, centre_id: &str) -> Answered<Found<Classroom>> {
        self.search(&Search::classrooms(centre_id)).await
    }

    /// All users of a centre who have this role.
    pub async fn users(&self, centre_id: &str, role: i32) -> Answered<Found<User>> {
        self.search(&Search::users(centre_id, role)).await
    }

    /// All placements of a centre.
    pub async fn placements(&self, centre_id: &str) -> Answered<Found<Placement>> {
        self.search(&Search::placements(centre_id)).await
    }

    /// All standards of a centre.
    pub async fn standards(&self, centre_id: &str) -> Answered<Found<Standard>> {
        self.search(&Search::standards(centre_id)).await
    }

    /// All that a search finds, page by page.
    pub async fn search<T: Row>(&self, search: &Search) -> Answered<Found<T>> {
        let (mut pagination, mut rows) = (Pagination::default(), Vec::new());
        loop {
            let page = match self.search_page(search, pagination.page()).await? {
                Ok(page) => page,
                Err(failure) => return Ok(Err(failure)),
            };
            let (new, next) = pagination.take(page);
            rows.extend(new);
            match next {
                Next::Page(_) => {}
                Next::End => break,
                Next::Endless => return Ok(Err(endless())),
            }
        }
        if pagination.unreadable() + pagination.odd() > 0 {
            tracing::warn!(
                operation = search.operation,
                unreadable = pagination.unreadable(),
                odd_values = pagination.odd(),
                "some of OneFile's rows could not be read"
            );
        }
        Ok(Ok(Found { rows, unreadable: pagination.unreadable() }))
    }

    /// One page of a search, from 1. [`Walk`] says which comes next, and when it ends.
    pub async fn search_page<T: Row>(&self, search: &Search, page: u32) -> Answered<Page<T>> {
        let body = serde_json::to_vec(&search.filters)?;
        let path = format!("{}/Search/{page}/{PAGE_SIZE}", search.noun);
        self.ask(search.operation, Method::Post, path, Some(body), wire::page).await
    }

    /// All that a search finds, in one call: for what is known to be little.
    pub(super) async fn search_whole<T: Row>(&self, search: &Search) -> Answered<Found<T>> {
        let body = serde_json::to_vec(&search.filters)?;
        let path = format!("{}/Search", search.noun);
        let page = self.ask(search.operation, Method::Post, path, Some(body), wire::page::<T>).await?;
        Ok(page.map(|page| {
            let mut pagination = Pagination::default();
            let (rows, _) = pagination.take(page);
            Found { rows, unreadable: pagination.unreadable() }
        }))
    }

    pub(super) async fn record<T: Row>(&self, operation: &'static str, noun: &str, id: &str) -> Answered<T> {
        // It goes into the path.
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            || id.is_empty()
        {
            return Ok(Err(Failure::new(FailureKind::Missing, None, "no record has such an id")));
        }
        let answered = self.one::<T>(operation, format!("{noun}/{id}")).await?;
        Ok(answered.and_then(|record| {
            // Another record than the one asked for is not believed.
            if record.id() == id {
                Ok(record)
            } else {
                let seen = "the answer is another record than the one asked for";
                Err(Failure::new(FailureKind::Failed, Some(200), seen))
            }
        }))
    }

    async fn one<T: Row>(&self, operation: &'static str, path: String) -> Answered<T> {
        let answered = self.ask(operation, Method::Get, path, None, wire::record::<T>).await?;
        Ok(answered.map(|(record, _)| record))
    }

    /// Calls with a session; with a new one when the first is not, or no longer, good.
    pub(super) async fn ask<T>(
        &self,
        operation: &'static str,
        method: Method,
        path: String,
        body: Option<Vec<u8>>,
        parse: fn(&[u8]) -> Result<T, Unreadable>,
    ) -> Answered<T> {
        let mut request = Request {
            method,
            url: format!("{}/{path}", self.base_url),
            operation,
            headers: Vec::new(),
            body,
        };
        let mut refused = None;
        let patience_ends = Instant::now() + if self.patient { PATIENCE } else { Duration::ZERO };
        loop {
            let session = match self.session(refused).await? {
                Ok(session) => session,
                Err(failure) => return Ok(Err(failure)),
            };
            request.headers = vec![("x-tokenid", session.token)];
            match self.line().read(&request, |answer| parse(&answer.body)).await? {
                Err(failure) if failure.kind == FailureKind::Unauthorised && refused.is_none() => {
                    refused = Some(session.version);
                }
                Err(Failure { kind: FailureKind::Limited, wait: Some(wait), .. })
                    if Instant::now() + wait < patience_ends =>
                {
                    tokio::time::sleep(wait).await;
                }
                answered => return Ok(answered),
            }
        }
    }

    pub(super) fn line(&self) -> Line<'_> {
        Line { caller: &self.caller, account: &self.account, class: self.class, meter: &self.meter }
    }
}

/// A search that is left off.
pub(super) fn endless() -> Failure {
    Failure::new(FailureKind::Failed, Some(200), "its search goes on without end")
}

/// An id as OneFile takes it: a number where it is one.
pub(super) fn id_out(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_| json!(id), Value::from)
}
