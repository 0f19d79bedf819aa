//! The files that keep records over a restart, one for each upstream. Each change appends one JSON
//! line. At the start the file is rewritten without outdated lines. Lines are not synced to the
//! disk one by one: they survive the process but not a power cut, which is enough for invented
//! data.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// An open journal. While it is open, no other sandbox can use it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    _lock: File,
}

impl Journal {
    /// Opens the journal of this name, and passes each old line to `replay`.
    pub fn open<P: DeserializeOwned>(
        folder: &Path,
        name: &str,
        mut replay: impl FnMut(P),
    ) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = File::create(folder.join(format!("{name}.lock")))?;
        lock.try_lock().map_err(|_| {
            let message = format!("another sandbox is using the journal in {}", folder.display());
            io::Error::new(io::ErrorKind::WouldBlock, message)
        })?;
        let path = folder.join(format!("{name}.jsonl"));
        let file = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
        let mut lines = BufReader::new(&file);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            // A line without an end was being written when the process was killed, so it does not
            // count.
            if line.ends_with(b"\n") {
                replay(serde_json::from_slice(&line)?);
            }
            line.clear();
        }
        Ok(Self { path, file, _lock: lock })
    }

    /// Replaces the file with these lines.
    pub fn rewrite<E: Serialize>(&mut self, entries: impl Iterator<Item = E>) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        let mut writer = BufWriter::new(File::create(&beside)?);
        for entry in entries {
            serde_json::to_writer(&mut writer, &entry)?;
            writer.write_all(b"\n")?;
        }
        writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&beside, &self.path)?;
        self.file = OpenOptions::new().append(true).open(&self.path)?;
        Ok(())
    }

    /// Appends these lines with one write, so that a killed process leaves all of them or the first
    /// few.
    pub fn append<E: Serialize>(&mut self, entries: &[E]) -> io::Result<()> {
        let mut lines = Vec::with_capacity(2048);
        for entry in entries {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        self.file.write_all(&lines)
    }
}

/// The simulator continues without its journal, because the records are still in memory.
pub fn report(outcome: Option<io::Result<()>>) {
    if let Some(Err(error)) = outcome {
        tracing::error!(%error, "the sandbox could not write its journal: records will not survive a restart");
    }
}
