//! Bulk enrolment: what a batch does for one learner. Each goes by the way of a single enrolment. One whose answer was lost
//! goes on by itself, and the batch waits for it.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::domain::{
    EnrolmentState, LearnerId, OneFileEnvironment, OneFileState, RecordCode, RunKind, StepState, counted,
};
use crate::onefile::client::line::OneFileLine;
use crate::onefile::create::enrol::Enrolled;
use crate::onefile::create::wanted::Wanted;
use crate::onefile::{OneFile, OneFileError};
use crate::store::{Enrolment, LearnerFilter, OutcomeKind, RecordOutcome, StoreError, Told};
use crate::upstream::run::{BatchFilter, BatchWork, Begun, Halt, Known, RunContext, no_learner};

/// What an enrolment usually takes: looking for the learner, the user, four aims with their details, and a review.
const CALLS_EACH: i32 = 16;

/// The work of a run that enrols learners.
pub struct Enrolments<'a>(pub &'a OneFile);

/// What a bulk enrolment is asked beside the learners.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnrolOptions {
    /// OneFile's centre; none: the only one.
    pub centre_id: Option<String>,
    /// OneFile's standard for each VQ reference that has several.
    pub pathways: BTreeMap<String, String>,
    /// Also enrol learners that OneFile probably has.
    pub allow_duplicate: bool,
}

impl BatchWork for Enrolments<'_> {
    type Line = OneFileLine;
    type State = OneFileState;
    type Options = EnrolOptions;
    type Ahead = ();

    const ASK_EVERY: Duration = Duration::from_secs(10);
    const PATIENCE: Option<TimeDelta> = Some(TimeDelta::minutes(30));
    const LEFT_OPEN: &'static str = "It is under way, or the answer to a step was lost: it goes on by itself, and its tab tells what comes of it (GET /learners/{id}/onefile).";

    async fn connect(&self, provider: Uuid) -> Result<OneFileLine, Halt> {
        self.0.line(provider, RunKind::Enrol).await
    }

    fn filter<'a>(&self, filter: &'a BatchFilter<OneFileState>) -> LearnerFilter<'a> {
        LearnerFilter {
            onefile: &filter.states,
            updated_after: filter.updated_after,
            ..LearnerFilter::default()
        }
    }

    /// As many for each as the learners before took, once there are some.
    fn calls_left(&self, run: &RunContext, done: i32, left: i32) -> i32 {
        let each = if done > 0 { (run.calls_used() / done).max(1) } else { CALLS_EACH };
        left.saturating_mul(each)
    }

    fn begin(
        &self,
        line: &OneFileLine,
        run: &RunContext,
        options: &EnrolOptions,
        (): &(),
        learner: &str,
    ) -> BoxFuture<'static, Result<Begun, Halt>> {
        let Ok(learner) = LearnerId::parse(learner) else {
            let outcome = no_learner(learner);
            return Box::pin(async { Ok(Begun::Outcome(outcome)) });
        };
        let wanted = Wanted {
            provider: run.row.provider_id,
            learner,
            centre_id: options.centre_id.clone(),
            pathways: options.pathways.clone(),
            allow_duplicate: options.allow_duplicate,
            validate_only: run.row.validate_only,
            run: Some((run.row.id, line.client.clone())),
            by: run.by(),
        };
        let (onefile, run, environment) = (self.0.clone(), run.row.id, line.settings.choices.environment);
        Box::pin(async move {
            let enrolled = onefile.enrol(&wanted, &CancellationToken::new()).await;
            begun(&onefile, run, environment, &wanted, enrolled).await
        })
    }

    async fn has_begun(&self, run: &RunContext, learner: &str) -> Result<bool, StoreError> {
        let enrolment = self.enrolment(run, learner).await?;
        Ok(enrolment.is_some_and(|enrolment| enrolment.run_id == Some(run.row.id)))
    }

    async fn known(&self, run: &RunContext, learner: &str) -> Result<Known, StoreError> {
        Ok(known(learner, self.enrolment(run, learner).await?))
    }

    fn waiting_words(&self, open: usize) -> String {
        let enrolments = counted(open, "enrolment goes on", "enrolments go on");
        format!("{enrolments} by itself, since the answer to a step was lost or OneFile takes no calls")
    }
}

impl Enrolments<'_> {
    async fn enrolment(&self, run: &RunContext, learner: &str) -> Result<Option<Enrolment>, StoreError> {
        let store = &self.0.store;
        let environment = store.onefile_settings(run.row.provider_id).await?.choices.environment;
        store.enrolment(run.row.provider_id, environment, learner).await
    }
}

