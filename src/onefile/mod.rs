//! All that knows OneFile, the e-portfolio. Deleting this folder, its lines in the routing table and its slices in `runs`
//! removes it.
//!
//! What we rely on there is in `openapi/upstream/onefile-v2.1.yaml`; OneFile publishes no document, so what the code assumes is
//! marked "assumed" there and where it is made.

pub mod catalogue;
pub mod client;
mod context;
pub mod create;
pub mod fields;
pub mod links;
pub mod setup;
pub mod sync;

pub use client::assign::{ASSIGN, AssignReading};
pub use context::{OneFile, OneFileError};
