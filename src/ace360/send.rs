//! Preview and upload: the records are looked up, the pure rules of `upload.rs` build what would be sent, duplicates are
//! looked for, and an upload goes the way of every creation: intent, send, settle.

use std::mem;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::catalogue::{Catalogue, chosen_standard};
use super::client::{Client, Created};
use super::duplicates::{Search, Sought};
use super::status::single;
use super::upload::{self, NotReady, Preview, Upload, UploadInput, Warning};
use super::{Ace360, Ace360Error, STEP};
use crate::domain::{LearnerId, RecordCode, UploadMethod};
use crate::store::{
    By, IntentProblem, IntentRow, LinkRow, NewIntent, Opened, StoreError, UndoneState, UploadGround,
};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::intent::Lease;
use crate::upstream::pace::Class;

/// The calls that an upload makes as a rule: the list and the creation.
const CALLS: i32 = 2;

/// What came of an upload.
#[derive(Debug)]
pub enum Uploaded {
    /// There is a record, and the learner is linked to it.
    Done(Box<LinkRow>),
    /// Nothing is in the way; it was not to be sent.
    Would,
    /// There is no such learner.
    NoLearner,
    /// The learner has this record already.
    AlreadyUploaded(i64),
    /// An earlier upload's outcome is open.
    InFlight,
    /// It may not go to ACE360.
    NotEligible(String),
    /// Fields are missing.
    Missing(Box<Upload>),
    /// ACE360 probably has these records of the learner.
    LikelyDuplicate(Box<Search>),
    /// The mirror of ACE360's list is not complete, so that duplicates could be overlooked.
    CannotTell,
    /// ACE360 refused it.
    Rejected(Failure),
    /// Nothing was sent.
    NotSent(Failure),
    /// It was sent, and nobody can tell what became of it yet.
    Unknown,
}

/// An upload that somebody wants.
#[derive(Clone, Debug)]
pub struct Order {
    /// Whose.
    pub provider: Uuid,
    /// Of whom.
    pub learner: LearnerId,
    /// Also when ACE360 probably has the learner.
    pub allow_duplicate: bool,
    /// Only say what would come of it.
    pub validate_only: bool,
    /// Of a run; `None`: of a person who waits.
    pub run: Option<OfRun>,
    /// For the audit.
    pub by: By,
}

/// What the uploads of a run share.
#[derive(Clone, Debug)]
pub struct OfRun {
    /// The run.
    pub id: Uuid,
    /// Its connection.
    pub client: Client,
    /// Of ACE360.
    pub environment: String,
    /// Whether the mirror holds ACE360's whole list: the run has read the newest pages.
    pub complete: bool,
}

impl Ace360 {
    /// What an upload would send, and what is in its way; `None`: no such learner. Duplicates are looked for when the
    /// integration can call ACE360; when it cannot, a warning says that they were not.
    ///
    /// # Errors
    /// The database's.
    pub async fn preview(&self, provider: Uuid, learner: &LearnerId) -> Result<Option<Preview>, Ace360Error> {
        let Some(mut ground) = self.store.upload_ground(provider, learner, None).await? else {
            return Ok(None);
        };
        let twins = mem::take(&mut ground.twins);
        let catalogue = self.catalogue_of(provider, &ground.settings, &ground.learner).await?;
        let mut built = build(learner, &ground, &catalogue);
        let searched = match self.enabled_client(&ground.settings, Class::Interactive) {
            Ok(client) => {
                let sought = Sought {
                    provider,
                    environment: &ground.settings.environment,
                    id: learner.as_str(),
                    person: (&ground.learner).into(),
                    standard: chosen_standard(&ground.learner),
                };
                self.search_on_top(&client, sought, twins).await
            }
            Err(error) => Err(error),
        };
        let (search, refusal) = match searched {
            Ok(search) => {
                let refusal = if !search.likely.is_empty() {
                    Some(search.advice(learner.as_str()))
                } else if search.complete {
                    None
                } else {
                    Some(CANNOT_TELL.to_owned())
                };
                if !search.complete {
                    built.warnings.push(incomplete());
                }
                (search, refusal.map(|message| NotReady { code: RecordCode::LikelyDuplicate, message }))
            }
            Err(Ace360Error::Store(error)) => return Err(error.into()),
            Err(error) => {
                built.warnings.push(Warning {
                    field: "possibleDuplicates",
                    message: format!("ACE360 was not asked whether it has this learner already: {error}"),
                });
                let off = matches!(error, Ace360Error::Disabled).then(|| NotReady {
                    code: RecordCode::IntegrationDisabled,
                    message:
                        "The ACE360 integration is switched off: PUT /ace360/settings with `enabled: true`."
                            .to_owned(),
                });
                (Search::default(), off)
            }
        };
        // What an upload would be told first.
        let standing = if let Some(record) = ground.record_id {
            let message = format!("The learner has ACE360 record {record}.");
            Some(NotReady { code: RecordCode::AlreadyUploaded, message })
        } else if ground.in_flight {
            let message = "The outcome of an upload is open: the learner's ACE360 tab tells.".to_owned();
            Some(NotReady { code: RecordCode::InFlight, message })
        } else {
            None
        };
        Ok(Some(built.into_preview(search.possible, standing.or(refusal))))
    }

