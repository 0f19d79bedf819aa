//! Where the cluster lives, and as whom its server runs.
//!
//! PostgreSQL refuses to run as root. As root it therefore runs as an unprivileged user, who cannot enter a
//! private data folder: the cluster then lives below [`SHARED`], and a pointer file in the data folder says
//! where.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use super::constants::{PASSWORD, hex};
use super::error::{EmbeddedError, file};
use super::process::{self, Account};

/// Where clusters live that root starts. Others may pass through it (0711), each to its own folder (0700).
const SHARED: &str = "/var/lib/picsbridge";

/// The file in a data folder that names a cluster below [`SHARED`].
const POINTER: &str = "postgres-location";

/// The cluster of one data folder.
#[derive(Debug)]
pub(super) struct Place {
    /// The data folder, canonical.
    pub(super) data_dir: PathBuf,
    /// The cluster's folder. It exists only once the cluster is complete.
    pub(super) folder: PathBuf,
    /// As whom its programs run; `None`: as we do.
    pub(super) account: Option<Account>,
    shared: bool,
}

impl Place {
    /// Finds, or chooses, the place for the cluster of a data folder.
    pub(super) async fn of(data_dir: &Path, root: bool) -> Result<Self, EmbeddedError> {
        let place = |folder: PathBuf, account, shared| Self {
            data_dir: data_dir.to_owned(),
            folder,
            account,
            shared,
        };
        let pointer = data_dir.join(POINTER);
        if let Some(folder) = read_pointer(&pointer)? {
            if !root {
                return Err(EmbeddedError::MadeByRoot { data_dir: data_dir.to_owned(), folder });
            }
            let Some(account) = owner(&folder)? else {
                return Err(EmbeddedError::ClusterMissing { folder, pointer });
            };
            return Ok(place(folder, Some(account), true));
        }
        let local = data_dir.join("postgres");
        if !root {
            return Ok(place(local, None, false));
        }
        // Made earlier by another user, in whose name we go on.
        if let Some(account) = owner(&local)? {
            return Ok(place(local, Some(account), false));
        }
        make_shared()?;
        let hash = digest::digest(&digest::SHA256, data_dir.as_os_str().as_bytes());
        let folder = Path::new(SHARED).join(hex(&hash.as_ref()[..16]));
        let folder = if data_dir.join(PASSWORD).exists() { folder } else { unused(folder) };
        let account = match owner(&folder)? {
            Some(account) => account,
            None => process::unprivileged_account().await?,
        };
        Ok(place(folder, Some(account), true))
    }

    /// Writes the pointer to a cluster outside the data folder, once that cluster is complete.
    pub(super) fn point(&self) -> Result<(), EmbeddedError> {
        let pointer = self.data_dir.join(POINTER);
        if !self.shared || pointer.exists() {
            return Ok(());
        }
        let text = [self.folder.as_os_str().as_bytes(), b"\n"].concat();
        fs::write(&pointer, text).map_err(file("write", &pointer))
    }

    /// The lock of a cluster that more than one data folder can name.
    pub(super) fn lock_path(&self) -> Option<PathBuf> {
        self.shared.then(|| self.beside("lock"))
    }

    /// A name beside the cluster's folder.
    pub(super) fn beside(&self, extension: &str) -> PathBuf {
        let mut name = self.folder.clone().into_os_string();
        name.push(".");
        name.push(extension);
        name.into()
    }

    /// What PostgreSQL calls the data directory.
    pub(super) fn pgdata(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// Makes sure that the account can use `folder` and run `program`, before either fails half way.
    pub(super) async fn probe(&self, folder: &Path, program: &Path) -> Result<(), EmbeddedError> {
        let script = r#"cd "$1" && : >probe && rm probe || exit 3; test -x "$2" || exit 4"#;
        let status = process::command(self.account.as_ref(), Path::new("/bin/sh"))
            .arg("-c")
            .arg(script)
            .arg("sh")
            .arg(folder)
            .arg(program)
            .output()
            .await
            .map_err(|source| EmbeddedError::Program { program: "/bin/sh".to_owned(), source })?
            .status;
        let user = self.account.as_ref().map_or_else(|| "your user".to_owned(), Account::to_string);
        match status.code() {
            Some(3) => Err(EmbeddedError::FolderClosed { folder: self.folder.clone(), user }),
            Some(4) => Err(EmbeddedError::ProgramClosed { program: program.to_owned(), user }),
            _ => Ok(()),
        }
    }
}

/// Makes the data folder where it is missing, for its owner alone, and says its full name.
pub(super) fn prepare_data_dir(data_dir: &Path) -> Result<PathBuf, EmbeddedError> {
    DirBuilder::new().recursive(true).mode(0o700).create(data_dir).map_err(file("create", data_dir))?;
    data_dir.canonicalize().map_err(file("enter", data_dir))
}

fn make_shared() -> Result<(), EmbeddedError> {
    let shared = Path::new(SHARED);
    fs::create_dir_all(shared).map_err(file("create", shared))?;
    fs::set_permissions(shared, Permissions::from_mode(0o711)).map_err(file("set the mode of", shared))
}

/// A name for a new cluster, beside those of a data folder which was at this place before.
///
/// Its owner may have deleted it, but may as well have moved it: the old cluster is not ours to remove.
fn unused(folder: PathBuf) -> PathBuf {
    if !folder.exists() {
        return folder;
    }
    tracing::warn!(
        folder = %folder.display(),
        "an earlier data folder of this name left its database; remove it if that data folder is gone for good"
    );
    (2..1000).map(|n| folder.with_extension(n.to_string())).find(|other| !other.exists()).unwrap_or(folder)
}

fn read_pointer(pointer: &Path) -> Result<Option<PathBuf>, EmbeddedError> {
    match fs::read_to_string(pointer) {
        Ok(text) if text.ends_with('\n') => Ok(Some(PathBuf::from(text.trim_end()))),
        // Cut short by a crash: the place follows from the data folder's name all the same.
        Ok(_) => fs::remove_file(pointer).map(|()| None).map_err(file("remove", pointer)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file("read", pointer)(error)),
    }
}

/// Who owns a folder; `None` when there is no such folder.
fn owner(folder: &Path) -> Result<Option<Account>, EmbeddedError> {
    match fs::metadata(folder) {
        Ok(metadata) => Ok(Some(Account { uid: metadata.uid(), gid: metadata.gid(), name: None })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file("look at", folder)(error)),
    }
}
