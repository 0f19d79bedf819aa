//! Bytes into a checked record, or all that is wrong with them at once. The only way in for what PICSWeb
//! sends: what came through here is never validated again.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serde_path_to_error::{Path, Segment};

use super::beside;
use super::check::Check;
use super::document::{self, Document};
use super::explain::{Meaning, explain};
use super::fault::{Fault, join};
use super::record::Item;
use super::shape::Object;

/// More than anyone would mend at one go; also what bounds the work on a bad body.
const MOST_FAULTS: usize = 100;
/// Each misfit takes a round or two; one at a required place takes a few.
const MOST_ROUNDS: usize = 5 * MOST_FAULTS;

/// Parses a request body. All faults at once, each with its pointer.
pub fn parse<T: DeserializeOwned + Check>(body: &[u8], today: NaiveDate) -> Result<T, Vec<Fault>> {
    // The good case in one pass; serde refuses keys that stand twice by itself.
    match serde_json::from_slice::<Object<T>>(body) {
        Ok(Object(record)) => checked(record, today),
        Err(_) => from_document(document::read(body).map_err(|fault| vec![fault])?, today),
    }
}

/// Parses a value that stands at `prefix` in a larger document.
pub fn parse_value<T: DeserializeOwned + Check>(
    value: Value,
    prefix: &str,
    today: NaiveDate,
) -> Result<T, Vec<Fault>> {
    from_document(Document { value, faults: Vec::new() }, today).map_err(|faults| under(faults, prefix))
}

/// Parses one record of an import, which carries its id, from the array at whose `prefix` it stands.
/// Keys that stand twice are in the faults of the [`Document`] that the array came from.
pub fn parse_item<I: Item>(value: Value, prefix: &str, today: NaiveDate) -> Result<I, Vec<Fault>> {
    item(Document { value, faults: Vec::new() }, today).map_err(|faults| under(faults, prefix))
}

/// Parses one record of an import, which begins in line `number` of the whole. Pointers are those within the record.
pub fn parse_line<I: Item>(
    line: &[u8],
    number: impl FnOnce() -> usize,
    today: NaiveDate,
) -> Result<I, Vec<Fault>> {
    // The good case in one pass, as in `parse`.
    if let Ok((id, Object(record))) = beside::read::<Object<I::Record>>(line, I::ID_FIELD)
        && let Ok(id) = I::id(&id)
    {
        return checked(record, today).map(|record| I::new(id, record));
    }
    item(document::read_from(line, number()).map_err(|fault| vec![fault])?, today)
}

fn item<I: Item>(mut document: Document, today: NaiveDate) -> Result<I, Vec<Fault>> {
    let pointer = join("", I::ID_FIELD);
    let id = match document.value.as_object_mut().map(|object| object.shift_remove(I::ID_FIELD)) {
        None => None, // not an object, which the record's own parsing says
        Some(None | Some(Value::Null)) => {
            Some(Err(Fault::at(pointer, "required", "Send the record's identifier: an import needs it.")))
        }
        Some(Some(Value::String(text))) => {
            Some(I::id(&text).map_err(|broken| Fault::at(pointer, broken.code, broken.message)))
        }
        Some(Some(_)) => Some(Err(Fault::at(pointer, "wrongType", "Send a string."))),
    };
    match (id, from_document(document, today)) {
        (Some(Ok(id)), Ok(record)) => Ok(I::new(id, record)),
        (Some(Err(fault)), Ok(_)) => Err(vec![fault]),
        (Some(Err(fault)), Err(mut faults)) => {
            faults.insert(0, fault);
            Err(faults)
        }
        (_, Err(faults)) => Err(faults),
        (None, Ok(_)) => Err(vec![Fault::at("", "wrongType", "Send an object.")]),
    }
}

fn under(faults: Vec<Fault>, prefix: &str) -> Vec<Fault> {
    faults.into_iter().map(|fault| fault.under(prefix)).collect()
}

fn checked<T: Check>(record: T, today: NaiveDate) -> Result<T, Vec<Fault>> {
    let faults = record.check(today);
    if faults.is_empty() { Ok(record) } else { Err(capped(faults)) }
}

fn capped(mut faults: Vec<Fault>) -> Vec<Fault> {
    if faults.len() > MOST_FAULTS {
        faults.truncate(MOST_FAULTS);
        faults.push(Fault::at("", "tooManyFaults", "There are more: mend these, then send it again."));
    }
    faults
}

