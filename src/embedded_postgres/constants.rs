//! What several files of this folder go by.

use std::time::Duration;

/// The role and the database: the cluster has no other of ours.
pub(super) const NAME: &str = "picsbridge";

/// How long a server may take to accept connections, recovery after a crash included.
pub(super) const READY_WITHIN: Duration = Duration::from_mins(1);

/// How long to sleep between two looks at a file or a process.
pub(super) const POLL: Duration = Duration::from_millis(20);

/// The file in a data folder with the password of its cluster.
pub(super) const PASSWORD: &str = "postgres-password";

/// Random bytes or a digest, for a file name or a password.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|d| char::from_digit(d.into(), 16))
        .collect()
}
