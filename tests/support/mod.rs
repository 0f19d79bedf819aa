//! What the test binaries share: the app over a real PostgreSQL and the sandbox, a client that
//! checks every response against the served document, and valid records. Each binary uses a part of
//! it.
#![allow(dead_code, unused_imports, reason = "no binary uses all of it")]

pub mod ace360;
pub mod answer;
pub mod app;
pub mod client;
pub mod contract;
pub mod dump;
pub mod folder;
pub mod forgery;
pub mod imports;
pub mod issuer;
pub mod onefile;
pub mod people;
pub mod personal;
pub mod postgres;
pub mod processes;
pub mod runs;
pub mod sandbox;
pub mod trusted;
pub mod webhook_receiver;

pub use answer::{Answer, faults};
pub use app::{TestApp, on_runtime};
pub use client::{Api, Call};
