//! Reads a body against its shape and lists every fault in it, in one pass.
//!
//! serde stops at the first value that does not fit, so this reader handles the bodies that serde
//! refused. It replaces each faulty value with a stand-in of the right shape. The rest can then be
//! read, and the rules across fields checked. Unknown fields are skipped and not stored.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::fault::{Fault, Faults, join};
use super::rule::Broken;
use super::serde_fields::Text;
use super::shape::{ANYTHING, Kind, Shape};

/// A longer name cannot be close to a known one.
const LONGEST_NAME: usize = 64;

/// A body that was read, and its faults.
#[derive(Default)]
pub(super) struct Reading {
    /// Contains a stand-in for each faulty value.
    pub(super) value: Value,
    pub(super) faults: Faults,
    replaced: HashSet<String>,
}

impl Reading {
    /// Reads JSON text. Text that is not JSON has a single fault. `line` is the line of the whole
    /// body in which this text starts.
    pub(super) fn of_json(json: &[u8], line: usize, shape: &Shape) -> Result<Self, Fault> {
        let malformed = |message: String| Fault::at("", "malformedJson", message);
        if json.iter().all(u8::is_ascii_whitespace) {
            return Err(malformed("The body is empty. Send a JSON object.".to_owned()));
        }
        let text = std::str::from_utf8(json).map_err(|error| {
            let at = error.valid_up_to();
            let lines = json.iter().take(at).filter(|byte| **byte == b'\n').count();
            malformed(format!("Send JSON in UTF-8. Line {} has other bytes.", line + lines))
        })?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let reading = Self::of(&mut reader, shape).and_then(|reading| reader.end().map(|()| reading));
        reading.map_err(|error| {
            let (line, column) = (error.line() + line - 1, error.column());
            malformed(format!("Send well-formed JSON. It breaks off at line {line} column {column}."))
        })
    }

    /// Reads a value from any deserializer. Only the source can fail.
    pub(super) fn of<'de, D: Deserializer<'de>>(source: D, shape: &Shape) -> Result<Self, D::Error> {
        let mut reading = Self::default();
        reading.value = Node { shape, place: Place::Root, reading: &mut reading }.deserialize(source)?;
        Ok(reading)
    }

    /// Adds the faults that are not at a stand-in.
    pub(super) fn add(&mut self, faults: Vec<Fault>) {
        let replaced = &self.replaced;
        let own = |fault: &Fault| {
            let mut parents = fault.pointer.as_deref();
            std::iter::from_fn(|| {
                let place = parents?;
                parents = place.rsplit_once('/').map(|(parent, _)| parent);
                Some(place)
            })
            .all(|place| !replaced.contains(place))
        };
        self.faults.extend(faults.into_iter().filter(own));
    }
}

