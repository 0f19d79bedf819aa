//! Preview and upload of one learner. The pure rules of `plan` build the payload, and the engine for creations sends
//! it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::creation::{Registration, SearchStop, SentPerson};
use super::duplicates::{Duplicates, Sought};
use crate::ace360::catalogue::{cache::Catalogue, standards::chosen_standard};
use crate::ace360::client::Client;
use crate::ace360::create::plan;
use crate::ace360::create::plan::{Doubt, NotReady, Preview, Upload, UploadInput, Warning};
use crate::ace360::{Ace360, Ace360Error, STEP};
use crate::domain::time::day_of;
use crate::domain::{DoubtCode, LearnerId, RecordCode};
use crate::store::{By, LinkRow, StoreError, UploadContext};
use crate::upstream::creation::{Created, Creation as _, Search};
use crate::upstream::failure::Failure;
use crate::upstream::pace::Class;

/// What an upload came to.
#[derive(Debug)]
pub enum Uploaded {
    /// The record is created, and the learner is linked to it.
    Done(Box<LinkRow>),
    /// Nothing is in the way. Nothing was sent, since only a check was asked for.
    Would,
    /// There is no such learner.
    NoLearner,
    /// The learner is linked to this record already.
    AlreadyUploaded(i64),
    /// An earlier upload's outcome is open.
    InFlight,
    /// The learner may not go to ACE360; the reason.
    NotEligible(String),
    Missing(Box<Upload>),
    /// These doubts speak against it, and none of them was overruled. With the records that it probably has.
    Doubted(Vec<Doubt>, Box<Duplicates>),
    /// The mirror does not hold ACE360's whole list, so a duplicate could be overlooked.
    CannotTell,
    Rejected(Failure),
    NotSent(Failure),
    /// It was sent, and the answer was lost.
    Unknown,
}

/// An upload that somebody asks for.
#[derive(Clone, Debug)]
pub struct Order {
    pub provider: Uuid,
    pub learner: LearnerId,
    /// Upload it in spite of these doubts.
    pub overrule: Vec<DoubtCode>,
    /// Only say what would happen.
    pub validate_only: bool,
    /// The run that it belongs to; none: a person waits for it.
    pub run: Option<OfRun>,
    pub by: By,
}

/// What the uploads of a run share.
#[derive(Clone, Debug)]
pub struct OfRun {
    pub id: Uuid,
    pub client: Client,
    pub environment: String,
    /// Whether the mirror holds ACE360's whole list. The run has read the newest pages.
    pub complete: bool,
}

impl Order {
    fn overrules(&self, code: DoubtCode) -> bool {
        self.overrule.contains(&code)
    }
}

