//! The run engine through the API: slices, schedules, and workers that die. Each test's name is a
//! rule.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "in a test, that is how a fault is reported; and callers do not use the service's own client or clock"
)]

#[path = "../support/mod.rs"]
mod support;

mod again;
mod database;
mod enrolment_kills;
mod events;
mod exchange_kills;
mod kills;
mod pace;
mod params;
mod rotation;
mod schedule;
mod secrecy;
mod slices;
mod smoke;
mod soak;
