//! What is gathered while an upload is built: each value goes into the preview as it goes into the payload.

use serde::Serialize;

use super::report::{Missing, PreviewField, Warning};
use crate::domain::RecordRef;

/// Fields, missing ones and warnings so far.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) fields: Vec<PreviewField>,
    pub(super) missing: Vec<Missing>,
    pub(super) warnings: Vec<Warning>,
}

impl Draft {
    /// A value that is sent: it goes through here so that the preview shows it.
    pub(super) fn send<T: Serialize>(
        &mut self,
        name: &'static str,
        source: impl Into<String>,
        value: Option<T>,
    ) -> Option<T> {
        let value = value?;
        // Texts, numbers and dates: they always serialise. One that did not would be missing, not unseen.
        let shown = serde_json::to_value(&value).ok()?;
        self.fields.push(PreviewField { name, value: shown, source: source.into() });
        Some(value)
    }

    /// A value without which there is no upload.
    pub(super) fn require<T: Serialize>(
        &mut self,
        name: &'static str,
        source: &str,
        value: Option<T>,
        record: &RecordRef,
        pointer: &str,
        message: &str,
    ) -> Option<T> {
        if value.is_none() {
            self.miss(name, record, pointer, message);
        }
        self.send(name, source, value)
    }

    /// A value that is sent when it is there, with a warning when it is not.
    pub(super) fn prefer<T: Serialize>(
        &mut self,
        name: &'static str,
        source: &str,
        value: Option<T>,
    ) -> Option<T> {
        if value.is_none() {
            self.warn(name, format!("Not sent, since it is blank in PICSWeb: {source}."));
        }
        self.send(name, source, value)
    }

    pub(super) fn miss(
        &mut self,
        field: &'static str,
        record: &RecordRef,
        pointer: &str,
        message: impl Into<String>,
    ) {
        let (record, pointer) = (record.clone(), pointer.to_owned());
        self.missing.push(Missing { field, record, pointer, message: message.into() });
    }

    pub(super) fn warn(&mut self, field: &'static str, message: impl Into<String>) {
        self.warnings.push(Warning { field, message: message.into() });
    }
}

/// What is left of a text without the blanks around it, if anything is.
pub(super) fn said(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
