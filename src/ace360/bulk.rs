//! Uploads of many learners as a run: some at once, each by the way of a single one, each with its outcome. The newest
//! pages of ACE360's list are read once for many learners. One whose answer was lost is waited for at the end, so that
//! the run tells what became of it.

mod open;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::catalogue::Step;
use super::client::Client;
use super::send::{CANNOT_TELL, OfRun, Order, Uploaded};
use super::status::failed;
use super::{Ace360, Ace360Error, STEP};
use crate::domain::{LearnerId, RecordCode, RunKind, TabState};
use crate::store::{
    By, IntentRow, LearnerFilter, OutcomeKind, Progress, RecordOutcome, RunRow, StoreError, Time, Told,
};
use crate::upstream::failure::Failure;

/// The kind of its run.
pub const UPLOAD: &str = RunKind::Upload.as_str();
/// Learners at once: an upload takes its time in ACE360, and the pace wants to be kept.
const AT_ONCE: usize = 4;
/// After this the newest pages are read again.
const FRESH: TimeDelta = TimeDelta::seconds(60);

const NO_LEARNER: &str = "There is no such learner.";
const NOT_TRIED: &str =
    "Something unexpected happened here before it was sent: tell the operator, and take it again.";

/// What the run was asked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Params {
    /// Those that the filter takes, in the order of their ids.
    pub filter: Filter,
    /// Also those that ACE360 probably has.
    pub allow_duplicate: bool,
}

/// Which learners.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    /// In this state; not said: those that are not uploaded, and those that were rejected.
    pub ace360: Option<TabState>,
    /// Whose record was written after this.
    pub updated_after: Option<Time>,
}

/// Where the run stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    /// The place of the next of the learners that the run was asked for.
    taken: i32,
    /// The last learner that the filter gave.
    after: Option<String>,
    /// All were taken once.
    all: bool,
    /// Those that are being sent: written down before they are.
    taking: Vec<String>,
    /// Those that could not be sent yet.
    again: Vec<String>,
    /// Those whose outcome is not known yet.
    open: Vec<String>,
    /// When the newest pages were read, and whether the mirror holds the whole list.
    read_at: Option<Time>,
    complete: bool,
}

/// What one learner's upload means for the run.
enum Verdict {
    Outcome(Box<RecordOutcome>),
    Again(Failure),
    Open,
    /// The upstream refuses everything: this record failed, and the others would.
    Stop(Box<RecordOutcome>, Failure),
}

impl Ace360 {
    /// One step of an upload run: some learners, or a look at those whose answer was lost.
    ///
    /// # Errors
    /// The database's.
    pub async fn upload_step(
        &self,
        client: &Client,
        environment: &str,
        run: &mut RunRow,
        fence: Uuid,
    ) -> Result<Step, Ace360Error> {
        let params: Params = serde_json::from_value(run.params.clone()).map_err(StoreError::from)?;
        let mut cursor: Cursor = serde_json::from_value(run.cursor.clone()).unwrap_or_default();
        let total = match run.total {
            Some(total) => total,
            None => self.count_wanted(run, &params).await?,
        };
        // What a worker that died had taken is taken again: one that it did upload is known by its intent.
        let batch = if cursor.taking.is_empty() {
            self.next_learners(run, &params, &mut cursor).await?
        } else {
            cursor.taking.clone()
        };
        if batch.is_empty() {
            return self.look_at_open(client, run, fence, cursor, total).await;
        }
        let now = self.store.now().await.map_err(StoreError::from)?;
        if cursor.read_at.is_none_or(|at| now - at > FRESH) {
            match self.read_newest(client, run.provider_id, environment).await {
                Ok(newest) => (cursor.read_at, cursor.complete) = (Some(now), newest.complete),
                Err(Ace360Error::Upstream(failure)) => return Ok(Step::Blocked(failure)),
                Err(error) => return Err(error),
            }
        }
        let of_run = OfRun {
            id: run.id,
            client: client.clone(),
            environment: environment.to_owned(),
            complete: cursor.complete,
        };
        if !run.validate_only && cursor.taking.is_empty() {
            cursor.taking.clone_from(&batch);
            match self.save(client, run, fence, &cursor, total, Vec::new(), false).await? {
                Step::More => {}
                other => return Ok(other),
            }
        }
        let by = By::itself(format!("run:{}", run.id));
        let mut tasks = Vec::with_capacity(batch.len());
        for id in &batch {
            let order = LearnerId::parse(id).ok().map(|learner| Order {
                provider: run.provider_id,
                learner,
                allow_duplicate: params.allow_duplicate,
                validate_only: run.validate_only,
                run: Some(of_run.clone()),
                by: by.clone(),
            });
            let ace360 = self.clone();
            // Each in a task of its own: the engine may drop a slice, but not a send.
            tasks.push(tokio::spawn(async move {
                match order {
                    Some(order) => ace360.upload(&order, &CancellationToken::new()).await,
                    None => Ok(Uploaded::NoLearner),
                }
            }));
        }
        let mut outcomes = Vec::new();
        let mut blocked = None;
        for (id, task) in batch.into_iter().zip(tasks) {
            let verdict = match task.await {
                Ok(uploaded) => self.verdict(run, &id, uploaded).await?,
                Err(_) => self.after_panic(run, &id).await?,
            };
            match verdict {
                Verdict::Outcome(outcome) => outcomes.push(*outcome),
                Verdict::Open => cursor.open.push(id),
                Verdict::Again(failure) => {
                    cursor.again.push(id);
                    blocked.get_or_insert(failure);
                }
                Verdict::Stop(outcome, failure) => {
                    outcomes.push(*outcome);
                    blocked = Some(failure);
                }
            }
        }
        cursor.taking.clear();
        let step = self.save(client, run, fence, &cursor, total, outcomes, false).await?;
        Ok(match (step, blocked) {
            (Step::More, Some(failure)) => Step::Blocked(failure),
            (step, _) => step,
        })
    }

