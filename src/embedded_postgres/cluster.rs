//! Making the cluster, so that a crash at any moment leaves a whole one or none.
//!
//! `initdb` works in a folder beside (`<name>.new-…`), which is renamed once it is complete; what an attempt
//! that did not get there left is removed before the next one.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;

use super::constants::{NAME, PASSWORD, hex};
use super::error::{EmbeddedError, file};
use super::installation::Installation;
use super::place::Place;
use super::process::{Account, Watched, WatchedCommand};
use super::server;

/// The major version that made the cluster; `None` when there is no cluster yet.
pub(super) fn major_version(place: &Place) -> Result<Option<u32>, EmbeddedError> {
    if !place.folder.exists() {
        return Ok(None);
    }
    let path = place.pgdata().join("PG_VERSION");
    let text = fs::read_to_string(&path).map_err(file("read", &path))?;
    text.trim().parse().map(Some).map_err(|error| file("read", &path)(io::Error::other(error)))
}

/// Makes the cluster where there is none, and returns its password.
pub(super) async fn ensure(
    place: &Place,
    installation: &Installation,
    durable: bool,
) -> Result<String, EmbeddedError> {
    remove_leftovers(place).await;
    let password = if place.folder.exists() {
        place.probe(&place.folder, &installation.program("postgres")).await?;
        read_password(&place.data_dir).map_err(|error| match error {
            EmbeddedError::File { source, path, .. } if source.kind() == io::ErrorKind::NotFound => {
                EmbeddedError::PasswordMissing { folder: place.folder.clone(), file: path }
            }
            other => other,
        })?
    } else {
        match initialise(place, installation, durable).await {
            Ok(password) => password,
            Err(error) => {
                remove_leftovers(place).await;
                return Err(error);
            }
        }
    };
    place.point()?;
    Ok(password)
}

/// The password of the cluster of a data folder.
pub(super) fn read_password(data_dir: &Path) -> Result<String, EmbeddedError> {
    let path = password_path(data_dir);
    Ok(fs::read_to_string(&path).map_err(file("read", &path))?.trim_end().to_owned())
}

fn password_path(data_dir: &Path) -> PathBuf {
    data_dir.join(PASSWORD)
}

async fn initialise(
    place: &Place,
    installation: &Installation,
    durable: bool,
) -> Result<String, EmbeddedError> {
    let attempt = place.beside(&format!("new-{}", random::<4>()?));
    DirBuilder::new().mode(0o700).create(&attempt).map_err(file("create", &attempt))?;
    give(&attempt, place.account.as_ref())?;
    place.probe(&attempt, &installation.program("initdb")).await?;

    // Ours first: a cluster never exists without it.
    let password = random::<24>()?;
    write_secret(&password_path(&place.data_dir), &password)?;
    let for_initdb = attempt.join("password");
    write_secret(&for_initdb, &password)?;
    give(&for_initdb, place.account.as_ref())?;

    let log = attempt.join("initdb.log");
    let mut program = WatchedCommand::new(place.account.as_ref(), &installation.program("initdb"), &log);
    program.command.args(["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--data-checksums"]);
    program.command.args(["--no-instructions", "--username", NAME]);
    program.command.arg("--pwfile").arg(&for_initdb).arg("--pgdata").arg(attempt.join("data"));
    if !durable {
        program.command.arg("--no-sync");
    }
    let status = Watched::spawn(program)?
        .wait()
        .await
        .map_err(|source| EmbeddedError::Program { program: "initdb".to_owned(), source })?;
    if !status.success() {
        return Err(EmbeddedError::Initialise { output: server::tail(&log) });
    }
    fs::remove_file(&for_initdb).map_err(file("remove", &for_initdb))?;
    fs::rename(&attempt, &place.folder).map_err(file("rename", &attempt))?;
    sync_parent(&place.folder)?;
    Ok(password)
}

/// Removes what earlier attempts left. What cannot be removed harms nobody: the next attempt has another name.
async fn remove_leftovers(place: &Place) {
    let (Some(parent), Some(name)) = (place.folder.parent(), place.folder.file_name()) else { return };
    let prefix = format!("{}.new-", name.to_string_lossy());
    let parent = parent.to_owned();
    let removing = tokio::task::spawn_blocking(move || {
        for entry in fs::read_dir(&parent).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix)
                && let Err(error) = fs::remove_dir_all(entry.path())
            {
                tracing::warn!(folder = %entry.path().display(), %error, "cannot remove a half-made database");
            }
        }
    });
    if removing.await.is_err() {
        tracing::warn!("removing half-made databases was cut short");
    }
}

/// Writes a file that only its owner may read, and waits until it is on disk.
fn write_secret(path: &Path, text: &str) -> Result<(), EmbeddedError> {
    let write = || {
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        // A file that is there already keeps its mode otherwise.
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(format!("{text}\n").as_bytes())?;
        file.sync_all()
    };
    write().map_err(file("write", path))
}

fn give(path: &Path, account: Option<&Account>) -> Result<(), EmbeddedError> {
    match account {
        Some(account) => chown(path, Some(account.uid), Some(account.gid)).map_err(file("give away", path)),
        None => Ok(()),
    }
}

fn sync_parent(path: &Path) -> Result<(), EmbeddedError> {
    let parent = path.parent().unwrap_or(path);
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(file("write", parent))
}

fn random<const BYTES: usize>() -> Result<String, EmbeddedError> {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes).map_err(|error| EmbeddedError::Program {
        program: "the random number generator".to_owned(),
        source: io::Error::other(error),
    })?;
    Ok(hex(&bytes))
}
