//! Refresh Qualification Links: reads the learning aims of every centre as a run, page by page, and says what was added, changed
//! and removed.
//!
//! A learning aim that was not seen is removed only after its centre was read once more and it was not seen again: a page that
//! shifts while it is read hides a row. In a centre with rows that cannot be read nothing is removed, since it may be one of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::client::{Client, Search};
use super::codes::Code;
use super::walk::{Next, Walk};
use super::wire::{Page, Standard};
use super::{OneFile, OneFileError};
use crate::domain::{RecordCode, RunKind, SubjectKind};
use crate::store::{
    OneFileSettings, OneFileStandard, OutcomeKind, Progress, RecordOutcome, RunRow, StandardRead, StoreError,
    Time, Told, Tx,
};
use crate::upstream::step::Step;

/// The kind of its run.
pub const REFRESH: &str = RunKind::QualificationsRefresh.as_str();

const ENDLESS: &str = "OneFile's search for learning aims goes on without end: nothing was removed.";
const CHANGED: &str = "The settings were changed meanwhile: the page is read again.";
const ELSEWHERE: &str = "The settings lead to another OneFile, or to another customer, since it began: nothing of that was read. \
    POST /onefile/qualifications:refresh once more.";

/// Where a refresh stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Cursor {
    began: Time,
    /// Whose centres they are: with another token or environment it cannot go on.
    account: String,
    /// Those that are read, in this order.
    centres: Vec<String>,
    at: usize,
    walk: Walk,
    /// What was not seen is looked for once more.
    second: bool,
    /// Centres with rows that could not be read.
    doubtful: Vec<String>,
    /// There are centres that could not be read.
    partial: bool,
    unreadable: usize,
}

impl Cursor {
    fn of(run: &RunRow) -> Option<Self> {
        serde_json::from_value(run.cursor.clone()).ok()
    }

    fn centre(&self) -> Option<&str> {
        self.centres.get(self.at).map(String::as_str)
    }
}

impl OneFile {
    /// Reads the centres, or one page of learning aims, for a run.
    ///
    /// # Errors
    /// OneFile names no centre; a search without end; the database's.
    pub async fn refresh_qualifications_step(
        &self,
        client: &Client,
        settings: &OneFileSettings,
        run: &mut RunRow,
        fence: Uuid,
    ) -> Result<Step, OneFileError> {
        let step = match Cursor::of(run) {
            Some(cursor) if cursor.account != account(client) => {
                return Err(OneFileError::NotConfigured(ELSEWHERE));
            }
            None => self.begin_refresh(client, run, fence).await,
            Some(cursor) => self.refresh_page(client, settings, run, fence, cursor).await,
        };
        match step {
            Err(OneFileError::Upstream(failure)) => {
                self.note_connection(run.provider_id, Some(&failure)).await?;
                Ok(Step::Blocked(failure))
            }
            step => step,
        }
    }

    async fn begin_refresh(
        &self,
        client: &Client,
        run: &mut RunRow,
        fence: Uuid,
    ) -> Result<Step, OneFileError> {
        let began = self.store.now().await.map_err(StoreError::from)?;
        let customer = client.customer().await??;
        let found = client.centres(&customer.id).await??;
        if found.rows.is_empty() {
            return Err(OneFileError::NotConfigured(
                "OneFile names no centre of this customer: nothing was read, and what was kept stays.",
            ));
        }
        let cursor = Cursor {
            began,
            account: account(client),
            centres: found.rows.into_iter().map(|centre| centre.id).collect(),
            at: 0,
            walk: Walk::default(),
            second: false,
            doubtful: Vec::new(),
            partial: found.unreadable > 0,
            unreadable: found.unreadable,
        };
        let tx = self.store.begin().await?;
        self.save(tx, client, run, fence, &cursor, Progress::default()).await
    }

    async fn refresh_page(
        &self,
        client: &Client,
        settings: &OneFileSettings,
        run: &mut RunRow,
        fence: Uuid,
        mut cursor: Cursor,
    ) -> Result<Step, OneFileError> {
        let (provider, environment) = (run.provider_id, settings.choices.environment);
        let (mut rows, mut outcomes) = (Vec::new(), Vec::new());
        if let Some(centre) = cursor.centre().map(str::to_owned) {
            let asked = cursor.walk.page();
            let page = client.search_page::<Standard>(&Search::standards(&centre), asked).await??;
            let faults = faults(&centre, asked, &page);
            let before = cursor.walk.unreadable();
            let (new, next) = cursor.walk.take(page);
            rows.extend(new.into_iter().map(|row| to_row(row, &centre)));
            if cursor.walk.unreadable() > before && !cursor.second {
                cursor.unreadable += faults.len();
                outcomes.extend(faults);
            }
            match next {
                Next::Page(_) => {}
                Next::Endless => {
                    return Err(OneFileError::NotConfigured(ENDLESS));
                }
                Next::End => {
                    if std::mem::take(&mut cursor.walk).unreadable() > 0 {
                        cursor.doubtful.push(centre);
                    }
                    cursor.at += 1;
                }
            }
        }
        let mut tx = self.store.begin().await?;
        if self.store.hold_onefile_version(&mut tx, provider).await? != Some(settings.version) {
            return Ok(Step::Waiting(std::time::Duration::ZERO, CHANGED.to_owned()));
        }
        let read =
            self.store.put_onefile_standards(&mut tx, provider, environment, &rows, cursor.began).await?;
        let fresh = read.iter().filter(|row| !row.again);
        let unchanged = fresh.clone().filter(|row| !row.added && !row.changed).count();
        outcomes.extend(fresh.filter_map(news));
        let mut done = false;
        if cursor.centre().is_none() {
            let again = self.unseen(&mut tx, settings, run, &cursor).await?;
            if again.is_empty() {
                done = true;
                outcomes.extend(self.end_refresh(&mut tx, settings, run, &cursor).await?);
            } else {
                cursor.second = true;
                (cursor.centres, cursor.at) = (again, 0);
            }
        }
        let unchanged = i32::try_from(unchanged).unwrap_or(i32::MAX);
        let progress = Progress { unchanged, outcomes, complete: done, ..Progress::default() };
        let step = self.save(tx, client, run, fence, &cursor, progress).await?;
        if done && matches!(step, Step::More) {
            self.note_connection(provider, None).await?;
            return Ok(Step::Done);
        }
        Ok(step)
    }

