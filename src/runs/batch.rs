//! The work of a batch: a run over chosen learners, several at a time, each with its outcome. Bulk
//! upload and bulk enrolment are batches. The upstream's [`BatchWork`] defines what is done for one
//! learner.

use std::mem;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::RecordCode;
use crate::store::{LearnerFilter, OutcomeKind, Progress, RecordOutcome, Time, Told};
use crate::upstream::run::{
    BatchParams, BatchWork, Begun, Halt, Known, RunContext, RunWork, Step, not_tried,
};

/// Learners at a time. Each waits for the upstream, and together they should use the full rate
/// limit.
const AT_ONCE: usize = 4;

const NEITHER: &str =
    "The run's parameters name neither learners nor a filter, so nothing was done. Begin a new run.";

pub(super) struct Batch<W>(pub(super) W);

/// How far a batch has come.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BatchCursor<A> {
    /// The position of the next named learner.
    next_place: i32,
    /// The last learner that the filter returned.
    after: Option<String>,
    /// Whether all learners were taken once.
    all_taken: bool,
    /// The learners of the current step, stored before anything is sent. If the worker stops, the
    /// next worker takes them again. Rows show what the stopped worker had begun.
    taking: Vec<String>,
    /// Learners for whom nothing could be sent yet.
    again: Vec<String>,
    /// Learners whose outcome is not known yet.
    open: Vec<String>,
    /// Since when the batch only waits for these.
    open_since: Option<Time>,
    /// Data that was read once for many learners.
    ahead: A,
}

impl<W: BatchWork> RunWork for Batch<W> {
    type Line = W::Line;
    type Params = BatchParams<W::State, W::Options>;
    type Cursor = BatchCursor<W::Ahead>;

    fn connect(&self, provider: Uuid) -> impl Future<Output = Result<W::Line, Halt>> + Send {
        self.0.connect(provider)
    }

    async fn step(
        &self,
        line: &W::Line,
        run: &mut RunContext,
        params: &Self::Params,
        cursor: Option<Self::Cursor>,
    ) -> Result<Step, Halt> {
        let mut cursor = cursor.unwrap_or_default();
        if run.row.total.is_none() {
            run.row.total = Some(self.count(run, params).await?);
        }
        let batch = if cursor.taking.is_empty() {
            self.next_learners(run, params, &mut cursor).await?
        } else {
            cursor.taking.clone()
        };
        if batch.is_empty() {
            return self.settle_open(run, cursor).await;
        }
        self.0.read_ahead(line, run, &mut cursor.ahead).await?;
        if !run.row.validate_only && cursor.taking.is_empty() {
            cursor.taking.clone_from(&batch);
            self.save(run, &cursor, Vec::new(), false).await?;
        }
        let (outcomes, blocked) = self.begin_all(line, run, params, &mut cursor, batch).await?;
        cursor.taking.clear();
        self.save(run, &cursor, outcomes, false).await?;
        match blocked {
            Some(halt) => Err(halt),
            None => Ok(Step::More),
        }
    }

    /// The run reports what is known about its work. The rest continues on its own.
    async fn leave(&self, run: &mut RunContext, cursor: Option<Self::Cursor>) -> Result<(), Halt> {
        let Some(mut cursor) = cursor else { return Ok(()) };
        let mut begun = mem::take(&mut cursor.open);
        for id in mem::take(&mut cursor.taking) {
            if self.0.has_begun(run, &id).await? {
                begun.push(id);
            }
        }
        let mut outcomes = Vec::new();
        for id in begun {
            match self.0.known(run, &id).await? {
                Known::Outcome(outcome) => outcomes.push(outcome),
                Known::Open => outcomes.push(left_open::<W>(&id)),
                Known::NotSent => {}
            }
        }
        if outcomes.is_empty() {
            return Ok(());
        }
        let tx = run.store().begin().await?;
        run.commit(tx, &cursor, Progress { outcomes, ..Progress::default() }).await
    }
}

