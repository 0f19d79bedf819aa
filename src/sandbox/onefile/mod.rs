//! The OneFile Eportfolio simulator. It follows `openapi/upstream/onefile-v2.1.yaml`. Much of that
//! is assumed, because OneFile publishes no API document.
//!
//! Records are stored as fields by name, after the tables in `fields.rs`. OneFile's records are
//! flat and have many fields, and a few common rules create, change, search and show them.

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
