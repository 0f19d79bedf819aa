//! Starting and stopping the server of a cluster.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep, timeout};

use super::constants::{NAME, POLL, READY_WITHIN};
use super::error::{EmbeddedError, file};
use super::installation::Installation;
use super::place::Place;
use super::process::{self, Watched, WatchedCommand};

/// How long a fast shutdown may take, its last checkpoint included.
const STOPPED_WITHIN: Duration = Duration::from_mins(1);

/// How often another program may take the port between our look and the server's.
const PORTS: u32 = 5;

/// How long processes of a server that was killed may still hold its memory.
const RELEASED_WITHIN: Duration = Duration::from_secs(15);

/// What matters to us, whatever the defaults of a version or a packager are.
///
/// The log carries no statement, no parameter, no detail, and no error of a statement (`log_min_messages` ranks
/// those below `log`): all of them quote values, and values are personal data.
const SETTINGS: [(&str, &str); 20] = [
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("ssl", "off"),
    ("max_connections", "100"),
    ("shared_buffers", "128MB"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("lc_messages", "C"),
    ("log_destination", "stderr"),
    ("logging_collector", "off"),
    ("log_min_messages", "log"),
    ("log_statement", "none"),
    ("log_min_error_statement", "panic"),
    ("log_parameter_max_length", "0"),
    ("log_parameter_max_length_on_error", "0"),
    ("log_min_duration_statement", "-1"),
    ("log_min_duration_sample", "-1"),
    ("log_error_verbosity", "terse"),
    ("log_checkpoints", "off"),
    ("log_autovacuum_min_duration", "-1"),
];

pub(super) struct Server {
    watched: Watched,
    port: u16,
    pg_ctl: PathBuf,
    account: Option<process::Account>,
    pgdata: PathBuf,
    log: PathBuf,
}

/// Why one attempt to start did not work.
enum Failed {
    /// Another program listens on the port.
    PortTaken,
    /// Processes of the server before are still ending.
    StillHeld,
    For(EmbeddedError),
}

impl Server {
    /// Starts the server on a free port, and waits until our database accepts connections.
    pub(super) async fn start(
        place: &Place,
        installation: &Installation,
        extra: &[(String, String)],
        password: &str,
    ) -> Result<Self, EmbeddedError> {
        stop_orphan(place, installation).await?;
        let mut ports = PORTS;
        let patience = Instant::now() + RELEASED_WITHIN;
        loop {
            let failure = match Self::attempt(place, installation, extra, password).await {
                Ok(server) => return Ok(server),
                Err(failure) => failure,
            };
            match failure {
                Failed::PortTaken if ports > 1 => ports -= 1,
                Failed::StillHeld if Instant::now() < patience => sleep(POLL * 5).await,
                Failed::PortTaken | Failed::StillHeld => return Err(start_error(&place.log())),
                Failed::For(error) => return Err(error),
            }
        }
    }

    async fn attempt(
        place: &Place,
        installation: &Installation,
        extra: &[(String, String)],
        password: &str,
    ) -> Result<Self, Failed> {
        let port = free_port().map_err(Failed::For)?;
        let log = place.log();
        let mut program =
            WatchedCommand::new(place.account.as_ref(), &installation.program("postgres"), &log);
        program.command.arg("-D").arg(place.pgdata()).arg("-p").arg(port.to_string());
        let ours = SETTINGS.iter().copied();
        for (name, value) in ours.chain(extra.iter().map(|(name, value)| (name.as_str(), value.as_str()))) {
            program.command.arg("-c").arg(format!("{name}={value}"));
        }
        let mut server = Self {
            watched: Watched::spawn(program).map_err(Failed::For)?,
            port,
            pg_ctl: installation.program("pg_ctl"),
            account: place.account.clone(),
            pgdata: place.pgdata(),
            log,
        };
        match timeout(READY_WITHIN, server.ready(password)).await {
            Ok(Ok(())) => Ok(server),
            Ok(Err(failure)) => Err(failure),
            // Dropping the server tells it to stop.
            Err(_) => {
                Err(Failed::For(EmbeddedError::NotReady { tail: tail(&server.log), log: server.log.clone() }))
            }
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Waits until our database accepts connections, or the server has ended.
    async fn ready(&mut self, password: &str) -> Result<(), Failed> {
        // First its own word that it is the one on this port: the password is for nobody else.
        loop {
            if self.watched.ended() {
                // Sends the watcher home too.
                let _ = self.watched.wait().await;
                return Err(why_it_ended(&self.log));
            }
            if PidFile::read(&self.pgdata).is_some_and(|file| file.pid == self.watched.pid() && file.ready) {
                break;
            }
            sleep(POLL).await;
        }
        ensure_database(self.port, password)
            .await
            .map_err(|source| Failed::For(EmbeddedError::Refused { source }))
    }

    /// Ends the connections, writes everything down, and waits for the end.
    pub(super) async fn stop(mut self) -> Result<(), EmbeddedError> {
        if !self.watched.ended() {
            ask_to_stop(&self.pg_ctl, self.account.as_ref(), &self.pgdata).await?;
        }
        match timeout(STOPPED_WITHIN, self.watched.wait()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(source)) => Err(EmbeddedError::Program { program: "postgres".to_owned(), source }),
            Err(_) => Err(EmbeddedError::DoesNotStop { pid: self.watched.pid(), log: self.log.clone() }),
        }
    }
}

/// Stops a server that outlived its service, which only a moment between two steps of a crash can leave.
///
/// We hold the lock, so nobody uses it.
async fn stop_orphan(place: &Place, installation: &Installation) -> Result<(), EmbeddedError> {
    let pgdata = place.pgdata();
    let Some(orphan) = PidFile::read(&pgdata) else { return Ok(()) };
    let deadline = Instant::now() + STOPPED_WITHIN;
    let mut asked = false;
    loop {
        match process::arguments_of(orphan.pid).await {
            // A stale file; the server removes it itself.
            None => return Ok(()),
            Some(arguments) if mentions(&arguments, &pgdata) => {}
            // A stranger's process id by now, or nobody's (a dead process that its parent has not asked about):
            // the server would take either for another server.
            Some(_) => return PidFile::remove(&pgdata),
        }
        if !asked {
            tracing::warn!(pid = orphan.pid, "a PostgreSQL of an earlier run is still there: stopping it");
            ask_to_stop(&installation.program("pg_ctl"), place.account.as_ref(), &pgdata).await?;
            asked = true;
        }
        if Instant::now() > deadline {
            return Err(EmbeddedError::DoesNotStop { pid: orphan.pid, log: place.log() });
        }
        sleep(POLL).await;
    }
}

/// Asks for a fast shutdown and does not wait. That it has ended meanwhile is no fault.
async fn ask_to_stop(
    pg_ctl: &Path,
    account: Option<&process::Account>,
    pgdata: &Path,
) -> Result<(), EmbeddedError> {
    process::command(account, pg_ctl)
        .args(["stop", "--mode=fast", "--no-wait", "--silent", "--pgdata"])
        .arg(pgdata)
        .output()
        .await
        .map(drop)
        .map_err(|source| EmbeddedError::Program { program: pg_ctl.display().to_string(), source })
}

/// Makes our database where it is missing.
async fn ensure_database(port: u16, password: &str) -> Result<(), sqlx::Error> {
    let options = PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(NAME)
        .password(password)
        .database("postgres")
        .ssl_mode(PgSslMode::Disable);
    let mut connection = PgConnection::connect_with(&options).await?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)")
        .bind(NAME)
        .fetch_one(&mut connection)
        .await?;
    if !exists {
        // The name is NAME; a statement like this takes no parameter.
        sqlx::query("CREATE DATABASE picsbridge").execute(&mut connection).await?;
    }
    connection.close().await
}

fn free_port() -> Result<u16, EmbeddedError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| EmbeddedError::Program { program: "a server on 127.0.0.1".to_owned(), source })
}