    /// The next learners to take; none: all were.
    async fn next_learners(
        &self,
        run: &RunRow,
        params: &Params,
        cursor: &mut Cursor,
    ) -> Result<Vec<String>, StoreError> {
        let mut batch = Vec::new();
        if !cursor.all {
            let size = i64::try_from(AT_ONCE).unwrap_or(4);
            if run.learners.is_some() {
                let named = self.store.run_learners(run.id, cursor.taken, size).await?;
                cursor.taken = named.last().map_or(cursor.taken, |last| last.place + 1);
                cursor.all = named.len() < AT_ONCE;
                batch = named.into_iter().map(|own| own.learner_id).collect();
            } else {
                let page = self
                    .store
                    .list_learners(
                        run.provider_id,
                        LearnerFilter {
                            ace360: &params.filter.states(),
                            updated_after: params.filter.updated_after,
                            ..LearnerFilter::default()
                        },
                        cursor.after.as_deref(),
                        size,
                    )
                    .await?;
                batch = page.items.into_iter().map(|line| line.learner_id).collect();
                cursor.after = batch.last().cloned().or_else(|| cursor.after.take());
                cursor.all = !page.more;
            }
        }
        if batch.is_empty() {
            let many = cursor.again.len().min(AT_ONCE);
            batch = cursor.again.drain(..many).collect();
        }
        Ok(batch)
    }

    async fn count_wanted(&self, run: &RunRow, params: &Params) -> Result<i32, StoreError> {
        if let Some(count) = run.learners {
            return Ok(count);
        }
        let filter = LearnerFilter {
            ace360: &params.filter.states(),
            updated_after: params.filter.updated_after,
            ..LearnerFilter::default()
        };
        Ok(i32::try_from(self.store.count_learners(run.provider_id, filter).await?).unwrap_or(i32::MAX))
    }

