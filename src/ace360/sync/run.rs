//! The status sync: a run over all linked learners. It first reads the pages of ACE360's list, which carry neither ULN nor
//! grades, and then, for few learners, the single records.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::apply::apply_readings;
use crate::ace360::Ace360;
use crate::ace360::client::line::Ace360Line;
use crate::ace360::client::wire::{Apprentice, ListPosition};
use crate::ace360::links::readings::{failed, listed, mirror_row, readable, single};
use crate::domain::RecordCode;
use crate::store::{OutcomeKind, Progress, RecordOutcome, SingleRow, Time, Told, Tx};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::run::{Halt, NoParams, RunContext, RunWork, Step};

/// Learners whose single records are read in one step.
const SINGLES: usize = 20;
/// Records that are asked for when the list shows none of ours.
const PROBES: usize = 3;
const STRANGERS: &str = "ACE360 shows none of the uploaded learners' records: the token is probably another organisation's. Nothing was changed. Put the right token, or remove the links.";
const NOT_UPLOADED: &str = "The learner has no ACE360 record (any more).";

/// The work of a run that reads statuses.
pub struct StatusSync<'a>(pub &'a Ace360);

/// Where a status sync stands: first the list's pages, then the learners whose single records are read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusSyncCursor {
    list: ListPosition,
    began: Time,
    /// All pages were read.
    listed: bool,
    /// The last learner whose single record was read.
    after: Option<String>,
    /// The place of the next of the named learners.
    next_place: i32,
}

impl RunWork for StatusSync<'_> {
    type Line = Ace360Line;
    type Params = NoParams;
    type Cursor = StatusSyncCursor;

    async fn connect(&self, provider: Uuid) -> Result<Ace360Line, Halt> {
        self.0.line(provider).await
    }

    async fn step(
        &self,
        line: &Ace360Line,
        run: &mut RunContext,
        _: &NoParams,
        cursor: Option<StatusSyncCursor>,
    ) -> Result<Step, Halt> {
        let cursor = if let Some(cursor) = cursor {
            cursor
        } else {
            let began = self.0.store.now().await?;
            StatusSyncCursor {
                list: ListPosition::default(),
                began,
                listed: false,
                after: None,
                next_place: 0,
            }
        };
        let came = if run.row.learners.is_some() {
            self.read_named(line, run, cursor).await
        } else if cursor.listed {
            self.read_singles(line, run, cursor).await
        } else {
            self.read_page(line, run, cursor).await
        };
        self.0.note_step(run.row.provider_id, came).await
    }
}