    /// Uploads a learner, or only says what would come of it. Once the intent is written, which `opened` tells, this must
    /// not be cancelled: callers spawn it.
    ///
    /// # Errors
    /// The integration's set-up; ACE360's before anything was sent; the database's.
    pub async fn upload(&self, order: &Order, opened: &CancellationToken) -> Result<Uploaded, Ace360Error> {
        let (provider, learner) = (order.provider, &order.learner);
        // What is known here is said before anything upstream is asked. The permits of a person's upload come with it; those that it
        // turns out not to need are there for the next one.
        let account = self.accounts.get(&provider).filter(|_| order.run.is_none());
        let ask = account.as_ref().and_then(|account| self.caller.pace().ask_ahead(account, CALLS));
        let ground = self.store.upload_ground(provider, learner, ask.as_ref()).await?;
        let Some(mut ground) = ground else { return Ok(Uploaded::NoLearner) };
        if let (Some(ask), Some(granted)) = (&ask, &ground.granted) {
            self.caller.pace().keep_ahead(&ask.account, granted);
        }
        if let Some(record) = ground.record_id {
            return Ok(Uploaded::AlreadyUploaded(record));
        }
        if ground.in_flight {
            return Ok(Uploaded::InFlight);
        }
        let (client, environment) = match &order.run {
            Some(run) => (run.client.clone(), run.environment.clone()),
            None => (
                self.enabled_client(&ground.settings, Class::Interactive)?,
                ground.settings.environment.clone(),
            ),
        };
        let catalogue = self.catalogue_of(provider, &ground.settings, &ground.learner).await?;
        let mut built = build(learner, &ground, &catalogue);
        if let Err(reason) = &built.eligibility {
            return Ok(Uploaded::NotEligible(reason.message.clone()));
        }
        let Some(payload) = built.payload.take() else { return Ok(Uploaded::Missing(Box::new(built))) };
        let twins = mem::take(&mut ground.twins);
        let sought = Sought {
            provider,
            environment: &environment,
            id: learner.as_str(),
            person: (&ground.learner).into(),
            standard: Some(payload.standard_id),
        };
        let mut intent = NewIntent {
            provider,
            upstream: "ace360",
            environment: environment.clone(),
            subject_kind: "learner",
            subject_id: learner.as_str().to_owned(),
            step: STEP.into(),
            payload: serde_json::to_vec(&payload).map_err(StoreError::from)?,
            candidates: Vec::new(),
            run_id: order.run.as_ref().map(|run| run.id),
        };
        if order.run.is_none() {
            self.accounts.insert(provider, client.account().clone());
            // Nothing is to be expected of the search, and it is over in a moment: it need not be waited for.
            let early = twins.is_empty()
                && !order.allow_duplicate
                && !order.validate_only
                && self.known.is_fresh(&client, provider)
                && self.caller.pace().on_the_shelf(client.account()) >= CALLS;
            if early {
                return self.send_early(&client, sought, &intent, order, opened).await;
            }
        }
        let search = if let Some(run) = &order.run {
            // Somebody may have chosen another environment since the run began.
            let same = ground.settings.environment == environment;
            let twins = if same { twins } else { self.mirrored_twins(sought).await? };
            Search { complete: run.complete, ..self.judge(&client, sought, twins).await? }
        } else {
            self.search_on_top(&client, sought, twins).await?
        };
        if !order.allow_duplicate
            && let Some(refused) = refused(&search)
        {
            // Another upload of this learner may have made the record meanwhile: then it is no duplicate.
            return Ok(self.known(provider, learner).await?.unwrap_or(refused));
        }
        if order.validate_only {
            return Ok(Uploaded::Would);
        }
        // The permit before the intent: its lease must not run out in the queue.
        client.permit().await?.map_err(Ace360Error::Upstream)?;
        intent.candidates = search.present;
        let lease = Lease::begin(self.timings.lease);
        match self.store.open_intent(&intent, lease.lasts(), &order.by).await? {
            Opened::Ours(intent) => {
                opened.cancel();
                self.send(&client, &intent, lease).await
            }
            other => self.not_opened(provider, learner, &other).await,
        }
    }

