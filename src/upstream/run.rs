//! What each upstream implements for its runs. The run engine (`runs/`) owns slices, waiting, cancelling and failing; an
//! upstream says what one step of its work is.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::call::Meter;
use super::failure::Failure;
use crate::domain::RecordCode;
use crate::store::{
    By, LearnerFilter, OutcomeKind, Progress, RecordOutcome, RunRow, Store, StoreError, Time, Told, Tx,
};

/// What one step of a run came to.
#[derive(Debug)]
pub enum Step {
    More,
    Done,
    /// There is more, but not now; why.
    Waiting(Duration, String),
}

/// Why a step did not come to its end. What it had not committed is dropped.
#[derive(Debug)]
pub enum Halt {
    /// The upstream does not let the run go on now.
    Blocked(Failure),
    /// The run can never go on; why.
    Never(String),
    /// Another worker has the run.
    Replaced,
    /// Our database failed: another try may succeed.
    Store(StoreError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<sqlx::Error> for Halt {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Blocked(failure)
    }
}

/// The parameters of a kind of run that takes none.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

/// The connection of a slice.
pub trait RunLine: Send + Sync {
    /// Counts the connection's calls.
    fn meter(&self) -> &Meter;

    /// The upstream's environment that it leads to.
    fn environment(&self) -> &str;
}

/// The work of one kind of run.
pub trait RunWork: Send + Sync {
    /// The connection that a slice's steps share; its meter counts the calls.
    type Line: RunLine;
    /// What a run is asked. The engine reads it, and fails a run whose parameters it cannot read.
    type Params: DeserializeOwned + Send + Sync;
    /// Where a run stands. The engine reads it, and fails a run whose cursor it cannot read.
    type Cursor: Serialize + DeserializeOwned + Send + Sync;

    /// Connects to the provider's upstream account. Nothing is called yet.
    fn connect(&self, provider: Uuid) -> impl Future<Output = Result<Self::Line, Halt>> + Send;

    /// Takes one step, and commits it. `cursor` is what the last step committed; `None`: this is the first step.
    fn step(
        &self,
        line: &Self::Line,
        run: &mut RunContext,
        params: &Self::Params,
        cursor: Option<Self::Cursor>,
    ) -> impl Future<Output = Result<Step, Halt>> + Send;

    /// The run ends before all is done: leaves in order what it has begun. There may be no connection any more.
    fn leave(
        &self,
        _run: &mut RunContext,
        _cursor: Option<Self::Cursor>,
    ) -> impl Future<Output = Result<(), Halt>> + Send {
        std::future::ready(Ok(()))
    }
}

/// A run as its steps see it: the row, and the one way to commit a step.
#[derive(Debug)]
pub struct RunContext {
    pub row: RunRow,
    store: Store,
    fence: Uuid,
    meter: Meter,
}

impl RunContext {
    pub fn new(store: Store, row: RunRow, fence: Uuid) -> Self {
        Self { row, store, fence, meter: Meter::default() }
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The calls of this connection are the run's from now on.
    pub fn count_calls_of(&mut self, meter: &Meter) {
        self.meter = meter.clone();
    }

    /// Proof that the slice is ours, for what is written from tasks beside the step.
    pub fn fence(&self) -> Uuid {
        self.fence
    }

    /// Who acts, for the audit.
    pub fn by(&self) -> By {
        By::itself(format!("run:{}", self.row.id))
    }

    /// Upstream calls made so far, also those that are not committed yet.
    pub fn calls_used(&self) -> i32 {
        self.row.calls_used + self.meter.peek()
    }

    /// Upstream calls since the last commit. They count as committed from now on.
    pub fn take_calls(&self) -> i32 {
        self.meter.take()
    }

    /// Commits a step: the cursor, the counts, the outcomes, and the rows that `tx` has changed, all or nothing.
    ///
    /// # Errors
    /// [`Halt::Replaced`] when another worker has the run: nothing of the step is kept.
    pub async fn commit<C: Serialize>(
        &mut self,
        mut tx: Tx,
        cursor: &C,
        progress: Progress,
    ) -> Result<(), Halt> {
        let saved = serde_json::to_value(cursor).map_err(StoreError::from)?;
        let progress = Progress { cursor: Some(saved.clone()), calls: self.take_calls(), ..progress };
        if !self.store.add_progress(&mut tx, self.row.id, self.fence, &progress).await? {
            return Err(Halt::Replaced);
        }
        tx.commit().await?;
        let row = &mut self.row;
        row.cursor = saved;
        row.calls_used += progress.calls;
        row.done += progress.done();
        row.total = if progress.complete { Some(row.done) } else { progress.total.or(row.total) };
        Ok(())
    }
}

/// What a batch was asked. Without a filter it was asked for particular learners.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchParams<S, O> {
    /// All learners that the filter takes, in the order of their ids.
    pub filter: Option<BatchFilter<S>>,
    /// What the kind of work needs beside the learners.
    pub options: O,
}

/// Learners by where they stand.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchFilter<S> {
    /// Learners whose tab of the upstream is in one of these states.
    pub states: Vec<S>,
    /// Learners whose record was written after this.
    pub updated_after: Option<Time>,
}