/// Below this every whole number is exact in a float.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Where a value stands in the body.
#[derive(Clone, Copy)]
enum Place<'a> {
    Root,
    Field(&'a Place<'a>, &'a str),
    Entry(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Field(parent, name) => join(&parent.pointer(), name),
            Self::Entry(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}

/// Reads the value at one place.
struct Node<'a> {
    shape: &'a Shape,
    place: Place<'a>,
    reading: &'a mut Reading,
}

impl Node<'_> {
    fn fault(&mut self, place: &Place<'_>, code: &'static str, message: impl FnOnce() -> String) {
        self.reading.faults.add(|| Fault::at(place.pointer(), code, message()));
    }

    /// Records a fault, and returns a stand-in for the value.
    fn refuse(mut self, code: &'static str, message: impl FnOnce() -> String) -> Value {
        let place = self.place;
        self.fault(&place, code, message);
        self.reading.replaced.insert(place.pointer());
        self.shape.stand_in()
    }

    fn wrong_type(self) -> Value {
        let noun = self.shape.noun();
        match self.shape.kind {
            Kind::Id(Some(rule)) => self.ruled("", rule("")),
            Kind::OwnId(_) => {
                let message = "Leave this out, or send the id that the path says.";
                self.refuse("idMismatch", || message.to_owned())
            }
            _ => self.refuse("wrongType", || format!("Send {noun}.")),
        }
    }

    fn ruled(self, value: impl Into<Value>, ruled: Result<(), Broken>) -> Value {
        match ruled {
            Ok(()) => value.into(),
            Err(broken) => self.refuse(broken.code, || broken.message.to_owned()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        if self.shape.nullable {
            return Ok(Value::Null);
        }
        if matches!(self.shape.kind, Kind::OwnId(_)) {
            return Ok(self.wrong_type());
        }
        Ok(self.refuse("required", || "Send a value here: it must not be null.".to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(match self.shape.kind {
            Kind::Bool | Kind::Anything => value.into(),
            _ => self.wrong_type(),
        })
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(match self.shape.kind {
            Kind::Integer(Some(rule)) => self.ruled(value, rule(value)),
            Kind::Id(Some(rule)) => self.ruled(value, rule(&value.to_string())),
            Kind::Integer(None) | Kind::Anything => value.into(),
            Kind::Id(None) if value >= 0 => value.into(),
            _ => self.wrong_type(),
        })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        match (i64::try_from(value), &self.shape.kind) {
            (_, Kind::Id(None) | Kind::Anything) => Ok(value.into()),
            (_, Kind::Id(Some(rule))) => Ok(self.ruled(value, rule(&value.to_string()))),
            (Ok(value), _) => self.visit_i64(value),
            (Err(_), Kind::Integer(_)) => {
                Ok(self.refuse("invalidValue", || "Send a smaller whole number.".to_owned()))
            }
            (Err(_), _) => Ok(self.wrong_type()),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        // Data tools write 25 as 25.0 or 2.5e1, which is a whole number by JSON Schema.
        #[expect(clippy::cast_possible_truncation, reason = "the value is whole and small")]
        match self.shape.kind {
            Kind::Integer(_) | Kind::Id(_) if value.fract() == 0.0 && value.abs() < LARGEST_WHOLE => {
                self.visit_i64(value as i64)
            }
            Kind::Anything => Ok(value.into()),
            _ => Ok(self.wrong_type()),
        }
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(match &self.shape.kind {
            Kind::Text(Some(rule)) | Kind::Id(Some(rule)) => self.ruled(text, rule(text)),
            Kind::Text(None) | Kind::Id(None) | Kind::Anything => text.into(),
            Kind::Words(words) if words.iter().any(|word| word == text) => text.into(),
            Kind::OwnId(id) if id == text => text.into(),
            Kind::Words(words) => {
                self.refuse("invalidValue", || format!("Send one of: {}.", words.join(", ")))
            }
            _ => self.wrong_type(),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let (shape, most) = match &self.shape.kind {
            Kind::List { entry, most } => (&**entry, *most),
            Kind::Anything => (&ANYTHING, usize::MAX),
            _ => {
                while entries.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(self.wrong_type());
            }
        };
        let parent = self.place;
        let mut list = Vec::new();
        while list.len() < most {
            let place = Place::Entry(&parent, list.len());
            match entries.next_element_seed(Node { shape, place, reading: &mut *self.reading })? {
                Some(entry) => list.push(entry),
                None => return Ok(list.into()),
            }
        }
        if entries.next_element::<IgnoredAny>()?.is_some() {
            let message = format!("Send at most {most} entries.");
            self.reading.faults.cut_off(Fault::at(parent.pointer(), "tooMany", message));
            while entries.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        if !matches!(self.shape.kind, Kind::Object { .. } | Kind::Map(_) | Kind::Anything) {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(self.wrong_type());
        }
        let (shape, parent) = (self.shape, self.place);
        let mut object = Map::new();
        while let Some(Text(name)) = entries.next_key()? {
            let place = Place::Field(&parent, &name);
            match shape.field(&name) {
                Some(_) if object.contains_key(&*name) => {
                    let message = "This field stands here more than once: send it once.";
                    self.fault(&place, "duplicateKey", || message.to_owned());
                    entries.next_value::<IgnoredAny>()?;
                }
                Some(shape) => {
                    let node = Node { shape, place, reading: &mut *self.reading };
                    let value = entries.next_value_seed(node)?;
                    object.insert(name.into_owned(), value);
                }
                None => {
                    self.fault(&place, "unknownField", || unknown(&name, shape.names()));
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        for (name, field) in shape.required() {
            if !object.contains_key(name) {
                let node = Node {
                    shape: &field.shape,
                    place: Place::Field(&parent, name),
                    reading: &mut *self.reading,
                };
                let stand_in = node.refuse("required", || "Send this field: it is required.".to_owned());
                object.insert(name.clone(), stand_in);
            }
        }
        Ok(object.into())
    }
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let shown: String = name.chars().take(LONGEST_NAME).filter(|c| !c.is_control()).collect();
    let near = known
        .map(|known| (strsim::levenshtein(&shown.to_lowercase(), &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 5)
        .min();
    match near {
        Some((_, known)) => format!("There is no field {shown} here. Did you mean {known}?"),
        None => format!("There is no field {shown} here: remove it."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested() {
        let unknown = |name: &str| unknown(name, ["firstName", "lastName", "uln"].into_iter());
        assert!(unknown("firstname").ends_with("Did you mean firstName?"));
        assert!(unknown("fristName").ends_with("Did you mean firstName?"));
        assert!(unknown("shoeSize").ends_with("remove it."));
        assert!(unknown(&"x".repeat(500)).len() < 120);
    }

    #[test]
    fn a_key_that_stands_twice_is_a_fault_with_its_place() {
        let json = br#"{"a":[{"b":1,"b":2}],"c/d":1,"c/d":2}"#;
        let faults = Reading::of_json(json, 1, &ANYTHING).unwrap().faults.list(10);
        let places: Vec<_> = faults.iter().filter_map(|fault| fault.pointer.as_deref()).collect();
        assert_eq!(places, ["/a/0/b", "/c~1d"]);
    }

    #[test]
    fn malformed_json_says_line_and_column() {
        let read = |json: &[u8]| Reading::of_json(json, 1, &ANYTHING).map(drop).unwrap_err();
        assert!(read(b" ").message.contains("JSON object"));
        for body in ["{", "{\"a\":1,}", "[1] 2", "{\n\"a\" 1}", "\u{feff}{}"] {
            let fault = read(body.as_bytes());
            assert_eq!((&*fault.code, fault.pointer.as_deref()), ("malformedJson", Some("")), "{body}");
            assert!(fault.message.contains("line") && fault.message.contains("column"), "{}", fault.message);
        }
        assert!(read(b"{\n\"\xff\"}").message.contains("Line 2"));
        assert_eq!(read("[".repeat(100_000).as_bytes()).code, "malformedJson");
    }
}
