//! Statuses come back: of one learner now, and of all as a run over the paged list. The list carries status, archive
//! and certificate, but neither ULN nor grades: those are read singly, for few learners.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::catalogue::Step;
use super::client::Client;
use super::wire::Apprentice;
use super::{Ace360, Ace360Error};
use crate::domain::{RecordCode, RunKind};
use crate::store::{
    Detail, MirrorRow, OutcomeKind, Progress, Reading, RecordOutcome, RunRow, SingleRow, Store, StoreError,
    Time, Told,
};
use crate::upstream::failure::{Failure, FailureKind, faults};
use crate::upstream::pace::Class;

/// The kind of its run.
pub const SYNC: &str = RunKind::StatusSync.as_str();
/// Learners whose single record is read before the run's row is written again.
const SINGLES: i64 = 20;
/// Records that are asked for when the list shows none of ours.
const PROBES: usize = 3;
const STRANGERS: &str = "ACE360 shows none of the uploaded learners' records: the token is probably another organisation's. Nothing was changed. Put the right token, or remove the links.";

/// Where a run stands: first the list's pages, then the learners to read singly.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    page: i64,
    began: Option<Time>,
    listed: bool,
    after: Option<String>,
    /// The place of the next of the learners that the run was asked for.
    #[serde(default)]
    taken: i32,
}

/// What came of reading one learner's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncedOne {
    /// Something was other than before.
    Changed,
    /// Nothing was.
    Unchanged,
    /// The record is not there any more.
    Gone,
    /// The learner has no link.
    NotLinked,
}

impl Ace360 {
    /// Reads one learner's record now.
    ///
    /// # Errors
    /// ACE360's; the database's.
    pub async fn sync_one(&self, provider: Uuid, learner: &str) -> Result<SyncedOne, Ace360Error> {
        let (client, settings) = self.client(provider, Class::Interactive).await?;
        let Some(link) = self.store.ace360_link(provider, learner).await? else {
            return Ok(SyncedOne::NotLinked);
        };
        match client.apprentice(link.record_id).await? {
            Ok(apprentice) => {
                let mut tx = self.store.begin().await?;
                let applied = self
                    .store
                    .apply_readings(&mut tx, provider, &settings.environment, &[single(&apprentice)], None)
                    .await?;
                self.store
                    .mirror(
                        &mut tx,
                        provider,
                        &settings.environment,
                        &[mirror_row(&self.store, provider, &apprentice)],
                        None,
                    )
                    .await?;
                tx.commit().await.map_err(StoreError::from)?;
                self.note_connection(provider, None).await?;
                Ok(if applied.changed.is_empty() { SyncedOne::Unchanged } else { SyncedOne::Changed })
            }
            Err(failure) if failure.kind == FailureKind::Missing => {
                let mut tx = self.store.begin().await?;
                self.store.mark_gone(&mut tx, provider, &settings.environment, learner, None).await?;
                tx.commit().await.map_err(StoreError::from)?;
                Ok(SyncedOne::Gone)
            }
            Err(failure) => {
                self.note_connection(provider, Some(&failure)).await?;
                Err(failure.into())
            }
        }
    }

    /// One step of a run over all linked learners: a page of the list, or some single records.
    ///
    /// # Errors
    /// The database's.
    pub async fn sync_step(
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
        let step = if run.learners.is_some() {
            self.read_named(client, environment, run, fence, &mut cursor).await?
        } else if cursor.listed {
            self.read_singles(client, environment, run, fence, &mut cursor).await?
        } else {
            self.read_page(client, environment, run, fence, &mut cursor).await?
        };
        if let Step::Blocked(failure) = &step {
            self.note_connection(run.provider_id, Some(failure)).await?;
        }
        Ok(step)
    }

