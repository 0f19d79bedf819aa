//! Finding the ACE360 records of learners that have none here. ACE360's list carries no ULN, so each record that is not
//! linked is read singly, once: its ULN's blind index is then in the mirror. A ULN decides; without one on either
//! side, name, birth date and standard together propose, and link only where exactly one learner and one record fit.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ace360::Ace360;
use crate::ace360::client::line::Ace360Line;
use crate::ace360::client::wire::ListPosition;
use crate::ace360::links::readings::{failed, mirror_row, single};
use crate::domain::{Ace360StandardId, Learner, LinkMethod, RecordCode};
use crate::store::{
    Linked, MatchCandidate, MatchKind, MatchedRecord, OutcomeKind, Progress, RecordKind, RecordOutcome,
    StoreError, Time, Told,
};
use crate::upstream::failure::FailureKind;
use crate::upstream::run::{Halt, NoParams, RunContext, RunWork, Step};

/// Records read, or learners judged, in one step.
const BATCH: i64 = 20;

/// The work of a run that matches records to learners.
pub struct Matching<'a>(pub &'a Ace360);

/// Where a matching run stands: the list, then the records whose ULN is not known, then the learners.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchingCursor {
    list: ListPosition,
    began: Time,
    /// All pages were read.
    listed: bool,
    /// All records whose ULN was not known were read.
    read: bool,
    /// The last learner who was judged.
    after: Option<String>,
}

impl RunWork for Matching<'_> {
    type Line = Ace360Line;
    type Params = NoParams;
    type Cursor = MatchingCursor;

    async fn connect(&self, provider: Uuid) -> Result<Ace360Line, Halt> {
        self.0.line(provider).await
    }

    async fn step(
        &self,
        line: &Ace360Line,
        run: &mut RunContext,
        _: &NoParams,
        cursor: Option<MatchingCursor>,
    ) -> Result<Step, Halt> {
        let cursor = if let Some(cursor) = cursor {
            cursor
        } else {
            let began = self.0.store.now().await?;
            MatchingCursor { list: ListPosition::default(), began, listed: false, read: false, after: None }
        };
        if !cursor.listed {
            return self.read_list(line, run, cursor).await;
        }
        if !cursor.read {
            return self.read_records(line, run, cursor).await;
        }
        self.judge_learners(line, run, cursor).await
    }
}

