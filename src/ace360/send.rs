//! Preview and upload: the records are looked up, the pure rules of `upload.rs` build what would be sent, duplicates are
//! looked for, and an upload goes the way of every creation: intent, send, settle.

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::client::{Client, Created};
use super::duplicates::Search;
use super::standards::{Sector, Standard};
use super::status::single;
use super::upload::{self, NotReady, Preview, Upload, UploadInput, Warning};
use super::{Ace360, Ace360Error, STEP};
use crate::domain::{Learner, LearnerId, Officer, OfficerId, Organisation, OrganisationId, RecordCode};
use crate::store::{By, IntentRow, NewIntent, Opened, RecordKind, StoreError, TabRow, UndoneState};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::pace::Class;

/// What came of an upload.
#[derive(Debug)]
pub enum Uploaded {
    /// There is a record, and the learner is linked to it.
    Done,
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

/// The records that an upload is made of.
struct Records {
    learner_id: LearnerId,
    learner: Learner,
    employer: Option<(OrganisationId, Organisation)>,
    employer_missing: bool,
    contact: Option<(OfficerId, Officer)>,
}

impl Ace360 {
    /// What an upload would send, and what is in its way; `None`: no such learner. Duplicates are looked for when the
    /// integration can call ACE360; when it cannot, a warning says that they were not.
    ///
    /// # Errors
    /// The database's.
    pub async fn preview(&self, provider: Uuid, learner: &LearnerId) -> Result<Option<Preview>, Ace360Error> {
        let Some(records) = self.records(provider, learner).await? else { return Ok(None) };
        let settings = self.store.ace360_settings(provider).await?;
        let catalogue = self.catalogue_of(provider, &settings.environment, &records.learner).await?;
        let mut built = build(&records, &catalogue);
        let searched = match self.client(provider, Class::Interactive).await {
            Ok((client, _)) => {
                let standard = chosen_standard(&records.learner);
                self.search_on_top(
                    &client,
                    provider,
                    &settings.environment,
                    learner.as_str(),
                    &records.learner,
                    standard,
                )
                .await
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
                (search, refusal)
            }
            Err(Ace360Error::Store(error)) => return Err(error.into()),
            Err(error) => {
                built.warnings.push(Warning {
                    field: "possibleDuplicates",
                    message: format!("ACE360 was not asked whether it has this learner already: {error}"),
                });
                (Search::default(), None)
            }
        };
        let refusal = refusal.map(|message| NotReady { code: RecordCode::LikelyDuplicate, message });
        Ok(Some(built.into_preview(search.possible, refusal)))
    }

