//! What a caller of the service sees. Every response is checked against the served document. Each
//! test's name is a rule.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "in a test, that is how a fault is reported; and callers do not use the service's own client or clock"
)]

#[path = "../support/mod.rs"]
mod support;

mod audit;
mod bodies;
mod changes;
mod cli;
mod contract;
mod document;
mod embedded_postgres;
mod etag;
mod field_map;
mod foreign;
mod idempotency;
mod import;
mod keys;
mod layers;
mod learners;
mod limits;
mod messages;
mod paths;
mod records;
mod records_as_people_have_them;
mod sealed;
mod service;
mod token_attacks;
mod tokens;
mod trusted;
mod webhooks;
mod webhooks_addresses;
mod webhooks_again;
mod webhooks_delivery;
mod webhooks_failing;