impl Matching<'_> {
    async fn read_list(
        &self,
        line: &Ace360Line,
        run: &mut RunContext,
        mut cursor: MatchingCursor,
    ) -> Result<Step, Halt> {
        let (store, provider, environment) = (&self.0.store, run.row.provider_id, &line.environment);
        let page = line.client.apprentices(cursor.list.next()).await??;
        cursor.listed = cursor.list.note(&page);
        let rows: Vec<_> = page
            .data
            .iter()
            .flatten()
            .map(|(apprentice, _)| mirror_row(store, provider, apprentice))
            .collect();
        let mut tx = store.begin().await?;
        store.mirror(&mut tx, provider, environment, &rows, Some(run.row.id)).await?;
        if cursor.listed {
            store.end_mirror_refresh(&mut tx, provider, environment, run.row.id, cursor.began).await?;
        }
        let calls_planned = page.total_pages.and_then(|pages| i32::try_from(pages).ok());
        run.commit(tx, &cursor, Progress { calls_planned, ..Progress::default() }).await?;
        Ok(Step::More)
    }

    async fn read_records(
        &self,
        line: &Ace360Line,
        run: &mut RunContext,
        mut cursor: MatchingCursor,
    ) -> Result<Step, Halt> {
        let (store, provider, environment) = (&self.0.store, run.row.provider_id, &line.environment);
        let left = store.unread_records(provider, environment, i64::from(i32::MAX)).await?;
        let mut rows = Vec::new();
        for record in left.iter().take(usize::try_from(BATCH).unwrap_or(20)) {
            match line.client.apprentice(*record).await? {
                Ok(apprentice) => {
                    let uln = apprentice.uln_number.as_deref().map(|uln| store.uln_index(provider, uln));
                    rows.push((*record, uln, Some(mirror_row(store, provider, &apprentice))));
                }
                Err(failure) if line.concerns_all(&failure).await? && rows.is_empty() => {
                    return Err(failure.into());
                }
                Err(failure) if line.concerns_all(&failure).await? => break,
                // Gone, or not readable: it cannot be matched by its ULN, and is not asked again in this run.
                Err(_) => rows.push((*record, None, None)),
            }
        }
        cursor.read = left.len() == rows.len();
        let planned = run.calls_used() + i32::try_from(left.len() - rows.len()).unwrap_or(0);
        let mut tx = store.begin().await?;
        for (record, uln, mirrored) in &rows {
            if let Some(mirrored) = mirrored {
                let rows = std::slice::from_ref(mirrored);
                store.mirror(&mut tx, provider, environment, rows, Some(run.row.id)).await?;
            }
            store.note_record_read(&mut tx, provider, environment, *record, uln.as_deref()).await?;
        }
        run.commit(tx, &cursor, Progress { calls_planned: Some(planned), ..Progress::default() }).await?;
        Ok(Step::More)
    }

    async fn judge_learners(
        &self,
        line: &Ace360Line,
        run: &mut RunContext,
        mut cursor: MatchingCursor,
    ) -> Result<Step, Halt> {
        let (provider, environment) = (run.row.provider_id, &line.environment);
        let after = cursor.after.as_deref();
        let batch = self.0.store.match_candidates(provider, environment, after, BATCH).await?;
        if batch.is_empty() {
            let tx = self.0.store.begin().await?;
            run.commit(tx, &cursor, Progress { complete: true, ..Progress::default() }).await?;
            return Ok(Step::Done);
        }
        let mut outcomes = Vec::new();
        let mut halted = None;
        for candidate in &batch {
            match self.judge(line, run, candidate).await {
                Ok(outcome) => outcomes.extend(outcome),
                // Learners who were judged are kept, and not judged again; the rest follows when ACE360 answers again.
                Err(halt @ Halt::Blocked(_)) => {
                    halted = Some(halt);
                    break;
                }
                Err(halt) => return Err(halt),
            }
            cursor.after = Some(candidate.learner_id.clone());
        }
        let found = run.row.done + i32::try_from(outcomes.len()).unwrap_or(0);
        let calls_planned = Some(run.calls_used());
        let tx = self.0.store.begin().await?;
        let progress = Progress { total: Some(found), calls_planned, outcomes, ..Progress::default() };
        run.commit(tx, &cursor, progress).await?;
        halted.map_or(Ok(Step::More), Err)
    }

    /// Judges one learner, and links it where one record surely is its own. `None`: there is nothing to say.
    async fn judge(
        &self,
        line: &Ace360Line,
        run: &RunContext,
        candidate: &MatchCandidate,
    ) -> Result<Option<RecordOutcome>, Halt> {
        let (provider, learner) = (run.row.provider_id, &candidate.learner_id);
        let (record, why) = match self.choose(provider, candidate).await? {
            Ok(chosen) => chosen,
            Err(why) => {
                let message = format!(
                    "{why}. Nothing was linked: link by hand what belongs together (PUT /learners/{learner}/ace360/link)."
                );
                let record_ids = candidate.records.iter().map(|found| found.record_id).collect();
                let told = Told { message, record_ids, ..Told::default() };
                let outcome = RecordOutcome::learner(learner, OutcomeKind::Skipped, RecordCode::Ambiguous);
                return Ok(Some(outcome.told(told)));
            }
        };
        let told = |outcome, code, words: String| {
            let outcome = RecordOutcome::learner(learner, outcome, code).of_record(record);
            Ok(Some(outcome.told(Told::words(words))))
        };
        if run.row.validate_only {
            let words = format!("Record {record} has {why}.");
            return told(OutcomeKind::Succeeded, RecordCode::WouldLink, words);
        }
        let apprentice = match line.client.apprentice(record).await? {
            Ok(apprentice) => apprentice,
            Err(failure) if failure.kind.is_general() => return Err(failure.into()),
            Err(failure) if failure.kind == FailureKind::Missing => return Ok(None),
            Err(failure) => return Ok(Some(failed(learner, &failure).of_record(record))),
        };
        let (store, reading) = (&self.0.store, single(&apprentice));
        match store
            .link_ace360(provider, learner, &line.environment, LinkMethod::Matched, &reading, &run.by())
            .await?
        {
            Linked::Done | Linked::Same => {
                let words = format!("Linked to record {record}: {why}.");
                told(OutcomeKind::Succeeded, RecordCode::Linked, words)
            }
            Linked::InFlight => {
                let words = "An upload's outcome is open.".to_owned();
                told(OutcomeKind::Skipped, RecordCode::InFlight, words)
            }
            Linked::RecordTaken => {
                let words = format!("Record {record} is another learner's.");
                told(OutcomeKind::Skipped, RecordCode::AlreadyLinked, words)
            }
            Linked::LearnerTaken | Linked::NoRecord => Ok(None),
        }
    }

    /// The record that surely is the learner's, and why; or why none is.
    async fn choose(
        &self,
        provider: Uuid,
        candidate: &MatchCandidate,
    ) -> Result<Result<(i64, &'static str), String>, StoreError> {
        let by_uln: Vec<_> = candidate.records.iter().filter(|found| found.kind == MatchKind::Uln).collect();
        Ok(match by_uln.as_slice() {
            [one] if one.rivals > 1 => {
                Err(format!("Record {} has the ULN of several learners", one.record_id))
            }
            [one] => Ok((one.record_id, "the same ULN")),
            [] => self.by_person(provider, &candidate.learner_id, &candidate.records).await?,
            _ => {
                let records: Vec<_> =
                    candidate.records.iter().map(|found| found.record_id.to_string()).collect();
                Err(format!("Several ACE360 records have the learner's ULN: {}", records.join(", ")))
            }
        })
    }

    /// Without a ULN that decides: one record of the same name and birth date, whose standard is the learner's, and which
    /// fits no other learner.
    async fn by_person(
        &self,
        provider: Uuid,
        learner: &str,
        found: &[MatchedRecord],
    ) -> Result<Result<(i64, &'static str), String>, StoreError> {
        let list = |ids: &[i64]| ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        let all: Vec<i64> = found.iter().map(|record| record.record_id).collect();
        let Some(stored) = self.0.store.record::<Learner>(provider, RecordKind::Learner, learner).await?
        else {
            return Ok(Err("The learner is gone".to_owned()));
        };
        let own = stored.record.ace360.and_then(|choice| choice.standard_id).map(Ace360StandardId::get);
        let fitting: Vec<_> =
            found.iter().filter(|record| own.is_some() && record.standard_id == own).collect();
        Ok(match fitting.as_slice() {
            [one] if one.uln_differs => Err(format!(
                "Record {} has the same name and birth date, but another ULN, so it is taken for another person's: an upload of the learner would make a record of its own",
                one.record_id
            )),
            [one] if one.rivals > 1 => {
                Err(format!("Record {} fits several learners by name and birth date", one.record_id))
            }
            [one] => Ok((one.record_id, "the same name, birth date and standard")),
            [] => Err(format!(
                "{} the same name and birth date, but not the learner's standard",
                if let [one] = all.as_slice() {
                    format!("Record {one} has")
                } else {
                    format!("Records {} have", list(&all))
                }
            )),
            many => {
                let ids: Vec<i64> = many.iter().map(|record| record.record_id).collect();
                Err(format!("Several records have the same name, birth date and standard: {}", list(&ids)))
            }
        })
    }
}