/// What came of beginning the work for one learner.
#[derive(Debug)]
pub enum Begun {
    /// It is known what came of it.
    Outcome(RecordOutcome),
    /// It was begun, here or elsewhere, and it is not known yet what comes of it.
    Open,
    /// Nothing was sent: it is begun again when the upstream lets us.
    Again(Failure),
    /// The upstream refuses everything: this learner has its outcome, and the others would have the same.
    Stop(RecordOutcome, Failure),
}

/// What is known of work that was begun.
#[derive(Debug)]
pub enum Known {
    Outcome(RecordOutcome),
    /// It goes on by itself.
    Open,
    /// Nothing of it reached the upstream: it has to be begun again.
    NotSent,
}

/// The work of a batch: the same creation for many learners, each by the way of a single one, each with its outcome.
/// The batch (`runs/batch.rs`) chooses the learners, counts, waits for what is open, and leaves it in order.
pub trait BatchWork: Send + Sync {
    type Line: RunLine;
    /// Where a learner stands in the upstream.
    type State: DeserializeOwned + Send + Sync;
    /// What the work needs beside the learners.
    type Options: DeserializeOwned + Send + Sync;
    /// What is read once for many learners; kept in the cursor.
    type Ahead: Default + Serialize + DeserializeOwned + Send + Sync;

    /// How often the batch asks what came of work that is open.
    const ASK_EVERY: Duration;
    /// How long the batch waits for work that is open, once all learners were taken; `None`: until it is known.
    const PATIENCE: Option<TimeDelta>;
    /// The message for a learner whose work goes on when the run ends. `{id}` stands for the learner's id.
    const LEFT_OPEN: &'static str;

    /// Connects to the provider's upstream account. Nothing is called yet.
    fn connect(&self, provider: Uuid) -> impl Future<Output = Result<Self::Line, Halt>> + Send;

    /// The batch's filter, as the list of learners takes it.
    fn filter<'a>(&self, filter: &'a BatchFilter<Self::State>) -> LearnerFilter<'a>;

    /// Upstream calls that `left` learners will probably take, now that `done` have their outcome.
    fn calls_left(&self, run: &RunContext, done: i32, left: i32) -> i32;

    /// Reads ahead what many learners need.
    fn read_ahead(
        &self,
        _line: &Self::Line,
        _run: &RunContext,
        _ahead: &mut Self::Ahead,
    ) -> impl Future<Output = Result<(), Halt>> + Send {
        std::future::ready(Ok(()))
    }

    /// Begins the work for one learner. The batch runs it in a task of its own, which is never dropped half way.
    fn begin(
        &self,
        line: &Self::Line,
        run: &RunContext,
        options: &Self::Options,
        ahead: &Self::Ahead,
        learner: &str,
    ) -> BoxFuture<'static, Result<Begun, Halt>>;

    /// Whether this run has begun the learner's work: a worker may have died before it could write that down.
    fn has_begun(
        &self,
        run: &RunContext,
        learner: &str,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// What is known of work that was begun.
    fn known(
        &self,
        run: &RunContext,
        learner: &str,
    ) -> impl Future<Output = Result<Known, StoreError>> + Send;

    /// Why the run waits, for people.
    fn waiting_words(&self, open: usize) -> String;
}

/// The outcome of a batch's learner who has no record here.
pub fn no_learner(id: &str) -> RecordOutcome {
    let words = Told::words("There is no such learner.");
    RecordOutcome::learner(id, OutcomeKind::Failed, RecordCode::NotFound).told(words)
}

/// A learner of a batch whose work something unexpected kept from beginning.
pub fn not_tried(id: &str) -> RecordOutcome {
    let words = Told::words(
        "Something unexpected happened here before it was sent: tell the operator, and take it again.",
    );
    RecordOutcome::learner(id, OutcomeKind::Failed, RecordCode::Internal).told(words)
}
