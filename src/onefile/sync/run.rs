//! The exchange as a run: first OneFile's searches are gone through, which say who is there and what changed; then it is decided who
//! is exchanged, changed and due ones first; then they are, several at a time, at the pace that the limit allows.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{OneFileEnvironment, RecordCode, RunKind, RunTrigger};
use crate::onefile::OneFile;
use crate::onefile::client::Client;
use crate::onefile::client::line::OneFileLine;
use crate::onefile::client::pagination::Pagination;
use crate::onefile::sync::context::ExchangeContext;
use crate::onefile::sync::release_window;
use crate::store::{OneFileSettings, OutcomeKind, Progress, RecordOutcome, Told, Tx};
use crate::upstream::run::{Halt, RunContext, RunWork, Step};

const OTHER: &str = "The settings name another OneFile than when the run began: begin a new one.";
const WINDOW: &str = "OneFile's release window, 07:00 to 07:30: it goes on afterwards.";

/// The work of a run that exchanges learners.
pub struct Exchange<'a>(pub &'a OneFile);

/// Where an exchange stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeCursor {
    pub(crate) began: DateTime<Utc>,
    pub(crate) environment: OneFileEnvironment,
    /// What changed since then is looked for; none: all is read.
    pub(crate) since: Option<DateTime<Utc>>,
    pub(crate) phase: Phase,
    pub(crate) centres: Vec<String>,
    pub(crate) at: usize,
    pub(crate) pagination: Pagination,
    /// The list's rows say themselves when they were changed.
    pub(crate) dated: bool,
    /// The last link of an officer or organisation that was compared.
    pub(crate) party: Option<Uuid>,
    /// Calls that are reckoned with still.
    pub(crate) left: i32,
    /// Calls that were reckoned with for what is done, and those that it took.
    pub(crate) reckoned: i32,
    pub(crate) took: i32,
    /// OneFile did not answer the last time: one learner tries whether it does.
    pub(crate) cautious: bool,
}

/// What a run is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Phase {
    /// Goes through the lists of users.
    Users,
    /// Goes through users who were changed.
    Changed,
    /// Goes through learning aims that were changed.
    Aims,
    Officers,
    Organisations,
    /// Decides who is exchanged.
    Decide,
    Turns,
}

/// What an exchange is asked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ExchangeParams {
    /// Read everybody in full.
    pub full: bool,
}

/// What a step works with.
pub(crate) struct Work<'a> {
    pub(crate) client: &'a Client,
    pub(crate) settings: &'a OneFileSettings,
    pub(crate) run: &'a mut RunContext,
    pub(crate) params: &'a ExchangeParams,
}

impl RunWork for Exchange<'_> {
    type Line = OneFileLine;
    type Params = ExchangeParams;
    type Cursor = ExchangeCursor;

    async fn connect(&self, provider: Uuid) -> Result<OneFileLine, Halt> {
        self.0.line(provider, RunKind::Exchange).await
    }

    async fn step(
        &self,
        line: &OneFileLine,
        run: &mut RunContext,
        params: &ExchangeParams,
        cursor: Option<ExchangeCursor>,
    ) -> Result<Step, Halt> {
        let now = self.0.store.now().await?;
        if run.row.trigger == RunTrigger::Schedule
            && let Some(end) = release_window::ends(now)
        {
            return Ok(Step::Waiting((end - now).to_std().unwrap_or_default(), WINDOW.to_owned()));
        }
        let provider = run.row.provider_id;
        let mut work = Work { client: &line.client, settings: &line.settings, run, params };
        let came = self.0.exchange_step(&mut work, cursor, now).await;
        self.0.note_step(provider, came).await
    }

    /// The run ends before all is done: what is left of it is left to the next one.
    async fn leave(&self, run: &mut RunContext, _: Option<ExchangeCursor>) -> Result<(), Halt> {
        let mut tx = self.0.store.begin().await?;
        self.0.store.end_exchange(&mut tx, run.row.id, run.row.provider_id, None).await?;
        tx.commit().await?;
        Ok(())
    }
}

impl OneFile {
    async fn exchange_step(
        &self,
        work: &mut Work<'_>,
        cursor: Option<ExchangeCursor>,
        now: DateTime<Utc>,
    ) -> Result<Step, Halt> {
        match cursor {
            None => self.begin(work, now).await,
            Some(cursor) if cursor.environment != work.settings.choices.environment => {
                Err(Halt::Never(OTHER.to_owned()))
            }
            Some(cursor) => match cursor.phase {
                Phase::Users | Phase::Changed | Phase::Aims => self.page_step(work, cursor).await,
                Phase::Officers | Phase::Organisations => self.parties_step(work, cursor).await,
                Phase::Decide => self.decide_step(work, cursor).await,
                Phase::Turns => self.turns_step(work, cursor).await,
            },
        }
    }

    pub(crate) async fn context_of(&self, work: &Work<'_>) -> Result<ExchangeContext, Halt> {
        let (row, client) = (&work.run.row, work.client.clone());
        let run = Some((row.id, work.run.fence()));
        Ok(ExchangeContext::of(self, client, work.settings, row.provider_id, run, work.run.by()).await?)
    }

    /// Commits a step, after which there is more.
    pub(crate) async fn save_step(
        &self,
        tx: Tx,
        work: &mut Work<'_>,
        cursor: &ExchangeCursor,
        progress: Progress,
    ) -> Result<Step, Halt> {
        work.run.commit(tx, cursor, progress).await?;
        Ok(Step::More)
    }

    /// All is done: when it began is where the next one looks from.
    pub(crate) async fn end(&self, work: &mut Work<'_>, cursor: &ExchangeCursor) -> Result<Step, Halt> {
        let (run, provider) = (work.run.row.id, work.run.row.provider_id);
        let mut tx = self.store.begin().await?;
        let all = work.run.row.learners.is_none().then_some((cursor.environment, cursor.began));
        self.store.end_exchange(&mut tx, run, provider, all).await?;
        let calls_planned = Some(work.run.calls_used());
        let progress = Progress { calls_planned, complete: true, ..Progress::default() };
        work.run.commit(tx, cursor, progress).await?;
        self.note_connection(provider, None).await?;
        Ok(Step::Done)
    }
}

impl ExchangeCursor {
    /// Who was read whole before this is due again.
    pub(crate) fn swept_before(&self, settings: &OneFileSettings) -> DateTime<Utc> {
        // Nights are not exactly a day apart.
        self.began - TimeDelta::days(i64::from(settings.choices.full_sweep_days)) + TimeDelta::hours(6)
    }

    /// Calls in all, as it looks now.
    pub(crate) fn planned(&self, used: i32) -> i32 {
        // What was reckoned with so far, and what it took, tell how the rest will go.
        let left = if self.reckoned >= 20 && self.took > 0 {
            let ratio = f64::from(self.took) / f64::from(self.reckoned);
            (f64::from(self.left) * ratio.clamp(0.2, 5.0)).ceil()
        } else {
            f64::from(self.left)
        };
        #[allow(clippy::cast_possible_truncation, reason = "calls of a run fit")]
        let left = left as i32;
        used.saturating_add(left)
    }
}

/// A learner whom a run leaves alone.
pub(crate) fn skipped(learner: &str, code: RecordCode, words: &str) -> RecordOutcome {
    RecordOutcome::learner(learner, OutcomeKind::Skipped, code).told(Told::words(words))
}
