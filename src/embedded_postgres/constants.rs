//! Constants that several files of this folder share.

use std::time::Duration;

/// The name of the role and the database. The cluster has no others of this service.
pub(super) const NAME: &str = "picsbridge";

/// How long a server can take to accept connections, including recovery after a crash.
pub(super) const READY_WITHIN: Duration = Duration::from_mins(1);

/// The interval between two checks of a file or a process.
pub(super) const POLL: Duration = Duration::from_millis(20);

/// The file in a data folder with its cluster's password.
pub(super) const PASSWORD: &str = "postgres-password";

/// Random bytes or a digest, as text for a file name or a password.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|d| char::from_digit(d.into(), 16))
        .collect()
}
