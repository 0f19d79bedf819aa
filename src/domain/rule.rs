//! The broken rule of a value: its stable code and a message. The `parse` functions of the newtypes
//! return it.

/// The rule that a value breaks. It never contains the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Broken {
    /// A stable camelCase name of the rule.
    pub code: &'static str,
    pub message: &'static str,
}
