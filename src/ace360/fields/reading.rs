//! The result of reading one field of ACE360's record from the records here.

use serde::Serialize;
use serde_json::Value;

/// The value of a field, or why there is none.
#[derive(Debug, Default, PartialEq)]
pub struct Reading {
    pub value: Option<Value>,
    /// Where PICSWeb shows this value, if that differs from the row's place.
    pub source: Option<String>,
    /// What must be fixed before the upload: the pointer, if it differs from the row's, and what to
    /// do.
    pub faults: Vec<(Option<String>, String)>,
    /// What should be checked. A warning does not stop the upload.
    pub warnings: Vec<String>,
}

impl Reading {
    pub(super) fn fault(message: impl Into<String>) -> Self {
        Self { faults: vec![(None, message.into())], ..Self::default() }
    }

    pub(super) fn fault_at(pointer: String, message: impl Into<String>) -> Self {
        Self { faults: vec![(Some(pointer), message.into())], ..Self::default() }
    }

    pub(super) fn shown_at(self, source: String) -> Self {
        Self { source: Some(source), ..self }
    }

    pub(super) fn warn(mut self, message: impl Into<String>) -> Self {
        self.warnings.push(message.into());
        self
    }
}

/// The value to send, if there is one. Texts, numbers and dates always serialise.
pub(super) fn sent(value: Option<impl Serialize>) -> Reading {
    let value = value.and_then(|value| serde_json::to_value(value).ok());
    Reading { value, ..Reading::default() }
}

/// The trimmed text, or `None` if nothing is left.
pub(super) fn said(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