    /// Uploads a learner whom the mirror does not know: the intent is written while ACE360's newest records are read. Whatever speaks
    /// against the upload then settles the intent as not sent; a process that dies before leaves it to the looks, which send nothing
    /// either while ACE360 has a record that looks like it.
    async fn send_early(
        &self,
        client: &Client,
        sought: Sought<'_>,
        intent: &NewIntent,
        order: &Order,
        opened: &CancellationToken,
    ) -> Result<Uploaded, Ace360Error> {
        let (provider, learner) = (order.provider, &order.learner);
        // For as long as the search may take, and then as long as any.
        let lease = Lease::begin(self.timings.lease + self.timings.call);
        let (search, came) = tokio::join!(
            self.search_on_top(client, sought, Vec::new()),
            self.store.open_intent(intent, lease.lasts(), &order.by)
        );
        let mut intent = match came? {
            Opened::Ours(intent) => intent,
            other => return self.not_opened(provider, learner, &other).await,
        };
        let stopped = match search {
            Ok(search) => match refused(&search) {
                Some(refused) => Ok(refused),
                None => match client.permit().await? {
                    Ok(()) => {
                        // Nothing that is there already is taken for what is made now.
                        if !search.present.is_empty() {
                            self.store.note_candidates(intent.id, &search.present).await?;
                            intent.candidates = search.present;
                        }
                        opened.cancel();
                        return self.send(client, &intent, lease).await;
                    }
                    Err(failure) => Err(failure.into()),
                },
            },
            Err(error) => Err(error),
        };
        self.store.settle_undone(&intent, UndoneState::NotSent, &why_not(&stopped, learner)).await?;
        stopped
    }

    async fn not_opened(
        &self,
        provider: Uuid,
        learner: &LearnerId,
        came: &Opened,
    ) -> Result<Uploaded, Ace360Error> {
        Ok(match came {
            Opened::Ours(_) | Opened::InFlight => Uploaded::InFlight,
            Opened::NoRecord => Uploaded::NoLearner,
            Opened::AlreadyLinked => {
                let link = self.store.ace360_link(provider, learner.as_str()).await?;
                link.map_or(Uploaded::InFlight, |link| Uploaded::AlreadyUploaded(link.record_id))
            }
        })
    }

    /// Whether the learner has its record, or an upload whose outcome is open.
    async fn known(&self, provider: Uuid, learner: &LearnerId) -> Result<Option<Uploaded>, StoreError> {
        // In this order: an upload that is settled between the two has its link by then, so that one of them tells.
        let latest = self.store.latest_intent(provider, "ace360", "learner", learner.as_str(), STEP).await?;
        if latest.is_some_and(|intent| intent.is_open()) {
            return Ok(Some(Uploaded::InFlight));
        }
        let link = self.store.ace360_link(provider, learner.as_str()).await?;
        Ok(link.map(|link| Uploaded::AlreadyUploaded(link.record_id)))
    }

