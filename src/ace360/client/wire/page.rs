//! Lists and single records as ACE360 answers them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::reader::{Note, Reader, Row, integer};
use crate::http::json;

/// A page of a list. The counts are theirs, and may be missing or wrong: [`ListPosition`] says when a list ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The number of rows on all pages.
    pub total: Option<i64>,
    /// The number of this page; the first is 1.
    pub current_page: Option<i64>,
    /// The rows of a page, which may differ from the requested number.
    pub per_page: Option<i64>,
    pub total_pages: Option<i64>,
    /// The rows, each read or refused on its own, with notes on unusable fields.
    pub data: Vec<Result<(T, Vec<Note>), RowFault>>,
    /// Two pages with the same rows have the same print.
    pub print: u64,
}

/// How far a list was read. Its end is a page without rows, a page that shows the rows of the page before (the list is
/// not paged), or the last page by counts that agree with the rows that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPosition {
    /// The last page that was read; 0: none.
    pub page: i64,
    /// Rows on the pages that were read.
    rows: i64,
    print: Option<u64>,
}

impl ListPosition {
    pub fn next(&self) -> i64 {
        self.page + 1
    }

    /// Notes that the next page was read. `true`: it was the last.
    pub fn note<T>(&mut self, page: &Page<T>) -> bool {
        self.page += 1;
        self.rows += i64::try_from(page.data.len()).unwrap_or(i64::MAX);
        let repeats = self.print.replace(page.print) == Some(page.print);
        let counted = page.total_pages.is_some_and(|pages| pages > 0 && self.page >= pages)
            && page.total.is_none_or(|total| self.rows >= total);
        page.data.is_empty() || repeats || counted
    }
}

/// A row without a usable id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// The position of the row on the page.
    pub index: usize,
    /// Why the row is unreadable.
    pub message: &'static str,
}

/// A response in an unexpected format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ACE360's answer cannot be read: {0}")]
pub struct Unreadable(&'static str);

/// Reads a list. It accepts the documented envelope, Laravel's names for it, and a bare array.
pub fn page<T: Row>(body: &[u8]) -> Result<Page<T>, Unreadable> {
    let value: Value = json(body).ok_or(Unreadable("it is not JSON"))?;
    let empty = Map::new();
    let (envelope, rows) = match &value {
        Value::Array(rows) => (&empty, rows),
        Value::Object(envelope) => match envelope.get("data") {
            Some(Value::Array(rows)) => (envelope, rows),
            _ => return Err(Unreadable("it has no list `data`")),
        },
        _ => return Err(Unreadable("it is neither an object nor a list")),
    };
    let meta = envelope.get("meta").and_then(Value::as_object);
    let count = |names: &[&str]| {
        let found = |object: &Map<String, Value>| names.iter().find_map(|name| integer(object.get(*name)?));
        found(envelope).or_else(|| found(meta?)).filter(|count| *count >= 0)
    };
    let mut hasher = DefaultHasher::new();
    rows.hash(&mut hasher);
    Ok(Page {
        print: hasher.finish(),
        total: count(&["total"]),
        current_page: count(&["currentPage", "current_page"]),
        per_page: count(&["perPage", "per_page"]),
        total_pages: count(&["totalPages", "total_pages", "last_page"]),
        data: rows.iter().enumerate().map(|(index, row)| read_row(index, row)).collect(),
    })
}

/// Reads a single record, bare or in `data`.
pub fn record<T: Row>(body: &[u8]) -> Result<(T, Vec<Note>), Unreadable> {
    let value: Value = json(body).ok_or(Unreadable("it is not JSON"))?;
    let inner = value.get("data").filter(|data| data.is_object()).unwrap_or(&value);
    read_row(0, inner).map_err(|fault| Unreadable(fault.message))
}

fn read_row<T: Row>(index: usize, row: &Value) -> Result<(T, Vec<Note>), RowFault> {
    let fault = |message| RowFault { index, message };
    let object = row.as_object().ok_or_else(|| fault("it is not an object"))?;
    let id = object.get("id").and_then(integer).filter(|id| *id > 0);
    let id = id.ok_or_else(|| fault("it has no `id` that is a whole number"))?;
    let mut reader = Reader::new(object);
    let record = T::read(id, &mut reader);
    Ok((record, reader.into_notes()))
}
