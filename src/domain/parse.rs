//! Bytes into a checked record, or into all that is wrong with them. The only way in for what PICSWeb
//! sends: what came through here is never validated again.
//!
//! serde reads a good body in one pass. Where it refuses one, `reader.rs` reads it against the shape of
//! its type: a schema says what each value must be, so that one more pass finds every fault.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value;

use super::check::Check;
use super::fault::{Fault, Faults};
use super::reader::Reading;
use super::record::Item;
use super::serde_fields::Object;
use super::shape::{ANYTHING, Kind, Shape};
use super::with_id;

/// Parses a request body.
pub fn parse<T: Check>(body: &[u8], today: NaiveDate) -> Result<T, Faults> {
    match serde_json::from_slice::<Object<T>>(body) {
        Ok(Object(record)) => checked(record, today),
        Err(_) => finish(Reading::of_json(body, 1, &Shape::of::<T>()).map_err(one)?, today),
    }
}

/// Parses a value that is read already.
pub fn parse_value<T: Check>(value: &Value, today: NaiveDate) -> Result<T, Faults> {
    match Object::<T>::deserialize(value) {
        Ok(Object(record)) => checked(record, today),
        Err(_) => match Reading::of(value, &Shape::of::<T>()) {
            Ok(reading) => finish(reading, today),
            Err(_) => Err(unreadable::<T>()),
        },
    }
}

/// Parses a record that may carry its id, so that what was read can be sent back: then it must be `id`.
pub fn parse_with_own_id<I: Item>(body: &[u8], id: &str, today: NaiveDate) -> Result<I::Record, Faults> {
    if let Ok(Object(record)) = serde_json::from_slice::<Object<I::Record>>(body) {
        return checked(record, today);
    }
    let own_id = Shape::plain(Kind::OwnId(id.to_owned()));
    let shape = Shape::of::<I::Record>().with_field(I::ID_FIELD, own_id, false);
    let mut reading = Reading::of_json(body, 1, &shape).map_err(one)?;
    take(&mut reading, I::ID_FIELD);
    finish(reading, today)
}

/// A record of an import that cannot be taken.
#[derive(Debug)]
pub struct BadItem {
    /// Its id, if that can be read.
    pub id: Option<String>,
    /// Pointers are within the record.
    pub faults: Faults,
}

/// Parses one record of an import, which begins in line `line` of the whole and carries its id.
pub fn parse_item<I: Item>(json: &[u8], line: usize, today: NaiveDate) -> Result<I, BadItem> {
    if let Ok((id, Object(record))) = with_id::read::<Object<I::Record>>(json, I::ID_FIELD)
        && let Ok(own) = I::id(&id)
    {
        return match checked(record, today) {
            Ok(record) => Ok(I::new(own, record)),
            Err(faults) => Err(BadItem { id: Some(id), faults }),
        };
    }
    let id_shape = Shape::plain(Kind::Text(Some(|text| I::id(text).map(drop))));
    let shape = Shape::of::<I::Record>().with_field(I::ID_FIELD, id_shape, true);
    let mut reading =
        Reading::of_json(json, line, &shape).map_err(|fault| BadItem { id: None, faults: one(fault) })?;
    let id = take(&mut reading, I::ID_FIELD).and_then(|id| I::id(id.as_str()?).ok().zip(Some(id)));
    match (id, finish(reading, today)) {
        (Some((own, _)), Ok(record)) => Ok(I::new(own, record)),
        (id, Err(faults)) => {
            Err(BadItem { id: id.and_then(|(_, id)| Some(id.as_str()?.to_owned())), faults })
        }
        (None, Ok(_)) => Err(BadItem { id: None, faults: unreadable::<I::Record>() }),
    }
}

/// Reads JSON of any shape; nothing: it is none, or a key stands twice in an object.
pub fn strict_json(json: &[u8]) -> Option<Value> {
    let reading = Reading::of_json(json, 1, &ANYTHING).ok()?;
    reading.faults.is_empty().then_some(reading.value)
}

fn take(reading: &mut Reading, field: &str) -> Option<Value> {
    reading.value.as_object_mut()?.shift_remove(field)
}

fn checked<T: Check>(record: T, today: NaiveDate) -> Result<T, Faults> {
    let faults = record.check(today);
    if faults.is_empty() { Ok(record) } else { Err(faults.into()) }
}

/// Judges the rules across fields as well.
fn finish<T: Check>(mut reading: Reading, today: NaiveDate) -> Result<T, Faults> {
    let record = Object::<T>::deserialize(&reading.value);
    if let Ok(Object(record)) = &record {
        reading.add(record.check(today));
    }
    match record {
        _ if !reading.faults.is_empty() => Err(reading.faults),
        Ok(Object(record)) => Ok(record),
        Err(_) => Err(unreadable::<T>()),
    }
}

fn one(fault: Fault) -> Faults {
    vec![fault].into()
}

/// The reader took what serde refuses: the type and its schema differ, which is ours to fix.
fn unreadable<T>() -> Faults {
    tracing::error!(record = std::any::type_name::<T>(), "a body fits its schema and cannot be read");
    one(Fault::at(
        "",
        "invalidValue",
        "This does not have the form that the API's document gives. Compare the two.",
    ))
}

#[cfg(test)]
#[path = "parse_tests.rs"]
pub(crate) mod tests;
