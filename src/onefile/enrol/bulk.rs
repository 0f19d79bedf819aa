//! Enrolling many learners as a run: some at once, each by the way of a single one, each with its outcome. One whose answer was lost
//! goes on by itself, and is waited for at the end.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Enrolled, Wanted};
use crate::domain::{
    EnrolmentState, LearnerId, OneFileEnvironment, OneFileState, RecordCode, RunKind, StepState, counted,
};
use crate::onefile::client::Client;
use crate::onefile::{OneFile, OneFileError};
use crate::store::{
    By, LearnerFilter, OneFileSettings, OutcomeKind, Progress, RecordOutcome, RunRow, StoreError, Time, Told,
};
use crate::upstream::failure::Failure;
use crate::upstream::step::Step;

/// The kind of its run.
pub const ENROL: &str = RunKind::Enrol.as_str();
/// Learners at once: each takes its time in OneFile, and the pace wants to be kept.
const AT_ONCE: usize = 4;
/// How often those are looked at whose answer was lost.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// So long they are waited for.
const PATIENCE: TimeDelta = TimeDelta::minutes(30);
/// What an enrolment usually takes: looking for the learner, the user, four aims with their details, and a review.
const CALLS_EACH: i32 = 16;

const NO_LEARNER: &str = "There is no such learner.";
const LEFT_OPEN: &str = "It is under way, or the answer to a step was lost: it goes on by itself, and its tab tells what comes of it (GET /learners/{id}/onefile).";

/// What the run was asked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Params {
    /// Those that the filter takes, in the order of their ids.
    pub filter: Filter,
    /// In which centre.
    pub centre_id: Option<String>,
    /// OneFile's standard for a VQ reference that has several.
    pub pathways: BTreeMap<String, String>,
    /// Also those that OneFile probably has.
    pub allow_duplicate: bool,
}

/// Which learners.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    /// In this state; not said: those that are not enrolled, were rejected, or are incomplete.
    pub onefile: Option<OneFileState>,
    /// Whose record was written after this.
    pub updated_after: Option<Time>,
}

impl Filter {
    fn states(&self) -> Vec<OneFileState> {
        match self.onefile {
            Some(state) => vec![state],
            None => vec![OneFileState::NotEnrolled, OneFileState::Rejected, OneFileState::Incomplete],
        }
    }
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
    /// Those that could not be begun yet.
    again: Vec<String>,
    /// Those whose outcome is not known yet, and since when they are waited for.
    open: Vec<String>,
    open_since: Option<Time>,
}

/// What one learner's enrolment means for the run.
enum Verdict {
    Outcome(RecordOutcome),
    Again(Failure),
    Open,
}

impl OneFile {
    /// One step of an enrolment run: some learners, or a look at those that go on by themselves.
    ///
    /// # Errors
    /// The database's.
    pub async fn enrol_step(
        &self,
        client: &Client,
        settings: &OneFileSettings,
        run: &mut RunRow,
        fence: Uuid,
    ) -> Result<Step, OneFileError> {
        let params: Params = serde_json::from_value(run.params.clone()).map_err(StoreError::from)?;
        let mut cursor: Cursor = serde_json::from_value(run.cursor.clone()).unwrap_or_default();
        let total = match run.total {
            Some(total) => total,
            None => self.count_to_enrol(run, &params).await?,
        };
        // Kept only when what came of them is: one that was begun before a worker died is known by its enrolment.
        let batch = self.next_to_enrol(run, &params, &mut cursor).await?;
        if batch.is_empty() {
            return self.wait_for_open(client, settings, run, fence, cursor, total).await;
        }
        let by = By::itself(format!("run:{}", run.id));
        let mut tasks = Vec::with_capacity(batch.len());
        for id in &batch {
            let wanted = LearnerId::parse(id).ok().map(|learner| Wanted {
                provider: run.provider_id,
                learner,
                centre_id: params.centre_id.clone(),
                pathways: params.pathways.clone(),
                allow_duplicate: params.allow_duplicate,
                validate_only: run.validate_only,
                run: Some((run.id, client.clone())),
                by: by.clone(),
            });
            let onefile = self.clone();
            // Each in a task of its own: the engine may drop a slice, but not a send.
            tasks.push(tokio::spawn(async move {
                match wanted {
                    Some(wanted) => onefile.enrol(&wanted, &CancellationToken::new()).await,
                    None => Ok(Enrolled::NoLearner),
                }
            }));
        }
        let (mut outcomes, mut blocked) = (Vec::new(), None);
        for (id, task) in batch.into_iter().zip(tasks) {
            // One that panicked is known by its enrolment, if it was begun.
            let verdict = match task.await {
                Ok(enrolled) => self.enrolment_verdict(run, settings, &id, enrolled).await?,
                Err(_) => Verdict::Open,
            };
            match verdict {
                Verdict::Outcome(outcome) => outcomes.push(outcome),
                Verdict::Open => cursor.open.push(id),
                Verdict::Again(failure) => {
                    cursor.again.push(id);
                    blocked.get_or_insert(failure);
                }
            }
        }
        let step = self.save_enrolled(client, run, fence, &cursor, total, outcomes, false).await?;
        Ok(match (step, blocked) {
            (Step::More, Some(failure)) => Step::Blocked(failure),
            (step, _) => step,
        })
    }

