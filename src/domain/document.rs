//! JSON text into a value, noticing what serde_json lets pass: a key that stands twice in one object.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::fault::{Fault, join};

/// More than anyone would mend at one go.
const MOST_FAULTS: usize = 100;

/// A body that is JSON, and the keys in it that stand twice (the last one's value is kept).
#[derive(Debug)]
pub struct Document {
    /// What it says.
    pub value: Value,
    /// A fault for each key that stands twice.
    pub faults: Vec<Fault>,
}

/// Reads a body that should be JSON; what is not has one fault, with its line and column.
pub fn read(body: &[u8]) -> Result<Document, Fault> {
    read_from(body, 1)
}

/// The same for a part of a larger body, in whose line `line` it begins.
pub fn read_from(body: &[u8], line: usize) -> Result<Document, Fault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::at("", "malformedJson", "The body is empty: send a JSON object."));
    }
    let faults = RefCell::default();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = Node { pointer: String::new(), faults: &faults }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| {
            let words = error.to_string();
            let what = words.rsplit_once(" at line ").map_or(words.as_str(), |(what, _)| what);
            let (line, column) = (error.line() + line - 1, error.column());
            Fault::at(
                "",
                "malformedJson",
                format!(
                    "Send well-formed JSON in UTF-8. It breaks off so: {what} at line {line} column {column}."
                ),
            )
        })?;
    Ok(Document { value, faults: faults.into_inner() })
}

struct Node<'a> {
    pointer: String,
    faults: &'a RefCell<Vec<Fault>>,
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
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        let child = |index: usize| Node { pointer: format!("{}/{index}", self.pointer), faults: self.faults };
        while let Some(item) = items.next_element_seed(child(list.len()))? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let pointer = join(&self.pointer, &key);
            let value = entries.next_value_seed(Node { pointer: pointer.clone(), faults: self.faults })?;
            if object.insert(key, value).is_some() && self.faults.borrow().len() < MOST_FAULTS {
                let message = "This field stands here more than once: send it once.";
                self.faults.borrow_mut().push(Fault::at(pointer, "duplicateKey", message));
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_a_fault_with_its_place() {
        let document = read(br#"{"a":[{"b":1,"b":2}],"c/d":1,"c/d":2}"#).unwrap();
        assert_eq!(document.value, serde_json::json!({"a": [{"b": 2}], "c/d": 2}));
        let places: Vec<_> = document.faults.iter().filter_map(|fault| fault.pointer.as_deref()).collect();
        assert_eq!(places, ["/a/0/b", "/c~1d"]);
    }

    #[test]
    fn malformed_json_says_line_and_column() {
        assert!(read(b" ").unwrap_err().message.contains("JSON object"));
        for body in ["{", "{\"a\":1,}", "[1] 2", "{\n\"a\" 1}", "\u{feff}{}"] {
            let fault = read(body.as_bytes()).unwrap_err();
            assert_eq!((&*fault.code, fault.pointer.as_deref()), ("malformedJson", Some("")), "{body}");
            assert!(fault.message.contains("line") && fault.message.contains("column"), "{}", fault.message);
        }
        assert!(read(&[b'"', 0xff, b'"']).is_err());
        assert!(read("[".repeat(100_000).as_bytes()).is_err());
    }
}
