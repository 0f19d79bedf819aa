//! An answer of the API.

use std::collections::BTreeSet;

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer that the document allows.
#[derive(Debug)]
pub struct Answer {
    pub at: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// Null when it is not JSON.
    pub body: Value,
}

impl Answer {
    /// Its body, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.at, self.text);
        self.body
    }

    /// Its body, if it went well.
    #[track_caller]
    pub fn good(self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {} {}", self.at, self.status, self.text);
        self.body
    }

    /// Its problem, if it has this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{}: {}",
            self.at,
            self.text
        );
        self.body
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Where a problem's faults are (a pointer, or a parameter's name) and their codes.
pub fn faults(problem: &Value) -> BTreeSet<(String, String)> {
    let errors = problem["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| {
            let place = error.get("pointer").or(error.get("parameter")).unwrap().as_str().unwrap();
            (place.to_owned(), error["code"].as_str().unwrap().to_owned())
        })
        .collect()
}
