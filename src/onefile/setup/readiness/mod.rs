//! OneFile's guide "setting up PICSWeb for the first time" as a checklist. Pure: counts and names
//! are passed in.
//!
//! A line is `blocked` if the first enrolments would create duplicates or fail. It is `attention`
//! if OneFile lacks something that an enrolment creates or leaves out.

mod input;
mod lines;
mod report;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::onefile::links::suggest::Remote;
pub use input::{
    Classrooms, Desktop, Linking, ReadinessInput, SharedMisValue, Token, Unlinked, WithoutEmail,
};
pub use report::{Check, CheckId, Fix, Named, Readiness, Verdict};

pub fn readiness(input: &ReadinessInput<'_>) -> Readiness {
    let checks = lines::all(input);
    Readiness { ready: checks.iter().all(|check| check.verdict != Verdict::Blocked), checks }
}

/// MIS values that several records of one centre share, archived ones included. OneFile then
/// refuses enrolments. The same value in two centres is normal: it identifies one officer in both.
pub fn shared_mis_values(assessors: &[Remote<'_>]) -> Vec<SharedMisValue> {
    let mut by_value: BTreeMap<(&str, String), BTreeMap<&str, &Remote<'_>>> = BTreeMap::new();
    for remote in assessors {
        let value = remote.mis_id.map(str::trim).filter(|value| !value.is_empty());
        if let Some(value) = value {
            let same = by_value.entry((remote.centre_id, value.to_lowercase())).or_default();
            // A record that was on two pages counts once.
            same.entry(remote.id).or_insert(remote);
        }
    }
    let shared = by_value.into_iter().filter(|(_, remotes)| remotes.len() > 1);
    shared
        .map(|((centre_id, value), remotes)| SharedMisValue {
            centre_id: centre_id.to_owned(),
            mis_value: remotes
                .values()
                .find_map(|remote| remote.mis_id)
                .map_or(value, |shown| shown.trim().to_owned()),
            assessors: remotes
                .values()
                .map(|it| if it.archived { format!("{} (archived)", it.id) } else { it.id.to_owned() })
                .collect(),
        })
        .collect()
}
