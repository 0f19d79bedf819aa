//! Builds an example for each response whose type has none, from the examples of its parts.

use serde_json::{Map, Value, json};
use utoipa::openapi::{OpenApi, RefOr, Response};

use crate::domain::{RunKind, Upstream};

/// Marks a text without an example; a test finds it.
const NONE: &str = "…";

/// Adds an example to every successful JSON response.
pub fn document(api: &mut OpenApi) {
    let schemas = api.components.as_ref().and_then(|own| serde_json::to_value(&own.schemas).ok());
    let Some(schemas) = schemas else { return };
    for item in api.paths.paths.values_mut() {
        for operation in
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten()
        {
            let id = operation.operation_id.as_deref().unwrap_or_default();
            for (status, response) in &mut operation.responses.responses {
                if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
                    show(response, &schemas, &as_there(id, status));
                }
            }
        }
    }
}

/// How the example of an operation differs from the example of its response type.
fn as_there(operation: &str, status: &str) -> Value {
    let begun = match operation {
        "uploadLearnersToAce360" | "retryRun" => Some(RunKind::Upload),
        "matchAce360Records" => Some(RunKind::Match),
        "refreshAce360Standards" => Some(RunKind::StandardsRefresh),
        "syncAce360Statuses" => Some(RunKind::StatusSync),
        "enrolLearnersInOneFile" => Some(RunKind::Enrol),
        "syncLearnersOneFile" => Some(RunKind::Exchange),
        "refreshOneFileQualifications" => Some(RunKind::QualificationsRefresh),
        _ => None,
    };
    if let Some(kind) = begun {
        let per_minute = match kind.upstream() {
            Upstream::Ace360 => 120,
            Upstream::OneFile => 285,
        };
        let mut run = json!({"kind": kind, "upstream": kind.upstream(), "budget": {"perMinute": per_minute, "remaining": per_minute - 44}});
        if operation == "retryRun" {
            merge(
                &mut run,
                &json!({"trigger": "retry", "retryOf": "01a20122-5d1f-7a3c-9e40-1b2c3d4e5f60", "total": 1, "skipped": 0, "failed": 0}),
            );
        }
        let stands = if status == "202" {
            json!({"state": "queued", "total": null, "done": 0, "succeeded": 0, "failed": 0, "skipped": 0, "calls": {"used": 0, "planned": null},
                   "startedAt": null, "estimatedEndAt": null})
        } else if operation == "retryRun" {
            json!({"state": "succeeded", "done": 1, "succeeded": 1, "calls": {"used": 2, "planned": 2}, "finishedAt": "2026-11-22T10:00:02Z",
                   "estimatedEndAt": null})
        } else {
            json!({"state": "partial", "done": 120, "succeeded": 118, "calls": {"used": 124}, "finishedAt": "2026-11-22T10:01:02Z", "estimatedEndAt": null})
        };
        merge(&mut run, &stands);
        return run;
    }
    match (operation, status) {
        ("cancelRun", _) => {
            json!({"state": "cancelled", "finishedAt": "2026-11-22T10:00:20Z", "estimatedEndAt": null})
        }
        ("uploadLearnerToAce360", "201") => json!({"status": {"id": 1, "text": "In Training"}}),
        ("uploadLearnerToAce360", _) => {
            json!({"state": "unknown", "recordId": null, "status": null, "statusReadAt": null, "uploadedAt": null, "method": null})
        }
        ("enrolLearnerInOneFile", "202") => {
            json!({"state": "enrolling", "enrolledAt": null, "lastExchangedAt": null, "qualifications": [],
                   "steps": [{"name": "user", "state": "done", "remoteId": "20011", "problem": null},
                             {"name": "aim:196AS", "state": "pending", "remoteId": null, "problem": null}]})
        }
        ("enrolLearnerInOneFile", _) => json!({"lastExchangedAt": null}),
        ("listOneFileCentres", _) => looked_up(
            &json!({"id": "1001", "name": "Copperfold Training", "email": null, "misId": null, "role": null}),
        ),
        ("listOneFileClassrooms", _) => looked_up(
            &json!({"id": "1203", "name": "Business Autumn 2026", "email": null, "misId": null, "role": null}),
        ),
        ("listOneFilePlacements", _) => looked_up(
            &json!({"id": "1117", "name": "Harwell Motors Ltd", "email": "office@harwell.example", "misId": "E-07", "role": null}),
        ),
        _ => Value::Null,
    }
}

fn looked_up(item: &Value) -> Value {
    json!({"items": [item]})
}

/// Merges one object into another, recursively; lists are merged item by item.
fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, own) in over {
                merge(base.entry(name).or_insert(Value::Null), own);
            }
        }
        (Value::Array(base), Value::Array(over)) if base.len() == over.len() => {
            base.iter_mut().zip(over).for_each(|(base, own)| merge(base, own));
        }
        (base, over) => *base = over.clone(),
    }
}

fn show(response: &mut Response, schemas: &Value, as_there: &Value) {
    let Some(RefOr::T(content)) = response.content.get_mut("application/json") else { return };
    if content.example.is_none()
        && content.examples.is_empty()
        && let Some(schema) = content.schema.as_ref().and_then(|own| serde_json::to_value(own).ok())
    {
        let mut example = of(&schema, schemas);
        if as_there.is_object() {
            merge(&mut example, as_there);
        }
        content.example = Some(example);
    }
}

/// An example value for a schema.
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