/// serde stops at the first misfit. So each is noted, put right with a stand-in, and the whole tried again,
/// until it parses: then the rules across fields are judged as well, but for the places that were put right.
fn from_document<T: DeserializeOwned + Check>(document: Document, today: NaiveDate) -> Result<T, Vec<Fault>> {
    let Document { mut value, mut faults } = document;
    let mut mended = Mended::default();
    for _ in 0..MOST_ROUNDS {
        if faults.len() >= MOST_FAULTS {
            break;
        }
        let error = match serde_path_to_error::deserialize::<_, Object<T>>(&value) {
            Ok(Object(record)) => {
                let found = record.check(today);
                faults.extend(found.into_iter().filter(|fault| !mended.covers(fault)));
                return if faults.is_empty() { Ok(record) } else { Err(capped(faults)) };
            }
            Err(error) => error,
        };
        let (pointer, field) = place(error.path());
        let null = value.pointer(&pointer).is_some_and(Value::is_null);
        let words = error.inner().to_string();
        let (fault, gone) = match explain(&words, field, null) {
            Meaning::UnknownField(message) => {
                let fault = Fault::at(pointer.clone(), "unknownField", message);
                (fault, remove(&mut value, &pointer, field))
            }
            Meaning::MissingField(field) => {
                let message = "Send this field: it is required.";
                (Fault::at(join(&pointer, &field), "required", message), false)
            }
            Meaning::Misfit(code, message) => (Fault::at(pointer, code, message), false),
        };
        let place = fault.pointer.clone().unwrap_or_default();
        if !mended.covers(&fault) {
            faults.push(fault);
        }
        if !gone && !mended.stand_in(&mut value, &place, &words) {
            return Err(faults);
        }
    }
    faults.push(Fault::at("", "tooManyFaults", "There may be more: mend these, then send it again."));
    Err(capped(faults))
}

/// Where serde stopped: the pointer, and the last key.
fn place(path: &Path) -> (String, &str) {
    let mut pointer = String::new();
    let mut field = "";
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer = format!("{pointer}/{index}"),
            Segment::Map { key } => {
                pointer = join(&pointer, key);
                field = key;
            }
            Segment::Enum { .. } | Segment::Unknown => break,
        }
    }
    (pointer, field)
}

fn remove(value: &mut Value, pointer: &str, field: &str) -> bool {
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    let object = value.pointer_mut(parent).and_then(Value::as_object_mut);
    object.is_some_and(|object| object.shift_remove(field).is_some())
}

/// The places that were put right, and how often.
#[derive(Default)]
struct Mended(HashMap<String, usize>);

impl Mended {
    /// Whether the fault lies at or below a place that was put right: then it is of our own making.
    fn covers(&self, fault: &Fault) -> bool {
        let mut pointer = fault.pointer.as_deref().unwrap_or_default();
        loop {
            if self.0.contains_key(pointer) {
                return true;
            }
            match pointer.rsplit_once('/') {
                Some((parent, _)) => pointer = parent,
                None => return false,
            }
        }
    }

    /// Puts the next stand-in at a place: null, which all that is optional takes, then something of each
    /// type. When none will do, the thing around it is replaced. False: the whole body will not do.
    fn stand_in(&mut self, value: &mut Value, pointer: &str, words: &str) -> bool {
        let mut pointer = pointer;
        while let Some((parent, segment)) = pointer.rsplit_once('/') {
            let tries = self.0.entry(pointer.to_owned()).or_default();
            *tries += 1;
            let stand_in = match (first_variant(words), *tries) {
                // One of a list of words takes none but these.
                (Some(word), 1..=6) => json!(word),
                (None, 1) => Value::Null,
                (None, 2) => json!("x"),
                (None, 3) => json!(1),
                (None, 4) => json!({}),
                (None, 5) => json!([]),
                (None, 6) => json!(true),
                _ => {
                    pointer = parent;
                    continue;
                }
            };
            if let Some(place) = value.pointer_mut(pointer) {
                *place = stand_in;
                return true;
            }
            if let Some(object) = value.pointer_mut(parent).and_then(Value::as_object_mut) {
                // A required field that was not there. Field names of ours hold nothing to unescape.
                object.insert(segment.to_owned(), stand_in);
                return true;
            }
            pointer = parent;
        }
        false
    }
}

/// The first of the words that a value may be, if serde's text lists them.
fn first_variant(text: &str) -> Option<&str> {
    text.strip_prefix("unknown variant ")?.rsplit_once(", expected ")?.1.split('`').nth(1)
}

#[cfg(test)]
#[path = "parse_tests.rs"]
pub(super) mod tests;