    /// Sends an intent that is ours, and settles it.
    ///
    /// # Errors
    /// The database's: then the intent's lease runs out and it is looked for.
    pub async fn send(
        &self,
        client: &Client,
        intent: &IntentRow,
        lease: Lease,
    ) -> Result<Uploaded, Ace360Error> {
        match client.create(&self.store, intent, lease).await? {
            Created::Yes(apprentice) => {
                let reading = single(&apprentice);
                if intent.candidates.contains(&reading.record_id) {
                    return self.unknown(intent, "ACE360 answered with a record that was there before").await;
                }
                let method = if intent.sends == 1 { UploadMethod::Upload } else { UploadMethod::Reconciled };
                let row = super::status::mirror_row(&self.store, intent.provider_id, &apprentice);
                // The mirror learns of it with it, so that the next search need not.
                let settled = self.store.settle_uploaded(intent, method, &reading, Some(&row)).await?;
                let Some((link, fresh)) = settled else {
                    // Either a look settled it meanwhile, or the answered record belongs to another learner.
                    return match self.store.ace360_link(intent.provider_id, &intent.subject_id).await? {
                        Some(link) if link.record_id == reading.record_id => {
                            Ok(Uploaded::Done(Box::new(link)))
                        }
                        _ => {
                            self.unknown(
                                intent,
                                "ACE360 answered with a record that is linked to another learner",
                            )
                            .await
                        }
                    };
                };
                // The mirror keeps what it knew of a record that it had: then this row is not what it holds.
                if fresh {
                    self.known.add(client, intent.provider_id, vec![row], 1);
                }
                Ok(Uploaded::Done(Box::new(link)))
            }
            Created::No(failure) => {
                let ours =
                    self.store.settle_undone(intent, UndoneState::Rejected, &failure.problem()).await?;
                self.note_connection(intent.provider_id, Some(&failure)).await?;
                Ok(if ours { Uploaded::Rejected(failure) } else { Uploaded::InFlight })
            }
            Created::NotSent(failure) => {
                let ours = self.store.settle_undone(intent, UndoneState::NotSent, &failure.problem()).await?;
                Ok(if ours { Uploaded::NotSent(failure) } else { Uploaded::InFlight })
            }
            Created::Unknown(failure) => {
                // The call is over, but its request may still be on the way: the look waits until its deadline.
                self.store.settle_unknown(intent, &failure.problem(), self.caller.timeout()).await?;
                Ok(Uploaded::Unknown)
            }
        }
    }

    async fn unknown(&self, intent: &IntentRow, what: &str) -> Result<Uploaded, Ace360Error> {
        let failure = Failure::new(FailureKind::Failed, Some(201), what);
        self.store.settle_unknown(intent, &failure.problem(), self.caller.timeout()).await?;
        Ok(Uploaded::Unknown)
    }
}

/// What a search has against an upload.
fn refused(search: &Search) -> Option<Uploaded> {
    if search.likely.is_empty() {
        (!search.complete).then_some(Uploaded::CannotTell)
    } else {
        Some(Uploaded::LikelyDuplicate(Box::new(search.clone())))
    }
}

/// Why an intent was not sent.
fn why_not(stopped: &Result<Uploaded, Ace360Error>, learner: &LearnerId) -> IntentProblem {
    let duplicate = |message| IntentProblem::ours(RecordCode::LikelyDuplicate.as_str(), message);
    match stopped {
        Ok(Uploaded::LikelyDuplicate(search)) => duplicate(search.advice(learner.as_str())),
        Ok(_) => duplicate(CANNOT_TELL.to_owned()),
        Err(Ace360Error::Upstream(failure)) => failure.problem(),
        Err(error) => Failure::new(FailureKind::Failed, None, error.to_string()).problem(),
    }
}

fn build(id: &LearnerId, ground: &UploadGround, catalogue: &Catalogue) -> Upload {
    upload::build(&UploadInput {
        learner_id: id,
        learner: &ground.learner,
        employer: ground.employer.as_ref().map(|(id, organisation)| (id, organisation)),
        employer_missing: ground.employer_missing,
        contact: ground.contact.as_ref().map(|(id, officer)| (id, officer)),
        standards: &catalogue.standards,
        sectors: &catalogue.sectors,
    })
}

/// Why an upload is refused when the mirror does not hold ACE360's whole list.
pub const CANNOT_TELL: &str = "ACE360 has more records than are known here, so a duplicate could be overlooked. Nothing was sent: synchronise once (POST /ace360/status:sync), or upload with `allowDuplicate: true`.";

fn incomplete() -> Warning {
    Warning {
        field: "possibleDuplicates",
        message: "Only ACE360's newest records were looked at: synchronise once (POST /ace360/status:sync), after which all are known.".to_owned(),
    }
}
