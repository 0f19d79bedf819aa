//! Importing records: up to 10,000 at once, as a JSON array or a line each. Every record has its outcome, in the call
//! itself; the good ones are kept.

use std::collections::HashSet;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use chrono::NaiveDate;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde::Serialize;
use tokio::task::{JoinError, JoinHandle};
use tracing::error;
use utoipa::ToSchema;
use uuid::Uuid;

use super::State;
use super::extract::ImportBody;
use super::import_faults::{FaultRoom, MOST_OF_A_RECORD};
use super::import_split::{Lines, split};
use super::problem::{Code, Problem};
use super::records::{Resource, to_new};
use crate::domain::Fault;
use crate::domain::parse::{self, BadItem};
use crate::store::{By, SealedRecord, SealedRecords, Store, StoreResult};

/// A record is a few kB.
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
    /// Whether this record was stored.
    outcome: ImportOutcome,
    /// All that is wrong with it; null when it was kept.
    problem: Option<ImportProblem>,
}

/// How it went for a record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ImportOutcome {
    /// The record was stored.
    Succeeded,
    /// It is not; what was kept before under its id still is.
    Failed,
}

/// All that is wrong with a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportProblem {
    /// Always the code `invalidRequest`.
    #[schema(example = "invalidRequest")]
    code: &'static str,
    /// What is wrong, and how to fix it.
    #[schema(example = "1 fault")]
    message: String,
    /// The line of the body in which the record begins, from 1.
    #[schema(example = 1)]
    line: usize,
    /// The faults; pointers are within the record. At most 10 of a record and 1,000 of an import are listed: a last one, `tooManyFaults`, says how
    /// many more there are.
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
    let mut room = FaultRoom::default();
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
                let first = records.first().map_or(&[][..], |first| first);
                let lines = Lines::starting_at(&body, first, begin);
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
                    let fault = vec![Fault::at(pointer, "duplicateId", message)];
                    let bad = BadItem { id: Some(record.id().to_owned()), faults: fault.into() };
                    answer.refused(bad, line, &mut room);
                }
                Ready::Good(record, _) => {
                    answer.kept(record.id().to_owned());
                    good.push(record);
                }
                Ready::Bad(bad, line) => answer.refused(bad, line, &mut room),
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

/// A record of an import, read, and the line in which it begins.
enum Ready {
    Good(SealedRecord, usize),
    Bad(BadItem, usize),
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
            let fault = vec![Fault::at("", "tooLong", "Send a record of less than 1 MiB.")];
            Err(BadItem { id: None, faults: fault.into() })
        } else {
            parse::parse_item::<R>(text, line, today)
        };
        ready.push(match parsed {
            Ok(record) => {
                let new = to_new(&record, text.len(), store, provider)?;
                Ready::Good(store.seal_new(provider, R::KIND, new)?, line)
            }
            Err(mut bad) => {
                bad.faults.keep(MOST_OF_A_RECORD);
                Ready::Bad(bad, line)
            }
        });
    }
    Ok(ready)
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

    fn refused(&mut self, bad: BadItem, line: usize, room: &mut FaultRoom) {
        self.failed += 1;
        let message = bad.faults.counted();
        let problem =
            Some(ImportProblem { code: "invalidRequest", message, line, errors: room.list(bad.faults) });
        let index = self.items.len();
        self.items.push(ImportItem { index, id: bad.id, outcome: ImportOutcome::Failed, problem });
    }
}
