//! Reads an object in one pass and separates one of its text fields. A record of an import contains
//! its id next to its own fields.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{CowStrDeserializer, MapAccessDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer as _, Error, IntoDeserializer, MapAccess, Visitor,
};

use super::serde_fields::Text;

/// Reads an object's field `name`, and a `T` from its other fields.
pub(super) fn read<'de, T: Deserialize<'de>>(
    body: &'de [u8],
    name: &'static str,
) -> Result<(String, T), serde_json::Error> {
    // Validating UTF-8 for the whole body is faster than for each text.
    let body = std::str::from_utf8(body).map_err(Error::custom)?;
    let mut reader = serde_json::Deserializer::from_str(body);
    let read = reader.deserialize_map(Both { name, rest: PhantomData })?;
    reader.end()?;
    Ok(read)
}

struct Both<T> {
    name: &'static str,
    rest: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Both<T> {
    type Value = (String, T);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        let mut taken = None;
        let rest = Rest { entries, name: self.name, taken: &mut taken };
        let rest = T::deserialize(MapAccessDeserializer::new(rest))?;
        match taken {
            Some(taken) => Ok((taken, rest)),
            None => Err(A::Error::missing_field(self.name)),
        }
    }
}

/// All entries except the separated field.
struct Rest<'a, A> {
    entries: A,
    name: &'static str,
    taken: &'a mut Option<String>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        loop {
            let Some(Text(key)) = self.entries.next_key()? else { return Ok(None) };
            if key != self.name {
                let key: CowStrDeserializer<'de, A::Error> = key.into_deserializer();
                return seed.deserialize(key).map(Some);
            }
            if self.taken.replace(self.entries.next_value()?).is_some() {
                return Err(A::Error::duplicate_field(self.name));
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.entries.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Rest = BTreeMap<String, i32>;

    #[test]
    fn the_field_is_taken_out_wherever_it_stands() {
        for body in
            [r#"{"id":"L1","a":1,"b":2}"#, r#"{"a":1,"i\u0064":"L1","b":2}"#, r#"{"a":1,"b":2,"id":"L1"}"#]
        {
            let (id, rest) = read::<Rest>(body.as_bytes(), "id").unwrap();
            assert_eq!((id.as_str(), rest.len()), ("L1", 2), "{body}");
        }
    }

    #[test]
    fn without_the_field_or_with_two_of_it_nothing_is_read() {
        for body in [r#"{"a":1}"#, r#"{"id":"L1","id":"L2"}"#, r#"{"id":1}"#, r#"["L1"]"#, r#"{"id":"L1"} x"#]
        {
            assert!(read::<Rest>(body.as_bytes(), "id").is_err(), "{body}");
        }
    }
}