fn why_it_ended(log: &Path) -> Failed {
    let text = fs::read_to_string(log).unwrap_or_default();
    if text.contains("could not create any TCP/IP sockets") {
        Failed::PortTaken
    } else if text.contains("is still in use") {
        Failed::StillHeld
    } else {
        Failed::For(start_error(log))
    }
}

fn start_error(log: &Path) -> EmbeddedError {
    EmbeddedError::Start { tail: tail(log), log: log.to_owned() }
}

/// The last lines of a log.
pub(super) fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        return "(it says nothing)".to_owned();
    }
    lines[lines.len().saturating_sub(15)..].join("\n")
}

fn mentions(arguments: &[u8], path: &Path) -> bool {
    let path = path.as_os_str().as_encoded_bytes();
    arguments.windows(path.len()).any(|window| window == path)
}

/// What the server says of itself in `postmaster.pid`.
struct PidFile {
    pid: u32,
    ready: bool,
}

impl PidFile {
    fn path(pgdata: &Path) -> PathBuf {
        pgdata.join("postmaster.pid")
    }

    fn read(pgdata: &Path) -> Option<Self> {
        let text = fs::read(Self::path(pgdata)).ok()?;
        // It holds a path, which may be no UTF-8.
        let text = String::from_utf8_lossy(&text);
        let pid = text.lines().next()?.trim().parse().ok()?;
        Some(Self { pid, ready: text.lines().nth(7).is_some_and(|status| status.trim() == "ready") })
    }

    fn remove(pgdata: &Path) -> Result<(), EmbeddedError> {
        let path = Self::path(pgdata);
        match fs::remove_file(&path) {
            // Its server was just ending, and removed it itself.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result.map_err(file("remove", &path)),
        }
    }
}
