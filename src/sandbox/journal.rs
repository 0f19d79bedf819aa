//! The file that lets records outlive a restart: one JSON line for each change, appended as it happens, rewritten
//! without what is superseded when the sandbox starts. Lines are not synced to the disk one by one: they outlive
//! the process, not a power cut, which is enough for invented data.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ace360::books::Account;
use super::ace360::record::Record;

/// One line, to be written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Entry<'a> {
    /// The record as it is now.
    Record(&'a Record),
    Removed(u64),
    /// The organisation's credits as they are now.
    Account(&'a Account),
    /// No id below this is given out again, also when its record is gone.
    NextId(u64),
}

/// One line, read back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Past {
    Record(Box<Record>),
    Removed(u64),
    Account(Account),
    NextId(u64),
}

/// The open journal. While it is open, no other sandbox can use its folder.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    _lock: File,
}

impl Journal {
    /// Opens it, handing each line of the past to `replay`.
    pub fn open(folder: &Path, mut replay: impl FnMut(Past)) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = File::create(folder.join("ace360.lock"))?;
        lock.try_lock().map_err(|_| {
            let message = format!("another sandbox is using the journal in {}", folder.display());
            io::Error::new(io::ErrorKind::WouldBlock, message)
        })?;
        let path = folder.join("ace360.jsonl");
        let file = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
        let mut lines = BufReader::new(&file);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            // A line without an end was being written when the process was killed: it never happened.
            if line.ends_with(b"\n") {
                replay(serde_json::from_slice(&line)?);
            }
            line.clear();
        }
        Ok(Self { path, file, _lock: lock })
    }

    /// Replaces all that was written by these lines.
    pub fn rewrite<'a>(&mut self, entries: impl Iterator<Item = Entry<'a>>) -> io::Result<()> {
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

    /// Adds these lines with one write, so that a killed process leaves all of them or the first few.
    pub fn append(&mut self, entries: &[Entry<'_>]) -> io::Result<()> {
        let mut lines = Vec::with_capacity(2048);
        for entry in entries {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        self.file.write_all(&lines)
    }
}
