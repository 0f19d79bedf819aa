//! All that knows ACE360, the end-point-assessment platform. Deleting this folder, its lines in the routing
//! table and its slices in `runs` removes it.
//!
//! What we rely on there is in `openapi/upstream/ace360-connect.yaml`; little of it is public, so what the
//! code assumes is marked "assumed" where it is made.

pub mod catalogue;
pub mod client;
mod context;
pub mod create;
pub mod fields;
pub mod links;
pub mod sync;

pub use context::{Ace360, Ace360Error};

/// The one creation that a learner has in ACE360.
pub const STEP: &str = "apprentice";