impl StatusSync<'_> {
    async fn read_page(
        &self,
        line: &Ace360Line,
        run: &mut RunContext,
        mut cursor: StatusSyncCursor,
    ) -> Result<Step, Halt> {
        let page = line.client.apprentices(cursor.list.next()).await??;
        cursor.listed = cursor.list.note(&page);
        let (store, provider, environment) = (&self.0.store, run.row.provider_id, &line.environment);
        let rows: Vec<_> = page.data.iter().flatten().map(|(apprentice, _)| apprentice).collect();
        // A row that cannot be read, or whose status cannot, concerns one record: if it is a linked one it is read singly, like
        // all that were not seen.
        let clear = rows.iter().filter(|apprentice| !apprentice.status_unreadable);
        let readings: Vec<_> = clear.map(|apprentice| listed(apprentice)).collect();
        let mirrored: Vec<_> =
            rows.iter().map(|apprentice| mirror_row(store, provider, apprentice)).collect();
        // Counted once: for each page it would take a hundred times as long for ten times as many learners.
        let total = match run.row.total {
            Some(total) => total,
            None => store.count_links(provider, environment).await?,
        };
        let mut tx = store.begin().await?;
        let applied =
            apply_readings(store, &mut tx, provider, environment, &readings, Some(run.row.id)).await?;
        store.mirror(&mut tx, provider, environment, &mirrored, Some(run.row.id)).await?;
        let progress = Progress {
            total: Some(total),
            calls_planned: page.total_pages.and_then(|pages| i32::try_from(pages).ok()),
            unchanged: i32::try_from(applied.unchanged.len()).unwrap_or(i32::MAX),
            outcomes: applied.changed.into_iter().map(changed).collect(),
            changed_after_all: applied.changed_again,
            ..Progress::default()
        };
        run.commit(tx, &cursor, progress).await?;
        Ok(Step::More)
    }

    async fn read_singles(
        &self,
        line: &Ace360Line,
        run: &mut RunContext,
        cursor: StatusSyncCursor,
    ) -> Result<Step, Halt> {
        let (store, provider, environment) = (&self.0.store, run.row.provider_id, &line.environment);
        let size = i64::try_from(SINGLES).unwrap_or(i64::MAX);
        let after = cursor.after.as_deref();
        let batch = store.links_to_read_singly(provider, environment, run.row.id, after, size).await?;
        if batch.is_empty() {
            return self.end(line, run, cursor).await;
        }
        let mut expected = Progress::default();
        if cursor.after.is_none() {
            if store.nobody_was_listed(provider, environment, run.row.id).await? {
                has_some(line, &batch).await?;
            }
            // Links that were created while the list was read count too.
            let left = store.count_links_to_read_singly(provider, environment, run.row.id).await?;
            expected.total = Some(store.count_links(provider, environment).await?);
            expected.calls_planned = Some(run.row.calls_used + left);
        }
        self.read_batch(line, run, cursor, &batch, expected).await
    }

    async fn end(
        &self,
        line: &Ace360Line,
        run: &mut RunContext,
        cursor: StatusSyncCursor,
    ) -> Result<Step, Halt> {
        let (store, provider, environment) = (&self.0.store, run.row.provider_id, &line.environment);
        let mut tx = store.begin().await?;
        store.end_mirror_refresh(&mut tx, provider, environment, run.row.id, cursor.began).await?;
        store.note_ace360_synced(&mut tx, provider).await?;
        // `complete`: learners were linked and unlinked while it ran.
        let calls_planned = Some(run.calls_used());
        let progress = Progress { calls_planned, complete: true, ..Progress::default() };
        run.commit(tx, &cursor, progress).await?;
        self.0.note_connection(provider, None).await?;
        Ok(Step::Done)
    }

    /// Reads the single records of named learners, and nothing else.
    async fn read_named(
        &self,
        line: &Ace360Line,
        run: &mut RunContext,
        mut cursor: StatusSyncCursor,
    ) -> Result<Step, Halt> {
        let size = i64::try_from(SINGLES).unwrap_or(i64::MAX);
        let named = self.0.store.run_learners(run.row.id, cursor.next_place, size).await?;
        let Some(first) = named.first() else { return Ok(Step::Done) };
        cursor.next_place = first.place;
        // Places count on from the first. An erased learner leaves a gap, and those after it come with the next step.
        let named: Vec<String> = named
            .into_iter()
            .zip(cursor.next_place..)
            .map_while(|(named, place)| (named.place == place).then_some(named.learner_id))
            .collect();
        let rows = self.0.store.links_of(run.row.provider_id, &line.environment, &named).await?;
        let row_of = |id: &String| rows.iter().find(|row| row.learner_id == *id);
        let total = run.row.learners;
        let expected = Progress { total, calls_planned: total, ..Progress::default() };
        // Learners with a record and learners without take turns, so that the place says exactly who has an outcome.
        let batch: Vec<_> = named.iter().map_while(row_of).cloned().collect();
        if !batch.is_empty() {
            return self.read_batch(line, run, cursor, &batch, expected).await;
        }
        let outcomes: Vec<_> = named
            .iter()
            .take_while(|id| row_of(id).is_none())
            .map(|id| {
                RecordOutcome::learner(id, OutcomeKind::Skipped, RecordCode::NotUploaded)
                    .told(Told::words(NOT_UPLOADED))
            })
            .collect();
        cursor.next_place += i32::try_from(outcomes.len()).unwrap_or(i32::MAX);
        let tx = self.0.store.begin().await?;
        run.commit(tx, &cursor, Progress { outcomes, ..expected }).await?;
        Ok(Step::More)
    }

    /// Reads single records, and applies them in one transaction.
    async fn read_batch(
        &self,
        line: &Ace360Line,
        run: &mut RunContext,
        mut cursor: StatusSyncCursor,
        batch: &[SingleRow],
        mut progress: Progress,
    ) -> Result<Step, Halt> {
        let mut answers = Vec::with_capacity(batch.len());
        for row in batch {
            let answer = line.client.apprentice(row.record_id).await?;
            if let Err(failure) = &answer
                && line.concerns_all(failure).await?
            {
                // What was read of this batch is kept; the rest follows when ACE360 answers again.
                if answers.is_empty() {
                    return Err(Halt::Blocked(failure.clone()));
                }
                break;
            }
            cursor.next_place += 1;
            cursor.after = Some(row.learner_id.clone());
            answers.push((row, answer));
        }
        let mut tx = self.0.store.begin().await?;
        for (row, answer) in answers {
            self.apply(&mut tx, line, run, row, answer, &mut progress).await?;
        }
        run.commit(tx, &cursor, progress).await?;
        Ok(Step::More)
    }

    /// Applies one single record, and adds what came of it.
    async fn apply(
        &self,
        tx: &mut Tx,
        line: &Ace360Line,
        run: &RunContext,
        row: &SingleRow,
        answer: Result<Apprentice, Failure>,
        progress: &mut Progress,
    ) -> Result<(), Halt> {
        let (store, environment, id) = (&self.0.store, &line.environment, &row.learner_id);
        let (provider, own) = (run.row.provider_id, Some(run.row.id));
        match readable(answer) {
            Ok(apprentice) => {
                let readings = [single(&apprentice)];
                let applied = apply_readings(store, tx, provider, environment, &readings, own).await?;
                let is_same = applied.changed.is_empty() && applied.changed_again.is_empty();
                // A learner whom the list showed was counted then; a grade that only the single record has makes a change of it.
                match (row.seen, is_same) {
                    (true, true) => {}
                    (true, false) => progress.changed_after_all.push(id.clone()),
                    (false, true) => progress.unchanged += 1,
                    (false, false) => progress.outcomes.push(changed(id.clone())),
                }
            }
            Err(failure) if failure.kind == FailureKind::Missing && !row.seen => {
                store.mark_gone(tx, provider, environment, id, own).await?;
                progress.outcomes.push(failed(id, &gone()));
            }
            // The list may show a record whose single record is missing: that is trouble, not an end.
            Err(failure) => {
                store.note_link_problem(tx, provider, environment, id, own, &failure.problem()).await?;
                let outcomes = if row.seen { &mut progress.failed_after_all } else { &mut progress.outcomes };
                outcomes.push(failed(id, &failure));
            }
        }
        Ok(())
    }
}

/// The list showed none of the records. A list may hide archived ones. Where the first few are not there singly either, the
/// token is probably another organisation's, and no learner is marked as gone.
async fn has_some(line: &Ace360Line, batch: &[SingleRow]) -> Result<(), Halt> {
    for link in batch.iter().take(PROBES) {
        match line.client.apprentice(link.record_id).await? {
            Err(failure) if failure.kind == FailureKind::Missing => {}
            Ok(_) | Err(_) => return Ok(()),
        }
    }
    Err(Halt::Never(STRANGERS.to_owned()))
}

fn changed(learner: String) -> RecordOutcome {
    RecordOutcome::learner(learner, OutcomeKind::Succeeded, RecordCode::Changed)
}

fn gone() -> Failure {
    let words = "the record is no longer in ACE360; its last status is kept";
    Failure::new(FailureKind::Missing, Some(404), words)
}
