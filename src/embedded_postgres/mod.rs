//! A private PostgreSQL for a data folder, run from the host's own binaries.
//!
//! What lives here: finding the binaries, making the cluster, starting and stopping its server, and telling
//! other processes where it listens. What does not: migrations, pools, anything of our schema.
//!
//! In the data folder:
//! - `postgres/` is the cluster (`data/`) and its log (`server.log`); when started as root, the file
//!   `postgres-location` names the folder below `/var/lib/picsbridge` which holds them instead;
//! - `postgres-password` is the password of its only role, for nobody but the owner of the folder;
//! - `postgres.lock` is locked while a service uses it, and says which one and on which port.

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

/// What a caller may change; the default is right for a service.
#[derive(Debug, Clone, Default)]
pub struct EmbeddedOptions {
    /// Server settings (`name`, `value`) which win over ours, such as `fsync`, `off` in tests.
    pub extra_settings: Vec<(String, String)>,
    /// Folders to look for the binaries in, instead of `PATH` and the usual places.
    pub search: Option<Vec<PathBuf>>,
}

/// A running private server. Dropping it stops the server too, but only [`stop`](Self::stop) waits.
pub struct EmbeddedPostgres {
    server: Server,
    password: String,
    // Fields drop in this order: the server is told to stop before another start may take the folder.
    lock: Lock,
    _cluster_lock: Option<Lock>,
}

impl EmbeddedPostgres {
    /// Starts the private cluster of this data folder, and makes both on first use.
    ///
    /// The server ends with this process, however that goes. One process at a time may hold a data folder.
    pub async fn start(data_dir: &Path, options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let data_dir = place::prepare_data_dir(data_dir)?;
        let lock = Lock::take(&lock::path_in(&data_dir), &data_dir).await?;
        let root = process::is_root().await?;
        let place = Place::of(&data_dir, root).await?;
        let installation =
            installation::choose(options.search.as_deref(), cluster::major_version(&place)?, &place, root)
                .await?;
        // A data folder that was copied, its pointer included, must not run the other one's cluster.
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

    /// Where it listens, with the password: `postgres://picsbridge:<password>@127.0.0.1:<port>/picsbridge`.
    pub fn url(&self) -> String {
        url(self.server.port(), &self.password)
    }

    /// Ends all connections, stops the server and waits for it.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        self.lock.announce(None)?;
        self.server.stop().await
    }
}

// By hand, so that no log shows the password.
impl fmt::Debug for EmbeddedPostgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedPostgres").field("port", &self.server.port()).finish_non_exhaustive()
    }
}

/// Where the database of a running service of this data folder listens; `None` when no service runs.
///
/// Waits for a service which is just starting.
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
