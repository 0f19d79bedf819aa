//! Exchanges the learners whose turn it is, several at a time, so that OneFile's answering time does not hold the pace back. Each
//! learner's outcome is told in the transaction that keeps what came of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use uuid::Uuid;

use super::decide::want;
use super::run::{ExchangeCursor, Work};
use crate::domain::{Learner, RecordCode};
use crate::onefile::OneFile;
use crate::onefile::sync::context::{ExchangeContext, Trouble};
use crate::store::{OutcomeKind, Progress, RecordOutcome, StoreError, Told, Turn};
use crate::upstream::failure::Failure;
use crate::upstream::run::{Halt, Step};

/// Learners that are looked up at once.
const TURNS: i64 = 200;
/// Learners at a time, at most; fewer where the pace is slower, so that each gets its calls before they are given up.
const LANES: usize = 8;
/// For so long a step begins with further learners.
const STEP: Duration = Duration::from_secs(5);
/// How long it waits for learners whom somebody else exchanges.
const BUSY: Duration = Duration::from_secs(2);

/// What came of a learner's turn.
enum Came {
    /// Its outcome is told.
    Told,
    /// Somebody else has the learner.
    Busy,
    /// It was not begun.
    Left,
    /// OneFile as a whole does not answer.
    General(Failure),
    /// Another worker has the run.
    Replaced,
}

impl OneFile {
    pub(crate) async fn turns_step(
        &self,
        work: &mut Work<'_>,
        mut cursor: ExchangeCursor,
    ) -> Result<Step, Halt> {
        let turns = self.store.next_turns(work.run.row.id, if cursor.cautious { 1 } else { TURNS }).await?;
        if turns.is_empty() {
            return self.end(work, &cursor).await;
        }
        let context = Arc::new(self.context_of(work).await?);
        let lanes = usize::try_from(self.per_minute() / 30).unwrap_or(LANES).clamp(1, LANES);
        let stop = Arc::new(AtomicBool::new(false));
        let ends = Instant::now() + STEP.min(self.timings.slice / 4);
        let begun = turns.into_iter().map(|turn| {
            let (context, stop) = (Arc::clone(&context), Arc::clone(&stop));
            // Something may be made in OneFile: the job engine must not drop it half way.
            async move { tokio::spawn(async move { take_turn(&context, turn, &stop, ends).await }).await }
        });
        let mut lanes = futures_util::stream::iter(begun).buffer_unordered(lanes);
        let (mut busy, mut blocked, mut told, mut broken) = (Vec::new(), None, 0, None);
        while let Some(came) = lanes.next().await {
            let Ok((turn, came)) = came else { continue };
            let came = match came {
                Ok(came) => came,
                // Those who are under way come to their end first: the run is let go of then.
                Err(error) => {
                    broken = Some(error);
                    continue;
                }
            };
            match came {
                Came::Told => {
                    told += 1;
                    cursor.left = cursor.left.saturating_sub(turn.calls);
                    cursor.reckoned = cursor.reckoned.saturating_add(turn.calls);
                }
                Came::Busy => busy.push(turn.learner_id),
                Came::Left => {}
                Came::General(failure) => blocked = Some(failure),
                Came::Replaced => return Err(Halt::Replaced),
            }
        }
        if let Some(error) = broken {
            return Err(error.into());
        }
        cursor.took = cursor.took.saturating_add(work.client.meter().peek());
        cursor.cautious = blocked.is_some();
        let used = work.run.calls_used();
        let mut tx = self.store.begin().await?;
        self.store.postpone_turns(&mut tx, work.run.row.id, &busy).await?;
        let progress = Progress { calls_planned: Some(cursor.planned(used)), ..Progress::default() };
        work.run.commit(tx, &cursor, progress).await?;
        if let Some(failure) = blocked {
            return Err(failure.into());
        }
        if told == 0 && !busy.is_empty() {
            let why = "Learners who are left are exchanged by somebody else just now.".to_owned();
            return Ok(Step::Waiting(BUSY, why));
        }
        Ok(Step::More)
    }
}

/// A learner's turn, if there is time for it.
async fn take_turn(
    context: &ExchangeContext,
    turn: Turn,
    stop: &AtomicBool,
    ends: Instant,
) -> (Turn, Result<Came, StoreError>) {
    if stop.load(Ordering::Relaxed) || Instant::now() >= ends {
        return (turn, Ok(Came::Left));
    }
    let came = exchange(context, &turn).await;
    if matches!(came, Ok(Came::General(_) | Came::Replaced) | Err(_)) {
        stop.store(true, Ordering::Relaxed);
    }
    (turn, came)
}

async fn exchange(context: &ExchangeContext, turn: &Turn) -> Result<Came, StoreError> {
    let (store, worker) = (&context.onefile.store, Uuid::new_v4());
    let (provider, environment) = (context.provider, context.environment);
    let id = &turn.learner_id;
    let lease = context.onefile.timings.job * 2;
    let held = store.hold_learner::<Learner>(provider, environment, id, worker, lease).await?;
    let Some(there) = held else {
        return gone_or_busy(context, &turn.learner_id).await;
    };
    let came = context.exchange(there, worker, &want(turn)).await;
    // What is kept lets go by itself.
    let kept = matches!(&came, Ok(Some(outcome)) if outcome.outcome != OutcomeKind::Skipped);
    if !kept {
        store.release_learner(provider, environment, id, worker).await?;
    }
    match came {
        Ok(Some(_)) => Ok(Came::Told),
        Ok(None) => gone_or_busy(context, &turn.learner_id).await,
        Err(Trouble::General(failure)) => Ok(Came::General(failure)),
        Err(Trouble::Replaced) => Ok(Came::Replaced),
        Err(Trouble::Store(error)) => Err(error),
    }
}

/// A learner who is not linked any more has nothing to be exchanged; another one somebody else has.
async fn gone_or_busy(context: &ExchangeContext, learner: &str) -> Result<Came, StoreError> {
    let store = &context.onefile.store;
    let kind = crate::store::RecordKind::Learner;
    if store.onefile_link_of(context.provider, context.environment, kind, learner).await?.is_some() {
        return Ok(Came::Busy);
    }
    let Some((run, fence)) = context.run else { return Ok(Came::Told) };
    let outcome = RecordOutcome::learner(learner, OutcomeKind::Skipped, RecordCode::NotEnrolled)
        .told(Told::words("The learner is not linked to a user in OneFile any more."));
    let mut tx = store.begin().await?;
    store.drop_work(&mut tx, run, &[learner.to_owned()]).await?;
    let progress = Progress { outcomes: vec![outcome], ..Progress::default() };
    if !store.add_progress(&mut tx, run, fence, &progress).await? {
        return Ok(Came::Replaced);
    }
    tx.commit().await?;
    Ok(Came::Told)
}
