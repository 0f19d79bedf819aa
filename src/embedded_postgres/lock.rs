//! The lock of a data folder: a file that also contains the holder's process id and port.
//!
//! Only the lock counts. The text is for people, and for commands that run next to a service. The
//! system releases the lock when the process ends, so a file that a crash left means nothing.

use std::fs::{self, File, TryLockError};
use std::io::{self, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tokio::time::sleep;

use super::constants::POLL;
use super::error::{EmbeddedError, file};

/// [`is_held`] holds the lock for a moment to test it, so a start retries this often.
const ATTEMPTS: u32 = 10;

pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

/// The holder of the lock. The port is known once its server is ready.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) pid: u32,
    pub(super) port: Option<u16>,
}

pub(super) fn path_in(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres.lock")
}

impl Lock {
    /// Takes the lock, or returns the holder.
    pub(super) async fn take(path: &Path, data_dir: &Path) -> Result<Self, EmbeddedError> {
        let opened = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(file("open", path))?;
        for _ in 0..ATTEMPTS {
            match opened.try_lock() {
                Ok(()) => {
                    let lock = Self { file: opened, path: path.to_owned() };
                    lock.announce(None)?;
                    return Ok(lock);
                }
                Err(TryLockError::WouldBlock) => sleep(POLL).await,
                Err(TryLockError::Error(source)) => return Err(file("lock", path)(source)),
            }
        }
        let holder = match holder(path) {
            Some(Holder { pid, port: Some(port) }) => {
                format!("process {pid}, whose PostgreSQL listens on 127.0.0.1:{port}")
            }
            Some(Holder { pid, port: None }) => format!("process {pid}, which is starting or stopping"),
            None => "another process".to_owned(),
        };
        Err(EmbeddedError::InUse { data_dir: data_dir.to_owned(), holder })
    }

    /// Publishes this process's id, and the port once there is one.
    pub(super) fn announce(&self, port: Option<u16>) -> Result<(), EmbeddedError> {
        let port = port.map(|port| format!("port {port}\n")).unwrap_or_default();
        let text = format!("pid {}\n{port}", std::process::id());
        let mut handle = &self.file;
        handle
            .set_len(0)
            .and_then(|()| handle.rewind())
            .and_then(|()| handle.write_all(text.as_bytes()))
            .map_err(file("write", &self.path))
    }
}

/// Whether a process holds the lock.
pub(super) fn is_held(path: &Path) -> Result<bool, EmbeddedError> {
    let opened = match File::open(path) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(file("open", path)(error)),
    };
    match opened.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => Err(file("lock", path)(source)),
    }
}

/// Reads the holder's text. Only complete lines count, because the holder may be writing at the
/// same time.
pub(super) fn holder(path: &Path) -> Option<Holder> {
    let text = fs::read_to_string(path).ok()?;
    let value = |name: &str| {
        text.split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'))
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
    };
    Some(Holder { pid: value("pid")?.parse().ok()?, port: value("port").and_then(|port| port.parse().ok()) })
}
