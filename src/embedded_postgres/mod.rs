//! A private PostgreSQL for a data folder, run from the host's own binaries.
//!
//! This module finds the binaries, creates the cluster, starts and stops its server, and tells
//! other processes its address. Migrations, pools and the schema are elsewhere.
//!
//! The data folder contains:
//! - `postgres/`: the cluster (`data/`) and its log (`server.log`). If started as root, the file
//!   `postgres-location` instead names the folder below `/var/lib/picsbridge` that contains them.
//! - `postgres-password`: the password of the cluster's only role, readable only by the folder's
//!   owner.
//! - `postgres.lock`: locked while a service uses the folder, with the service's process id and
//!   port.

mod cluster;
mod constants;
mod error;
mod installation;
mod lock;
mod place;
mod process;
mod server;

pub use error::EmbeddedError;

use std::fmt;
use std::path::{Path, PathBuf};

use tokio::time::{Instant, sleep};

use constants::{NAME, POLL, READY_WITHIN};
use lock::Lock;
use place::Place;
use server::Server;

/// Options of the caller. The default is right for a service.
#[derive(Debug, Clone, Default)]
pub struct EmbeddedOptions {
    /// Server settings (`name`, `value`) that override the defaults here, such as `fsync`, `off` in
    /// tests.
    pub extra_settings: Vec<(String, String)>,
    /// Folders to search for the binaries, instead of `PATH` and the usual places.
    pub search: Option<Vec<PathBuf>>,
}

/// A running private server. Dropping it stops the server, but only [`stop`](Self::stop) waits for
/// the end.
pub struct EmbeddedPostgres {
    server: Server,
    password: String,
    // Fields drop in this order: the server must be told to stop before another process can take
    // the folder.
    lock: Lock,
    _cluster_lock: Option<Lock>,
}

impl EmbeddedPostgres {
    /// Starts the private cluster of this data folder. Creates both on first use.
    ///
    /// The server ends with this process, even if the process is killed. Only one process at a time
    /// can hold a data folder.
    pub async fn start(data_dir: &Path, options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let data_dir = place::prepare_data_dir(data_dir)?;
        let lock = Lock::take(&lock::path_in(&data_dir), &data_dir).await?;
        let root = process::is_root().await?;
        let place = Place::of(&data_dir, root).await?;
        let installation =
            installation::choose(options.search.as_deref(), cluster::major_version(&place)?, &place, root)
                .await?;
        // A copied data folder, including its pointer, must not run the original's cluster.
        let cluster_lock = match place.lock_path() {
            Some(path) => Some(Lock::take(&path, &data_dir).await?),
            None => None,
        };
        let durable = !options.extra_settings.iter().any(|(name, value)| name == "fsync" && value == "off");
        let password = cluster::ensure(&place, &installation, durable).await?;
        let server = Server::start(&place, &installation, &options.extra_settings, &password).await?;
        lock.announce(Some(server.port()))?;
        tracing::info!(port = server.port(), folder = %place.folder.display(), "embedded PostgreSQL is ready");
        Ok(Self { server, password, lock, _cluster_lock: cluster_lock })
    }

    /// The address with the password:
    /// `postgres://picsbridge:<password>@127.0.0.1:<port>/picsbridge`.
    pub fn url(&self) -> String {
        url(self.server.port(), &self.password)
    }

    /// Closes all connections, stops the server and waits for its end.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        self.lock.announce(None)?;
        self.server.stop().await
    }
}

// Hand-written, so that no log shows the password.
impl fmt::Debug for EmbeddedPostgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedPostgres").field("port", &self.server.port()).finish_non_exhaustive()
    }
}

/// The database address of a running service of this data folder; `None` if no service runs.
///
/// Waits for a service that is starting.
pub async fn running(data_dir: &Path) -> Result<Option<String>, EmbeddedError> {
    let Ok(data_dir) = data_dir.canonicalize() else { return Ok(None) };
    let lock = lock::path_in(&data_dir);
    let deadline = Instant::now() + READY_WITHIN;
    while lock::is_held(&lock)? {
        if let Some(port) = lock::holder(&lock).and_then(|holder| holder.port) {
            return Ok(Some(url(port, &cluster::read_password(&data_dir)?)));
        }
        if Instant::now() > deadline {
            return Err(EmbeddedError::StillStarting { data_dir });
        }
        sleep(POLL).await;
    }
    Ok(None)
}

fn url(port: u16, password: &str) -> String {
    format!("postgres://{NAME}:{password}@127.0.0.1:{port}/{NAME}")
}
