//! The origin of a record.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a record was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// Created through the upstream's API.
    Api,
    /// Created in the upstream itself by another person.
    Control,
    /// Seeded when the sandbox or the customer was new.
    Seed,
}
