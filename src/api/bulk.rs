//! What calls on many learners share: which learners they name, and the batch that they begin.

use std::collections::HashSet;

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use uuid::Uuid;

use super::State;
use super::problem::Problem;
use super::runs::start;
use crate::domain::{Fault, LearnerId, RunKind};
use crate::store::{By, NewRun, StoreError};
use crate::upstream::run::{BatchFilter, BatchParams};

/// A batch that a call asks for.
pub struct Batch<S, O> {
    pub kind: RunKind,
    pub learners: Option<Vec<LearnerId>>,
    pub filter: Option<BatchFilter<S>>,
    pub options: O,
    pub validate_only: bool,
}

impl<S: Serialize, O: Serialize> Batch<S, O> {
    /// Begins the batch, and waits for its end as long as the caller prefers.
    pub async fn start(
        self,
        state: &State,
        request: &HttpRequest,
        provider: Uuid,
        by: By,
    ) -> Result<HttpResponse, Problem> {
        let params = BatchParams { filter: self.filter, options: self.options };
        let run = NewRun {
            learners: self.learners.as_deref().map(texts),
            shared: false,
            validate_only: self.validate_only,
            params: serde_json::to_value(params).map_err(StoreError::from)?,
            ..NewRun::of(provider, self.kind, by)
        };
        start(state, request, run).await
    }
}

/// The learners' ids as texts.
pub fn texts(ids: &[LearnerId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// The faults of a body that names learners, or has a filter; `done`: what a filter's learners are not yet.
pub fn which(ids: Option<&[LearnerId]>, filter: bool, done: &str) -> Vec<Fault> {
    match (ids, filter) {
        (None, false) => vec![Fault::at(
            "",
            "required",
            format!("Send `learnerIds`, or a `filter`; `{{\"filter\":{{}}}}` takes all that are not {done}."),
        )],
        (None, true) => Vec::new(),
        (Some(ids), false) => named(ids, "Name at least one learner."),
        (Some(ids), true) => {
            let both = "Send either `learnerIds` or `filter`, not both.";
            let mut faults = vec![Fault::at("/filter", "conflict", both)];
            faults.extend(named(ids, "Name at least one learner."));
            faults
        }
    }
}

/// The faults of a list of learners; `none`: what to say of an empty one.
pub fn named(ids: &[LearnerId], none: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    if ids.is_empty() {
        faults.push(Fault::at("/learnerIds", "required", none));
    }
    let mut seen = HashSet::new();
    for (at, id) in ids.iter().enumerate() {
        if !seen.insert(id) {
            let message = "This learner is named before: name each once.";
            faults.push(Fault::at(format!("/learnerIds/{at}"), "duplicateId", message));
        }
    }
    faults
}
