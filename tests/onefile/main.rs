//! OneFile through the API: settings, sessions, searches, look-ups. Each test's name is a rule.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "in a test, that is how a fault is reported; and callers do not use the service's own client or clock"
)]

#[path = "../support/mod.rs"]
mod support;

mod changes;
mod connection;
mod enrolment;
mod enrolment_lost;
mod enrolment_preview;
mod exchange;
mod exchange_faults;
mod exchange_run;
mod exchange_schedule;
mod limits;
mod links;
mod links_import;
mod links_proposals;
mod lookups;
mod migration;
mod qualifications;
mod readiness;
mod searches;
mod secrecy;
mod sessions;
mod settings;
