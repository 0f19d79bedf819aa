//! The exchange as a run: first OneFile's searches are gone through, which say who is there and what changed; then it is decided who
//! is exchanged, changed and due ones first; then they are, several at a time, at the pace that the limit allows.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ground::Ground;
use super::release;
use crate::domain::{OneFileEnvironment, RecordCode};
use crate::onefile::client::Client;
use crate::onefile::walk::Walk;
use crate::onefile::{OneFile, OneFileError};
use crate::store::{By, OneFileSettings, OutcomeKind, Progress, RecordOutcome, RunRow, StoreError, Told, Tx};
use crate::upstream::step::Step;

const OTHER: &str = "The settings name another OneFile than when the run began: begin a new one.";
const WINDOW: &str = "OneFile's release window, 07:00 to 07:30: it goes on afterwards.";

/// Where a run stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Cursor {
    pub(super) began: DateTime<Utc>,
    pub(super) environment: OneFileEnvironment,
    /// What changed since then is looked for; none: all is read.
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) phase: Phase,
    pub(super) centres: Vec<String>,
    pub(super) at: usize,
    #[serde(default)]
    pub(super) walk: Walk,
    /// The list's rows say themselves when they were changed.
    #[serde(default)]
    pub(super) dated: bool,
    /// The last link of an officer or organisation that was compared.
    #[serde(default)]
    pub(super) party: Option<Uuid>,
    /// Calls that are reckoned with still.
    #[serde(default)]
    pub(super) left: i32,
    /// Calls that were reckoned with for what is done, and those that it took.
    #[serde(default)]
    pub(super) reckoned: i32,
    #[serde(default)]
    pub(super) took: i32,
    /// OneFile did not answer the last time: one learner tries whether it does.
    #[serde(default)]
    pub(super) cautious: bool,
}

/// What a run is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Phase {
    /// Goes through the lists of users.
    Users,
    /// Goes through users who were changed.
    Changed,
    /// Goes through learning aims that were changed.
    Aims,
    /// Compares officers.
    Officers,
    /// Compares organisations.
    Organisations,
    /// Decides who is exchanged.
    Decide,
    /// Exchanges them.
    Turns,
}

/// What a run was asked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Params {
    /// Everybody is read whole.
    pub(super) full: bool,
}

impl Params {
    pub(super) fn of(run: &RunRow) -> Self {
        serde_json::from_value(run.params.clone()).unwrap_or_default()
    }
}

/// What a step works with.
pub(super) struct Work<'a> {
    pub(super) client: &'a Client,
    pub(super) settings: &'a OneFileSettings,
    pub(super) run: &'a mut RunRow,
    pub(super) fence: Uuid,
    pub(super) params: Params,
}

impl OneFile {
    /// One step of an exchange run.
    ///
    /// # Errors
    /// The settings name another OneFile now; the database's.
    pub async fn exchange_step(
        &self,
        client: &Client,
        settings: &OneFileSettings,
        run: &mut RunRow,
        fence: Uuid,
    ) -> Result<Step, OneFileError> {
        let now = self.store.now().await.map_err(StoreError::from)?;
        if run.trigger == "schedule"
            && let Some(end) = release::ends(now)
        {
            return Ok(Step::Waiting((end - now).to_std().unwrap_or_default(), WINDOW.to_owned()));
        }
        let params = Params::of(run);
        let cursor = serde_json::from_value::<Cursor>(run.cursor.clone()).ok();
        let mut work = Work { client, settings, run, fence, params };
        let step = match cursor {
            None => self.begin(&mut work, now).await,
            Some(cursor) if cursor.environment != settings.choices.environment => {
                return Err(OneFileError::NotConfigured(OTHER));
            }
            Some(cursor) => match cursor.phase {
                Phase::Users | Phase::Changed | Phase::Aims => self.page_step(&mut work, cursor).await,
                Phase::Officers | Phase::Organisations => self.parties_step(&mut work, cursor).await,
                Phase::Decide => self.decide_step(&mut work, cursor).await,
                Phase::Turns => self.turns_step(&mut work, cursor).await,
            },
        };
        match step {
            Err(OneFileError::Upstream(failure)) => {
                self.note_connection(work.run.provider_id, Some(&failure)).await?;
                Ok(Step::Blocked(failure))
            }
            step => step,
        }
    }

    pub(super) async fn ground_of(&self, work: &Work<'_>) -> Result<Ground, OneFileError> {
        let by = By::itself(format!("run:{}", work.run.id));
        let run = Some((work.run.id, work.fence));
        Ground::of(self, work.client.clone(), work.settings, work.run.provider_id, run, by).await
    }

    /// Saves a step, with what it did.
    pub(super) async fn save_step(
        &self,
        mut tx: Tx,
        work: &mut Work<'_>,
        cursor: &Cursor,
        progress: Progress,
    ) -> Result<Step, OneFileError> {
        let saved = serde_json::to_value(cursor).map_err(StoreError::from)?;
        let progress =
            Progress { cursor: Some(saved.clone()), calls: work.client.meter().take(), ..progress };
        if !self.store.add_progress(&mut tx, work.run.id, work.fence, &progress).await? {
            return Ok(Step::Replaced);
        }
        tx.commit().await.map_err(StoreError::from)?;
        work.run.cursor = saved;
        work.run.calls_used += progress.calls;
        Ok(Step::More)
    }

    /// A run ends before all is done: what was left of it is left to the next one.
    ///
    /// # Errors
    /// The database's.
    pub async fn leave_exchange(&self, run: &RunRow) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        self.store.end_exchange(&mut tx, run.id, run.provider_id, None).await?;
        tx.commit().await?;
        Ok(())
    }

    /// All is done: when it began is where the next one looks from.
    pub(super) async fn end(&self, work: &mut Work<'_>, cursor: &Cursor) -> Result<Step, OneFileError> {
        let provider = work.run.provider_id;
        let mut tx = self.store.begin().await?;
        let all = work.run.learners.is_none().then_some((cursor.environment, cursor.began));
        self.store.end_exchange(&mut tx, work.run.id, provider, all).await?;
        let progress = Progress {
            calls_planned: Some(work.run.calls_used + work.client.meter().peek()),
            complete: true,
            ..Progress::default()
        };
        let step = self.save_step(tx, work, cursor, progress).await?;
        if !matches!(step, Step::More) {
            return Ok(step);
        }
        self.note_connection(provider, None).await?;
        Ok(Step::Done)
    }
}

impl Cursor {
    /// Who was read whole before this is due again.
    pub(super) fn swept_before(&self, settings: &OneFileSettings) -> DateTime<Utc> {
        // Nights are not exactly a day apart.
        self.began - TimeDelta::days(i64::from(settings.choices.full_sweep_days)) + TimeDelta::hours(6)
    }

    /// Calls in all, as it looks now.
    pub(super) fn planned(&self, used: i32) -> i32 {
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
pub(super) fn skipped(learner: &str, code: RecordCode, words: &str) -> RecordOutcome {
    RecordOutcome::learner(learner, OutcomeKind::Skipped, code).told(Told::words(words))
}
