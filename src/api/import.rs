//! Importing records: up to 10,000 at once, as a JSON array or a line each. Every record has its outcome, in the call
//! itself; the good ones are kept.

use std::collections::HashSet;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use chrono::NaiveDate;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::task::{JoinError, JoinHandle};
use tracing::error;
use utoipa::ToSchema;
use uuid::Uuid;

use super::State;
use super::extract::ImportBody;
use super::problem::{Code, Problem};
use super::records::{Resource, to_new};
use crate::domain::{Fault, counted, parse};
use crate::store::{By, SealedRecord, SealedRecords, Store, StoreResult};

/// Records in one import.
const MOST: usize = 10_000;
/// A record is a few kB; telling all that is wrong with a hostile one takes time by its size.
const LARGEST: usize = 1024 * 1024;
/// Records written in one statement.
const CHUNK: usize = 1000;
/// The first ones are written in a smaller one: until it is read the database has nothing to do.
const FIRST: usize = 100;
/// Chunks that are read at once.
const READ_AT_ONCE: usize = 2;
/// Statements at once: while one waits for the disk, and the next record is read here, another is under way.
const AT_ONCE: usize = 3;

/// What happened to the records of an import.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "succeeded": 1, "failed": 1,
    "items": [{"index": 0, "id": "L-1001", "outcome": "succeeded", "problem": null},
        {"index": 1, "id": "L-1002", "outcome": "failed", "problem": {"code": "invalidRequest", "message": "1 fault", "line": 2,
            "errors": [{"pointer": "/lastName", "code": "required", "message": "Send this field: it is required."}]}}]
}))]
pub struct ImportAnswer {
    /// Records that were kept.
    #[schema(example = 2)]
    succeeded: usize,
    /// Records that were not.
    #[schema(example = 1)]
    failed: usize,
    /// Every record, in the order it came.
    items: Vec<ImportItem>,
}

/// What happened to one record.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportItem {
    /// Where it stood, from 0.
    #[schema(example = 0)]
    index: usize,
    /// Its id, if one could be read.
    #[schema(example = "L1")]
    id: Option<String>,
    /// How it went.
    outcome: ImportOutcome,
    /// All that is wrong with it; null when it was kept.
    problem: Option<ImportProblem>,
}

/// How it went for a record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ImportOutcome {
    /// It is kept.
    Succeeded,
    /// It is not; what was kept before under its id still is.
    Failed,
}

/// All that is wrong with a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportProblem {
    /// Always `invalidRequest`.
    #[schema(example = "invalidRequest")]
    code: &'static str,
    /// In words.
    #[schema(example = "1 fault")]
    message: String,
    /// The line of the body in which the record begins, from 1.
    #[schema(example = 1)]
    line: usize,
    /// Each fault; pointers are within the record.
    errors: Vec<Fault>,
}

/// Imports.
///
/// # Errors
/// A body that is no list of records; the database's.
pub async fn import<R: Resource>(
    state: &State,
    provider: Uuid,
    body: ImportBody,
    by: &By,
) -> Result<HttpResponse, Problem> {
    let raw = split(&body)?;
    let mut lines = Lines::of(&body.bytes);
    let mut answer = ImportAnswer { succeeded: 0, failed: 0, items: Vec::with_capacity(raw.len()) };
    let mut ids = HashSet::with_capacity(raw.len());
    let mut writing: FuturesUnordered<JoinHandle<StoreResult<()>>> = FuturesUnordered::new();
    let (first, rest) = raw.split_at(raw.len().min(FIRST));
    let (store, today) = (&state.store, state.auth.clock().today());
    let chunks = std::iter::once(first).chain(rest.chunks(CHUNK)).map(|chunk| {
        let begin = chunk.first().map_or(1, |text| lines.number(text));
        let records: Vec<Bytes> = chunk.iter().map(|text| body.bytes.slice_ref(text)).collect();
        (records, begin)
    });
    // Beside this thread, which has others' requests to answer, and two at a time.
    let mut chunks = futures_util::stream::iter(chunks)
        .map(|(records, begin)| {
            let (store, body) = (store.clone(), body.bytes.clone());
            tokio::task::spawn_blocking(move || {
                let lines =
                    Lines { left: records.first().map_or(&[], |text| rest_of(&body, text)), line: begin };
                prepare::<R>(&store, provider, &records, lines, today)
            })
        })
        .buffered(READ_AT_ONCE);
    while let Some(chunk) = chunks.next().await {
        let mut good = SealedRecords::default();
        for record in broken(chunk)? {
            match record {
                Ready::Good(record, line) if !ids.insert(record.id().to_owned()) => {
                    let pointer = format!("/{}", R::ID_FIELD);
                    let message = "This id stands in the import before: send each record once.";
                    let fault = Fault::at(pointer, "duplicateId", message);
                    answer.refused(Some(record.id().to_owned()), line, vec![fault]);
                }
                Ready::Good(record, _) => {
                    answer.kept(record.id().to_owned());
                    good.push(record);
                }
                Ready::Bad(id, line, errors) => answer.refused(id, line, errors),
            }
        }
        if writing.len() >= AT_ONCE
            && let Some(done) = writing.next().await
        {
            broken(done)?;
        }
        if !good.is_empty() {
            // On the main runtime: the next chunk is read and sealed meanwhile.
            let (store, by) = (state.background.ace360.store.clone(), by.clone());
            writing.push(
                state.background.spawn(async move { store.put_records(provider, R::KIND, &good, &by).await }),
            );
        }
    }
    // What takes a while is made ready while the last ones are written.
    let response = HttpResponse::Ok().json(answer);
    while let Some(done) = writing.next().await {
        broken(done)?;
    }
    Ok(response)
}

