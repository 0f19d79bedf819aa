//! The first step of a run, which selects the learners, and the decision after the searches about
//! who is exchanged.

use chrono::{DateTime, Utc};

use super::decide::{Decision, Rules, decide};
use super::run::{ExchangeCursor, Phase, Work, skipped};
use crate::domain::{Learner, RecordCode};
use crate::onefile::OneFile;
use crate::onefile::client::pagination::Pagination;
use crate::store::{OutcomeKind, Progress, RecordOutcome, Told};
use crate::upstream::run::{Halt, Step};

/// The learners that are decided on before the run's row is written again.
const SCANNED: i64 = 500;

impl OneFile {
    pub(crate) async fn begin(&self, work: &mut Work<'_>, now: DateTime<Utc>) -> Result<Step, Halt> {
        let (provider, environment) = (work.run.row.provider_id, work.settings.choices.environment);
        let named = work.run.row.learners.is_some();
        let since = if named { None } else { self.store.exchange_began(provider, environment).await? };
        let mut tx = self.store.begin().await?;
        let (count, centres) =
            self.store.begin_exchange(&mut tx, work.run.row.id, provider, environment, named).await?;
        let mut outcomes = Vec::new();
        if named {
            let others = self.store.not_in_exchange(&mut tx, work.run.row.id, provider).await?;
            outcomes.extend(others.iter().map(|(id, there)| {
                if *there {
                    skipped(id, RecordCode::NotEnrolled, "The learner is not linked to a user in OneFile.")
                } else {
                    RecordOutcome::learner(id, OutcomeKind::Failed, RecordCode::NotFound)
                        .told(Told::words("There is no such learner."))
                }
            }));
        }
        let cursor = ExchangeCursor {
            began: now,
            environment,
            since,
            phase: if named { Phase::Decide } else { Phase::Users },
            centres,
            at: 0,
            pagination: Pagination::default(),
            dated: true,
            party: None,
            left: 0,
            reckoned: 0,
            took: 0,
            cautious: false,
        };
        let total = count.saturating_add(i32::try_from(outcomes.len()).unwrap_or(i32::MAX));
        let progress = Progress { total: Some(total), outcomes, ..Progress::default() };
        self.save_step(tx, work, &cursor, progress).await
    }

    /// Decides on some learners; those with nothing to do are done with.
    pub(crate) async fn decide_step(
        &self,
        work: &mut Work<'_>,
        mut cursor: ExchangeCursor,
    ) -> Result<Step, Halt> {
        let (provider, environment) = (work.run.row.provider_id, cursor.environment);
        let own = self.store.undecided::<Learner>(work.run.row.id, provider, environment, SCANNED).await?;
        if own.is_empty() {
            let tx = self.store.begin().await?;
            cursor.phase = Phase::Turns;
            let used = work.run.calls_used();
            let progress = Progress { calls_planned: Some(cursor.planned(used)), ..Progress::default() };
            return self.save_step(tx, work, &cursor, progress).await;
        }
        let context = self.context_of(work).await?;
        let rules = Rules {
            named: work.run.row.learners.is_some(),
            full: work.params.full,
            unsearched: cursor.since.is_none(),
            swept_before: cursor.swept_before(work.settings),
        };
        let (mut decided, mut quiet, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
        for learner in &own {
            match decide(&context, learner, rules) {
                Decision::Quiet => quiet.push(learner.learner.learner_id.clone()),
                Decision::Skip(code, words) => {
                    outcomes.push(skipped(&learner.learner.learner_id, code, words));
                }
                Decision::Do(own) => {
                    cursor.left = cursor.left.saturating_add(own.calls);
                    decided.push(own);
                }
            }
        }
        // Begin the transaction only now: a task that holds a connection must not wait for another.
        let mut tx = self.store.begin().await?;
        self.store.decide(&mut tx, work.run.row.id, &decided).await?;
        self.store.touch_exchanged(&mut tx, provider, environment, &quiet).await?;
        let unchanged = i32::try_from(quiet.len()).unwrap_or(i32::MAX);
        let told = outcomes.iter().filter(|own| own.outcome != OutcomeKind::Unchanged);
        quiet.extend(told.map(|own| own.id.clone()));
        self.store.drop_work(&mut tx, work.run.row.id, &quiet).await?;
        let progress = Progress { unchanged, outcomes, ..Progress::default() };
        self.save_step(tx, work, &cursor, progress).await
    }
}
