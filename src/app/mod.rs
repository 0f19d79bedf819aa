//! The only place where the parts are assembled. The binary and every test use it.

mod background;
mod database;
mod document;
mod error;
mod parts;
mod server;

pub use self::background::Running;
pub use self::database::{connect, migrate_with};
pub use self::document::document;
pub use self::error::StartError;
pub use self::parts::Parts;