    async fn read_page(
        &self,
        client: &Client,
        environment: &str,
        run: &mut RunRow,
        fence: Uuid,
        cursor: &mut Cursor,
    ) -> Result<Step, Ace360Error> {
        cursor.page += 1;
        let page = match client.apprentices(cursor.page).await? {
            Ok(page) => page,
            Err(failure) => return Ok(Step::Blocked(failure)),
        };
        cursor.listed = page.data.is_empty() || page.total_pages.is_none_or(|pages| cursor.page >= pages);
        let provider = run.provider_id;
        // A row that cannot be read concerns one record: if it is a linked one it is read singly, like all that were not seen.
        let rows: Vec<_> = page.data.iter().flatten().map(|(apprentice, _)| apprentice).collect();
        let readings: Vec<_> = rows.iter().map(|apprentice| listed(apprentice)).collect();
        let mirrored: Vec<_> =
            rows.iter().map(|apprentice| mirror_row(&self.store, provider, apprentice)).collect();
        // Once: counting all for each page would take ten times ten times as long for ten times as many.
        let total = match run.total {
            Some(total) => total,
            None => self.store.count_links(provider, environment).await?,
        };
        let mut tx = self.store.begin().await?;
        let applied =
            self.store.apply_readings(&mut tx, provider, environment, &readings, Some(run.id)).await?;
        self.store.mirror(&mut tx, provider, environment, &mirrored, Some(run.id)).await?;
        let progress = Progress {
            cursor: serde_json::to_value(&cursor).ok(),
            total: Some(total),
            calls_planned: page.total_pages.and_then(|pages| i32::try_from(pages).ok()),
            calls: client.meter().take(),
            unchanged: count(applied.unchanged.len()),
            outcomes: applied
                .changed
                .into_iter()
                .map(|learner| outcome(learner, OutcomeKind::Succeeded, None))
                .collect(),
            changed_after_all: applied.changed_again,
            ..Progress::default()
        };
        run.total = Some(total);
        self.commit(tx, run, fence, progress).await
    }

    async fn read_singles(
        &self,
        client: &Client,
        environment: &str,
        run: &mut RunRow,
        fence: Uuid,
        cursor: &mut Cursor,
    ) -> Result<Step, Ace360Error> {
        let provider = run.provider_id;
        let batch = self
            .store
            .links_to_read_singly(provider, environment, run.id, cursor.after.as_deref(), SINGLES)
            .await?;
        if batch.is_empty() {
            let mut tx = self.store.begin().await?;
            if let Some(began) = cursor.began {
                self.store.end_mirror_refresh(&mut tx, provider, environment, run.id, began).await?;
            }
            self.store.note_ace360_synced(&mut tx, provider).await?;
            let progress = Progress {
                calls_planned: Some(run.calls_used + client.meter().peek()),
                calls: client.meter().take(),
                // Learners were linked and unlinked while it ran.
                complete: true,
                ..Progress::default()
            };
            let step = self.commit(tx, run, fence, progress).await?;
            self.note_connection(provider, None).await?;
            return Ok(if matches!(step, Step::More) { Step::Done } else { step });
        }
        if cursor.after.is_none() && self.store.nobody_was_listed(provider, environment, run.id).await? {
            self.has_some(client, &batch).await?;
        }
        let expected = match cursor.after {
            // Links that were made while the list was read are accounted for too.
            None => Progress {
                total: Some(self.store.count_links(provider, environment).await?),
                calls_planned: Some(
                    run.calls_used
                        + self.store.count_links_to_read_singly(provider, environment, run.id).await?,
                ),
                ..Progress::default()
            },
            Some(_) => Progress::default(),
        };
        self.read_batch(client, environment, run, fence, cursor, &batch, expected).await
    }

    /// The list showed none of the records. A list may hide archived ones; where the first few are not there singly either, the token is
    /// probably another organisation's, and nobody is taken for gone.
    async fn has_some(&self, client: &Client, batch: &[SingleRow]) -> Result<(), Ace360Error> {
        for link in batch.iter().take(PROBES) {
            match client.apprentice(link.record_id).await? {
                Err(failure) if failure.kind == FailureKind::Missing => {}
                Ok(_) | Err(_) => return Ok(()),
            }
        }
        Err(Ace360Error::NotConfigured(STRANGERS))
    }

