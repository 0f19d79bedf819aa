//! A fault in something that was sent to us, and where it is.
//!
//! The API returns faults in `errors[]`. A fault names the field and the rule, never the value: it
//! may be logged, or shown to someone who is not allowed to see the record. `parse.rs` finds
//! faults.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::record_ref::RecordRef;
use super::words::counted;

/// One error in a request: where it is, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// The place in the body, or in `record`, as an RFC 6901 JSON pointer. The empty string means
    /// the whole body. Absent for a parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/address/postcode")]
    pub pointer: Option<String>,
    /// The stored record that the pointer refers to, for example when an upload needs a missing
    /// field. Absent when the pointer refers to the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordRef>,
    /// The name of the query or path parameter. Absent when the fault is in a body or a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// A stable name of the rule that was broken.
    #[schema(value_type = String, example = "invalidPostcode")]
    pub code: Cow<'static, str>,
    /// What is wrong, and how to fix it.
    #[schema(example = "Send a UK postcode such as SW1A 1AA.")]
    pub message: String,
}

impl Fault {
    /// Creates a fault in the body.
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

    /// Creates a fault in a query or path parameter.
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

    /// The same fault, in a stored record.
    #[must_use]
    pub fn of(mut self, record: RecordRef) -> Self {
        self.record = Some(record);
        self
    }

    /// The same fault, as seen from the document that contains the value at `prefix`.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.pointer = self.pointer.map(|pointer| format!("{prefix}{pointer}"));
        self
    }
}

/// The faults of one body. All are counted; only the first ones are stored.
#[derive(Debug, Default)]
pub struct Faults {
    kept: Vec<Fault>,
    counted: usize,
    /// Whether a list was cut off. Then there may be more faults than were counted.
    cut_off: bool,
}

impl Faults {
    /// The most faults that a response lists for one body.
    pub const MOST: usize = 100;

    /// Counts a fault. The closure runs only if the fault is stored.
    pub(super) fn add(&mut self, fault: impl FnOnce() -> Fault) {
        self.counted += 1;
        if self.kept.len() < Self::MOST {
            self.kept.push(fault());
        }
    }

    /// Records that a list is longer than the service reads. This fault goes first, so that it is
    /// always listed.
    pub(super) fn cut_off(&mut self, fault: Fault) {
        self.cut_off = true;
        self.counted += 1;
        self.kept.insert(0, fault);
        self.kept.truncate(Self::MOST);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counted == 0
    }

    /// Keeps at most `most` faults. The others stay counted.
    pub fn keep(&mut self, most: usize) {
        self.kept.truncate(most);
        self.kept.shrink_to_fit();
    }

    /// The message of a single fault, or the number of faults.
    pub fn summary(&self) -> String {
        match self.kept.as_slice() {
            [only] => only.message.clone(),
            _ => format!("{}: see errors", self.counted()),
        }
    }

    /// The number of faults as text: `1 fault`, `at least 300 faults`.
    pub fn counted(&self) -> String {
        self.in_words(self.counted, "fault", "faults")
    }

    fn in_words(&self, count: usize, one: &str, many: &str) -> String {
        format!("{}{}", if self.cut_off { "at least " } else { "" }, counted(count, one, many))
    }

    /// The first `most` faults. A last entry says how many more there are.
    pub fn list(mut self, most: usize) -> Vec<Fault> {
        self.kept.truncate(most);
        let more = self.counted - self.kept.len();
        if more > 0 {
            let more = self.in_words(more, "more is", "more are");
            let message = format!("Fix the other faults first: {more} not listed here.");
            self.kept.push(Fault::at("", "tooManyFaults", message));
        }
        self.kept
    }
}

impl Extend<Fault> for Faults {
    fn extend<I: IntoIterator<Item = Fault>>(&mut self, faults: I) {
        for fault in faults {
            self.add(|| fault);
        }
    }
}

impl From<Vec<Fault>> for Faults {
    fn from(faults: Vec<Fault>) -> Self {
        let mut all = Self::default();
        all.extend(faults);
        all
    }
}

/// Appends one escaped segment to an RFC 6901 pointer.
pub fn join(pointer: &str, segment: &str) -> String {
    format!("{pointer}/{}", segment.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(count: usize) -> Faults {
        (0..count).map(|n| Fault::at(format!("/{n}"), "x", "x")).collect::<Vec<_>>().into()
    }

    #[test]
    fn the_first_faults_are_listed_and_the_last_one_counts_the_others() {
        assert_eq!(many(100).list(Faults::MOST).len(), 100);
        assert_eq!(many(1).counted(), "1 fault");
        for (count, most, listed, words) in [
            (101, 100, 100, "1 more is"),
            (250, 100, 100, "150 more are"),
            (12, 10, 10, "2 more are"),
            (3, 0, 0, "3 more are"),
        ] {
            let list = many(count).list(most);
            assert_eq!(list.len(), listed + 1);
            assert_eq!(list[listed].code, "tooManyFaults");
            assert!(list[listed].message.contains(words), "{}", list[listed].message);
        }
        let mut cut_off = many(300);
        cut_off.cut_off(Fault::at("/list", "tooMany", "x"));
        assert_eq!(cut_off.counted(), "at least 301 faults");
        let list = cut_off.list(100);
        assert_eq!(list[0].code, "tooMany");
        assert!(list[100].message.contains("at least 201 more are"));
    }

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
