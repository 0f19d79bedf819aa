//! The one engine for creations. Something that is created upstream cannot be undone, and a record in ACE360 costs money,
//! so the order of the steps is what matters: search, permit, intent, fence, send, settle. What was sent and never
//! answered is reconciled: the engine looks for it upstream, and sends it again only when it is surely absent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::error;

use super::failure::{Failure, FailureKind};
use super::outcome::Outcome;
use super::read::{Answered, Line};
use crate::clock::since_boot;
use crate::config::Timings;
use crate::domain::Upstream;
use crate::http::Request;
use crate::store::{By, IntentRow, NewIntent, Opened, SettleOutcome, Store, StoreError, UndoneState};

/// What differs between creations: the payload, how to search, how to send, and what to write when it is done.
pub trait Creation: Send + Sync + 'static {
    /// What the upstream says about the record that it created.
    type Record: Send + Sync;
    /// What settling gives the caller: the link, for example.
    type Link: Send;
    /// Why the search ends the creation: the record is there already, or something looks like it.
    type Stop: Send;
    type Error: From<StoreError> + From<Failure> + Send;

    /// The intent, without candidates.
    fn intent(&self) -> Result<NewIntent, StoreError>;

    /// Who asked for it, for the audit.
    fn by(&self) -> &By;

    /// How long the creation waits for a permit, or after a "too many requests", before it ends as not sent.
    fn patience(&self) -> Duration;

    /// Searches the upstream for the record and for look-alikes. Each call takes a permit of its own.
    fn search(&self) -> impl Future<Output = Result<Search<Self::Stop>, Self::Error>> + Send;

    /// Waits for the permit of the creation, and for the session if there is one.
    fn permit(&self) -> impl Future<Output = Answered<()>> + Send;

    /// The intent is written, so the caller must not be cancelled any more.
    fn opened(&self) {}

    /// Sends the payload through the fence, and reads the answer.
    fn send(&self, fence: Fence<'_>) -> impl Future<Output = Result<Sent<Self::Record>, StoreError>> + Send;

    fn remote_id(record: &Self::Record) -> i64;

    /// Settles the intent with the record, and writes the link and the changes, in one transaction.
    fn settle(
        &self,
        intent: &IntentRow,
        record: &Self::Record,
    ) -> impl Future<Output = Result<SettleOutcome<Self::Link>, StoreError>> + Send;

    /// Notes that the upstream refused it, where the refusal says something about the connection as a whole.
    fn refused(&self, failure: &Failure) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Looks for the record of an intent whose answer was lost. Candidates of the intent do not count.
    fn look(
        &self,
        intent: &IntentRow,
    ) -> impl Future<Output = Result<Look<Self::Record>, Self::Error>> + Send;

    /// Upstream ids of records, other than the intent's candidates, for which a first creation would be refused now.
    fn look_alikes(&self, intent: &IntentRow) -> impl Future<Output = Result<Vec<i64>, Self::Error>> + Send;
}

/// What the search before a creation found.
#[derive(Debug)]
pub enum Search<S> {
    /// Nothing is in the way. The records that are there already are not taken for the new one.
    Clear {
        candidates: Vec<i64>,
    },
    Stop(S),
}

/// What a send came to.
#[derive(Debug)]
pub enum Sent<R> {
    Created(R),
    Refused(Failure),
    /// Nothing reached the upstream.
    NotSent(Failure),
    /// The answer was lost or cannot be read.
    Unknown(Failure),
}

/// What a look for a lost record found.
#[derive(Debug)]
pub enum Look<R> {
    Found(R),
    Absent,
    /// The upstream has no look-up for this kind of record.
    Impossible,
}

/// What a creation came to.
#[derive(Debug)]
pub enum Created<C: Creation> {
    Done(C::Link),
    Stopped(C::Stop),
    Rejected(Failure),
    NotSent(Failure),
    /// The answer was lost; the intent will be reconciled.
    Unknown(Failure),
    /// The upstream answered with this record, but somebody else settled or holds the intent by now.
    Elsewhere(Option<i64>),
    /// Another creation of the same is open, or was done since the search.
    InFlight,
    AlreadyLinked,
    /// The subject is not here any more.
    NoRecord,
}

