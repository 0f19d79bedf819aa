//! The folder of a sandbox's journal.

use std::path::PathBuf;

use picsbridge::sandbox::SandboxOptions;

/// A folder that is removed with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        Self(std::env::temp_dir().join(format!("picsbridge-sandbox-{}", uuid::Uuid::new_v4())))
    }

    pub fn options(&self) -> SandboxOptions {
        SandboxOptions { journal: Some(self.0.clone()), ..SandboxOptions::default() }
    }

    pub fn file(&self) -> PathBuf {
        self.0.join("ace360.jsonl")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
