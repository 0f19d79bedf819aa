//! Which standard of ACE360's is sent: the one chosen for the learner, if it may be.
//!
//! It is never guessed, not even where one only fits: a LARS code does not tell version and option, a record
//! of the wrong standard has cost a credit, and its standard cannot be put right from here.

use super::input::{NO_CATALOGUE, UploadInput};
use super::reading::{Reading, sent};
use crate::ace360::client::wire::Standard;
use crate::domain::Ace360StandardId;

/// The standards of the learner's LARS code on which one may start that day, newest first. Without a start
/// date all of the code; without a code none, since every standard would do.
pub fn candidates<'a>(input: &UploadInput<'a>) -> Vec<&'a Standard> {
    let programme = input.learner.programme.as_ref();
    let Some(code) = programme.and_then(|programme| programme.standard_code) else { return Vec::new() };
    let start = programme.and_then(|programme| programme.start_date);
    let mut fitting: Vec<&Standard> = input
        .standards
        .iter()
        .filter(|standard| !standard.archived && standard.lars_code == Some(code.get()))
        .filter(|standard| start.is_none_or(|start| standard.valid_at(start)))
        .collect();
    fitting.sort_by_key(|standard| (std::cmp::Reverse(standard.valid_from), standard.standard_id));
    fitting
}

/// The chosen standard's id, if it may be sent.
pub(super) fn read(input: &UploadInput<'_>) -> Reading {
    let chosen = input.learner.ace360.as_ref().and_then(|choice| choice.standard_id);
    let Some(chosen) = chosen.map(Ace360StandardId::get) else { return Reading::fault(none_chosen(input)) };
    let Some(standard) = input.standards.iter().find(|standard| standard.standard_id == chosen) else {
        if input.has_no_catalogue() {
            return Reading::fault(NO_CATALOGUE);
        }
        return Reading::fault(format!(
            "ACE360's catalogue has no standard {chosen}: choose another in ILR Summary > ACE360 Standard, \
             or refresh the catalogue with POST /ace360/standards:refresh."
        ));
    };
    let faults: Vec<_> = faults(input, standard).into_iter().map(|message| (None, message)).collect();
    let source = format!("Learner > ILR Summary > ACE360 Standard{}", described(standard));
    let reading = sent(Some(chosen).filter(|_| faults.is_empty())).shown_at(source);
    Reading { faults, warnings: not_compared(input, standard), ..reading }
}

/// Why the standard may not be sent for this learner.
fn faults(input: &UploadInput<'_>, standard: &Standard) -> Vec<String> {
    let id = standard.standard_id;
    let mut faults = Vec::new();
    if standard.archived {
        faults.push(format!(
            "Standard {id} is archived in ACE360: choose another in ILR Summary > ACE360 Standard."
        ));
    }
    let programme = input.learner.programme.as_ref();
    if let Some(ours) = programme.and_then(|programme| programme.standard_code)
        && let Some(theirs) = standard.lars_code
        && ours.get() != theirs
    {
        faults.push(format!(
            "Standard {id} has the LARS code {theirs}, the learner's programme {}: choose another in \
             ILR Summary > ACE360 Standard, or correct ILR Summary > Apprenticeship Standard.",
            ours.get()
        ));
    }
    if let Some(start) = programme.and_then(|programme| programme.start_date)
        && !standard.valid_at(start)
    {
        let day = |day: Option<chrono::NaiveDate>| day.map_or("open".to_owned(), |day| day.to_string());
        faults.push(format!(
            "One may start on standard {id} from {} to {}; the learner starts on {start}: choose another \
             version in ILR Summary > ACE360 Standard, or correct the start date.",
            day(standard.valid_from),
            day(standard.valid_to),
        ));
    }
    faults
}

/// A warning where the standard cannot be compared with the learner's LARS code.
fn not_compared(input: &UploadInput<'_>, standard: &Standard) -> Vec<String> {
    let ours = input.learner.programme.as_ref().and_then(|programme| programme.standard_code);
    let warning = match (ours, standard.lars_code) {
        (Some(_), Some(_)) => return Vec::new(),
        (None, _) => {
            "The learner has no standard code (ILR Summary > Apprenticeship Standard), so the chosen standard \
             could not be compared with it."
        }
        (_, None) => {
            "ACE360 does not say this standard's LARS code, so it could not be compared with the learner's."
        }
    };
    vec![warning.to_owned()]
}

fn none_chosen(input: &UploadInput<'_>) -> String {
    if input.has_no_catalogue() {
        return format!(
            "{NO_CATALOGUE} Then choose the standard in ILR Summary > ACE360 Standard (ace360.standardId)."
        );
    }
    let choose = format!(
        "Choose the standard in ILR Summary > ACE360 Standard (PUT /learners/{} with ace360.standardId)",
        input.learner_id
    );
    let candidates = candidates(input).len();
    let has_code =
        input.learner.programme.as_ref().is_some_and(|programme| programme.standard_code.is_some());
    match (has_code, candidates) {
        (false, _) => format!("{choose}; GET /ace360/standards lists them."),
        (true, 0) => format!(
            "{choose}. None in ACE360's catalogue fits the learner's LARS code and start date: correct these, \
             or refresh the catalogue with POST /ace360/standards:refresh."
        ),
        (true, _) => format!("{choose}; candidateStandards lists the {candidates} that may be chosen."),
    }
}

fn described(standard: &Standard) -> String {
    let version = standard.version.as_ref().map(|version| format!("version {version}"));
    let parts = [standard.st_code.clone(), standard.name.clone(), version, standard.option.clone()];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}
