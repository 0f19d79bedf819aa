//! What can go wrong with the private server, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use super::constants::READY_WITHIN;

/// Why the private PostgreSQL could not be started, found or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// The host has no PostgreSQL server.
    #[error("PostgreSQL is not installed on this machine: {advice}")]
    NotInstalled {
        /// The command that installs it here, or the alternative.
        advice: String,
    },
    /// The host has only versions that we do not support.
    #[error(
        "PostgreSQL {found} is too old: version {needed} or later is needed. Install one beside it, or set \
         DATABASE_URL to a server which you run"
    )]
    TooOld {
        /// The newest version found, and where.
        found: String,
        /// The oldest major version that works.
        needed: u32,
    },
    /// The cluster belongs to a major version which is not installed (any more).
    #[error(
        "the database in {} was made by PostgreSQL {cluster}, and this machine has {found}: install PostgreSQL \
         {cluster} beside it to go on (versions do not read each other's files)", folder.display()
    )]
    OtherVersion {
        folder: PathBuf,
        /// The major version that made it.
        cluster: u32,
        /// The versions that are here.
        found: String,
    },
    /// Another process holds the data folder.
    #[error(
        "the data folder {} is in use by {holder}: stop it first, or choose another folder with \
         PICSBRIDGE_DATA_DIR", data_dir.display()
    )]
    InUse {
        data_dir: PathBuf,
        /// Its process id and where its database listens.
        holder: String,
    },
    /// The service that holds the data folder does not say where it listens.
    #[error(
        "a service is starting on the data folder {} and is not ready after {} seconds: look at its output, \
         then try again", data_dir.display(), READY_WITHIN.as_secs()
    )]
    StillStarting { data_dir: PathBuf },
    /// Started as root, and the host has no user to run the server as.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has none of the users {tried}: create one of \
         them, or start picsbridge as another user"
    )]
    NoUnprivilegedUser {
        /// The users that were looked for.
        tried: String,
    },
    /// The server's user cannot use the folder.
    #[error(
        "{user} cannot enter and write {}, so PostgreSQL cannot keep its files there: let it pass the folders \
         above (chmod o+x), or set DATABASE_URL to a server which you run", folder.display()
    )]
    FolderClosed {
        folder: PathBuf,
        /// The user that the server would run as.
        user: String,
    },
    /// The server's user cannot run the binaries.
    #[error("{user} cannot run {}: install PostgreSQL in a place which every user can reach", program.display())]
    ProgramClosed {
        program: PathBuf,
        /// The user that the server would run as.
        user: String,
    },
    /// The cluster lives where only root can start it.
    #[error(
        "the database of the data folder {} was made by root, and is in {}: start picsbridge as root, or \
         choose another folder with PICSBRIDGE_DATA_DIR", data_dir.display(), folder.display()
    )]
    MadeByRoot { data_dir: PathBuf, folder: PathBuf },
    /// The pointer names a folder that is gone.
    #[error(
        "the database of this data folder should be in {}, which does not exist: restore it from a backup, or \
         delete {} to begin with an empty database", folder.display(), pointer.display()
    )]
    ClusterMissing {
        /// Where the cluster should be.
        folder: PathBuf,
        /// The file that says so.
        pointer: PathBuf,
    },
    /// There is a cluster, and no password for it.
    #[error(
        "there is a database in {}, but not its password in {}: restore that file from a backup, or delete the \
         database's folder to begin with an empty one", folder.display(), file.display()
    )]
    PasswordMissing { folder: PathBuf, file: PathBuf },
    /// A file or folder could not be used.
    #[error("cannot {action} {}", path.display())]
    File {
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        source: io::Error,
    },
    /// A program could not be run.
    #[error("cannot run {program}")]
    Program { program: String, source: io::Error },
    #[error("the database could not be initialised; initdb says:\n{output}")]
    Initialise {
        /// The last lines of what it said.
        output: String,
    },
    /// The server ended before it was ready.
    #[error("PostgreSQL did not start; the end of its log, {}:\n{tail}", log.display())]
    Start { log: PathBuf, tail: String },
    /// The server did not accept connections in time.
    #[error(
        "PostgreSQL is not ready after {} seconds, and was told to stop; it may be recovering from a crash, then \
         trying again helps. The end of its log, {}:\n{tail}", READY_WITHIN.as_secs(), log.display()
    )]
    NotReady { log: PathBuf, tail: String },
    /// The server runs and refuses us.
    #[error(
        "PostgreSQL runs but cannot be used; if it refuses the password, restore the file postgres-password of \
         the data folder from a backup"
    )]
    Refused { source: sqlx::Error },
    /// A server did not stop in time.
    #[error("PostgreSQL (process {pid}) does not stop: look at its log, {}, then end it yourself", log.display())]
    DoesNotStop { pid: u32, log: PathBuf },
}

/// Makes an [`EmbeddedError::File`] of what happened, for `map_err`.
pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError {
    move |source| EmbeddedError::File { action, path: path.to_owned(), source }
}
