//! The fields of new records.

use serde_json::{Map, Value, json};

/// The number of elements of a new learning aim.
const ELEMENTS: u64 = 20;

/// The fields of a learning aim without any progress.
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
