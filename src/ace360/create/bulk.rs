//! Bulk upload: what a batch does for one learner. Each goes by the way of a single upload; the newest pages of ACE360's
//! list are read once for many learners.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::ace360::client::line::Ace360Line;
use crate::ace360::create::plan::Doubt;
use crate::ace360::create::upload::{CANNOT_TELL, OfRun, Order, Uploaded};
use crate::ace360::links::readings::failed;
use crate::ace360::{Ace360, Ace360Error};
use crate::domain::{DoubtCode, IntentState, LearnerId, RecordCode, TabState, counted};
use crate::store::{
    IntentRow, LearnerFilter, OutcomeKind, RecordKind, RecordOutcome, StoreError, Time, Told,
};
use crate::upstream::failure::faults;
use crate::upstream::run::{BatchFilter, BatchWork, Begun, Halt, Known, RunContext, no_learner, not_tried};

/// After this the newest pages are read again.
const FRESH: TimeDelta = TimeDelta::seconds(60);

/// The work of a run that uploads learners.
pub struct Uploads<'a>(pub &'a Ace360);

/// What a bulk upload is asked beside the learners.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UploadOptions {
    /// Upload learners in spite of these doubts. A filter never takes leavers and those who start later.
    pub overrule: Vec<DoubtCode>,
}

/// When the newest pages were read, and whether the mirror then held ACE360's whole list.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewestPages {
    read_at: Option<Time>,
    complete: bool,
}

impl BatchWork for Uploads<'_> {
    type Line = Ace360Line;
    type State = TabState;
    type Options = UploadOptions;
    type Ahead = NewestPages;

    const ASK_EVERY: Duration = Duration::from_secs(5);
    const PATIENCE: Option<TimeDelta> = None;
    const LEFT_OPEN: &'static str = "It was sent, and its answer was not known when the run ended. It is looked for, and the learner's ACE360 tab tells what became of it.";

    async fn connect(&self, provider: Uuid) -> Result<Ace360Line, Halt> {
        self.0.line(provider).await
    }

    fn filter<'a>(&self, filter: &'a BatchFilter<TabState>) -> LearnerFilter<'a> {
        LearnerFilter {
            ace360: &filter.states,
            updated_after: filter.updated_after,
            ..LearnerFilter::default()
        }
    }

    fn calls_left(&self, run: &RunContext, _: i32, left: i32) -> i32 {
        if run.row.validate_only { 0 } else { left }
    }

    async fn read_ahead(
        &self,
        line: &Ace360Line,
        run: &RunContext,
        ahead: &mut NewestPages,
    ) -> Result<(), Halt> {
        let now = self.0.store.now().await?;
        if ahead.read_at.is_none_or(|at| now - at > FRESH) {
            let complete = self.0.read_newest(&line.client, run.row.provider_id, &line.environment).await?;
            *ahead = NewestPages { read_at: Some(now), complete };
        }
        Ok(())
    }

    fn begin(
        &self,
        line: &Ace360Line,
        run: &RunContext,
        options: &UploadOptions,
        ahead: &NewestPages,
        learner: &str,
    ) -> BoxFuture<'static, Result<Begun, Halt>> {
        let Ok(learner) = LearnerId::parse(learner) else {
            let outcome = no_learner(learner);
            return Box::pin(async { Ok(Begun::Outcome(outcome)) });
        };
        let of_run = OfRun {
            id: run.row.id,
            client: line.client.clone(),
            environment: line.environment.clone(),
            complete: ahead.complete,
        };
        let by_filter = run.row.learners.is_none();
        let mut overrule = options.overrule.clone();
        if by_filter {
            overrule.retain(|code| *code == DoubtCode::LikelyDuplicate);
        }
        let order = Order {
            provider: run.row.provider_id,
            learner,
            overrule,
            validate_only: run.row.validate_only,
            run: Some(of_run),
            by: run.by(),
        };
        let (ace360, run) = (self.0.clone(), run.row.id);
        Box::pin(async move {
            let uploaded = ace360.upload(&order, &CancellationToken::new()).await;
            begun(&ace360, run, &order, by_filter, uploaded).await
        })
    }

    async fn has_begun(&self, run: &RunContext, learner: &str) -> Result<bool, StoreError> {
        let intent = self.0.latest_upload(run.row.provider_id, learner).await?;
        Ok(intent.is_some_and(|intent| is_begun_by(&intent, run.row.id)))
    }

    async fn known(&self, run: &RunContext, learner: &str) -> Result<Known, StoreError> {
        let (store, provider) = (&self.0.store, run.row.provider_id);
        if store.ace360_link(provider, learner).await?.is_some() {
            return Ok(Known::Outcome(uploaded_now(learner)));
        }
        let Some(intent) = self.0.latest_upload(provider, learner).await? else {
            let is_there = store.is_there(provider, RecordKind::Learner, learner).await?;
            return Ok(Known::Outcome(if is_there { not_tried(learner) } else { no_learner(learner) }));
        };
        match intent.state {
            IntentState::Sending => Ok(Known::Open),
            IntentState::Unknown if intent.next_look_at.is_some() => Ok(Known::Open),
            IntentState::NotSent => Ok(Known::NotSent),
            IntentState::Done => Ok(Known::Outcome(uploaded_now(learner))),
            IntentState::Unknown | IntentState::Rejected => {
                Ok(Known::Outcome(unsettled(self.0, learner, &intent)?))
            }
        }
    }

    fn waiting_words(&self, open: usize) -> String {
        let uploads = counted(open, "upload that was sent", "uploads that were sent");
        format!("the answer of {uploads} was lost; what became of it is being looked for")
    }
}

