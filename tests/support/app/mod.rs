//! The complete service as the binary assembles it, on a free port, with the test's own database
//! and sandbox.

mod builder;
mod running;
mod sandbox;
mod tenant;
mod wait;

pub use self::builder::{AppBuilder, TIMINGS};
pub use self::running::{MASTER_KEY, TestApp};
pub use self::tenant::{Tenant, by};
pub use self::wait::{PATIENCE, until};
pub use super::postgres::on_runtime;
