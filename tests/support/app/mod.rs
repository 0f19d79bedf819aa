//! The whole service, as the binary puts it together, on a free port, with a database and a sandbox of the test's own.

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
