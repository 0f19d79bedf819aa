//! picsbridge: the middleware between PICSWeb and its users' two upstreams, ACE360 and OneFile.
//!
//! Imports run one way, a floor a step:
//! `main → cli → app → api → runs → ace360 | onefile | webhooks → upstream, auth → store → domain`.
//! `clock`, `config`, `seal`, `http`, `telemetry` and `embedded_postgres` lie on the ground and import
//! nothing of ours. `sandbox` stands beside the house: it shares no code with the clients it tests.

pub mod ace360;
pub mod api;
pub mod app;
pub mod auth;
pub mod clock;
pub mod config;
pub mod domain;
pub mod embedded_postgres;
pub mod http;
pub mod onefile;
pub mod runs;
pub mod sandbox;
pub mod seal;
pub mod store;
pub mod telemetry;
pub mod upstream;
pub mod webhooks;
