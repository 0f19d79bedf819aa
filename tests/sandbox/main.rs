//! The sandbox over HTTP, as its users call it. Every response is checked against the contract of
//! ACE360 or OneFile, or against the sandbox's own document. Each test's name is a rule.
#![allow(
    clippy::disallowed_methods,
    reason = "these tests stand for callers: they must not use the service's own client"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, that is how a fault is reported"
)]

#[path = "../support/mod.rs"]
mod support;

mod apprentices;
mod contract;
mod control;
mod create;
mod faults;
mod limits;
mod onefile;
mod restart;
mod standards;