/// What an enrolment means for its batch.
async fn begun(
    onefile: &OneFile,
    run: Uuid,
    environment: OneFileEnvironment,
    wanted: &Wanted,
    enrolled: Result<Enrolled, OneFileError>,
) -> Result<Begun, Halt> {
    let id = wanted.learner.as_str();
    let told =
        |outcome, code, told: Told| Ok(Begun::Outcome(RecordOutcome::learner(id, outcome, code).told(told)));
    match enrolled {
        Ok(Enrolled::Came(EnrolmentState::Enrolling | EnrolmentState::Unknown) | Enrolled::InFlight) => {
            Ok(Begun::Open)
        }
        Ok(Enrolled::Came(
            EnrolmentState::Enrolled | EnrolmentState::Incomplete | EnrolmentState::Rejected,
        )) => {
            let own = onefile.store.enrolment(wanted.provider, environment, id).await?;
            Ok(begun_already(known(id, own)))
        }
        Ok(Enrolled::Would) => {
            let outcome = RecordOutcome::learner(id, OutcomeKind::Succeeded, RecordCode::WouldEnrol);
            Ok(Begun::Outcome(outcome))
        }
        Ok(Enrolled::Already(user)) => {
            // By this very run, when its process died before it could write that down.
            let own = onefile.store.enrolment(wanted.provider, environment, id).await?;
            if own.as_ref().is_some_and(|own| own.run_id == Some(run)) {
                return Ok(begun_already(known(id, own)));
            }
            let words = format!("The learner has OneFile user {user} already.");
            told(OutcomeKind::Skipped, RecordCode::AlreadyEnrolled, Told::words(words))
        }
        Ok(Enrolled::NoLearner) => Ok(Begun::Outcome(no_learner(id))),
        Ok(Enrolled::NotReady(planned)) if planned.missing.is_empty() => {
            let record_ids = planned.likely().iter().filter_map(|user| user.user_id.parse().ok()).collect();
            let message = planned.advice().unwrap_or_default().replace("{id}", id);
            let likely = Told { message, record_ids, ..Told::default() };
            told(OutcomeKind::Failed, RecordCode::LikelyDuplicate, likely)
        }
        Ok(Enrolled::NotReady(planned)) => {
            let message = format!("{}: see errors. Nothing was sent.", planned.missing_in_words());
            let missing = Told { message, errors: planned.faults(id), ..Told::default() };
            told(OutcomeKind::Failed, RecordCode::FieldsMissing, missing)
        }
        Err(OneFileError::Upstream(failure)) => Ok(Begun::Again(failure)),
        Err(error) => Err(error.into()),
    }
}

fn begun_already(known: Known) -> Begun {
    match known {
        Known::Outcome(outcome) => Begun::Outcome(outcome),
        Known::Open | Known::NotSent => Begun::Open,
    }
}

/// What an enrolment's row says.
fn known(id: &str, enrolment: Option<Enrolment>) -> Known {
    let Some(own) = enrolment else {
        let words = Told::words("It was unlinked, or erased, meanwhile.");
        let outcome = RecordOutcome::learner(id, OutcomeKind::Failed, RecordCode::NotFound);
        return Known::Outcome(outcome.told(words));
    };
    match own.state {
        EnrolmentState::Enrolling | EnrolmentState::Unknown => Known::Open,
        EnrolmentState::Enrolled => {
            let user = own.steps.iter().find(|step| step.name == "user");
            let record = user.and_then(|step| step.remote_id.as_ref()?.parse().ok());
            let outcome = RecordOutcome::learner(id, OutcomeKind::Succeeded, RecordCode::Enrolled);
            Known::Outcome(RecordOutcome { record_id: record, ..outcome })
        }
        EnrolmentState::Rejected | EnrolmentState::Incomplete => Known::Outcome(stopped(id, &own)),
    }
}

/// An enrolment that stopped at a step.
fn stopped(id: &str, own: &Enrolment) -> RecordOutcome {
    let step = own.steps.iter().find(|step| step.state != StepState::Done && step.problem.is_some());
    let (code, words) = match step {
        Some(step) => {
            let problem = step.problem.as_ref();
            let code = if step.state == StepState::Unknown {
                Some(RecordCode::UnknownOutcome)
            } else {
                problem.and_then(|problem| RecordCode::parse(&problem.code))
            };
            let message = problem.map(|problem| problem.message.as_str()).unwrap_or_default();
            (code, format!("It stopped at the step {}: {message}", step.name))
        }
        None => (None, "It is not complete: see its tab.".to_owned()),
    };
    RecordOutcome::learner(id, OutcomeKind::Failed, code.unwrap_or(RecordCode::Other))
        .told(Told::words(words))
}
