//! All that knows ACE360, the end-point-assessment platform. Deleting this folder, its lines in the routing
//! table and its slices in `runs` removes it.
//!
//! What we rely on there is in `openapi/upstream/ace360-connect.yaml`; little of it is public, so what the
//! code assumes is marked "assumed" where it is made.

pub mod client;
pub mod ethnicity;
pub mod standards;
pub mod upload;
pub mod wire;
