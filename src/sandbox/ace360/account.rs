//! What an organisation has to pay with.

use serde::{Deserialize, Serialize};

/// ACE360 calls the credits tokens; here a token is the API's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub token: String,
    pub tpo_id: u32,
    pub credits_left: u64,
    pub credits_used: u64,
}