/// What reconciling an intent came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconciled {
    /// Nothing to do, or not yet.
    NotDue,
    /// The record was found and is linked.
    Found,
    /// It is not there; a later look decides.
    Absent,
    /// It was surely absent, and was sent again.
    SentAgain,
    /// The look could not be completed; it is repeated.
    Later,
    ForAPerson,
}

/// Drives creations and reconciles them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Creations {
    store: Store,
    timings: Arc<Timings>,
}

/// Lets one intent through to the socket while its lease lasts.
#[derive(Clone, Copy, Debug)]
pub struct Fence<'a> {
    store: &'a Store,
    intent: &'a IntentRow,
    /// The upstream turned away what this fence let through before, so the next pass is the same send.
    turned_away: bool,
}

impl Fence<'_> {
    /// The fence for one more try after the upstream turned the request away at its door (401). It counts as the same send:
    /// nothing was created, and a lost answer may still be sent again.
    #[must_use]
    pub fn after_refusal(self) -> Self {
        Self { turned_away: true, ..self }
    }

    /// Sends the request if the database says that the lease is ours and outlives the call. A machine that slept, or a process
    /// that was stopped, between that answer and the socket sends nothing.
    pub async fn send(self, line: Line<'_>, request: Request) -> Result<Outcome, StoreError> {
        let call = line.caller.timeout();
        let before = since_boot();
        if !self.store.fence_intent(self.intent, call, !self.turned_away).await? {
            return Ok(Outcome::NotSent(
                "this service was held up, and its lease ends before the call could",
            ));
        }
        if since_boot().saturating_sub(before) > call {
            return Ok(Outcome::NotSent("this service was stopped just before it could send"));
        }
        Ok(line.caller.call_with_permit(line.account, line.meter, request).await?)
    }
}

impl Creations {
    pub fn new(store: Store, timings: &Timings) -> Self {
        Self { store, timings: Arc::new(timings.clone()) }
    }

    /// Creates something once. From the intent on, the work goes on even if the caller is dropped.
    pub async fn create<C: Creation>(&self, creation: &Arc<C>) -> Result<Created<C>, C::Error> {
        let candidates = match creation.search().await? {
            Search::Clear { candidates } => candidates,
            Search::Stop(stop) => return Ok(Created::Stopped(stop)),
        };
        let new = NewIntent { candidates, ..creation.intent()? };
        let patience_ends = Instant::now() + creation.patience();
        loop {
            // The permit before the intent, whose lease must not run out in the queue.
            if let Err(failure) = creation.permit().await? {
                if sleep_within(&failure, patience_ends).await {
                    continue;
                }
                return Ok(Created::NotSent(failure));
            }
            let intent = match self.store.open_intent(&new, self.timings.lease, creation.by()).await? {
                Opened::Ours(intent) => *intent,
                Opened::InFlight => return Ok(Created::InFlight),
                Opened::AlreadyLinked => return Ok(Created::AlreadyLinked),
                Opened::NoRecord => return Ok(Created::NoRecord),
            };
            creation.opened();
            match self.deliver(creation, intent).await? {
                Created::NotSent(failure) if sleep_within(&failure, patience_ends).await => {}
                came => return Ok(came),
            }
        }
    }

    /// Reconciles an intent that was taken for it.
    pub async fn reconcile<C: Creation>(
        &self,
        creation: &Arc<C>,
        intent: &IntentRow,
    ) -> Result<Reconciled, C::Error> {
        let upstream = name(intent.upstream);
        match creation.look(intent).await? {
            Look::Found(record) => {
                return Ok(match creation.settle(intent, &record).await? {
                    SettleOutcome::Done(_) => Reconciled::Found,
                    SettleOutcome::Elsewhere => Reconciled::NotDue,
                    SettleOutcome::Taken => {
                        let id = C::remote_id(&record);
                        let why = format!(
                            "{upstream} record {id} is this one, but is linked to another record here"
                        );
                        self.leave(intent, why).await?
                    }
                });
            }
            Look::Impossible => {
                let id = intent.id;
                let why = format!(
                    "the answer was lost, and {upstream} has no look-up for it: look there, and settle it by hand (POST /intents/{id}:resolve)"
                );
                return Ok(self.leave(intent, why).await?);
            }
            Look::Absent => {}
        }
        if !self.store.note_absent(intent.id, self.timings.absence, self.timings.job).await? {
            return Ok(if intent.absent_looks == 0 { Reconciled::Absent } else { Reconciled::ForAPerson });
        }
        let alike = creation.look_alikes(intent).await?;
        if !alike.is_empty() {
            let ids = alike.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let why =
                format!("it is not there, and not sent again: {upstream} probably has it already ({ids})");
            return Ok(self.leave(intent, why).await?);
        }
        creation.permit().await??;
        let Some(intent) = self.store.reopen_intent(intent.id, self.timings.lease).await? else {
            return Ok(Reconciled::NotDue);
        };
        self.deliver(creation, intent).await?;
        Ok(Reconciled::SentAgain)
    }

