//! Pages in the documented envelope. The default is ten rows, the maximum a hundred (both assumed).

use std::ops::Range;

use serde::{Deserialize, Serialize};

const USUAL: usize = 10;
const MOST: usize = 100;

/// The requested page. Invalid values count as absent, as in PHP frameworks.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    page: Option<String>,
    per_page: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "these are ACE360's names")]
pub struct Page<T> {
    pub total: usize,
    pub current_page: usize,
    pub per_page: usize,
    pub total_pages: usize,
    pub data: Vec<T>,
}

impl Asked {
    /// The page out of `total` rows. `rows` returns the rows in a range of positions.
    pub fn take<T>(&self, total: usize, rows: impl FnOnce(Range<usize>) -> Vec<T>) -> Page<T> {
        let whole = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
        let per_page = whole(&self.per_page).filter(|rows| *rows > 0).unwrap_or(USUAL).min(MOST);
        let current_page = whole(&self.page).filter(|page| *page > 0).unwrap_or(1);
        let start = (current_page - 1).saturating_mul(per_page).min(total);
        let end = start.saturating_add(per_page).min(total);
        Page {
            total,
            current_page,
            per_page,
            total_pages: total.div_ceil(per_page).max(1),
            data: rows(start..end),
        }
    }
}
