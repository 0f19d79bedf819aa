//! Finding the ACE360 records of learners that have none here. ACE360's list carries no ULN, so each record that is not
//! linked is read singly, once: its ULN's blind index is then in the mirror. A ULN decides; without one on either
//! side, name, birth date and standard together propose, and link only where exactly one learner and one record fit.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::catalogue::Step;
use super::client::Client;
use super::status::{failed, mirror_row, single};
use super::{Ace360, Ace360Error};
use crate::domain::{Learner, LinkMethod, RecordCode, RunKind};
use crate::store::{
    By, Linked, MatchKind, OutcomeKind, Progress, RecordOutcome, RunRow, StoreError, Time, Told,
};
use crate::upstream::failure::FailureKind;

/// The kind of its run.
pub const MATCH: &str = RunKind::Match.as_str();
/// Records read, or learners judged, in one step.
const BATCH: i64 = 20;

/// Where the run stands: the list, then the records whose ULN is not known, then the learners.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    page: i64,
    began: Option<Time>,
    listed: bool,
    read: bool,
    after: Option<String>,
}

impl Ace360 {
    /// One step of a matching run.
    ///
    /// # Errors
    /// The database's.
    pub async fn match_step(
        &self,
        client: &Client,
        environment: &str,
        run: &mut RunRow,
        fence: Uuid,
    ) -> Result<Step, Ace360Error> {
        let mut cursor: Cursor = serde_json::from_value(run.cursor.clone()).unwrap_or_default();
        if cursor.began.is_none() {
            cursor.began = Some(self.store.now().await.map_err(StoreError::from)?);
        }
        if !cursor.listed {
            return self.match_list(client, environment, run, fence, cursor).await;
        }
        if !cursor.read {
            return self.match_read(client, environment, run, fence, cursor).await;
        }
        self.match_learners(client, environment, run, fence, cursor).await
    }

    async fn match_list(
        &self,
        client: &Client,
        environment: &str,
        run: &mut RunRow,
        fence: Uuid,
        mut cursor: Cursor,
    ) -> Result<Step, Ace360Error> {
        cursor.page += 1;
        let page = match client.apprentices(cursor.page).await? {
            Ok(page) => page,
            Err(failure) => return Ok(Step::Blocked(failure)),
        };
        cursor.listed = page.data.is_empty() || page.total_pages.is_none_or(|pages| cursor.page >= pages);
        let rows: Vec<_> = page
            .data
            .iter()
            .flatten()
            .map(|(apprentice, _)| mirror_row(&self.store, run.provider_id, apprentice))
            .collect();
        let mut tx = self.store.begin().await?;
        self.store.mirror(&mut tx, run.provider_id, environment, &rows, Some(run.id)).await?;
        if cursor.listed
            && let Some(began) = cursor.began
        {
            self.store.end_mirror_refresh(&mut tx, run.provider_id, environment, run.id, began).await?;
        }
        let pages = page.total_pages.and_then(|pages| i32::try_from(pages).ok());
        self.commit(tx, run, fence, progress_of(client, &cursor, pages, Vec::new())).await
    }

    async fn match_read(
        &self,
        client: &Client,
        environment: &str,
        run: &mut RunRow,
        fence: Uuid,
        mut cursor: Cursor,
    ) -> Result<Step, Ace360Error> {
        let provider = run.provider_id;
        let left = self.store.unread_records(provider, environment, i64::from(i32::MAX)).await?;
        let mut rows = Vec::new();
        for record in left.iter().take(usize::try_from(BATCH).unwrap_or(20)) {
            match client.apprentice(*record).await? {
                Ok(apprentice) => {
                    let uln = apprentice.uln_number.as_deref().map(|uln| self.store.uln_index(provider, uln));
                    rows.push((*record, uln, Some(mirror_row(&self.store, provider, &apprentice))));
                }
                Err(failure) if failure.kind.is_general() && rows.is_empty() => {
                    return Ok(Step::Blocked(failure));
                }
                Err(failure) if failure.kind.is_general() => break,
                // Gone, or not readable: it cannot be matched by its ULN, and is not asked again in this run.
                Err(_) => rows.push((*record, None, None)),
            }
        }
        cursor.read = left.len() == rows.len();
        let planned =
            run.calls_used + client.meter().peek() + i32::try_from(left.len() - rows.len()).unwrap_or(0);
        let mut tx = self.store.begin().await?;
        for (record, uln, mirrored) in &rows {
            if let Some(mirrored) = mirrored {
                self.store
                    .mirror(&mut tx, provider, environment, std::slice::from_ref(mirrored), Some(run.id))
                    .await?;
            }
            self.store.note_record_read(&mut tx, provider, environment, *record, uln.as_deref()).await?;
        }
        self.commit(tx, run, fence, progress_of(client, &cursor, Some(planned), Vec::new())).await
    }