    /// Sends and settles in a task of its own, since the caller may be dropped at any time.
    async fn deliver<C: Creation>(
        &self,
        creation: &Arc<C>,
        intent: IntentRow,
    ) -> Result<Created<C>, C::Error> {
        let (engine, creation) = (self.clone(), Arc::clone(creation));
        let delivered = tokio::spawn(async move { engine.send_and_settle(&*creation, &intent).await }).await;
        match delivered {
            Ok(came) => Ok(came?),
            Err(error) => {
                // The lease expires, and then the intent is reconciled.
                error!(%error, "the task that sent a creation failed");
                Ok(Created::Unknown(Failure::new(
                    FailureKind::Failed,
                    None,
                    "something unexpected happened here",
                )))
            }
        }
    }

    async fn send_and_settle<C: Creation>(
        &self,
        creation: &C,
        intent: &IntentRow,
    ) -> Result<Created<C>, StoreError> {
        match creation.send(Fence { store: &self.store, intent, turned_away: false }).await? {
            Sent::Created(record) => {
                let (id, upstream) = (C::remote_id(&record), name(intent.upstream));
                if intent.candidates.contains(&id) {
                    let seen = format!("{upstream} answered with a record that was there before");
                    return self.unknown(intent, Failure::new(FailureKind::Failed, None, seen)).await;
                }
                match creation.settle(intent, &record).await? {
                    SettleOutcome::Done(link) => Ok(Created::Done(link)),
                    SettleOutcome::Elsewhere => Ok(Created::Elsewhere(Some(id))),
                    SettleOutcome::Taken => {
                        let seen = format!(
                            "{upstream} answered with record {id}, which is linked to another record here"
                        );
                        self.unknown(intent, Failure::new(FailureKind::Failed, None, seen)).await
                    }
                }
            }
            Sent::Refused(failure) => {
                let ours =
                    self.store.settle_undone(intent, UndoneState::Rejected, &failure.problem()).await?;
                creation.refused(&failure).await?;
                Ok(if ours { Created::Rejected(failure) } else { Created::Elsewhere(None) })
            }
            Sent::NotSent(failure) => {
                let ours = self.store.settle_undone(intent, UndoneState::NotSent, &failure.problem()).await?;
                Ok(if ours { Created::NotSent(failure) } else { Created::Elsewhere(None) })
            }
            Sent::Unknown(failure) => self.unknown(intent, failure).await,
        }
    }

    async fn unknown<C: Creation>(
        &self,
        intent: &IntentRow,
        failure: Failure,
    ) -> Result<Created<C>, StoreError> {
        self.store.settle_unknown(intent, &failure.problem(), self.timings.call).await?;
        Ok(Created::Unknown(failure))
    }

    /// Leaves the intent to a person, with the reason.
    async fn leave(&self, intent: &IntentRow, why: String) -> Result<Reconciled, StoreError> {
        let problem = Failure::new(FailureKind::Failed, None, why).problem();
        let left = self.store.leave_to_person(intent.id, &problem).await?;
        Ok(if left { Reconciled::ForAPerson } else { Reconciled::NotDue })
    }
}

/// Waits out a "too many requests" that ends before the patience does; `false`: it does not, or it is another failure.
async fn sleep_within(failure: &Failure, patience_ends: Instant) -> bool {
    let Some(wait) = failure.wait.filter(|_| failure.kind == FailureKind::Limited) else { return false };
    let in_time = Instant::now() + wait < patience_ends;
    if in_time {
        tokio::time::sleep(wait).await;
    }
    in_time
}

fn name(upstream: Upstream) -> &'static str {
    match upstream {
        Upstream::Ace360 => "ACE360",
        Upstream::OneFile => "OneFile",
    }
}
