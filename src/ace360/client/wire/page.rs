//! Lists and single records as ACE360 answers them.

use serde_json::{Map, Value};

use super::reader::{Note, Reader, Row, integer};

/// A page of a list. The counts are theirs and may be missing: a page without rows is the end in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// How many rows there are on all pages.
    pub total: Option<i64>,
    /// Which page this is; the first is 1.
    pub current_page: Option<i64>,
    /// How many rows a page has; it may differ from what was asked for.
    pub per_page: Option<i64>,
    /// How many pages there are.
    pub total_pages: Option<i64>,
    /// The rows, each read or refused on its own, with what was odd.
    pub data: Vec<Result<(T, Vec<Note>), RowFault>>,
}

/// A row without which we do not know what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// Its place on the page.
    pub index: usize,
    /// Why it cannot be read.
    pub message: &'static str,
}

/// An answer that is not what was asked for at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ACE360's answer cannot be read: {0}")]
pub struct Unreadable(&'static str);

/// Reads a list. The documented envelope, Laravel's names for it, and a bare array will all do.
pub fn page<T: Row>(body: &[u8]) -> Result<Page<T>, Unreadable> {
    let value: Value = serde_json::from_slice(body).map_err(|_| Unreadable("it is not JSON"))?;
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
    Ok(Page {
        total: count(&["total"]),
        current_page: count(&["currentPage", "current_page"]),
        per_page: count(&["perPage", "per_page"]),
        total_pages: count(&["totalPages", "total_pages", "last_page"]),
        data: rows.iter().enumerate().map(|(index, row)| read_row(index, row)).collect(),
    })
}

/// Reads a single record, bare or in `data`.
pub fn record<T: Row>(body: &[u8]) -> Result<(T, Vec<Note>), Unreadable> {
    let value: Value = serde_json::from_slice(body).map_err(|_| Unreadable("it is not JSON"))?;
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
