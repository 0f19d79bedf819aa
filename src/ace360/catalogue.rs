//! The catalogue of standards: refreshed from ACE360 as a run, page by page; read for previews and look-ups. The sectors
//! are those that the standards name, until ACE360 publishes a list (assumed).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::client::Client;
use super::standards::{Sector, Standard};
use super::{Ace360, Ace360Error};
use crate::domain::{RecordCode, RunKind};
use crate::store::{OutcomeKind, Progress, RecordOutcome, RunRow, StandardRow, Time, Told};
use crate::upstream::failure::Failure;

/// The kind of its run.
pub const REFRESH: &str = RunKind::StandardsRefresh.as_str();

/// Where a refresh stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    page: i64,
    began: Option<Time>,
}

/// What one step of a run came to.
#[derive(Debug)]
pub enum Step {
    /// There is more.
    More,
    /// All is done.
    Done,
    /// ACE360 does not let us go on.
    Blocked(Failure),
    /// There is more, but not now; why.
    Waiting(std::time::Duration, String),
    /// Another worker has the run: what this one did was dropped.
    Replaced,
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
            None => self.store.now().await.map_err(crate::store::StoreError::from)?,
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
                    kind: "standard".to_owned(),
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
            kind: "standard".to_owned(),
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
        tx.commit().await.map_err(crate::store::StoreError::from)?;
        run.cursor = progress.cursor.unwrap_or_default();
        if last {
            self.note_connection(run.provider_id, None).await?;
        }
        Ok(if last { Step::Done } else { Step::More })
    }

    /// The rows that an upload needs, and the sectors.
    ///
    /// # Errors
    /// The database's.
    pub async fn catalogue_for(
        &self,
        provider: Uuid,
        environment: &str,
        chosen: Option<i64>,
        lars_code: Option<i32>,
    ) -> Result<(Vec<Standard>, Vec<Sector>), Ace360Error> {
        let (rows, sectors) = tokio::try_join!(
            self.store.standards_for(provider, environment, chosen, lars_code),
            self.store.sectors(provider, environment),
        )?;
        Ok((
            rows.into_iter().map(from_row).collect(),
            sectors.into_iter().map(|(id, name)| Sector { id, name }).collect(),
        ))
    }
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