    /// Reads the single records of named learners, and nothing else.
    async fn read_named(
        &self,
        client: &Client,
        environment: &str,
        run: &mut RunRow,
        fence: Uuid,
        cursor: &mut Cursor,
    ) -> Result<Step, Ace360Error> {
        let named = self.store.run_learners(run.id, cursor.taken, SINGLES).await?;
        let Some(first) = named.first() else { return Ok(Step::Done) };
        cursor.taken = first.place;
        // The cursor counts on from the first: those after a gap, where an erased learner was, come with the next step.
        let named: Vec<String> = named
            .into_iter()
            .zip(cursor.taken..)
            .map_while(|(own, place)| (own.place == place).then_some(own.learner_id))
            .collect();
        let rows = self.store.links_of(run.provider_id, environment, &named).await?;
        let row_of = |id: &String| rows.iter().find(|row| row.learner_id == *id);
        let total = run.learners;
        let expected = Progress { total, calls_planned: total, ..Progress::default() };
        run.total = total;
        // Those with a record and those without are taken by turns, so that the cursor tells exactly who was accounted for.
        let batch: Vec<_> = named.iter().map_while(row_of).cloned().collect();
        if !batch.is_empty() {
            return self.read_batch(client, environment, run, fence, cursor, &batch, expected).await;
        }
        let outcomes: Vec<_> = named
            .iter()
            .take_while(|id| row_of(id).is_none())
            .map(|id| {
                RecordOutcome::learner(id, OutcomeKind::Skipped, RecordCode::NotUploaded)
                    .told(Told::words("The learner has no ACE360 record (any more)."))
            })
            .collect();
        cursor.taken += count(outcomes.len());
        let progress = Progress { cursor: serde_json::to_value(&cursor).ok(), outcomes, ..expected };
        let tx = self.store.begin().await?;
        self.commit(tx, run, fence, progress).await
    }

    #[allow(clippy::too_many_arguments, reason = "what a step of a run is made of, and its batch")]
    async fn read_batch(
        &self,
        client: &Client,
        environment: &str,
        run: &mut RunRow,
        fence: Uuid,
        cursor: &mut Cursor,
        batch: &[SingleRow],
        expected: Progress,
    ) -> Result<Step, Ace360Error> {
        let provider = run.provider_id;
        let mut outcomes = Vec::new();
        let mut unchanged = 0;
        let mut changed_after_all = Vec::new();
        let mut answers = Vec::with_capacity(batch.len());
        for row in batch {
            let answer = client.apprentice(row.record_id).await?;
            if let Err(failure) = &answer
                && failure.kind.is_general()
            {
                // What was read of this batch is kept; the rest follows when ACE360 answers again.
                if answers.is_empty() {
                    return Ok(Step::Blocked(failure.clone()));
                }
                break;
            }
            cursor.taken += 1;
            cursor.after = Some(row.learner_id.clone());
            answers.push((row, answer));
        }
        let mut tx = self.store.begin().await?;
        for (row, answer) in answers {
            let kind = match answer {
                Ok(apprentice) => {
                    let applied = self
                        .store
                        .apply_readings(&mut tx, provider, environment, &[single(&apprentice)], Some(run.id))
                        .await?;
                    if applied.changed.is_empty() && applied.changed_again.is_empty() {
                        OutcomeKind::Unchanged
                    } else {
                        OutcomeKind::Succeeded
                    }
                }
                // The list shows it and the single record is not there: that is trouble, not an end.
                Err(failure) if failure.kind == FailureKind::Missing && !row.seen => {
                    self.store
                        .mark_gone(&mut tx, provider, environment, &row.learner_id, Some(run.id))
                        .await?;
                    outcomes.push(outcome(row.learner_id.clone(), OutcomeKind::Failed, Some(&gone())));
                    continue;
                }
                Err(failure) => {
                    self.store
                        .note_link_problem(
                            &mut tx,
                            provider,
                            environment,
                            &row.learner_id,
                            Some(run.id),
                            &failure.problem(),
                        )
                        .await?;
                    if !row.seen {
                        outcomes.push(outcome(row.learner_id.clone(), OutcomeKind::Failed, Some(&failure)));
                    }
                    continue;
                }
            };
            // Those that the list showed were counted then; a grade that only the single record told makes a change of it.
            if row.seen {
                if kind == OutcomeKind::Succeeded {
                    changed_after_all.push(row.learner_id.clone());
                }
            } else if kind == OutcomeKind::Unchanged {
                unchanged += 1;
            } else {
                outcomes.push(outcome(row.learner_id.clone(), kind, None));
            }
        }
        let progress = Progress {
            cursor: serde_json::to_value(&cursor).ok(),
            calls: client.meter().take(),
            unchanged,
            outcomes,
            changed_after_all,
            ..expected
        };
        self.commit(tx, run, fence, progress).await
    }