    async fn verdict(
        &self,
        run: &RunRow,
        id: &str,
        uploaded: Result<Uploaded, Ace360Error>,
    ) -> Result<Verdict, Ace360Error> {
        let told = |outcome, code, told: Told| {
            Verdict::Outcome(Box::new(RecordOutcome::learner(id, outcome, code).told(told)))
        };
        Ok(match uploaded {
            Ok(Uploaded::Done(_)) => Verdict::Outcome(Box::new(uploaded_now(id))),
            Ok(Uploaded::Would) => Verdict::Outcome(Box::new(RecordOutcome::learner(
                id,
                OutcomeKind::Succeeded,
                RecordCode::WouldUpload,
            ))),
            Ok(Uploaded::AlreadyUploaded(record)) => {
                // By this very run, when its process died before it could write that down.
                let intent = self.store.latest_intent(run.provider_id, "ace360", "learner", id, STEP).await?;
                if intent.is_some_and(|intent| intent.run_id == Some(run.id) && intent.state == "done") {
                    Verdict::Outcome(Box::new(uploaded_now(id)))
                } else {
                    let words = format!("The learner has ACE360 record {record} already.");
                    told(OutcomeKind::Skipped, RecordCode::AlreadyUploaded, Told::words(words))
                }
            }
            Ok(Uploaded::NotEligible(reason)) => {
                told(OutcomeKind::Skipped, RecordCode::NotEligible, Told::words(reason))
            }
            Ok(Uploaded::NoLearner) => {
                told(OutcomeKind::Failed, RecordCode::NotFound, Told::words(NO_LEARNER))
            }
            Ok(Uploaded::Missing(built)) => {
                let message = format!("{}: see errors. Nothing was sent.", built.missing_in_words());
                let missing = Told { message, errors: built.faults(), ..Told::default() };
                told(OutcomeKind::Failed, RecordCode::FieldsMissing, missing)
            }
            Ok(Uploaded::LikelyDuplicate(search)) => {
                let found =
                    Told { message: search.lasting_advice(), record_ids: search.likely, ..Told::default() };
                told(OutcomeKind::Failed, RecordCode::LikelyDuplicate, found)
            }
            Ok(Uploaded::CannotTell) => {
                told(OutcomeKind::Failed, RecordCode::LikelyDuplicate, Told::words(CANNOT_TELL))
            }
            Ok(Uploaded::Rejected(failure)) if failure.kind.is_general() => {
                Verdict::Stop(Box::new(failed(id, &failure)), failure)
            }
            Ok(Uploaded::Rejected(failure)) => Verdict::Outcome(Box::new(failed(id, &failure))),
            Ok(Uploaded::NotSent(failure)) | Err(Ace360Error::Upstream(failure)) => Verdict::Again(failure),
            Ok(Uploaded::InFlight | Uploaded::Unknown) => Verdict::Open,
            Err(error) => return Err(error),
        })
    }

    /// Its task panicked: an intent that it wrote is looked for; without one nothing was sent.
    async fn after_panic(&self, run: &RunRow, id: &str) -> Result<Verdict, Ace360Error> {
        let intent = self.store.latest_intent(run.provider_id, "ace360", "learner", id, STEP).await?;
        let sent = |intent: &IntentRow| {
            intent.is_open() || (intent.run_id == Some(run.id) && intent.state == "done")
        };
        Ok(if intent.as_ref().is_some_and(sent) {
            Verdict::Open
        } else {
            Verdict::Outcome(Box::new(not_tried(id)))
        })
    }

    #[allow(clippy::too_many_arguments, reason = "what a step of a run is made of, and what it adds")]
    async fn save(
        &self,
        client: &Client,
        run: &mut RunRow,
        fence: Uuid,
        cursor: &Cursor,
        total: i32,
        outcomes: Vec<RecordOutcome>,
        complete: bool,
    ) -> Result<Step, Ace360Error> {
        let left = total - run.done - i32::try_from(outcomes.len()).unwrap_or(0);
        let calls = client.meter().take();
        let sends = if run.validate_only { 0 } else { left.max(0) };
        let progress = Progress {
            cursor: serde_json::to_value(cursor).ok(),
            total: Some(total),
            calls_planned: Some(run.calls_used + calls + sends),
            calls,
            outcomes,
            complete,
            ..Progress::default()
        };
        run.done += i32::try_from(progress.outcomes.len()).unwrap_or(0);
        run.total = Some(total);
        let tx = self.store.begin().await?;
        self.commit(tx, run, fence, progress).await
    }
}

impl Filter {
    /// The tab states that it takes.
    fn states(&self) -> Vec<TabState> {
        match self.ace360 {
            Some(state) => vec![state],
            None => vec![TabState::NotUploaded, TabState::Rejected],
        }
    }
}

fn uploaded_now(id: &str) -> RecordOutcome {
    RecordOutcome::learner(id, OutcomeKind::Succeeded, RecordCode::Uploaded)
}

/// Something unexpected kept it from being tried.
fn not_tried(id: &str) -> RecordOutcome {
    RecordOutcome::learner(id, OutcomeKind::Failed, RecordCode::Internal).told(Told::words(NOT_TRIED))
}
