//! The body of `POST /apprentices`. The path and the body are not public (assumed).

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::redacted;

/// A new apprentice record, as `upload::build` makes it from the rows of `fields.rs`.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CreateApprentice(pub Map<String, Value>);

impl CreateApprentice {
    /// The id of the standard in ACE360, not the LARS code.
    pub fn standard_id(&self) -> Option<i64> {
        self.0.get("standardId").and_then(Value::as_i64)
    }
}

redacted!(CreateApprentice);
