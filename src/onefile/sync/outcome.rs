//! What a learner's exchange came to, in words. Pure.

use crate::domain::{RecordCode, counted};
use crate::store::{IntentProblem, OutcomeKind, RecordOutcome, Told as Words};
use crate::upstream::failure::{Failure, faults};

#[derive(Default)]
pub(crate) struct Told {
    /// Values that came down.
    pub(crate) values_down: usize,
    /// Values that went up.
    pub(crate) values_up: usize,
    /// Learning aims that were assigned.
    pub(crate) assigned: usize,
    /// Reviews that were made in OneFile.
    pub(crate) reviews_up: usize,
    /// Reviews that came down, or are other than they were.
    pub(crate) reviews_down: usize,
    /// What was sent and never answered.
    pub(crate) open: Vec<String>,
    /// The searches for what changed had not told of it.
    pub(crate) missed: bool,
    /// What is noted now and was not before.
    pub(crate) new_notes: Vec<String>,
}

impl Told {
    /// Whether anything was done, or is to be said.
    pub(crate) fn is_quiet(&self) -> bool {
        self.done() == 0 && self.new_notes.is_empty()
    }

    fn done(&self) -> usize {
        self.values_down + self.values_up + self.assigned + self.reviews_up + self.reviews_down
    }

    pub(crate) fn words(&self) -> String {
        let lines = [
            (self.values_down, "value came down", "values came down"),
            (self.values_up, "value went up", "values went up"),
            (self.assigned, "learning aim was assigned", "learning aims were assigned"),
            (self.reviews_up, "review was made in OneFile", "reviews were made in OneFile"),
            (self.reviews_down, "review came down", "reviews came down"),
        ];
        let mut words: Vec<String> = lines
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| format!("{}.", counted(count, one, many)))
            .collect();
        if self.missed {
            words
                .push("OneFile's search for what changed had not told of it: the sweep found it.".to_owned());
        }
        words.extend(self.new_notes.iter().cloned());
        words.join(" ")
    }
}

/// Why an exchange did not work whole, as it is kept.
pub(crate) fn problem(failed: &[(String, Failure)], told: &Told) -> Option<(RecordCode, IntentProblem)> {
    if let Some((what, failure)) = failed.first() {
        let mut problem = failure.problem();
        problem.message = format!("{what}: {}", problem.message);
        return Some((failure.kind.record_code(), problem));
    }
    let what = told.open.first()?;
    let message = format!(
        "It is not known whether OneFile has {what}: the answer was lost. See GET /intents?state=unknown."
    );
    Some((RecordCode::UnknownOutcome, IntentProblem::ours("unknownOutcome", message)))
}

pub(crate) fn outcome(
    learner: &str,
    failed: &[(String, Failure)],
    problem: Option<&(RecordCode, IntentProblem)>,
    told: &Told,
) -> RecordOutcome {
    if let Some((code, problem)) = problem {
        let errors = failed.iter().flat_map(|(_, failure)| faults(&failure.field_errors)).collect();
        let done = told.words();
        let message =
            if done.is_empty() { problem.message.clone() } else { format!("{} {done}", problem.message) };
        let words = Words { message, errors, record_ids: Vec::new() };
        return RecordOutcome::learner(learner, OutcomeKind::Failed, *code).told(words);
    }
    if told.is_quiet() {
        return RecordOutcome::learner(learner, OutcomeKind::Unchanged, RecordCode::Changed);
    }
    RecordOutcome::learner(learner, OutcomeKind::Succeeded, RecordCode::Changed)
        .told(Words::words(told.words()))
}
