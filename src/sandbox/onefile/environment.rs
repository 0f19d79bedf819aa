//! OneFile's environments, and the customer tokens that each knows.

use serde::Serialize;
use utoipa::ToSchema;

/// An environment with its own customers, tokens and data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Environment {
    Live,
    Practice,
    Beta,
}

impl Environment {
    pub const ALL: [Self; 3] = [Self::Live, Self::Practice, Self::Beta];

    /// The path of the environment. The real ones are three hosts.
    pub fn base(self) -> &'static str {
        match self {
            Self::Live => "/onefile/api/v2.1",
            Self::Practice => "/onefile/practice/api/v2.1",
            Self::Beta => "/onefile/beta/api/v2.1",
        }
    }

    /// The environment that issued this customer token. `None`: the token is unknown.
    ///
    /// `sandbox-practice` and `sandbox-beta`, also with `-<name>` after it, belong to those
    /// environments. `sandbox` and any other `sandbox-<name>` belong to live.
    pub fn of_token(token: &str) -> Option<Self> {
        let rest = token.strip_prefix("sandbox")?;
        if rest.is_empty() {
            return Some(Self::Live);
        }
        let name = rest.strip_prefix('-').filter(|name| !name.is_empty())?;
        match name.split('-').next() {
            Some("practice") => Some(Self::Practice),
            Some("beta") => Some(Self::Beta),
            _ => Some(Self::Live),
        }
    }
}
