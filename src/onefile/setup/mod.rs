//! What a provider needs to know before the integration is enabled.

pub mod coverage;
pub mod enable;
pub mod gather;
pub mod migration;
pub mod readiness;
