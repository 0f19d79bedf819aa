//! Data folders of tests. They are removed when dropped, when the process ends, or at the latest in
//! a later run.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PREFIX: &str = "picsbridge-tests-";
/// Younger folders may belong to a run that has not taken its lock yet.
const STALE: Duration = Duration::from_mins(10);

/// Waits until the process that started it and its server have ended, then removes the named
/// folders.
const REMOVE: &str = r#"
trap '' HUP INT TERM
cat >/dev/null
n=0
while [ -e "$1/data/postmaster.pid" ] && [ "$n" -lt 300 ]; do sleep 0.1; n=$((n + 1)); done
rm -rf -- "$@"
"#;

/// A private data folder. It is removed when dropped, with the cluster that root keeps elsewhere.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("{PREFIX}{}", uuid::Uuid::new_v4()));
        DirBuilder::new().mode(0o700).create(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The process id of its database server, if one runs.
    pub fn server_pid(&self) -> Option<String> {
        let text = fs::read_to_string(cluster(&self.0).join("data/postmaster.pid")).ok()?;
        Some(text.lines().next()?.to_owned())
    }

    /// Leaves the folder to a child process, which removes it after this process has ended.
    pub fn remove_at_exit(&self) -> Child {
        Command::new("/bin/sh")
            .args(["-c", REMOVE, "sh"])
            .args(parts(&self.0))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Removes the folders of earlier runs that were killed together with their remover.
pub fn remove_stale() {
    for entry in fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let old = entry
            .metadata()
            .and_then(|data| data.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > STALE));
        if ours && old && !is_held(&entry.path().join("postgres.lock")) {
            remove(&entry.path());
        }
    }
}

fn is_held(lock: &Path) -> bool {
    match File::open(lock) {
        Ok(file) => file.try_lock().is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// The cluster of a data folder.
fn cluster(folder: &Path) -> PathBuf {
    fs::read_to_string(folder.join("postgres-location"))
        .map_or_else(|_| folder.join("postgres"), |text| PathBuf::from(text.trim_end()))
}

/// The cluster, its lock, and the folder itself.
fn parts(folder: &Path) -> [PathBuf; 3] {
    let cluster = cluster(folder);
    let lock = PathBuf::from(format!("{}.lock", cluster.display()));
    [cluster, lock, folder.to_owned()]
}

fn remove(folder: &Path) {
    let [cluster, lock, folder] = parts(folder);
    let _ = fs::remove_dir_all(cluster);
    let _ = fs::remove_file(lock);
    let _ = fs::remove_dir_all(folder);
}
