//! The integration with ACE360, the end-point-assessment platform. To remove it, delete this
//! folder, its lines in the routing table and its slices in `runs`.
//!
//! `openapi/upstream/ace360-connect.yaml` describes what the code relies on. Little of it is
//! public, so assumptions are marked "assumed" in the code.

pub mod catalogue;
pub mod client;
mod context;
pub mod create;
pub mod fields;
pub mod links;
pub mod sync;

pub use context::{Ace360, Ace360Error};

/// The step of the only creation that a learner has in ACE360.
pub const STEP: &str = "apprentice";
