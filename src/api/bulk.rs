//! What calls on many learners share: which learners they name.

use std::collections::HashSet;

use crate::domain::{Fault, LearnerId};

/// The faults of a body that names learners, or has a filter; `done`: what a filter's learners are not yet.
pub fn which(ids: Option<&[LearnerId]>, filter: bool, done: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    match (ids, filter) {
        (None, false) => faults.push(Fault::at(
            "",
            "required",
            format!("Send `learnerIds`, or a `filter`; `{{\"filter\":{{}}}}` takes all that are not {done}."),
        )),
        (Some(_), true) => {
            faults.push(Fault::at("/filter", "conflict", "Send either `learnerIds` or `filter`, not both."));
        }
        _ => {}
    }
    let Some(ids) = ids else { return faults };
    if ids.is_empty() {
        faults.push(Fault::at("/learnerIds", "required", "Name at least one learner."));
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
