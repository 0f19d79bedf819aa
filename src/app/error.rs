//! Why the service does not start.

use std::net::SocketAddr;

use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be reached.
    #[error(
        "the database cannot be reached ({0}): check DATABASE_URL, and that PostgreSQL 15 or later runs there"
    )]
    Database(sqlx::Error),
    /// It lacks migrations of this version.
    #[error("the database is not at this version: run `picsbridge migrate` first")]
    NotMigrated,
    /// Another version made the database.
    #[error(
        "another version of picsbridge made this database, and version {version} cannot use it: before version 1.0 a database is \
         not upgraded. Nothing was changed. {remedy}, or start the version that made it",
        version = env!("CARGO_PKG_VERSION")
    )]
    OtherSchema {
        /// What to do about it.
        remedy: String,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address is taken, say.
    #[error(
        "{setting} {address} cannot be listened on ({why}): stop what uses it, or choose another address by {setting} or {flag}"
    )]
    Listen {
        setting: &'static str,
        /// The flag of that name.
        flag: &'static str,
        address: SocketAddr,
        why: std::io::Error,
    },
    /// The TLS library could not start.
    #[error("the HTTP client could not be made: {0}")]
    Http(#[from] reqwest::Error),
    /// River could not start.
    #[error("the job engine could not start: {0}")]
    Jobs(#[from] riverqueue::Error),
    /// Something of the operating system's.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The metrics could not be set up.
    #[error("the metrics could not be set up: {0}")]
    Metrics(String),
}
