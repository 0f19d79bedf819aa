//! The OneFile Eportfolio simulator. What it does is what `openapi/upstream/onefile-v2.1.yaml` says; much of that
//! is assumed, since OneFile publishes no document.
//!
//! Records are kept as fields by name, after the tables in `fields.rs`: OneFile's records are flat, have many
//! fields, and are created, changed in part, searched and shown by the same few rules.

pub mod answer;
pub mod assign;
pub mod body;
pub mod books;
pub mod call;
pub mod create;
pub mod environment;
pub mod fields;
pub mod gate;
pub mod invariants;
pub mod kind;
pub mod lifecycle;
pub mod new_fields;
pub mod operations;
pub mod record;
pub mod references;
pub mod routes;
pub mod search;
pub mod seed;
pub mod session;
pub mod settings;
pub mod times;
pub mod update;
pub mod world;