impl<W: BatchWork> Batch<W> {
    async fn count(&self, run: &RunContext, params: &BatchParams<W::State, W::Options>) -> Result<i32, Halt> {
        if let Some(count) = run.row.learners {
            return Ok(count);
        }
        let filter = self.filter(params)?;
        let count = run.store().count_learners(run.row.provider_id, filter).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    fn filter<'a>(&self, params: &'a BatchParams<W::State, W::Options>) -> Result<LearnerFilter<'a>, Halt> {
        let filter = params.filter.as_ref().ok_or_else(|| Halt::Never(NEITHER.to_owned()))?;
        Ok(self.0.filter(filter))
    }

    /// The next learners to take. Empty: all were taken.
    async fn next_learners(
        &self,
        run: &RunContext,
        params: &BatchParams<W::State, W::Options>,
        cursor: &mut BatchCursor<W::Ahead>,
    ) -> Result<Vec<String>, Halt> {
        let mut batch = Vec::new();
        if !cursor.all_taken {
            let size = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
            if run.row.learners.is_some() {
                let named = run.store().run_learners(run.row.id, cursor.next_place, size).await?;
                cursor.next_place = named.last().map_or(cursor.next_place, |last| last.place + 1);
                cursor.all_taken = named.len() < AT_ONCE;
                batch = named.into_iter().map(|named| named.learner_id).collect();
            } else {
                let (filter, after) = (self.filter(params)?, cursor.after.as_deref());
                let page = run.store().list_learners(run.row.provider_id, filter, after, size).await?;
                batch = page.items.into_iter().map(|line| line.learner_id).collect();
                cursor.after = batch.last().cloned().or_else(|| cursor.after.take());
                cursor.all_taken = !page.more;
            }
        }
        if batch.is_empty() {
            let count = cursor.again.len().min(AT_ONCE);
            batch = cursor.again.drain(..count).collect();
        }
        Ok(batch)
    }

    /// Begins the work for several learners at the same time, and sorts the results. Also returns
    /// why the run cannot continue now, if it cannot.
    async fn begin_all(
        &self,
        line: &W::Line,
        run: &RunContext,
        params: &BatchParams<W::State, W::Options>,
        cursor: &mut BatchCursor<W::Ahead>,
        batch: Vec<String>,
    ) -> Result<(Vec<RecordOutcome>, Option<Halt>), Halt> {
        let begin = |id: &String| self.0.begin(line, run, &params.options, &cursor.ahead, id);
        // The engine may cancel a slice but not a send, so each learner has its own task.
        let tasks: Vec<_> = batch.iter().map(|id| tokio::spawn(begin(id))).collect();
        let (mut outcomes, mut blocked) = (Vec::new(), None);
        for (id, task) in batch.into_iter().zip(tasks) {
            let begun = match task.await {
                Ok(begun) => begun?,
                // The task panicked.
                Err(_) if self.0.has_begun(run, &id).await? => Begun::Open,
                Err(_) => Begun::Outcome(not_tried(&id)),
            };
            match begun {
                Begun::Outcome(outcome) => outcomes.push(outcome),
                Begun::Open => cursor.open.push(id),
                Begun::Again(failure) => {
                    cursor.again.push(id);
                    blocked.get_or_insert(Halt::Blocked(failure));
                }
                Begun::Stop(outcome, failure) => {
                    outcomes.push(outcome);
                    blocked = Some(Halt::Blocked(failure));
                }
            }
        }
        Ok((outcomes, blocked))
    }

    /// All learners were taken. The batch waits for open work until its outcome is known or the
    /// patience ends.
    async fn settle_open(
        &self,
        run: &mut RunContext,
        mut cursor: BatchCursor<W::Ahead>,
    ) -> Result<Step, Halt> {
        let now = run.store().now().await?;
        let since = *cursor.open_since.get_or_insert(now);
        let is_over = W::PATIENCE.is_some_and(|patience| now - since > patience);
        let mut outcomes = Vec::new();
        for id in mem::take(&mut cursor.open) {
            match self.0.known(run, &id).await? {
                Known::Outcome(outcome) => outcomes.push(outcome),
                Known::Open if is_over => outcomes.push(left_open::<W>(&id)),
                Known::Open => cursor.open.push(id),
                Known::NotSent => cursor.again.push(id),
            }
        }
        let (again, open) = (!cursor.again.is_empty(), cursor.open.len());
        // The filter's result changed during the run, so the total becomes the number of handled
        // learners.
        self.save(run, &cursor, outcomes, !again && open == 0).await?;
        Ok(match (again, open) {
            (true, _) => Step::More,
            (false, 0) => Step::Done,
            (false, open) => Step::Waiting(W::ASK_EVERY, self.0.waiting_words(open)),
        })
    }

    async fn save(
        &self,
        run: &mut RunContext,
        cursor: &BatchCursor<W::Ahead>,
        outcomes: Vec<RecordOutcome>,
        complete: bool,
    ) -> Result<(), Halt> {
        let done = run.row.done.saturating_add(i32::try_from(outcomes.len()).unwrap_or(i32::MAX));
        let left = (run.row.total.unwrap_or_default() - done).max(0);
        let calls_planned = run.calls_used().saturating_add(self.0.calls_left(run, done, left));
        let progress = Progress {
            total: run.row.total,
            calls_planned: Some(calls_planned),
            outcomes,
            complete,
            ..Progress::default()
        };
        let tx = run.store().begin().await?;
        run.commit(tx, cursor, progress).await
    }
}

fn left_open<W: BatchWork>(id: &str) -> RecordOutcome {
    RecordOutcome::learner(id, OutcomeKind::Failed, RecordCode::UnknownOutcome)
        .told(Told::words(W::LEFT_OPEN.replace("{id}", id)))
}
