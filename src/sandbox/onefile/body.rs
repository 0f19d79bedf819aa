//! Reads bodies: JSON or a form, property names in any case, and values in the types of the fields.
//!
//! Unknown names are refused. The real OneFile may well accept them silently; here a misspelt or
//! guessed name must be noticed at once.

use serde_json::{Map, Number, Value};

use super::fields::{Field, Shape};
use super::times;

/// The properties by the names in the request.
pub fn read(content_type: &str, body: &[u8]) -> Result<Map<String, Value>, String> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    if content_type.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Ok(form(body));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        // PHP clients send an empty object in this form.
        Ok(Value::Array(items)) if items.is_empty() => Ok(Map::new()),
        _ => Err("The body must be a JSON object or a form.".to_owned()),
    }
}

/// A key that occurs twice or ends in `[]` has a list.
fn form(body: &[u8]) -> Map<String, Value> {
    let mut fields = Map::new();
    for (key, text) in url::form_urlencoded::parse(body) {
        let text = Value::from(text.into_owned());
        match (fields.get_mut(key.trim_end_matches("[]")), key.strip_suffix("[]")) {
            (Some(Value::Array(items)), _) => items.push(text),
            (Some(before), _) => *before = Value::Array(vec![before.take(), text]),
            (None, Some(list)) => drop(fields.insert(list.to_owned(), Value::Array(vec![text]))),
            (None, None) => drop(fields.insert(key.into_owned(), text)),
        }
    }
    fields
}

/// The properties by the names of the fields, with values of their types.
pub fn typed(sent: Map<String, Value>, allowed: &[Field]) -> Result<Map<String, Value>, String> {
    let mut fields = Map::new();
    for (name, value) in sent {
        let field = allowed
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(&name))
            .ok_or_else(|| format!("There is no property {name} here."))?;
        let value = convert(field.shape, value)
            .ok_or_else(|| format!("The value of {} is not valid.", field.name))?;
        fields.insert(field.name.to_owned(), value);
    }
    Ok(fields)
}

/// A blank text counts as absent, as in a form.
fn convert(shape: Shape, value: Value) -> Option<Value> {
    let text = match &value {
        Value::Null => return Some(Value::Null),
        Value::String(text) if text.trim().is_empty() => return Some(Value::Null),
        Value::String(text) => Some(text.trim()),
        _ => None,
    };
    match shape {
        Shape::Any => Some(value),
        Shape::Text => match &value {
            Value::String(_) => Some(value),
            Value::Number(number) => Some(number.to_string().into()),
            _ => None,
        },
        Shape::Whole => text.map_or_else(|| value.as_u64(), |text| text.parse().ok()).map(Value::from),
        Shape::Number => {
            let number = text.map_or_else(|| value.as_f64(), |text| text.parse().ok());
            number.and_then(Number::from_f64).map(Value::from)
        }
        Shape::Flag if value.is_boolean() => Some(value),
        Shape::Flag => match text?.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true.into()),
            "false" | "0" => Some(false.into()),
            _ => None,
        },
        Shape::Time => times::read(text?).map(Value::from),
        Shape::Until => times::read_end(text?).map(Value::from),
    }
}
