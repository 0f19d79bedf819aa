//! Each qualification is compared with the learning aim of its code.

use std::collections::BTreeMap;

use super::pair::{Of, Pair};
use super::report::{ChangedRecord, LearnerTakeover};
use crate::domain::{DemographicsMode, Qualification, QualificationId, VqReference, counted};
use crate::onefile::catalogue::codes::Code;
use crate::onefile::fields::QUALIFICATION;
use crate::store::PortfolioAim;

/// Qualifications and learning aims of one code.
type Same<'a> = (Vec<(usize, &'a Qualification)>, Vec<&'a PortfolioAim>);

pub fn compare(pair: &Pair<'_>, draft: &mut LearnerTakeover) {
    let mut by_code: BTreeMap<String, Same<'_>> = BTreeMap::new();
    for (place, qualification) in pair.learner.qualifications.iter().enumerate() {
        let reference = qualification.vq_reference.as_ref().map(VqReference::as_str);
        if let Some(code) = reference.and_then(Code::parse) {
            by_code.entry(code.key).or_default().0.push((place, qualification));
        }
    }
    for aim in pair.aims.iter().filter(|aim| !aim.gone) {
        match aim.vq_reference.as_deref().and_then(Code::parse) {
            Some(code) => by_code.entry(code.key).or_default().1.push(aim),
            None => draft
                .notes
                .push(format!("Learning aim {} has no code: it is not compared.", aim.learning_aim_id)),
        }
    }
    for (code, (ours, theirs)) in by_code {
        match (ours.as_slice(), theirs.as_slice()) {
            (_, aims) if aims.iter().any(|aim| !aim.read) => {
                draft.notes.push(format!("[{code}] is not compared: its learning aim could not be read."));
            }
            ([(place, qualification)], [aim]) => fields(*place, qualification, aim, draft),
            (_, []) => draft.notes.push(format!(
                "OneFile has no learning aim [{code}] of this learner: the qualification is not exchanged until it has."
            )),
            ([], _) => draft
                .notes
                .push(format!("No qualification with the VQ reference {code} is in the delivery plan.")),
            _ => draft.notes.push(format!(
                "[{code}] is not compared, since it cannot be told which is which: {} here, {} in OneFile.",
                counted(ours.len(), "qualification", "qualifications"),
                counted(theirs.len(), "learning aim", "learning aims")
            )),
        }
    }
}

fn fields(place: usize, ours: &Qualification, theirs: &PortfolioAim, draft: &mut LearnerTakeover) {
    let reference = ours.vq_reference.as_ref().map(VqReference::as_str);
    let of = Of {
        record: ChangedRecord::Qualification,
        id: ours.qualification_id.as_ref().map(QualificationId::as_str).or(reference),
        place,
        remote: &theirs.learning_aim_id,
    };
    draft.add(of, QUALIFICATION, ours, &theirs.fields, DemographicsMode::Ignored);
}
