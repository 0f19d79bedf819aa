//! The end of an upload run: what became of those whose answer was lost.

use std::time::Duration;

use uuid::Uuid;

use super::{Cursor, NO_LEARNER, not_tried, uploaded_now};
use crate::ace360::catalogue::Step;
use crate::ace360::client::Client;
use crate::ace360::{Ace360, Ace360Error};
use crate::domain::{IntentState, Learner, RecordCode, counted};
use crate::store::{IntentRow, OutcomeKind, Progress, RecordKind, RecordOutcome, RunRow, StoreError, Told};
use crate::upstream::failure::faults;

/// How often the run looks at uploads whose answer was lost.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What is told of an upload whose run ended first.
const LEFT_OPEN: &str = "It was sent, and its answer was not known when the run ended. It is looked for, and the learner's ACE360 tab tells what became of it.";

impl Ace360 {
    /// All were taken: what is still open is waited for, until it is known or only a person can tell.
    pub(super) async fn look_at_open(
        &self,
        client: &Client,
        run: &mut RunRow,
        fence: Uuid,
        mut cursor: Cursor,
        total: i32,
    ) -> Result<Step, Ace360Error> {
        let mut outcomes = Vec::new();
        let mut open = Vec::new();
        for id in std::mem::take(&mut cursor.open) {
            if self.store.ace360_link(run.provider_id, &id).await?.is_some() {
                outcomes.push(uploaded_now(&id));
                continue;
            }
            let intent = self.latest_upload(run.provider_id, &id).await?;
            let Some(intent) = intent else {
                outcomes.push(self.without_intent(run.provider_id, &id).await?);
                continue;
            };
            if intent.is_open() && (intent.state == IntentState::Sending || intent.next_look_at.is_some()) {
                open.push(id);
                continue;
            }
            if intent.state == IntentState::NotSent {
                // Nothing of it arrived: it is still to be done.
                cursor.again.push(id);
                continue;
            }
            outcomes.push(self.unsettled(id, &intent)?);
        }
        let waiting = open.len();
        cursor.open = open;
        let more = !cursor.again.is_empty();
        // Learners that came or went while a filter was worked: the total is what was accounted for.
        let complete = !more && waiting == 0;
        let step = self.save(client, run, fence, &cursor, total, outcomes, complete).await?;
        Ok(match step {
            Step::More if more => Step::More,
            Step::More if waiting > 0 => Step::Waiting(
                LOOK_EVERY,
                format!(
                    "the answer of {} was lost; what became of it is being looked for",
                    counted(waiting, "upload that was sent", "uploads that were sent")
                ),
            ),
            Step::More => Step::Done,
            other => other,
        })
    }

    /// The run ends before its time: of those that it has sent and does not know the outcome of, that is told. Each is looked
    /// for all the same, and the tab tells what became of it. Nothing happens where the run is another worker's by now.
    ///
    /// # Errors
    /// The database's.
    pub async fn leave_open(&self, run: &RunRow, fence: Uuid) -> Result<(), StoreError> {
        let mut cursor: Cursor = serde_json::from_value(run.cursor.clone()).unwrap_or_default();
        let mut outcomes = Vec::new();
        let taking = std::mem::take(&mut cursor.taking);
        for id in std::mem::take(&mut cursor.open).into_iter().chain(taking) {
            let intent = self.latest_upload(run.provider_id, &id).await?;
            let Some(intent) = intent.filter(|intent| intent.run_id == Some(run.id)) else { continue };
            outcomes.push(match intent.state {
                IntentState::Done => uploaded_now(&id),
                IntentState::Rejected => self.unsettled(id, &intent)?,
                IntentState::NotSent => continue,
                IntentState::Sending | IntentState::Unknown => {
                    RecordOutcome::learner(id, OutcomeKind::Failed, RecordCode::UnknownOutcome)
                        .told(Told::words(LEFT_OPEN))
                }
            });
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

    /// One that was taken and has no intent (any more) has its outcome too.
    async fn without_intent(&self, provider: Uuid, id: &str) -> Result<RecordOutcome, StoreError> {
        let learner = self.store.record::<Learner>(provider, RecordKind::Learner, id).await?;
        Ok(if learner.is_some() {
            not_tried(id)
        } else {
            RecordOutcome::learner(id, OutcomeKind::Failed, RecordCode::NotFound)
                .told(Told::words(NO_LEARNER))
        })
    }

    /// An upload that did not happen, or of which only a person can tell.
    fn unsettled(&self, id: String, intent: &IntentRow) -> Result<RecordOutcome, StoreError> {
        if intent.is_open() {
            let words = format!(
                "It was sent and its answer was lost, and no look-up can tell what became of it: settle it by hand (POST /intents/{}:resolve).",
                intent.id
            );
            return Ok(RecordOutcome::learner(id, OutcomeKind::Failed, RecordCode::UnknownOutcome)
                .told(Told::words(words)));
        }
        let problem = self.store.intent_problem(intent)?;
        let code = problem.as_ref().and_then(|problem| RecordCode::parse(&problem.code));
        let told = problem.map(|problem| Told {
            errors: faults(&problem.field_errors),
            message: problem.message,
            ..Told::default()
        });
        Ok(RecordOutcome::learner(id, OutcomeKind::Failed, code.unwrap_or(RecordCode::Other))
            .told(told.unwrap_or_default()))
    }
}
