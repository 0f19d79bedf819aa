//! Splits the body of an import into its records, each unchanged, and finds the line of each.

use serde_json::value::RawValue;

use super::extract::ImportBody;
use super::problem::Problem;
use crate::domain::Fault;
use crate::domain::serde_fields::Bounded;

/// The most records in one import.
const MOST: usize = 10_000;

/// The records, each unchanged.
pub fn split(body: &ImportBody) -> Result<Vec<&[u8]>, Problem> {
    let (records, cut_off) = if body.lines {
        let lines = split_lines(&body.bytes).filter(|line| !line.iter().all(u8::is_ascii_whitespace));
        let mut records: Vec<_> = lines.take(MOST + 1).collect();
        let cut_off = records.len() > MOST;
        records.truncate(MOST);
        (records, cut_off)
    } else {
        let array = array(&body.bytes).map_err(|fault| Problem::faults(vec![fault]))?;
        (array.entries.into_iter().map(|value| value.get().as_bytes()).collect(), array.cut_off)
    };
    if records.is_empty() {
        return Err(Problem::faults(vec![empty()]));
    }
    if cut_off {
        let message = format!("Send at most {MOST} records at once.");
        return Err(Problem::faults(vec![Fault::at("", "tooMany", message)]));
    }
    Ok(records)
}

fn array(json: &[u8]) -> Result<Bounded<&RawValue, MOST>, Fault> {
    // The whole text at once: that is faster than each record by itself.
    let read = match std::str::from_utf8(json) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(json),
    };
    read.map_err(|error| {
        if json.iter().all(u8::is_ascii_whitespace) {
            Fault::at("", "malformedJson", "The body is empty. Send a JSON array of records.")
        } else if error.is_data() {
            let message = "Send an array of records, or one record a line as application/x-ndjson.";
            Fault::at("", "wrongType", message)
        } else {
            let (line, column) = (error.line(), error.column());
            let message = format!("Send well-formed JSON. It breaks off at line {line}, column {column}.");
            Fault::at("", "malformedJson", message)
        }
    })
}

fn empty() -> Fault {
    Fault::at("", "emptyImport", "There is no record. Send at least one.")
}

/// The lines of a body, without their ends.
fn split_lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut begin = 0;
    let ends = memchr::memchr_iter(b'\n', body).chain(std::iter::once(body.len()));
    ends.filter_map(move |end| body.get(std::mem::replace(&mut begin, end + 1)..end))
}

/// Finds the line of the body in which a record begins. Ask for the records in their order: then no line
/// is counted twice.
pub struct Lines<'a> {
    left: &'a [u8],
    line: usize,
}

impl<'a> Lines<'a> {
    pub fn of(body: &'a [u8]) -> Self {
        Self { left: body, line: 1 }
    }

    /// For the records from `first` on, which begins in this line.
    pub fn starting_at(body: &'a [u8], first: &[u8], line: usize) -> Self {
        let ahead = first.as_ptr().addr().saturating_sub(body.as_ptr().addr());
        Self { left: body.get(ahead..).unwrap_or_default(), line }
    }

    /// The line of a record, which is a part of the body.
    pub fn number(&mut self, record: &[u8]) -> usize {
        let ahead = record.as_ptr().addr().saturating_sub(self.left.as_ptr().addr());
        if let Some((passed, left)) = self.left.split_at_checked(ahead) {
            self.line += memchr::memchr_iter(b'\n', passed).count();
            self.left = left;
        }
        self.line
    }
}
