//! Refresh Qualification Links: reads the learning aims of every centre as a run, page by page, and says what was added, changed
//! and removed.
//!
//! A learning aim that was not seen is removed only after its centre was read once more and it was not seen again: a page that
//! shifts while it is read hides a row. In a centre with rows that cannot be read nothing is removed, since it may be one of them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::codes::Code;
use crate::domain::{RecordCode, RunKind, SubjectKind};
use crate::onefile::OneFile;
use crate::onefile::client::line::OneFileLine;
use crate::onefile::client::pagination::{Next, Pagination};
use crate::onefile::client::wire::{Page, Standard};
use crate::onefile::client::{Client, Search};
use crate::store::{
    OneFileStandard, OutcomeKind, Progress, RecordOutcome, StandardRead, StoreError, Time, Told, Tx,
};
use crate::upstream::run::{Halt, NoParams, RunContext, RunWork, Step};

const NO_CENTRE: &str =
    "OneFile names no centre of this customer: nothing was read, and what was kept stays.";
const ENDLESS: &str = "OneFile's search for learning aims goes on without end: nothing was removed.";
const CHANGED: &str = "The settings were changed meanwhile: the page is read again.";
const ELSEWHERE: &str = "The settings lead to another OneFile, or to another customer, since it began: nothing of that was read. \
    POST /onefile/qualifications:refresh once more.";

/// The work of a run that refreshes the learning aims.
pub struct QualificationsRefresh<'a>(pub &'a OneFile);

/// Where a refresh of the learning aims stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QualificationsCursor {
    began: Time,
    /// The customer's account: with another token or environment the run cannot go on.
    account: String,
    /// The centres to read, in this order.
    centres: Vec<String>,
    /// The place of the present centre among them.
    at: usize,
    pagination: Pagination,
    /// The second reading: of centres with learning aims that the first did not show.
    second: bool,
    /// Centres with rows that could not be read.
    doubtful: Vec<String>,
    /// There are centres that could not be read.
    partial: bool,
    unreadable: usize,
}

impl QualificationsCursor {
    fn centre(&self) -> Option<&str> {
        self.centres.get(self.at).map(String::as_str)
    }
}

impl RunWork for QualificationsRefresh<'_> {
    type Line = OneFileLine;
    type Params = NoParams;
    type Cursor = QualificationsCursor;

    async fn connect(&self, provider: Uuid) -> Result<OneFileLine, Halt> {
        self.0.line(provider, RunKind::QualificationsRefresh).await
    }

    async fn step(
        &self,
        line: &OneFileLine,
        run: &mut RunContext,
        _: &NoParams,
        cursor: Option<QualificationsCursor>,
    ) -> Result<Step, Halt> {
        let came = match cursor {
            Some(cursor) if cursor.account != account(&line.client) => {
                return Err(Halt::Never(ELSEWHERE.to_owned()));
            }
            None => self.read_centres(line, run).await,
            Some(cursor) => self.read_page(line, run, cursor).await,
        };
        self.0.note_step(run.row.provider_id, came).await
    }
}

