//! Reads the fields of an untrusted JSON object. A missing field is `None`; an unusable one is
//! `None` with a note.

use chrono::{NaiveDate, NaiveDateTime};
use serde_json::{Map, Value};

use crate::domain::folding::trimmed;
use crate::domain::time::{instant, london_day, says_no_date};

/// Longer than any name or label; what is longer is cut, so that nothing we keep is without limit.
const LONGEST: usize = 500;

/// A field that was present but unusable. It never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The key with its parents, as in `status.id`.
    pub field: String,
    pub message: &'static str,
}

pub trait Row: Sized {
    /// Reads all fields except the id.
    fn read(id: i64, fields: &mut Reader<'_>) -> Self;
}

/// The fields of one object, and notes on the unusable ones.
pub struct Reader<'a> {
    object: &'a Map<String, Value>,
    path: String,
    notes: Vec<Note>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(object: &'a Map<String, Value>) -> Self {
        Self { object, path: String::new(), notes: Vec::new() }
    }

    pub(super) fn into_notes(self) -> Vec<Note> {
        self.notes
    }

    /// The value of a key, unless it is missing or null.
    pub(super) fn raw(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    fn note(&mut self, key: &str, message: &'static str) {
        self.notes.push(Note { field: format!("{}{key}", self.path), message });
    }

    fn read<T>(
        &mut self,
        key: &str,
        odd: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = read(self.raw(key)?);
        if value.is_none() && !self.raw(key).and_then(Value::as_str).is_some_and(says_no_date) {
            self.note(key, odd);
        }
        value
    }

    /// A text that is not blank. A number is accepted too, because ACE360 is inconsistent.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let text = self.read(key, "not a text", |value| match value {
            Value::String(text) => Some(trimmed(text).chars().take(LONGEST).collect::<String>()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        text.filter(|text| !text.is_empty())
    }

    /// A whole number, also as text.
    pub(super) fn integer(&mut self, key: &str) -> Option<i64> {
        self.read(key, "not a whole number", integer)
    }

    /// A Boolean, also in the forms that PHP writes.
    pub(super) fn boolean(&mut self, key: &str) -> Option<bool> {
        self.read(key, "neither true nor false", |value| match value {
            Value::Bool(value) => Some(*value),
            Value::Number(number) => match number.as_i64()? {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            },
            Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        })
    }

    /// A date, or the day in London of a time.
    pub(super) fn date(&mut self, key: &str) -> Option<NaiveDate> {
        self.read(key, "not a date", |value| london_day(value.as_str()?))
    }

    /// A date and time. They write it without a zone; UTC is assumed. Midnight for a date alone.
    pub(super) fn moment(&mut self, key: &str) -> Option<NaiveDateTime> {
        self.read(key, "not a date and time", |value| Some(instant(value.as_str()?)?.naive_utc()))
    }

    pub(super) fn object<T>(&mut self, key: &str, read: impl FnOnce(&mut Reader<'_>) -> T) -> Option<T> {
        let object = self.read(key, "not an object", Value::as_object)?;
        let mut inner = Reader { object, path: format!("{}{key}.", self.path), notes: Vec::new() };
        let value = read(&mut inner);
        self.notes.append(&mut inner.notes);
        Some(value)
    }
}

/// A whole number, also as text.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
