//! The catalogue of standards. A run refreshes it from ACE360 page by page; previews and look-ups
//! read it. The sectors are those that the standards name, until ACE360 publishes a list (assumed).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ace360::Ace360;
use crate::ace360::catalogue::cache::Catalogue;
use crate::ace360::client::line::Ace360Line;
use crate::ace360::client::wire::{ListPosition, Sector, Standard};
use crate::domain::{Learner, RecordCode, SubjectKind};
use crate::store::{
    Ace360Settings, OutcomeKind, Progress, RecordOutcome, StandardRow, StoreError, Time, Told,
};
use crate::upstream::run::{Halt, NoParams, RunContext, RunWork, Step};

/// The work of a run that refreshes the catalogue of standards.
pub struct StandardsRefresh<'a>(pub &'a Ace360);

/// How far a refresh of the standards has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StandardsRefreshCursor {
    list: ListPosition,
    began: Time,
}

impl RunWork for StandardsRefresh<'_> {
    type Line = Ace360Line;
    type Params = NoParams;
    type Cursor = StandardsRefreshCursor;

    async fn connect(&self, provider: Uuid) -> Result<Ace360Line, Halt> {
        self.0.line(provider).await
    }

    async fn step(
        &self,
        line: &Ace360Line,
        run: &mut RunContext,
        _: &NoParams,
        cursor: Option<StandardsRefreshCursor>,
    ) -> Result<Step, Halt> {
        let came = self.read_page(line, run, cursor).await;
        self.0.note_step(run.row.provider_id, came).await
    }
}

impl StandardsRefresh<'_> {
    async fn read_page(
        &self,
        line: &Ace360Line,
        run: &mut RunContext,
        cursor: Option<StandardsRefreshCursor>,
    ) -> Result<Step, Halt> {
        let (store, provider, environment) = (&self.0.store, run.row.provider_id, &line.environment);
        let mut cursor = match cursor {
            Some(cursor) => cursor,
            None => StandardsRefreshCursor { list: ListPosition::default(), began: store.now().await? },
        };
        let page = line.client.standards(cursor.list.next()).await??;
        let last = cursor.list.note(&page);
        let mut outcomes = Vec::new();
        let mut rows = Vec::new();
        for item in page.data {
            match item {
                Ok((row, _)) => rows.push(to_row(row)),
                Err(fault) => outcomes.push(RecordOutcome {
                    kind: SubjectKind::Standard,
                    id: format!("page {} row {}", cursor.list.page, fault.index + 1),
                    outcome: OutcomeKind::Failed,
                    code: RecordCode::Unreadable,
                    record_id: None,
                    told: Some(Told::words(fault.message)),
                }),
            }
        }
        let mut tx = store.begin().await?;
        let changed = store.put_standards(&mut tx, provider, environment, &rows, cursor.began).await?;
        let unchanged = i32::try_from(rows.len() - changed.len()).unwrap_or(i32::MAX);
        outcomes.extend(changed.into_iter().map(|id| RecordOutcome {
            kind: SubjectKind::Standard,
            id: id.to_string(),
            outcome: OutcomeKind::Succeeded,
            code: RecordCode::Changed,
            record_id: None,
            told: None,
        }));
        if last {
            store.end_standards_refresh(&mut tx, provider, environment, cursor.began).await?;
        }
        let progress = Progress {
            total: page.total.and_then(|total| i32::try_from(total).ok()),
            calls_planned: page.total_pages.and_then(|pages| i32::try_from(pages).ok()),
            unchanged,
            outcomes,
            ..Progress::default()
        };
        run.commit(tx, &cursor, progress).await?;
        if !last {
            return Ok(Step::More);
        }
        self.0.note_connection(provider, None).await?;
        Ok(Step::Done)
    }
}

impl Ace360 {
    /// The rows that a learner's upload needs, and the sectors. They are cached until the next
    /// refresh, because most learners share their standard with another learner.
    pub async fn catalogue_of(
        &self,
        provider: Uuid,
        settings: &Ace360Settings,
        learner: &Learner,
    ) -> Result<Arc<Catalogue>, StoreError> {
        let programme = learner.programme.as_ref();
        let lars_code = programme.and_then(|programme| programme.standard_code.as_ref());
        let lars_code = lars_code.and_then(|code| i32::try_from(code.get()).ok());
        let chosen = chosen_standard(learner);
        let refreshed_at = settings.standards_refreshed_at.map(|at| at.timestamp_micros());
        let key = (provider, settings.version, refreshed_at, chosen, lars_code);
        if let Some(kept) = self.catalogues.get(&key) {
            return Ok(kept);
        }
        let (rows, sectors) = tokio::try_join!(
            self.store.standards_for(provider, &settings.environment, chosen, lars_code),
            self.store.sectors(provider, &settings.environment),
        )?;
        let catalogue = Arc::new(Catalogue {
            standards: rows.into_iter().map(from_row).collect(),
            sectors: sectors.into_iter().map(|(id, name)| Sector { id, name }).collect(),
        });
        // During the first refresh the catalogue still grows, so it is not cached.
        if refreshed_at.is_some() {
            self.catalogues.insert(key, Arc::clone(&catalogue));
        }
        Ok(catalogue)
    }
}

/// The standard that was chosen for the learner among several with its LARS code.
pub fn chosen_standard(learner: &Learner) -> Option<i64> {
    learner.ace360.as_ref().and_then(|choice| choice.standard_id.as_ref()).map(|id| id.get())
}

fn to_row(standard: Standard) -> StandardRow {
    StandardRow {
        standard_id: standard.standard_id,
        st_code: standard.st_code,
        lars_code: standard.lars_code.and_then(|code| i32::try_from(code).ok()),
        version: standard.version,
        option: standard.option,
        name: standard.name,
        sector_id: standard.sector_id,
        sector_name: standard.sector_name,
        valid_from: standard.valid_from,
        valid_to: standard.valid_to,
        archived: standard.archived,
    }
}

pub fn from_row(row: StandardRow) -> Standard {
    Standard {
        standard_id: row.standard_id,
        st_code: row.st_code,
        lars_code: row.lars_code.and_then(|code| u32::try_from(code).ok()),
        version: row.version,
        option: row.option,
        name: row.name,
        sector_id: row.sector_id,
        sector_name: row.sector_name,
        valid_from: row.valid_from,
        valid_to: row.valid_to,
        archived: row.archived,
    }
}
