//! An organisation's credits.

use serde::{Deserialize, Serialize};

/// ACE360 calls the credits tokens. Here "token" means the API token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub token: String,
    pub tpo_id: u32,
    pub credits_left: u64,
    pub credits_used: u64,
}