    /// The centres to read once more, since they hold what was not seen.
    async fn unseen(
        &self,
        tx: &mut Tx,
        settings: &OneFileSettings,
        run: &RunRow,
        cursor: &Cursor,
    ) -> Result<Vec<String>, StoreError> {
        if cursor.second {
            return Ok(Vec::new());
        }
        let environment = settings.choices.environment;
        let mut unseen =
            self.store.centres_of_unseen_standards(tx, run.provider_id, environment, cursor.began).await?;
        unseen.retain(|centre| cursor.centres.contains(centre) && !cursor.doubtful.contains(centre));
        Ok(unseen)
    }

    /// All was read: what is no longer there goes.
    async fn end_refresh(
        &self,
        tx: &mut Tx,
        settings: &OneFileSettings,
        run: &RunRow,
        cursor: &Cursor,
    ) -> Result<Vec<RecordOutcome>, StoreError> {
        let (provider, environment) = (run.provider_id, settings.choices.environment);
        let mut spared = cursor.doubtful.clone();
        if cursor.partial {
            // Any of them may be the centre that could not be read.
            spared.extend(
                self.store.centres_of_unseen_standards(tx, provider, environment, cursor.began).await?,
            );
        }
        let gone =
            self.store.remove_unseen_standards(tx, provider, environment, cursor.began, &spared).await?;
        let unreadable = i32::try_from(cursor.unreadable).unwrap_or(i32::MAX);
        self.store.end_onefile_standards(tx, provider, environment, unreadable).await?;
        Ok(gone.into_iter().map(|(centre, id)| outcome(&centre, &id, RecordCode::Removed)).collect())
    }

    async fn save(
        &self,
        mut tx: Tx,
        client: &Client,
        run: &mut RunRow,
        fence: Uuid,
        cursor: &Cursor,
        progress: Progress,
    ) -> Result<Step, OneFileError> {
        let saved = serde_json::to_value(cursor).map_err(StoreError::from)?;
        let calls = client.meter().take();
        // OneFile tells no totals: how many calls it takes is known when the last page was read.
        let planned = progress.complete.then_some(run.calls_used + calls);
        let progress = Progress { cursor: Some(saved.clone()), calls, calls_planned: planned, ..progress };
        if !self.store.add_progress(&mut tx, run.id, fence, &progress).await? {
            return Ok(Step::Replaced);
        }
        tx.commit().await.map_err(StoreError::from)?;
        run.cursor = saved;
        run.calls_used += calls;
        Ok(Step::More)
    }
}

/// As a cursor names whose OneFile it is.
fn account(client: &Client) -> String {
    STANDARD_NO_PAD.encode(&client.account().key)
}

/// What the run tells of rows that cannot be read.
fn faults(centre: &str, page: u32, rows: &Page<Standard>) -> Vec<RecordOutcome> {
    let faults = rows.rows.iter().filter_map(|row| row.as_ref().err());
    faults
        .map(|fault| RecordOutcome {
            kind: SubjectKind::Standard,
            id: format!("{centre} page {page} row {}", fault.index + 1),
            outcome: OutcomeKind::Failed,
            code: RecordCode::Unreadable,
            record_id: None,
            told: Some(Told::words(fault.message)),
        })
        .collect()
}

/// What the run tells of a learning aim; nothing when it is as it was.
fn news(read: &StandardRead) -> Option<RecordOutcome> {
    let code = match (read.added, read.changed) {
        (true, _) => RecordCode::Added,
        (false, true) => RecordCode::Changed,
        (false, false) => return None,
    };
    Some(outcome(&read.centre_id, &read.standard_id, code))
}

/// Two centres may have the same one.
fn outcome(centre: &str, id: &str, code: RecordCode) -> RecordOutcome {
    let id = format!("{centre}/{id}");
    let outcome = OutcomeKind::Succeeded;
    RecordOutcome { kind: SubjectKind::Standard, id, outcome, code, record_id: None, told: None }
}

/// What a row says of its centre counts more than what was asked for.
fn to_row(row: Standard, asked: &str) -> OneFileStandard {
    let code = Code::of_standard(row.title.as_deref(), row.ndaq_code.as_deref());
    let (code, code_key) = code.map(|code| (plain(&code.shown), code.key)).unzip();
    OneFileStandard {
        centre_id: row.centre_id.unwrap_or_else(|| asked.to_owned()),
        standard_id: row.id,
        title: row.title.as_deref().map(plain).unwrap_or_default(),
        code,
        code_key,
        archived: row.archived.unwrap_or(false),
    }
}

/// Without signs that no list shows and no database takes.
fn plain(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_control()).collect()
}
