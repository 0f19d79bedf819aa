//! Who made a record.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a record came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// Created through the upstream's API.
    Api,
    /// Made in the upstream itself, by somebody else.
    Control,
    /// Was there from the start.
    Seed,
}