impl QualificationsRefresh<'_> {
    async fn read_centres(&self, line: &OneFileLine, run: &mut RunContext) -> Result<Step, Halt> {
        let began = self.0.store.now().await?;
        let customer = line.client.customer().await??;
        let found = line.client.centres(&customer.id).await??;
        if found.rows.is_empty() {
            return Err(Halt::Never(NO_CENTRE.to_owned()));
        }
        let cursor = QualificationsCursor {
            began,
            account: account(&line.client),
            centres: found.rows.into_iter().map(|centre| centre.id).collect(),
            at: 0,
            pagination: Pagination::default(),
            second: false,
            doubtful: Vec::new(),
            partial: found.unreadable > 0,
            unreadable: found.unreadable,
        };
        let tx = self.0.store.begin().await?;
        run.commit(tx, &cursor, Progress::default()).await?;
        Ok(Step::More)
    }

    async fn read_page(
        &self,
        line: &OneFileLine,
        run: &mut RunContext,
        mut cursor: QualificationsCursor,
    ) -> Result<Step, Halt> {
        let (store, provider) = (&self.0.store, run.row.provider_id);
        let environment = line.settings.choices.environment;
        let (rows, mut outcomes) = self.next_rows(line, &mut cursor).await?;
        let mut tx = store.begin().await?;
        if store.hold_onefile_version(&mut tx, provider).await? != Some(line.settings.version) {
            return Ok(Step::Waiting(Duration::ZERO, CHANGED.to_owned()));
        }
        let read = store.put_onefile_standards(&mut tx, provider, environment, &rows, cursor.began).await?;
        let fresh = read.iter().filter(|row| !row.again);
        let unchanged = fresh.clone().filter(|row| !row.added && !row.changed).count();
        outcomes.extend(fresh.filter_map(news));
        let mut complete = false;
        if cursor.centre().is_none() {
            let again = self.unseen(&mut tx, line, run, &cursor).await?;
            if again.is_empty() {
                complete = true;
                outcomes.extend(self.end_refresh(&mut tx, line, run, &cursor).await?);
            } else {
                cursor.second = true;
                (cursor.centres, cursor.at) = (again, 0);
            }
        }
        // OneFile tells no totals: how many calls it takes is known when the last page was read.
        let progress = Progress {
            unchanged: i32::try_from(unchanged).unwrap_or(i32::MAX),
            outcomes,
            complete,
            calls_planned: complete.then(|| run.calls_used()),
            ..Progress::default()
        };
        run.commit(tx, &cursor, progress).await?;
        if !complete {
            return Ok(Step::More);
        }
        self.0.note_connection(provider, None).await?;
        Ok(Step::Done)
    }

    /// Reads the next page of the present centre, and moves on; also answers the rows that could not be read.
    async fn next_rows(
        &self,
        line: &OneFileLine,
        cursor: &mut QualificationsCursor,
    ) -> Result<(Vec<OneFileStandard>, Vec<RecordOutcome>), Halt> {
        let Some(centre) = cursor.centre().map(str::to_owned) else {
            return Ok((Vec::new(), Vec::new()));
        };
        let mut outcomes = Vec::new();
        let asked = cursor.pagination.page();
        let page = line.client.search_page::<Standard>(&Search::standards(&centre), asked).await??;
        let faults = faults(&centre, asked, &page);
        let before = cursor.pagination.unreadable();
        let (new, next) = cursor.pagination.take(page);
        let rows = new.into_iter().map(|row| to_row(row, &centre)).collect();
        if cursor.pagination.unreadable() > before && !cursor.second {
            cursor.unreadable += faults.len();
            outcomes = faults;
        }
        match next {
            Next::Page(_) => {}
            Next::Endless => return Err(Halt::Never(ENDLESS.to_owned())),
            Next::End => {
                if std::mem::take(&mut cursor.pagination).unreadable() > 0 {
                    cursor.doubtful.push(centre);
                }
                cursor.at += 1;
            }
        }
        Ok((rows, outcomes))
    }

    /// The centres to read once more, since they hold what was not seen.
    async fn unseen(
        &self,
        tx: &mut Tx,
        line: &OneFileLine,
        run: &RunContext,
        cursor: &QualificationsCursor,
    ) -> Result<Vec<String>, StoreError> {
        if cursor.second {
            return Ok(Vec::new());
        }
        let (provider, environment) = (run.row.provider_id, line.settings.choices.environment);
        let mut unseen =
            self.0.store.centres_of_unseen_standards(tx, provider, environment, cursor.began).await?;
        unseen.retain(|centre| cursor.centres.contains(centre) && !cursor.doubtful.contains(centre));
        Ok(unseen)
    }

    /// All was read: what is no longer there is removed.
    async fn end_refresh(
        &self,
        tx: &mut Tx,
        line: &OneFileLine,
        run: &RunContext,
        cursor: &QualificationsCursor,
    ) -> Result<Vec<RecordOutcome>, StoreError> {
        let (store, began) = (&self.0.store, cursor.began);
        let (provider, environment) = (run.row.provider_id, line.settings.choices.environment);
        let mut spared = cursor.doubtful.clone();
        if cursor.partial {
            // Any of them may be the centre that could not be read.
            spared.extend(store.centres_of_unseen_standards(tx, provider, environment, began).await?);
        }
        let gone = store.remove_unseen_standards(tx, provider, environment, began, &spared).await?;
        let unreadable = i32::try_from(cursor.unreadable).unwrap_or(i32::MAX);
        store.end_onefile_standards(tx, provider, environment, unreadable).await?;
        Ok(gone.into_iter().map(|(centre, id)| outcome(&centre, &id, RecordCode::Removed)).collect())
    }
}

/// As a cursor names whose OneFile it is.
fn account(client: &Client) -> String {
    STANDARD_NO_PAD.encode(&client.account().key)
}

/// What the run reports about rows that cannot be read.
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

/// What the run reports about a learning aim; nothing if it did not change.
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
