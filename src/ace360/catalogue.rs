//! The catalogue of standards: refreshed from ACE360 as a run, page by page; read for previews and look-ups. The sectors
//! are those that the standards name, until ACE360 publishes a list (assumed).

use std::sync::Arc;

use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::client::Client;
use super::standards::{Sector, Standard};
use super::{Ace360, Ace360Error};
use crate::domain::{Learner, RecordCode, RunKind, SubjectKind};
use crate::store::{
    Ace360Settings, OutcomeKind, Progress, RecordOutcome, RunRow, StandardRow, StoreError, Time, Told,
};
pub use crate::upstream::step::Step;

/// The kind of its run.
pub const REFRESH: &str = RunKind::StandardsRefresh.as_str();

/// Catalogues that are kept: one for each standard that a provider's learners are on.
pub type Catalogues = Arc<Cache<(Uuid, i64, Option<i64>, Option<i64>, Option<i32>), Arc<Catalogue>>>;
/// So many, of some kilobytes.
pub const CATALOGUES: usize = 2_000;

/// What of the catalogue an upload needs.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Those of the learner's LARS code, and the chosen one.
    pub standards: Vec<Standard>,
    /// All of them.
    pub sectors: Vec<Sector>,
}

/// Where a refresh stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    page: i64,
    began: Option<Time>,
}

impl Ace360 {
    /// Reads one page of the catalogue for a run.
    ///
    /// # Errors
    /// The database's.
    pub async fn refresh_standards_step(
        &self,
        client: &Client,
        environment: &str,
        run: &mut RunRow,
        fence: Uuid,
    ) -> Result<Step, Ace360Error> {
        let mut cursor: Cursor = serde_json::from_value(run.cursor.clone()).unwrap_or_default();
        let began = match cursor.began {
            Some(began) => began,
            None => self.store.now().await.map_err(StoreError::from)?,
        };
        cursor.began = Some(began);
        cursor.page += 1;
        let page = match client.standards(cursor.page).await? {
            Ok(page) => page,
            Err(failure) => {
                self.note_connection(run.provider_id, Some(&failure)).await?;
                return Ok(Step::Blocked(failure));
            }
        };
        // Believe the answer, not the question: a list that is not paged is one page; a page with nothing is the end.
        let last = page.data.is_empty() || page.total_pages.is_none_or(|pages| cursor.page >= pages);
        let mut outcomes = Vec::new();
        let mut rows = Vec::new();
        for item in page.data {
            match item {
                Ok((row, _)) => rows.push(to_row(row.into())),
                Err(fault) => outcomes.push(RecordOutcome {
                    kind: SubjectKind::Standard,
                    id: format!("page {} row {}", cursor.page, fault.index + 1),
                    outcome: OutcomeKind::Failed,
                    code: RecordCode::Unreadable,
                    record_id: None,
                    told: Some(Told::words(fault.message)),
                }),
            }
        }
        let mut tx = self.store.begin().await?;
        let changed = self.store.put_standards(&mut tx, run.provider_id, environment, &rows, began).await?;
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
            self.store.end_standards_refresh(&mut tx, run.provider_id, environment, began).await?;
        }
        let progress = Progress {
            cursor: serde_json::to_value(&cursor).ok(),
            total: page.total.and_then(|total| i32::try_from(total).ok()),
            calls_planned: page.total_pages.and_then(|pages| i32::try_from(pages).ok()),
            calls: client.meter().take(),
            unchanged,
            outcomes,
            ..Progress::default()
        };
        if !self.store.add_progress(&mut tx, run.id, fence, &progress).await? {
            return Ok(Step::Replaced);
        }
        tx.commit().await.map_err(StoreError::from)?;
        run.cursor = progress.cursor.unwrap_or_default();
        if last {
            self.note_connection(run.provider_id, None).await?;
        }
        Ok(if last { Step::Done } else { Step::More })
    }

    /// The rows that a learner's upload needs, and the sectors. Kept until the catalogue is refreshed: most learners are on a
    /// standard that another one was uploaded with.
    ///
    /// # Errors
    /// The database's.
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
        // While the first refresh goes on there is more every moment.
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

/// A stored row as the rules see it.
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