    async fn next_to_enrol(
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
                let states = params.filter.states();
                let filter = LearnerFilter {
                    onefile: &states,
                    updated_after: params.filter.updated_after,
                    ..LearnerFilter::default()
                };
                let page =
                    self.store.list_learners(run.provider_id, filter, cursor.after.as_deref(), size).await?;
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

    async fn count_to_enrol(&self, run: &RunRow, params: &Params) -> Result<i32, StoreError> {
        if let Some(count) = run.learners {
            return Ok(count);
        }
        let states = params.filter.states();
        let filter = LearnerFilter {
            onefile: &states,
            updated_after: params.filter.updated_after,
            ..LearnerFilter::default()
        };
        Ok(i32::try_from(self.store.count_learners(run.provider_id, filter).await?).unwrap_or(i32::MAX))
    }

    async fn enrolment_verdict(
        &self,
        run: &RunRow,
        settings: &OneFileSettings,
        id: &str,
        enrolled: Result<Enrolled, OneFileError>,
    ) -> Result<Verdict, OneFileError> {
        let told = |outcome, code, told: Told| {
            Verdict::Outcome(RecordOutcome::learner(id, outcome, code).told(told))
        };
        let environment = settings.choices.environment;
        Ok(match enrolled {
            Ok(Enrolled::Came(EnrolmentState::Enrolling | EnrolmentState::Unknown) | Enrolled::InFlight) => {
                Verdict::Open
            }
            Ok(Enrolled::Came(_)) => {
                self.came(run, environment, id).await?.map_or(Verdict::Open, Verdict::Outcome)
            }
            Ok(Enrolled::Would) => {
                Verdict::Outcome(RecordOutcome::learner(id, OutcomeKind::Succeeded, RecordCode::WouldEnrol))
            }
            Ok(Enrolled::Already(user)) => {
                // By this very run, when its process died before it could write that down.
                let own = self.store.enrolment(run.provider_id, environment, id).await?;
                if own.is_some_and(|own| own.run_id == Some(run.id)) {
                    return Ok(self
                        .came(run, environment, id)
                        .await?
                        .map_or(Verdict::Open, Verdict::Outcome));
                }
                let words = format!("The learner has OneFile user {user} already.");
                told(OutcomeKind::Skipped, RecordCode::AlreadyEnrolled, Told::words(words))
            }
            Ok(Enrolled::NoLearner) => {
                told(OutcomeKind::Failed, RecordCode::NotFound, Told::words(NO_LEARNER))
            }
            Ok(Enrolled::NotReady(planned)) if planned.missing.is_empty() => {
                let record_ids =
                    planned.likely().iter().filter_map(|user| user.user_id.parse().ok()).collect();
                let message = planned.advice().unwrap_or_default().replace("{id}", id);
                told(
                    OutcomeKind::Failed,
                    RecordCode::LikelyDuplicate,
                    Told { message, record_ids, ..Told::default() },
                )
            }
            Ok(Enrolled::NotReady(planned)) => {
                let message = format!("{}: see errors. Nothing was sent.", planned.missing_in_words());
                let missing = Told { message, errors: planned.faults(id), ..Told::default() };
                told(OutcomeKind::Failed, RecordCode::FieldsMissing, missing)
            }
            Err(OneFileError::Upstream(failure)) => Verdict::Again(failure),
            Err(error) => return Err(error),
        })
    }

    /// What came of an enrolment, as it is kept; `None`: it is under way.
    async fn came(
        &self,
        run: &RunRow,
        environment: OneFileEnvironment,
        id: &str,
    ) -> Result<Option<RecordOutcome>, StoreError> {
        let Some(own) = self.store.enrolment(run.provider_id, environment, id).await? else {
            let words = Told::words("It was unlinked, or erased, meanwhile.");
            return Ok(Some(
                RecordOutcome::learner(id, OutcomeKind::Failed, RecordCode::NotFound).told(words),
            ));
        };
        let user = own.steps.iter().find(|step| step.name == "user").and_then(|step| step.remote_id.clone());
        let record = user.and_then(|user| user.parse().ok());
        let problem = own.steps.iter().find(|step| step.state != StepState::Done && step.problem.is_some());
        Ok(match own.state {
            EnrolmentState::Enrolled => {
                let outcome = RecordOutcome::learner(id, OutcomeKind::Succeeded, RecordCode::Enrolled);
                Some(match record {
                    Some(record) => outcome.of_record(record),
                    None => outcome,
                })
            }
            EnrolmentState::Rejected | EnrolmentState::Incomplete => {
                let (code, words) = match problem {
                    Some(step) => {
                        let problem = step.problem.as_ref();
                        let code = problem.and_then(|problem| RecordCode::parse(&problem.code));
                        let code = if step.state == StepState::Unknown {
                            Some(RecordCode::UnknownOutcome)
                        } else {
                            code
                        };
                        let message = problem.map(|problem| problem.message.as_str()).unwrap_or_default();
                        (code, format!("It stopped at the step {}: {message}", step.name))
                    }
                    None => (None, "It is not whole: see its tab.".to_owned()),
                };
                let outcome =
                    RecordOutcome::learner(id, OutcomeKind::Failed, code.unwrap_or(RecordCode::Other));
                Some(outcome.told(Told::words(words)))
            }
            EnrolmentState::Enrolling | EnrolmentState::Unknown => None,
        })
    }

    async fn wait_for_open(
        &self,
        client: &Client,
        settings: &OneFileSettings,
        run: &mut RunRow,
        fence: Uuid,
        mut cursor: Cursor,
        total: i32,
    ) -> Result<Step, OneFileError> {
        let now = self.store.now().await.map_err(StoreError::from)?;
        let since = *cursor.open_since.get_or_insert(now);
        let (mut outcomes, mut open) = (Vec::new(), Vec::new());
        for id in std::mem::take(&mut cursor.open) {
            match self.came(run, settings.choices.environment, &id).await? {
                Some(outcome) => outcomes.push(outcome),
                None if now - since > PATIENCE => outcomes.push(left_open(&id)),
                None => open.push(id),
            }
        }
        let waiting = open.len();
        cursor.open = open;
        let step = self.save_enrolled(client, run, fence, &cursor, total, outcomes, waiting == 0).await?;
        Ok(match step {
            Step::More if waiting > 0 => Step::Waiting(
                LOOK_EVERY,
                format!(
                    "{} by itself, since the answer to a step was lost or OneFile takes no calls",
                    counted(waiting, "enrolment goes on", "enrolments go on")
                ),
            ),
            Step::More => Step::Done,
            other => other,
        })
    }

    /// The run ends before its time: of those that it has begun, what is known is told; they go on by themselves.
    ///
    /// # Errors
    /// The database's.
    pub async fn leave_enrolments(&self, run: &RunRow, fence: Uuid) -> Result<(), StoreError> {
        let mut cursor: Cursor = serde_json::from_value(run.cursor.clone()).unwrap_or_default();
        let environment = self.store.onefile_settings(run.provider_id).await?.choices.environment;
        let mut outcomes = Vec::new();
        for id in std::mem::take(&mut cursor.open) {
            outcomes.push(self.came(run, environment, &id).await?.unwrap_or_else(|| left_open(&id)));
        }
        if outcomes.is_empty() {
            return Ok(());
        }
        let progress =
            Progress { cursor: serde_json::to_value(&cursor).ok(), outcomes, ..Progress::default() };
        let mut tx = self.store.begin().await?;
        if self.store.add_progress(&mut tx, run.id, fence, &progress).await? {
            tx.commit().await?;
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "what a step of a run is made of, and what it adds")]
    async fn save_enrolled(
        &self,
        client: &Client,
        run: &mut RunRow,
        fence: Uuid,
        cursor: &Cursor,
        total: i32,
        outcomes: Vec<RecordOutcome>,
        complete: bool,
    ) -> Result<Step, OneFileError> {
        let calls = client.meter().take();
        run.done += i32::try_from(outcomes.len()).unwrap_or(0);
        run.total = Some(total);
        let (used, left) = (run.calls_used + calls, (total - run.done).max(0));
        // What those before took, once some are done.
        let each = if run.done > 0 { (used / run.done).max(1) } else { CALLS_EACH };
        let saved = serde_json::to_value(cursor).map_err(StoreError::from)?;
        let progress = Progress {
            cursor: Some(saved.clone()),
            total: Some(total),
            calls_planned: Some(used + left.saturating_mul(each)),
            calls,
            outcomes,
            complete,
            ..Progress::default()
        };
        let mut tx = self.store.begin().await?;
        if !self.store.add_progress(&mut tx, run.id, fence, &progress).await? {
            return Ok(Step::Replaced);
        }
        tx.commit().await.map_err(StoreError::from)?;
        run.cursor = saved;
        run.calls_used = used;
        Ok(Step::More)
    }
}

fn left_open(id: &str) -> RecordOutcome {
    let words = Told::words(LEFT_OPEN.replace("{id}", id));
    RecordOutcome::learner(id, OutcomeKind::Failed, RecordCode::UnknownOutcome).told(words)
}