/// A record of an import, read.
enum Ready {
    /// It is good, and begins in this line.
    Good(SealedRecord, usize),
    /// Its id, if that can be read, the line in which it begins, and what is wrong.
    Bad(Option<String>, usize, Vec<Fault>),
}

/// Reads, checks and seals some records.
fn prepare<R: Resource>(
    store: &Store,
    provider: Uuid,
    records: &[Bytes],
    mut lines: Lines<'_>,
    today: NaiveDate,
) -> Result<Vec<Ready>, Problem> {
    let mut ready = Vec::with_capacity(records.len());
    for text in records {
        let line = lines.number(text);
        let parsed = if text.len() > LARGEST {
            Err(vec![Fault::at("", "tooLong", "Send a record of less than 1 MiB.")])
        } else {
            parse::parse_line::<R>(text, || line, today)
        };
        ready.push(match parsed {
            Ok(record) => {
                let new = to_new(&record, text.len(), store, provider)?;
                Ready::Good(store.seal_new(provider, R::KIND, new)?, line)
            }
            Err(errors) => Ready::Bad(id_of::<R>(text), line, errors),
        });
    }
    Ok(ready)
}

/// What follows from a part of the body on.
fn rest_of<'a>(body: &'a [u8], part: &[u8]) -> &'a [u8] {
    let ahead = part.as_ptr().addr().saturating_sub(body.as_ptr().addr());
    body.get(ahead..).unwrap_or_default()
}

fn broken<T, E>(done: Result<Result<T, E>, JoinError>) -> Result<T, Problem>
where
    Problem: From<E>,
{
    match done {
        Ok(result) => Ok(result?),
        Err(error) => {
            error!(%error, "the task of an import failed");
            Err(Problem::new(Code::Internal, "Something unexpected happened here: send the import again."))
        }
    }
}

impl ImportAnswer {
    fn kept(&mut self, id: String) {
        self.succeeded += 1;
        self.items.push(ImportItem {
            index: self.items.len(),
            id: Some(id),
            outcome: ImportOutcome::Succeeded,
            problem: None,
        });
    }

    fn refused(&mut self, id: Option<String>, line: usize, errors: Vec<Fault>) {
        self.failed += 1;
        let message = counted(errors.len(), "fault", "faults");
        let problem = Some(ImportProblem { code: "invalidRequest", message, line, errors });
        self.items.push(ImportItem { index: self.items.len(), id, outcome: ImportOutcome::Failed, problem });
    }
}

/// The records, each as it came.
fn split(body: &ImportBody) -> Result<Vec<&[u8]>, Problem> {
    let records: Vec<&[u8]> = if body.lines {
        split_lines(&body.bytes).filter(|line| !line.iter().all(u8::is_ascii_whitespace)).collect()
    } else {
        // At once, instead of each record by itself.
        let raw: Result<Vec<&RawValue>, _> = match std::str::from_utf8(&body.bytes) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(&body.bytes),
        };
        let raw = raw.map_err(|error| {
            let fault = if body.bytes.iter().all(u8::is_ascii_whitespace) {
                Fault::at("", "malformedJson", "The body is empty: send a JSON array of records.")
            } else if error.is_data() {
                Fault::at(
                    "",
                    "wrongType",
                    "Send an array of records, or one record a line as application/x-ndjson.",
                )
            } else {
                let (line, column) = (error.line(), error.column());
                Fault::at(
                    "",
                    "malformedJson",
                    format!("This is not JSON: it breaks at line {line}, column {column}."),
                )
            };
            Problem::faults(vec![fault])
        })?;
        raw.into_iter().map(|value| value.get().as_bytes()).collect()
    };
    if records.len() > MOST {
        return Err(Problem::faults(vec![Fault::at(
            "",
            "tooMany",
            format!("Send at most {MOST} records at once."),
        )]));
    }
    Ok(records)
}

/// The lines of a body, without their ends. By a search for their ends and not byte by byte: a body has millions.
fn split_lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut begin = 0;
    let ends = memchr::memchr_iter(b'\n', body).chain(std::iter::once(body.len()));
    ends.filter_map(move |end| body.get(std::mem::replace(&mut begin, end + 1)..end))
}

/// Tells in which line of the body a record begins. The records are asked for in their order, so that no line is counted
/// twice.
struct Lines<'a> {
    left: &'a [u8],
    line: usize,
}

impl<'a> Lines<'a> {
    fn of(body: &'a [u8]) -> Self {
        Self { left: body, line: 1 }
    }

    /// Of a record, which is a part of the body.
    fn number(&mut self, record: &[u8]) -> usize {
        let ahead = record.as_ptr().addr().saturating_sub(self.left.as_ptr().addr());
        if let Some((passed, left)) = self.left.split_at_checked(ahead) {
            self.line += memchr::memchr_iter(b'\n', passed).count();
            self.left = left;
        }
        self.line
    }
}

/// The id of a record that cannot be used, so that its outcome can be told apart.
fn id_of<R: Resource>(text: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(text).ok()?;
    let id = value.get(R::ID_FIELD)?.as_str()?;
    R::id(id).ok().map(|_| id.to_owned())
}