    /// Uploads a learner, or only says what would come of it. Once the intent is written, which `opened` tells, this must
    /// not be cancelled: callers spawn it.
    ///
    /// # Errors
    /// The integration's set-up; ACE360's before anything was sent; the database's.
    pub async fn upload(&self, order: &Order, opened: &CancellationToken) -> Result<Uploaded, Ace360Error> {
        let (provider, learner) = (order.provider, &order.learner);
        let connection = async {
            match &order.run {
                Some(run) => Ok((run.client.clone(), run.environment.clone())),
                None => self
                    .client(provider, Class::Interactive)
                    .await
                    .map(|(client, settings)| (client, settings.environment)),
            }
        };
        let (tab, connection) =
            tokio::join!(self.store.ace360_tab::<Learner>(provider, learner.as_str()), connection);
        // What is known here is said before anything upstream is asked.
        let record = match tab? {
            None => return Ok(Uploaded::NoLearner),
            Some(TabRow::Linked(link)) => return Ok(Uploaded::AlreadyUploaded(link.record_id)),
            Some(TabRow::Unlinked { intent: Some((_, state)), .. })
                if matches!(state.as_str(), "sending" | "unknown") =>
            {
                return Ok(Uploaded::InFlight);
            }
            Some(TabRow::Unlinked { record, .. }) => *record,
        };
        let (client, environment) = connection?;
        let (records, catalogue) = tokio::try_join!(
            async { Ok(self.others(provider, learner, record.clone()).await?) },
            self.catalogue_of(provider, &environment, &record),
        )?;
        let mut built = build(&records, &catalogue);
        if let Err(reason) = &built.eligibility {
            return Ok(Uploaded::NotEligible(reason.message.clone()));
        }
        let Some(payload) = built.payload.take() else { return Ok(Uploaded::Missing(Box::new(built))) };
        let standard = Some(payload.standard_id);
        let search = if let Some(run) = &order.run {
            let search = self
                .search_duplicates(
                    &client,
                    provider,
                    &environment,
                    learner.as_str(),
                    &records.learner,
                    standard,
                )
                .await?;
            Search { complete: run.complete, ..search }
        } else {
            client.permits_of_an_upload().await?;
            self.search_on_top(&client, provider, &environment, learner.as_str(), &records.learner, standard)
                .await?
        };
        if !order.allow_duplicate {
            if !search.likely.is_empty() {
                // Another upload of this learner may have made the record meanwhile: then it is no duplicate.
                if let Some(known) = self.known(provider, learner).await? {
                    return Ok(known);
                }
                return Ok(Uploaded::LikelyDuplicate(Box::new(search)));
            }
            if !search.complete {
                return Ok(Uploaded::CannotTell);
            }
        }
        if order.validate_only {
            return Ok(Uploaded::Would);
        }
        // The permit before the intent: its lease must not run out in the queue.
        client.permit().await?.map_err(Ace360Error::Upstream)?;
        let intent = NewIntent {
            provider,
            upstream: "ace360",
            environment,
            subject_kind: "learner",
            subject_id: learner.as_str().to_owned(),
            step: STEP,
            payload: serde_json::to_vec(&payload).map_err(StoreError::from)?,
            candidates: search.present,
            run_id: order.run.as_ref().map(|run| run.id),
        };
        match self.store.open_intent(&intent, self.timings.lease, &order.by).await? {
            Opened::Ours(intent) => {
                opened.cancel();
                self.send(&client, &intent).await
            }
            Opened::InFlight => Ok(Uploaded::InFlight),
            Opened::NoRecord => Ok(Uploaded::NoLearner),
            Opened::AlreadyLinked => {
                let link = self.store.ace360_link(provider, learner.as_str()).await?;
                Ok(link.map_or(Uploaded::InFlight, |link| Uploaded::AlreadyUploaded(link.record_id)))
            }
        }
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
    pub async fn send(&self, client: &Client, intent: &IntentRow) -> Result<Uploaded, Ace360Error> {
        match client.create(&self.store, intent).await? {
            Created::NotOurs => Ok(Uploaded::InFlight),
            Created::Yes(apprentice) => {
                let reading = single(&apprentice);
                if intent.candidates.contains(&reading.record_id) {
                    return self.unknown(intent, "ACE360 answered with a record that was there before").await;
                }
                let method = if intent.sends == 0 { "upload" } else { "reconciled" };
                let row = super::status::mirror_row(&self.store, intent.provider_id, &apprentice);
                // The mirror learns of it now, so that the next search need not.
                let (settled, fresh) = tokio::join!(
                    self.store.settle_uploaded(
                        intent.provider_id,
                        &intent.subject_id,
                        &intent.environment,
                        intent.id,
                        method,
                        &reading,
                    ),
                    self.store.mirror_lightly(
                        intent.provider_id,
                        &intent.environment,
                        std::slice::from_ref(&row)
                    ),
                );
                let settled = settled?;
                self.known.add(client.account(), intent.provider_id, fresh?);
                if !settled {
                    // Either a look settled it meanwhile, or the answered record belongs to another learner.
                    return match self.store.ace360_link(intent.provider_id, &intent.subject_id).await? {
                        Some(link) if link.record_id == reading.record_id => Ok(Uploaded::Done),
                        _ => {
                            self.unknown(
                                intent,
                                "ACE360 answered with a record that is linked to another learner",
                            )
                            .await
                        }
                    };
                }
                Ok(Uploaded::Done)
            }
            Created::No(failure) => {
                self.store.settle_undone(intent.id, UndoneState::Rejected, &failure.problem()).await?;
                self.note_connection(intent.provider_id, Some(&failure)).await?;
                Ok(Uploaded::Rejected(failure))
            }
            Created::NotSent(failure) => {
                self.store.settle_undone(intent.id, UndoneState::NotSent, &failure.problem()).await?;
                Ok(Uploaded::NotSent(failure))
            }
            Created::Unknown(failure) => {
                // The call is over, but its request may still be on the way: the look waits until its deadline.
                self.store.settle_unknown(intent.id, &failure.problem(), self.caller.timeout()).await?;
                Ok(Uploaded::Unknown)
            }
        }
    }

    async fn unknown(&self, intent: &IntentRow, what: &str) -> Result<Uploaded, Ace360Error> {
        let failure = Failure::new(FailureKind::Failed, Some(201), what);
        self.store.settle_unknown(intent.id, &failure.problem(), self.caller.timeout()).await?;
        Ok(Uploaded::Unknown)
    }

    /// The part of the catalogue that a learner's upload needs.
    async fn catalogue_of(
        &self,
        provider: Uuid,
        environment: &str,
        learner: &Learner,
    ) -> Result<(Vec<Standard>, Vec<Sector>), Ace360Error> {
        let lars = learner.programme.as_ref().and_then(|programme| programme.standard_code.as_ref());
        let lars = lars.and_then(|code| i32::try_from(code.get()).ok());
        self.catalogue_for(provider, environment, chosen_standard(learner), lars).await
    }

    async fn records(&self, provider: Uuid, id: &LearnerId) -> Result<Option<Records>, StoreError> {
        let Some(learner) = self.store.record::<Learner>(provider, RecordKind::Learner, id.as_str()).await?
        else {
            return Ok(None);
        };
        self.others(provider, id, learner.record).await.map(Some)
    }

    /// The records that a learner's names.
    async fn others(&self, provider: Uuid, id: &LearnerId, learner: Learner) -> Result<Records, StoreError> {
        let mut records = Records {
            learner_id: id.clone(),
            learner,
            employer: None,
            employer_missing: false,
            contact: None,
        };
        let Some(employer_id) = records.learner.employer_id.clone() else { return Ok(records) };
        let employer = self
            .store
            .record::<Organisation>(provider, RecordKind::Organisation, employer_id.as_str())
            .await?;
        let Some(employer) = employer else {
            records.employer_missing = true;
            return Ok(records);
        };
        if let Some(contact_id) = employer.record.main_contact_id.clone() {
            let contact =
                self.store.record::<Officer>(provider, RecordKind::Officer, contact_id.as_str()).await?;
            records.contact = contact.map(|contact| (contact_id, contact.record));
        }
        records.employer = Some((employer_id, employer.record));
        Ok(records)
    }
}

fn build(records: &Records, (standards, sectors): &(Vec<Standard>, Vec<Sector>)) -> Upload {
    upload::build(&UploadInput {
        learner_id: &records.learner_id,
        learner: &records.learner,
        employer: records.employer.as_ref().map(|(id, organisation)| (id, organisation)),
        employer_missing: records.employer_missing,
        contact: records.contact.as_ref().map(|(id, officer)| (id, officer)),
        standards,
        sectors,
    })
}

fn chosen_standard(learner: &Learner) -> Option<i64> {
    learner.ace360.as_ref().and_then(|choice| choice.standard_id.as_ref()).map(|id| id.get())
}

/// Why an upload is refused when the mirror does not hold ACE360's whole list.
pub const CANNOT_TELL: &str = "ACE360 has more records than are known here, so a duplicate could be overlooked. Nothing was sent: synchronise once (POST /ace360/status:sync), or upload with `allowDuplicate: true`.";

fn incomplete() -> Warning {
    Warning {
        field: "possibleDuplicates",
        message: "Only ACE360's newest records were looked at: synchronise once (POST /ace360/status:sync), after which all are known.".to_owned(),
    }
}
