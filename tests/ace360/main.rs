//! ACE360 through the API: uploads, statuses, links, and what must never happen twice. Each test's
//! name is a rule.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "in a test, that is how a fault is reported; and callers do not use the service's own client or clock"
)]

#[path = "../support/mod.rs"]
mod support;

mod bulk;
mod changes;
mod faults;
mod leases;
mod links;
mod lost;
mod matching;
mod never_twice;
mod pacing;
mod preview;
mod refused;
mod retention;
mod run_records;
mod settings;
mod smoke;
mod standards;
mod status;
mod status_run;
mod upload;
mod waiting;
