//! Secrets in files that only their owner can read.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use picsbridge::seal;
use secrecy::{ExposeSecret as _, SecretString};

/// The master key of the data folder, created on first use.
pub fn own_master_key(data_dir: &Path) -> anyhow::Result<SecretString> {
    kept_secret(&data_dir.join("master-key"), || Ok(seal::new_master_key()?))
}

/// Reads a secret from its file. If the file is missing, it creates both.
fn kept_secret(
    path: &Path,
    make: impl FnOnce() -> anyhow::Result<SecretString>,
) -> anyhow::Result<SecretString> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(SecretString::from(text.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let secret = make()?;
            write_secret(path, &secret)?;
            Ok(secret)
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

pub fn write_secret(path: &Path, secret: &SecretString) -> anyhow::Result<()> {
    // Written to a temporary file and renamed, because half a key would be worse than none.
    let beside = path.with_extension("new");
    let _ = std::fs::remove_file(&beside);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(secret.expose_secret().as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    Ok(())
}
