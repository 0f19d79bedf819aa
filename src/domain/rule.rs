//! A rule that a value broke: its stable code, and what to do. What the newtypes' `parse` answers.

/// The rule that a value broke. It never holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Broken {
    /// A stable camelCase name.
    pub code: &'static str,
    pub message: &'static str,
}
