//! Deserializers for what serde's derive does not check: an object must be an object, a list has a
//! maximum length, and a text that is only converted is borrowed.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A text, borrowed from the JSON if nothing in it is escaped.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A `T` that is read only from an object: serde's derived structs also accept arrays, field by
/// field.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(Object)
    }
}

/// The first `MOST` entries of a list. Further entries are skipped and not stored.
#[derive(Debug)]
pub struct Bounded<T, const MOST: usize> {
    pub entries: Vec<T>,
    /// Whether the list has more than `MOST` entries.
    pub cut_off: bool,
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Bounded<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(BoundedVisitor(PhantomData))
    }
}

impl<T, const MOST: usize> Bounded<T, MOST> {
    /// All entries, or an error if there are too many.
    fn whole<E: Error>(self) -> Result<Vec<T>, E> {
        if self.cut_off { Err(E::invalid_length(MOST + 1, &"fewer entries")) } else { Ok(self.entries) }
    }
}

struct BoundedVisitor<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for BoundedVisitor<T, MOST> {
    type Value = Bounded<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while entries.len() < MOST {
            match items.next_element()? {
                Some(entry) => entries.push(entry),
                None => return Ok(Bounded { entries, cut_off: false }),
            }
        }
        let mut cut_off = false;
        while items.next_element::<IgnoredAny>()?.is_some() {
            cut_off = true;
        }
        Ok(Bounded { entries, cut_off })
    }
}

/// For a field that contains an object or null.
pub fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|object| object.0))
}

/// For a list of objects that may be missing or null. Both mean an empty list.
pub(super) fn objects<'de, const MOST: usize, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = optional_list::<MOST, D, Object<T>>(deserializer)?.unwrap_or_default();
    Ok(list.into_iter().map(|object| object.0).collect())
}

/// For a list that is required.
pub fn required_list<'de, const MOST: usize, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Bounded::<T, MOST>::deserialize(deserializer)?.whole()
}

/// For a list that may be null.
pub fn optional_list<'de, const MOST: usize, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<Bounded<T, MOST>>::deserialize(deserializer)?.map(Bounded::whole).transpose()
}
