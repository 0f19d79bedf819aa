//! Reads the properties of an untrusted JSON object, with names in any case. A missing property is
//! `None`; an unusable one is `None` with a note.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};

use crate::domain::folding::trimmed;
use crate::domain::time::{instant, london_day, says_no_date};

/// Longer than any name. Longer texts are cut, so that everything stored has a limit.
const LONGEST: usize = 500;
/// No id is longer than this.
const LONGEST_ID: usize = 64;

/// A property that was present but unusable. It never holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// The name as OneFile's documents write it.
    pub field: &'static str,
    pub message: &'static str,
}

pub trait Row: Sized {
    /// Reads all properties except the id.
    fn read(id: String, fields: &mut Reader<'_>) -> Self;

    fn id(&self) -> &str;
}

/// The properties of one object, and notes on the unusable ones.
pub struct Reader<'a> {
    fields: HashMap<String, &'a Value>,
    notes: Vec<Note>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(object: &'a Map<String, Value>) -> Self {
        let mut fields = HashMap::with_capacity(object.len());
        for (name, value) in object {
            // If a name occurs in several cases, the value that is not null wins.
            let place = fields.entry(name.to_ascii_lowercase()).or_insert(value);
            if place.is_null() {
                *place = value;
            }
        }
        Self { fields, notes: Vec::new() }
    }

    pub(super) fn into_notes(self) -> Vec<Note> {
        self.notes
    }

    /// The value of a property, unless it is missing or null.
    pub(super) fn raw(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(&name.to_ascii_lowercase()).copied().filter(|value| !value.is_null())
    }

    fn read<T>(
        &mut self,
        name: &'static str,
        odd: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let raw = self.raw(name)?;
        let value = read(raw);
        // Blank text stands for none, and so does an empty date.
        if value.is_none() && raw.as_str().is_none_or(|text| !says_no_date(trimmed(text))) {
            self.notes.push(Note { field: name, message: odd });
        }
        value
    }

    /// A text that is not blank. A number is accepted too.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let text = self.read(name, "not a text", |value| match value {
            Value::String(text) => Some(trimmed(text).chars().take(LONGEST).collect::<String>()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        text.filter(|text| !text.is_empty())
    }

    /// The id of another record. 0 means none.
    pub(super) fn id(&mut self, name: &'static str) -> Option<String> {
        self.read(name, "not an id", id).filter(|id| id != "0")
    }

    /// A whole number, also as text.
    pub(super) fn integer(&mut self, name: &'static str) -> Option<i64> {
        self.read(name, "not a whole number", |value| match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        })
    }

    /// A number, or a text that is one, such as `45%`.
    pub(super) fn number(&mut self, name: &'static str) -> Option<f64> {
        self.read(name, "not a number", |value| match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text
                .trim()
                .trim_end_matches('%')
                .trim_end()
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite()),
            _ => None,
        })
    }

    /// A Boolean, also in other common forms.
    pub(super) fn boolean(&mut self, name: &'static str) -> Option<bool> {
        self.read(name, "neither true nor false", |value| match value {
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

    pub(super) fn day(&mut self, name: &'static str) -> Option<NaiveDate> {
        self.read(name, "not a date", |value| london_day(value.as_str()?))
    }

    pub(super) fn instant(&mut self, name: &'static str) -> Option<DateTime<Utc>> {
        self.read(name, "not a time", |value| instant(value.as_str()?))
    }
}

/// An id: a number or a text (the ids of units are texts).
pub(super) fn id(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(number) => number.as_u64()?.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!text.is_empty() && text.len() <= LONGEST_ID && text.chars().all(plain) && !text.starts_with('.'))
        .then_some(text)
}