impl Ace360 {
    /// What an upload would send, and what is in its way; `None`: no such learner. Duplicates are looked for when the
    /// integration can call ACE360; when it cannot, a warning says that they were not.
    pub async fn preview(&self, provider: Uuid, learner: &LearnerId) -> Result<Option<Preview>, Ace360Error> {
        let Some(context) = self.store.upload_context(provider, learner, STEP).await? else {
            return Ok(None);
        };
        let catalogue = self.catalogue_of(provider, &context.settings, &context.learner).await?;
        let mut built = build(learner, &context, &catalogue);
        let mut doubts = plan::doubts(&context.learner, day_of(context.now));
        let searched = match self.enabled_client(&context.settings, Class::Interactive) {
            Ok(client) => {
                let sought = Sought {
                    provider,
                    environment: &context.settings.environment,
                    id: learner.as_str(),
                    person: (&context.learner).into(),
                    standard: chosen_standard(&context.learner),
                };
                self.search_on_top(&client, sought).await
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
                if !search.likely.is_empty() {
                    doubts.insert(0, search.doubt(learner.as_str()));
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
                (Duplicates::default(), off)
            }
        };
        // What an upload would be told first.
        let standing = if let Some(record) = context.record_id {
            let message = format!("The learner has ACE360 record {record}.");
            Some(NotReady { code: RecordCode::AlreadyUploaded, message })
        } else if context.in_flight {
            let message = "The outcome of an upload is open: the learner's ACE360 tab tells.".to_owned();
            Some(NotReady { code: RecordCode::InFlight, message })
        } else {
            None
        };
        Ok(Some(built.into_preview(search.possible, standing.or(refusal), doubts)))
    }

    /// Uploads a learner, or only says what would happen. `opened` is cancelled once the intent is written.
    pub async fn upload(&self, order: &Order, opened: &CancellationToken) -> Result<Uploaded, Ace360Error> {
        let (provider, learner) = (order.provider, &order.learner);
        let Some(context) = self.store.upload_context(provider, learner, STEP).await? else {
            return Ok(Uploaded::NoLearner);
        };
        if let Some(record) = context.record_id {
            return Ok(Uploaded::AlreadyUploaded(record));
        }
        if context.in_flight {
            return Ok(Uploaded::InFlight);
        }
        let (client, environment) = match &order.run {
            Some(run) => (run.client.clone(), run.environment.clone()),
            None => (
                self.enabled_client(&context.settings, Class::Interactive)?,
                context.settings.environment.clone(),
            ),
        };
        let catalogue = self.catalogue_of(provider, &context.settings, &context.learner).await?;
        let mut built = build(learner, &context, &catalogue);
        if let Err(reason) = &built.eligibility {
            return Ok(Uploaded::NotEligible(reason.message.clone()));
        }
        let Some(payload) = built.payload.take() else { return Ok(Uploaded::Missing(Box::new(built))) };
        let payload = serde_json::to_vec(&payload).map_err(StoreError::from)?;
        let registration = Arc::new(Registration {
            ace360: self.clone(),
            client,
            key: Self::key_of(provider, learner.as_str(), &environment),
            person: SentPerson::read(&payload)?,
            payload,
            allow_duplicate: order.overrules(DoubtCode::LikelyDuplicate),
            mirror_complete: order.run.as_ref().map(|run| run.complete),
            done_before: context.done_before,
            run_id: order.run.as_ref().map(|run| run.id),
            by: order.by.clone(),
            opened: opened.clone(),
        });
        let mut doubts = plan::doubts(&context.learner, day_of(context.now));
        doubts.retain(|doubt| !order.overrules(doubt.code));
        if order.validate_only || !doubts.is_empty() {
            // A refusal names every doubt.
            return match registration.search().await? {
                Search::Clear { .. } if doubts.is_empty() => Ok(Uploaded::Would),
                Search::Clear { .. } => Ok(Uploaded::Doubted(doubts, Box::default())),
                Search::Stop(stop) => self.stopped(order, stop, doubts).await,
            };
        }
        Ok(match self.creations.create(&registration).await? {
            Created::Done(link) => Uploaded::Done(Box::new(link)),
            Created::Stopped(stop) => self.stopped(order, stop, Vec::new()).await?,
            Created::Rejected(failure) => Uploaded::Rejected(failure),
            Created::NotSent(failure) => Uploaded::NotSent(failure),
            Created::Unknown(_) => Uploaded::Unknown,
            Created::NoRecord => Uploaded::NoLearner,
            Created::InFlight | Created::Elsewhere(None) => Uploaded::InFlight,
            Created::AlreadyLinked => {
                let link = self.store.ace360_link(provider, learner.as_str()).await?;
                link.map_or(Uploaded::InFlight, |link| Uploaded::AlreadyUploaded(link.record_id))
            }
            Created::Elsewhere(Some(record)) => {
                match self.store.ace360_link(provider, learner.as_str()).await? {
                    Some(link) if link.record_id == record => Uploaded::Done(Box::new(link)),
                    _ => Uploaded::Unknown,
                }
            }
        })
    }

    /// The search ended the upload. If another upload of this learner created the record meanwhile, it is no duplicate.
    async fn stopped(
        &self,
        order: &Order,
        stop: SearchStop,
        mut doubts: Vec<Doubt>,
    ) -> Result<Uploaded, Ace360Error> {
        let now = self.store.upload_context(order.provider, &order.learner, STEP).await?;
        Ok(match (now, stop) {
            (Some(now), _) if now.in_flight => Uploaded::InFlight,
            (Some(now), _) if now.record_id.is_some() => {
                Uploaded::AlreadyUploaded(now.record_id.unwrap_or_default())
            }
            (_, SearchStop::LikelyDuplicate(found)) => {
                doubts.insert(0, found.doubt(order.learner.as_str()));
                Uploaded::Doubted(doubts, found)
            }
            (_, SearchStop::CannotTell) => Uploaded::CannotTell,
        })
    }
}

fn build(id: &LearnerId, context: &UploadContext, catalogue: &Catalogue) -> Upload {
    plan::build(&UploadInput {
        learner_id: id,
        learner: &context.learner,
        employer: context.employer.as_ref().map(|(id, organisation)| (id, organisation)),
        employer_missing: context.employer_missing,
        contact: context.contact.as_ref().map(|(id, officer)| (id, officer)),
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