/// What an upload means for its batch.
async fn begun(
    ace360: &Ace360,
    run: Uuid,
    order: &Order,
    by_filter: bool,
    uploaded: Result<Uploaded, Ace360Error>,
) -> Result<Begun, Halt> {
    let id = order.learner.as_str();
    let told =
        |outcome, code, told: Told| Ok(Begun::Outcome(RecordOutcome::learner(id, outcome, code).told(told)));
    match uploaded {
        Ok(Uploaded::Done(_)) => Ok(Begun::Outcome(uploaded_now(id))),
        Ok(Uploaded::Would) => {
            let outcome = RecordOutcome::learner(id, OutcomeKind::Succeeded, RecordCode::WouldUpload);
            Ok(Begun::Outcome(outcome))
        }
        Ok(Uploaded::AlreadyUploaded(record)) => {
            // By this very run, when its process died before it could write that down.
            let intent = ace360.latest_upload(order.provider, id).await?;
            if intent.is_some_and(|intent| is_begun_by(&intent, run) && intent.state == IntentState::Done) {
                return Ok(Begun::Outcome(uploaded_now(id)));
            }
            let words = format!("The learner has ACE360 record {record} already.");
            told(OutcomeKind::Skipped, RecordCode::AlreadyUploaded, Told::words(words))
        }
        Ok(Uploaded::NotEligible(reason)) => {
            told(OutcomeKind::Skipped, RecordCode::NotEligible, Told::words(reason))
        }
        Ok(Uploaded::NoLearner) => Ok(Begun::Outcome(no_learner(id))),
        Ok(Uploaded::Missing(built)) => {
            let message = format!("{}: see errors. Nothing was sent.", built.missing_in_words());
            let missing = Told { message, errors: built.faults(), ..Told::default() };
            told(OutcomeKind::Failed, RecordCode::FieldsMissing, missing)
        }
        Ok(Uploaded::Doubted(doubts, search)) => {
            // A filter leaves out whom it should not have taken.
            let own = doubts.iter().find(|doubt| doubt.code != DoubtCode::LikelyDuplicate);
            if let Some(doubt) = own.filter(|_| by_filter) {
                let words = format!("{} A filter leaves such learners out.", doubt.message);
                return told(OutcomeKind::Skipped, doubt.record_code(), Told::words(words));
            }
            let message = |doubt: &Doubt| match doubt.code {
                DoubtCode::LikelyDuplicate => search.lasting_advice(),
                DoubtCode::Leaver | DoubtCode::StartsLater => {
                    format!(
                        "{} Nothing was sent. If it is right all the same, overrule it by name.",
                        doubt.message
                    )
                }
            };
            let words = doubts.iter().map(message).collect::<Vec<_>>().join(" ");
            let code = doubts.first().map_or(RecordCode::Other, Doubt::record_code);
            let found = Told { message: words, record_ids: search.likely.clone(), ..Told::default() };
            told(OutcomeKind::Failed, code, found)
        }
        Ok(Uploaded::CannotTell) => {
            told(OutcomeKind::Failed, RecordCode::LikelyDuplicate, Told::words(CANNOT_TELL))
        }
        Ok(Uploaded::Rejected(failure)) if failure.kind.is_general() => {
            Ok(Begun::Stop(failed(id, &failure), failure))
        }
        Ok(Uploaded::Rejected(failure)) => Ok(Begun::Outcome(failed(id, &failure))),
        Ok(Uploaded::NotSent(failure)) | Err(Ace360Error::Upstream(failure)) => Ok(Begun::Again(failure)),
        Ok(Uploaded::InFlight | Uploaded::Unknown) => Ok(Begun::Open),
        Err(error) => Err(error.into()),
    }
}

fn is_begun_by(intent: &IntentRow, run: Uuid) -> bool {
    intent.run_id == Some(run)
}

fn uploaded_now(id: &str) -> RecordOutcome {
    RecordOutcome::learner(id, OutcomeKind::Succeeded, RecordCode::Uploaded)
}

/// An upload that did not happen, or of which only a person can tell.
fn unsettled(ace360: &Ace360, id: &str, intent: &IntentRow) -> Result<RecordOutcome, StoreError> {
    if intent.is_open() {
        let words = format!(
            "It was sent and its answer was lost, and no look-up can tell what became of it: settle it by hand (POST /intents/{}:resolve).",
            intent.id
        );
        let outcome = RecordOutcome::learner(id, OutcomeKind::Failed, RecordCode::UnknownOutcome);
        return Ok(outcome.told(Told::words(words)));
    }
    let problem = ace360.store.intent_problem(intent)?;
    let code = problem.as_ref().and_then(|problem| RecordCode::parse(&problem.code));
    let told = problem.map(|problem| Told {
        errors: faults(&problem.field_errors),
        message: problem.message,
        ..Told::default()
    });
    let outcome = RecordOutcome::learner(id, OutcomeKind::Failed, code.unwrap_or(RecordCode::Other));
    Ok(outcome.told(told.unwrap_or_default()))
}
