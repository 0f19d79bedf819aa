//! A response of the API.

use std::collections::BTreeSet;

use reqwest::header::HeaderMap;
use serde_json::Value;

/// A response that the document allows.
#[derive(Debug)]
pub struct Answer {
    pub at: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// Null if it is not JSON.
    pub body: Value,
}

impl Answer {
    /// Returns the body if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.at, self.text);
        self.body
    }

    /// Returns the body if the call succeeded.
    #[track_caller]
    pub fn good(self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {} {}", self.at, self.status, self.text);
        self.body
    }

    /// Returns the problem if it has this status and code.
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

/// The places of a problem's faults (a pointer or a parameter's name) and their codes.
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
