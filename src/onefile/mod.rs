//! The integration with OneFile, the e-portfolio. To remove it, delete this folder, its lines in
//! the routing table and its slices in `runs`.
//!
//! `openapi/upstream/onefile-v2.1.yaml` describes what the code relies on. OneFile publishes no API
//! document, so assumptions are marked "assumed" there and in the code.

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
