//! A rule that a value broke: its stable code, and what to do. What the newtypes' `parse` answers.
//!
//! serde lets an error carry text only, so a rule crosses it behind a separator; packing and unpacking
//! are both here and nowhere else.

use std::fmt;

/// Never in a message of serde's, since it escapes control characters.
const SEPARATOR: char = '\u{1f}';

/// The rule that a value broke. It never holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    /// A stable camelCase name.
    pub code: &'static str,
    /// What to do.
    pub message: &'static str,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SEPARATOR}{}{SEPARATOR}{}", self.code, self.message)
    }
}

impl std::error::Error for Broken {}

/// Reads code and message back out of a serde error's text, when a newtype made it.
pub(super) fn unpack(text: &str) -> Option<(String, String)> {
    let (code, message) = text.strip_prefix(SEPARATOR)?.split_once(SEPARATOR)?;
    // serde_json adds the line and column when it reads bytes.
    let message = message.split_once(" at line ").map_or(message, |(message, _)| message);
    Some((code.to_owned(), message.to_owned()))
}
