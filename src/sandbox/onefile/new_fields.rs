//! The fields of new records.

use serde_json::{Map, Value, json};

/// How many elements a new learning aim has.
const ELEMENTS: u64 = 20;

/// The fields of a learning aim on which nothing was done yet.
pub fn new_aim(learner: u64, standard: u64) -> Map<String, Value> {
    map(json!({ "UserID": learner, "StandardID": standard, "Status": 0, "Progress": 0,
        "TotalElements": ELEMENTS, "ElementsDone": 0 }))
}

/// The fields of a JSON object.
pub fn map(fields: Value) -> Map<String, Value> {
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