    pub(super) async fn commit(
        &self,
        mut tx: crate::store::Tx,
        run: &mut RunRow,
        fence: Uuid,
        progress: Progress,
    ) -> Result<Step, Ace360Error> {
        if !self.store.add_progress(&mut tx, run.id, fence, &progress).await? {
            return Ok(Step::Replaced);
        }
        tx.commit().await.map_err(StoreError::from)?;
        run.calls_used += progress.calls;
        if let Some(cursor) = progress.cursor {
            run.cursor = cursor;
        }
        Ok(Step::More)
    }
}

fn gone() -> Failure {
    Failure::new(
        FailureKind::Missing,
        Some(404),
        "the record is no longer in ACE360; its last status is kept",
    )
}

fn outcome(learner: String, outcome: OutcomeKind, failure: Option<&Failure>) -> RecordOutcome {
    match failure {
        None => RecordOutcome::learner(learner, outcome, RecordCode::Changed),
        Some(failure) => failed(learner, failure),
    }
}

/// A learner's record that failed upstream, with the upstream's reasons.
pub(super) fn failed(learner: impl Into<String>, failure: &Failure) -> RecordOutcome {
    RecordOutcome::learner(learner, OutcomeKind::Failed, failure.kind.record_code()).told(Told {
        message: failure.text(),
        errors: faults(&failure.field_errors),
        ..Told::default()
    })
}

fn count(many: usize) -> i32 {
    i32::try_from(many).unwrap_or(i32::MAX)
}

/// What a row of the list says.
pub fn listed(apprentice: &Apprentice) -> Reading {
    let status = apprentice.status.clone().unwrap_or_default();
    Reading {
        record_id: apprentice.id,
        status_id: status.id.and_then(|id| i32::try_from(id).ok()),
        status_text: status.text,
        archived_at: Some(archived_at(apprentice)),
        certificate_claimed_at: Some(apprentice.certificate_claimed_at.map(moment)),
        detail: None,
    }
}

/// What a single record says.
pub fn single(apprentice: &Apprentice) -> Reading {
    Reading {
        detail: Some(Detail {
            archival_status: apprentice.archival_status.clone(),
            provisional_grade: apprentice.provisional_grade.clone(),
            overall_grade: apprentice.overall_grade.clone(),
            grade_date: apprentice.grade_date.map(|date| date.to_string()),
        }),
        ..listed(apprentice)
    }
}

/// A row of the mirror.
pub fn mirror_row(store: &Store, provider: Uuid, apprentice: &Apprentice) -> MirrorRow {
    let person = match (&apprentice.first_name, &apprentice.last_name, apprentice.date_of_birth) {
        (Some(first), Some(last), Some(birth)) => Some(store.person_index(provider, first, last, birth)),
        _ => None,
    };
    let status = apprentice.status.clone().unwrap_or_default();
    MirrorRow {
        record_id: apprentice.id,
        person_index: person,
        standard_id: apprentice.standard_id,
        status_id: status.id.and_then(|id| i32::try_from(id).ok()),
        status_text: status.text,
        archived: apprentice.archived,
    }
}

/// An archive whose time cannot be read is an archive all the same: the year 1970 says that no time is known.
fn archived_at(apprentice: &Apprentice) -> Option<String> {
    match apprentice.archived_at {
        Some(at) => Some(moment(at)),
        None if apprentice.archived => Some("1970-01-01T00:00:00Z".to_owned()),
        None => None,
    }
}

/// ACE360 writes times without a zone; UTC is assumed.
fn moment(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
