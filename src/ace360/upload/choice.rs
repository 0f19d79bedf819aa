//! Which standard of ACE360's is sent: the one chosen for the learner, if it may be.
//!
//! It is never guessed, not even where one only fits: a LARS code does not tell version and option, a record
//! of the wrong standard has cost a credit, and its standard cannot be put right from here.

use super::draft::Draft;
use super::input::UploadInput;
use super::report::CandidateStandard;
use crate::ace360::standards::Standard;
use crate::domain::RecordRef;

const FIELD: &str = "standardId";
const POINTER: &str = "/ace360/standardId";

/// The standards of the learner's LARS code on which one may start that day, newest first. Without a start
/// date all of the code; without a code none, since every standard would do.
pub(super) fn candidates(input: &UploadInput<'_>) -> Vec<CandidateStandard> {
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
    fitting.into_iter().map(CandidateStandard::from).collect()
}

/// The chosen standard's id, if it may be sent.
pub(super) fn fill(input: &UploadInput<'_>, draft: &mut Draft) -> Option<i64> {
    let record = RecordRef::from(input.learner_id);
    let chosen = input.learner.ace360.as_ref().and_then(|choice| choice.standard_id);
    let Some(chosen) = chosen.map(crate::domain::Ace360StandardId::get) else {
        draft.miss(FIELD, &record, POINTER, none_chosen(input));
        return None;
    };
    let Some(standard) = input.standards.iter().find(|standard| standard.standard_id == chosen) else {
        let message = if is_empty(input) {
            EMPTY.to_owned()
        } else {
            format!(
                "ACE360's catalogue has no standard {chosen}: choose another in ILR Summary > ACE360 Standard, \
                 or refresh the catalogue with POST /ace360/standards:refresh."
            )
        };
        draft.miss(FIELD, &record, POINTER, message);
        return None;
    };
    let faults = faults(input, standard, draft);
    for message in &faults {
        draft.miss(FIELD, &record, POINTER, message);
    }
    let fits = faults.is_empty().then_some(chosen);
    draft.send(FIELD, format!("Learner > ILR Summary > ACE360 Standard{}", described(standard)), fits)
}

fn faults(input: &UploadInput<'_>, standard: &Standard, draft: &mut Draft) -> Vec<String> {
    let id = standard.standard_id;
    let mut faults = Vec::new();
    if standard.archived {
        faults.push(format!(
            "Standard {id} is archived in ACE360: choose another in ILR Summary > ACE360 Standard."
        ));
    }
    let programme = input.learner.programme.as_ref();
    match (programme.and_then(|programme| programme.standard_code), standard.lars_code) {
        (Some(ours), Some(theirs)) if ours.get() != theirs => faults.push(format!(
            "Standard {id} has the LARS code {theirs}, the learner's programme {}: choose another in \
             ILR Summary > ACE360 Standard, or correct ILR Summary > Apprenticeship Standard.",
            ours.get()
        )),
        (Some(_), Some(_)) => {}
        (None, _) => draft.warn(
            FIELD,
            "The learner has no standard code (ILR Summary > Apprenticeship Standard), so the chosen standard \
             could not be compared with it.",
        ),
        (_, None) => draft.warn(
            FIELD,
            "ACE360 does not say this standard's LARS code, so it could not be compared with the learner's.",
        ),
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

/// Whether the catalogue is: the sectors come from all standards.
pub(super) fn is_empty(input: &UploadInput<'_>) -> bool {
    input.standards.is_empty() && input.sectors.is_empty()
}

/// What to do then.
pub(super) const EMPTY: &str = "The catalogue of ACE360's standards is empty here, since it was not fetched yet: call \
                     POST /ace360/standards:refresh, and ask again when its run has ended.";

fn none_chosen(input: &UploadInput<'_>) -> String {
    if is_empty(input) {
        return format!(
            "{EMPTY} Then choose the standard in ILR Summary > ACE360 Standard (ace360.standardId)."
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