    async fn match_learners(
        &self,
        client: &Client,
        environment: &str,
        run: &mut RunRow,
        fence: Uuid,
        mut cursor: Cursor,
    ) -> Result<Step, Ace360Error> {
        let provider = run.provider_id;
        let by = By::itself(format!("run:{}", run.id));
        let batch =
            self.store.match_candidates(provider, environment, cursor.after.as_deref(), BATCH).await?;
        if batch.is_empty() {
            let progress = progress_of(client, &cursor, None, Vec::new());
            let tx = self.store.begin().await?;
            let step = self.commit(tx, run, fence, Progress { complete: true, ..progress }).await?;
            return Ok(if matches!(step, Step::More) { Step::Done } else { step });
        }
        let mut outcomes = Vec::new();
        let mut before = None;
        for candidate in &batch {
            let learner = &candidate.learner_id;
            let judged = before.replace(learner.clone());
            let records: Vec<String> =
                candidate.records.iter().map(|found| found.record_id.to_string()).collect();
            let by_uln: Vec<_> =
                candidate.records.iter().filter(|found| found.kind == MatchKind::Uln).collect();
            let chosen = match by_uln.as_slice() {
                [one] if one.rivals > 1 => {
                    Err(format!("Record {} has the ULN of several learners", one.record_id))
                }
                [one] => Ok((one.record_id, "the same ULN")),
                [] => self.by_person(provider, learner, &candidate.records).await?,
                _ => Err(format!("Several ACE360 records have the learner's ULN: {}", records.join(", "))),
            };
            let (record, why) = match chosen {
                Ok(chosen) => chosen,
                Err(why) => {
                    let message = format!(
                        "{why}. Nothing was linked: link by hand what belongs together (PUT /learners/{learner}/ace360/link)."
                    );
                    let record_ids = candidate.records.iter().map(|found| found.record_id).collect();
                    outcomes.push(
                        RecordOutcome::learner(learner, OutcomeKind::Skipped, RecordCode::Ambiguous)
                            .told(Told { message, record_ids, ..Told::default() }),
                    );
                    continue;
                }
            };
            if run.validate_only {
                outcomes.push(
                    RecordOutcome::learner(learner, OutcomeKind::Succeeded, RecordCode::WouldLink)
                        .of_record(record)
                        .told(Told::words(format!("Record {record} has {why}."))),
                );
                continue;
            }
            let apprentice = match client.apprentice(record).await? {
                Ok(apprentice) => apprentice,
                Err(failure) if failure.kind.is_general() => {
                    // What was judged so far is kept, and not judged again; the rest follows when ACE360 answers again.
                    if let Some(last) = judged {
                        cursor.after = Some(last);
                    }
                    return match self.finish_batch(client, run, fence, &cursor, outcomes).await? {
                        Step::More => Ok(Step::Blocked(failure)),
                        other => Ok(other),
                    };
                }
                Err(failure) if failure.kind == FailureKind::Missing => continue,
                Err(failure) => {
                    outcomes.push(failed(learner, &failure).of_record(record));
                    continue;
                }
            };
            let (outcome, code, words) = match self
                .store
                .link_ace360(provider, learner, environment, LinkMethod::Matched, &single(&apprentice), &by)
                .await?
            {
                Linked::Done | Linked::Same => {
                    (OutcomeKind::Succeeded, RecordCode::Linked, format!("Linked to record {record}: {why}."))
                }
                Linked::InFlight => {
                    (OutcomeKind::Skipped, RecordCode::InFlight, "An upload's outcome is open.".to_owned())
                }
                Linked::RecordTaken => (
                    OutcomeKind::Skipped,
                    RecordCode::AlreadyLinked,
                    format!("Record {record} is another learner's."),
                ),
                Linked::LearnerTaken | Linked::NoRecord => continue,
            };
            outcomes.push(
                RecordOutcome::learner(learner, outcome, code).of_record(record).told(Told::words(words)),
            );
        }
        cursor.after = batch.last().map(|candidate| candidate.learner_id.clone());
        self.finish_batch(client, run, fence, &cursor, outcomes).await
    }

    /// Without a ULN that decides: one record of the same name and birth date, whose standard is the learner's, and which
    /// fits no other learner.
    async fn by_person(
        &self,
        provider: Uuid,
        learner: &str,
        found: &[crate::store::MatchedRecord],
    ) -> Result<Result<(i64, &'static str), String>, StoreError> {
        let list = |ids: &[i64]| ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        let all: Vec<i64> = found.iter().map(|record| record.record_id).collect();
        let Some(stored) =
            self.store.record::<Learner>(provider, crate::store::RecordKind::Learner, learner).await?
        else {
            return Ok(Err("The learner is gone".to_owned()));
        };
        let own = stored
            .record
            .ace360
            .and_then(|choice| choice.standard_id)
            .map(crate::domain::Ace360StandardId::get);
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

    async fn finish_batch(
        &self,
        client: &Client,
        run: &mut RunRow,
        fence: Uuid,
        cursor: &Cursor,
        outcomes: Vec<RecordOutcome>,
    ) -> Result<Step, Ace360Error> {
        let planned = run.calls_used + client.meter().peek();
        let mut progress = progress_of(client, cursor, Some(planned), outcomes);
        let found = run.done + i32::try_from(progress.outcomes.len()).unwrap_or(0);
        run.done = found;
        progress.total = Some(found);
        let tx = self.store.begin().await?;
        self.commit(tx, run, fence, progress).await
    }
}

/// What a step adds to the run.
fn progress_of(
    client: &Client,
    cursor: &Cursor,
    planned: Option<i32>,
    outcomes: Vec<RecordOutcome>,
) -> Progress {
    Progress {
        cursor: serde_json::to_value(cursor).ok(),
        calls_planned: planned,
        calls: client.meter().take(),
        outcomes,
        ..Progress::default()
    }
}
