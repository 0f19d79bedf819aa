//! One slice of a run of any kind. It reads the parameters, then takes steps until the slice's time
//! is over, or the run waits or ends.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::store::{SliceEnd, Store, StoreError};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::run::{Halt, RunContext, RunLine, RunWork, Step};

/// A run fails when its upstream has kept it waiting for this long.
const LONGEST_RUN: TimeDelta = TimeDelta::hours(24);

#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// How long a slice takes steps.
    pub(super) slice: Duration,
    /// How long a run waits if the upstream does not say how long.
    pub(super) retry: Duration,
    /// Cancelled when the process stops: the slice ends after its step.
    pub(super) stopping: CancellationToken,
}

pub(super) trait AnyWork: Send + Sync {
    /// Works a slice, and returns how it ends. `None`: another worker has the run.
    fn slice<'a>(
        &'a self,
        store: &'a Store,
        limits: &'a Limits,
        run: &'a mut RunContext,
    ) -> BoxFuture<'a, Result<Option<SliceEnd>, StoreError>>;

    /// Called when the run ends before all is done. Cleans up what the run has begun.
    fn leave<'a>(&'a self, run: &'a mut RunContext) -> BoxFuture<'a, Result<(), StoreError>>;
}

impl<W: RunWork> AnyWork for W {
    fn slice<'a>(
        &'a self,
        store: &'a Store,
        limits: &'a Limits,
        run: &'a mut RunContext,
    ) -> BoxFuture<'a, Result<Option<SliceEnd>, StoreError>> {
        Box::pin(async move {
            match steps(self, store, limits, run).await {
                Ok(end) => Ok(Some(end)),
                Err(Halt::Blocked(failure)) => blocked(store, limits, run, &failure).await.map(Some),
                Err(Halt::Never(why)) => Ok(Some(SliceEnd::Failed(why))),
                Err(Halt::Replaced) => Ok(None),
                Err(Halt::Store(error)) => Err(error),
            }
        })
    }

    fn leave<'a>(&'a self, run: &'a mut RunContext) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            // An unreadable cursor says nothing about what was begun.
            let Ok(cursor) = cursor_of(run) else { return Ok(()) };
            match RunWork::leave(self, run, cursor).await {
                // Another worker that has the run cleans up itself.
                Ok(()) | Err(Halt::Replaced | Halt::Blocked(_) | Halt::Never(_)) => Ok(()),
                Err(Halt::Store(error)) => Err(error),
            }
        })
    }
}

async fn steps<W: RunWork>(
    work: &W,
    store: &Store,
    limits: &Limits,
    run: &mut RunContext,
) -> Result<SliceEnd, Halt> {
    let ends = Instant::now() + limits.slice;
    let params: W::Params = read("parameters", &run.row.params)?;
    let line = work.connect(run.row.provider_id).await?;
    if line.environment() != run.row.environment {
        return Err(Halt::Never(format!(
            "The settings' environment is {} now, and this run began in {}. What it had read stays. Start it again for {}.",
            line.environment(),
            run.row.environment,
            line.environment()
        )));
    }
    run.count_calls_of(line.meter());
    loop {
        if store.is_cancel_requested(run.row.id).await? {
            return Ok(SliceEnd::Cancelled);
        }
        if limits.stopping.is_cancelled() || Instant::now() >= ends {
            return Ok(SliceEnd::Again);
        }
        let cursor = cursor_of(run)?;
        match work.step(&line, run, &params, cursor).await {
            Ok(Step::More) => {}
            Ok(Step::Done) => return Ok(SliceEnd::Finished),
            Ok(Step::Waiting(wait, why)) => return Ok(SliceEnd::Wait(wait, why)),
            // A short wait for the rate limit is part of the work.
            Err(Halt::Blocked(failure))
                if failure.kind == FailureKind::Limited && Instant::now() + limits.wait(&failure) < ends =>
            {
                tokio::select! {
                    () = tokio::time::sleep(limits.wait(&failure)) => {}
                    () = limits.stopping.cancelled() => {}
                }
            }
            Err(halt) => return Err(halt),
        }
    }
}

impl Limits {
    fn wait(&self, failure: &Failure) -> Duration {
        failure.wait.unwrap_or(self.retry)
    }
}

/// The upstream does not let the run continue. It waits, unless waiting cannot help.
async fn blocked(
    store: &Store,
    limits: &Limits,
    run: &RunContext,
    failure: &Failure,
) -> Result<SliceEnd, StoreError> {
    let is_hopeless = match failure.kind {
        FailureKind::Unauthorised | FailureKind::Forbidden | FailureKind::Refused | FailureKind::Missing => {
            true
        }
        FailureKind::Limited | FailureKind::Unreachable | FailureKind::Failed => {
            let now = store.now().await?;
            run.row.started_at.is_some_and(|started| now - started > LONGEST_RUN)
        }
    };
    let why = failure.plain_text();
    Ok(if is_hopeless { SliceEnd::Failed(why) } else { SliceEnd::Wait(limits.wait(failure), why) })
}

/// The position of the run. `None`: before its first step.
fn cursor_of<C: DeserializeOwned>(run: &RunContext) -> Result<Option<C>, Halt> {
    let is_new = run.row.cursor.as_object().is_some_and(serde_json::Map::is_empty);
    if is_new { Ok(None) } else { read("cursor", &run.row.cursor).map(Some) }
}

/// Reads JSON from a run's row. Unreadable JSON never means "everyone": it fails the run. The
/// message names the place but no value, because a value may be a learner's id, which must not
/// outlive the learner's erasure.
fn read<T: DeserializeOwned>(what: &str, value: &Value) -> Result<T, Halt> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let place = match error.path().to_string() {
            path if path == "." => String::new(),
            path => format!(" at `{path}`"),
        };
        Halt::Never(format!("The run's {what} cannot be read{place}, so nothing was done. Begin a new run."))
    })
}
