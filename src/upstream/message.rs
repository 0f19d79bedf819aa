//! Reads an upstream's error response. ACE360's format is not public, so Laravel's is tried first
//! (FISSS's public tools are PHP), then `{error}`, then plain text (assumed). OneFile's format is
//! `{message}`, with names in any case.

use serde_json::{Map, Value};

use crate::domain::folding::trimmed;
use crate::domain::redacted;

const LONGEST_MESSAGE: usize = 500;
const LONGEST_NAME: usize = 100;
const MOST_FIELDS: usize = 50;

/// The summary of an error response. Its words may repeat personal values, so only those who may
/// read the record may see it.
#[derive(Clone, PartialEq, Eq)]
pub struct UpstreamMessage {
    pub status: u16,
    /// The upstream's message, if there is one.
    pub message: Option<String>,
    /// What the response is if it contains no message.
    pub seen: Option<&'static str>,
    /// Errors of single fields: key and message.
    pub field_errors: Vec<(String, String)>,
}

redacted!(UpstreamMessage);

/// Reads the body of an error response in any format.
pub fn error_message(status: u16, content_type: Option<&str>, body: &[u8]) -> UpstreamMessage {
    let text = String::from_utf8_lossy(body);
    let text = trimmed(&text);
    let html = content_type.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    let mut seen = None;
    let (message, field_errors) = if text.is_empty() {
        (None, Vec::new())
    } else if html || text.starts_with('<') {
        // A page from a proxy or a framework: its text helps nobody.
        seen = Some("it answered with an HTML page");
        (None, Vec::new())
    } else {
        match serde_json::from_str(text) {
            Ok(Value::Object(object)) => (said(&object), fields(&object)),
            Ok(Value::String(message)) => (cut(&message, LONGEST_MESSAGE), Vec::new()),
            Ok(Value::Array(list)) => (None, listed(&list)),
            Ok(_) => (None, Vec::new()),
            Err(_) => (cut(text, LONGEST_MESSAGE), Vec::new()),
        }
    };
    UpstreamMessage { status, message, seen, field_errors }
}

fn said(object: &Map<String, Value>) -> Option<String> {
    ["message", "error_description", "detail", "error", "title"].iter().find_map(|key| {
        match named(object, key)? {
            Value::String(text) => cut(text, LONGEST_MESSAGE),
            Value::Object(inner) => cut(named(inner, "message")?.as_str()?, LONGEST_MESSAGE),
            _ => None,
        }
    })
}

/// The value of a name in any case.
fn named<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object
        .get(name)
        .or_else(|| object.iter().find_map(|(own, value)| own.eq_ignore_ascii_case(name).then_some(value)))
}

fn fields(object: &Map<String, Value>) -> Vec<(String, String)> {
    match named(object, "errors") {
        Some(Value::Object(errors)) => {
            let pairs = errors.iter().flat_map(|(field, said)| {
                let said = said.as_array().map_or(std::slice::from_ref(said), Vec::as_slice);
                said.iter().filter_map(move |said| pair(field, said.as_str()?))
            });
            pairs.take(MOST_FIELDS).collect()
        }
        Some(Value::Array(list)) => listed(list),
        _ => Vec::new(),
    }
}

fn listed(list: &[Value]) -> Vec<(String, String)> {
    let pairs = list.iter().filter_map(|error| match error {
        Value::String(text) => pair("", text),
        Value::Object(error) => {
            let field = error.get("field").and_then(Value::as_str).unwrap_or_default();
            pair(field, error.get("message")?.as_str()?)
        }
        _ => None,
    });
    pairs.take(MOST_FIELDS).collect()
}

fn pair(field: &str, message: &str) -> Option<(String, String)> {
    Some((cut(field, LONGEST_NAME).unwrap_or_default(), cut(message, LONGEST_MESSAGE)?))
}

/// The text on one line with limited length, or `None` if nothing is left.
fn cut(text: &str, longest: usize) -> Option<String> {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().filter(|c| !c.is_control()).take(longest).collect();
    if line.chars().count() > longest {
        short.push('…');
    }
    (!short.is_empty()).then_some(short)
}
