//! What is wrong with something that was sent to us, and where.
//!
//! Faults are what the API answers in `errors[]`. They name the field and the rule, never the value: a
//! fault may be logged or shown to someone who may not see the record. How they are found: `parse.rs`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::record_ref::RecordRef;

/// One thing that is wrong with a request, where it is, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// Where in the body, or in `record`: an RFC 6901 pointer; the empty string is the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/address/postcode")]
    pub pointer: Option<String>,
    /// The record in which the pointer leads, when it is not the body: of a fault in what is kept, which an upload needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordRef>,
    /// Which query or path parameter, when it is not in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// A stable name of the rule that was broken.
    #[schema(value_type = String, example = "invalidPostcode")]
    pub code: Cow<'static, str>,
    /// What to do.
    #[schema(example = "Send a UK postcode such as SW1A 1AA.")]
    pub message: String,
}

impl Fault {
    /// A fault in the body.
    pub fn at(
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            pointer: Some(pointer.into()),
            record: None,
            parameter: None,
            code: code.into(),
            message: message.into(),
        }
    }

    /// A fault in a query or path parameter.
    pub fn in_parameter(
        parameter: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            pointer: None,
            record: None,
            parameter: Some(parameter.into()),
            code: code.into(),
            message: message.into(),
        }
    }

    /// The same fault, in a record that is kept.
    #[must_use]
    pub fn of(mut self, record: RecordRef) -> Self {
        self.record = Some(record);
        self
    }

    /// The same fault, seen from the document that holds ours at `prefix`.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.pointer = self.pointer.map(|pointer| format!("{prefix}{pointer}"));
        self
    }
}

/// Adds one segment to an RFC 6901 pointer, escaped.
pub fn join(pointer: &str, segment: &str) -> String {
    format!("{pointer}/{}", segment.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_escaped_and_prefixed() {
        assert_eq!(join("/a", "b/c~d"), "/a/b~1c~0d");
        let fault = Fault::at("/ern", "invalidErn", "…").under("/items/3");
        assert_eq!(fault.pointer.as_deref(), Some("/items/3/ern"));
    }

    #[test]
    fn absent_places_are_left_out() {
        let json = serde_json::to_value(Fault::at("", "wrongType", "x")).unwrap();
        assert_eq!(json, serde_json::json!({"pointer": "", "code": "wrongType", "message": "x"}));
    }
}
