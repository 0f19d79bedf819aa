//! An example for every answer, where its type has none of its own: put together from the examples of its parts, as it would be sent.

use serde_json::{Map, Value, json};
use utoipa::openapi::{OpenApi, RefOr, Response};

/// Stands where a text has no example; a test finds it.
const NONE: &str = "…";

/// Gives every successful answer in JSON its example.
pub fn document(api: &mut OpenApi) {
    let schemas = api.components.as_ref().and_then(|own| serde_json::to_value(&own.schemas).ok());
    let Some(schemas) = schemas else { return };
    for item in api.paths.paths.values_mut() {
        for operation in
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten()
        {
            for (status, response) in &mut operation.responses.responses {
                if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
                    show(response, &schemas);
                }
            }
        }
    }
}

fn show(response: &mut Response, schemas: &Value) {
    let Some(RefOr::T(content)) = response.content.get_mut("application/json") else { return };
    if content.example.is_none()
        && content.examples.is_empty()
        && let Some(schema) = content.schema.as_ref().and_then(|own| serde_json::to_value(own).ok())
    {
        content.example = Some(of(&schema, schemas));
    }
}

/// A value of a schema.
fn of(schema: &Value, schemas: &Value) -> Value {
    if let Some(own) = schema.get("example").or_else(|| schema.pointer("/examples/0")) {
        return own.clone();
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|target| target.rsplit('/').next()) {
        return of(&schemas[name], schemas);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let mut whole = Map::new();
        for part in parts {
            if let Value::Object(own) = of(part, schemas) {
                whole.extend(own);
            }
        }
        return Value::Object(whole);
    }
    if let Some(parts) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        let some = parts.iter().find(|part| part["type"] != "null");
        return some.map_or(Value::Null, |part| of(part, schemas));
    }
    if let Some(word) = schema["enum"].as_array().and_then(|words| words.first()) {
        return word.clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| **kind != "null").and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("object") => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            Value::Object(properties.map(|(name, own)| (name.clone(), of(own, schemas))).collect())
        }
        Some("array") => json!([of(&schema["items"], schemas)]),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(false),
        Some("string") => json!(match schema["format"].as_str() {
            Some("date-time") => "2026-11-22T10:00:00Z",
            Some("date") => "2026-11-22",
            Some("uuid") => "019acb5e-7a10-7c3e-9d52-6f0e3b1a2c4d",
            _ => NONE,
        }),
        _ => Value::Null,
    }
}
