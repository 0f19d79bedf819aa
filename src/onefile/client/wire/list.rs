//! Lists and single records as OneFile answers them.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use serde_json::{Map, Value};

use super::reader::{Note, Reader, Row, id};
use crate::http::json;

/// A page of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, each read or refused on its own, with what was odd.
    pub rows: Vec<Result<(T, Vec<Note>), RowFault>>,
    /// Two pages of the same bytes have the same.
    pub print: u64,
}

/// A row without which we do not know what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowFault {
    /// Its place on the page.
    pub index: usize,
    /// Why it cannot be read.
    pub message: &'static str,
}

/// An answer that is not what was asked for at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("OneFile's answer cannot be read: {0}")]
pub struct Unreadable(pub(super) &'static str);

/// Reads a page. Nothing at all (204, or an empty body) is an empty page.
///
/// # Errors
/// It is neither.
pub fn page<T: Row>(body: &[u8]) -> Result<Page<T>, Unreadable> {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let print = hasher.finish();
    let bare = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    if bare.iter().all(u8::is_ascii_whitespace) {
        return Ok(Page { rows: Vec::new(), print });
    }
    let rows = match json(body).ok_or(Unreadable("it is not JSON"))? {
        Value::Array(rows) => rows,
        Value::Null => Vec::new(),
        _ => return Err(Unreadable("it is not a list")),
    };
    // An empty text among the rows stands for none (seen by a client).
    let rows = rows.iter().filter(|row| row.as_str() != Some(""));
    Ok(Page { rows: rows.enumerate().map(|(index, row)| read_row(index, row)).collect(), print })
}

/// Reads a single record.
///
/// # Errors
/// It is none.
pub fn record<T: Row>(body: &[u8]) -> Result<(T, Vec<Note>), Unreadable> {
    let value: Value = json(body).ok_or(Unreadable("it is not JSON"))?;
    read_row(0, &value).map_err(|fault| Unreadable(fault.message))
}

fn read_row<T: Row>(index: usize, row: &Value) -> Result<(T, Vec<Note>), RowFault> {
    let fault = |message| RowFault { index, message };
    let object: &Map<String, Value> = row.as_object().ok_or_else(|| fault("it is not an object"))?;
    let mut reader = Reader::new(object);
    let own = reader.raw("ID").and_then(id).ok_or_else(|| fault("it has no `ID`"))?;
    let record = T::read(own, &mut reader);
    Ok((record, reader.into_notes()))
}
