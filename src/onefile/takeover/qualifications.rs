//! Registration, certificates and element counts: each qualification with the learning aim of its code.

use std::collections::BTreeMap;

use super::report::{ChangedRecord, LearnerTakeover, Side};
use super::{Of, Pair, RemoteAim, filled};
use crate::domain::{Qualification, QualificationId, SyncRule, VqReference, counted};
use crate::onefile::codes::Code;

/// Qualifications and learning aims of one code.
type Same<'a> = (Vec<(usize, &'a Qualification)>, Vec<&'a RemoteAim>);

pub fn compare(pair: &Pair<'_>, draft: &mut LearnerTakeover) {
    let mut by_code: BTreeMap<String, Same<'_>> = BTreeMap::new();
    for (place, qualification) in pair.learner.qualifications.iter().enumerate() {
        let reference = qualification.vq_reference.as_ref().map(VqReference::as_str);
        if let Some(code) = reference.and_then(Code::parse) {
            by_code.entry(code.key).or_default().0.push((place, qualification));
        }
    }
    for aim in pair.aims {
        match aim.code.as_deref().and_then(Code::parse) {
            Some(code) => by_code.entry(code.key).or_default().1.push(aim),
            None => draft.notes.push(format!("Learning aim {} has no code: it is not compared.", aim.id)),
        }
    }
    for (code, (ours, theirs)) in by_code {
        match (ours.as_slice(), theirs.as_slice()) {
            (_, aims) if aims.iter().any(|aim| aim.unread) => {
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

fn fields(place: usize, ours: &Qualification, theirs: &RemoteAim, draft: &mut LearnerTakeover) {
    let of = |field| Of {
        record: ChangedRecord::Qualification,
        id: ours
            .qualification_id
            .as_ref()
            .map(QualificationId::as_str)
            .or(ours.vq_reference.as_ref().map(VqReference::as_str)),
        field,
        place,
        remote: Some(theirs.id.as_str()),
    };
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string());
    for (field, here, there) in [
        (
            "registrationNumber",
            filled(ours.registration_number.as_deref()),
            filled(theirs.registration_number.as_deref()),
        ),
        ("registrationDate", day(ours.registration_date), day(theirs.registration_date)),
        (
            "certificateAppliedForDate",
            day(ours.certificate_applied_for_date),
            day(theirs.certificate_applied),
        ),
        ("certificateReceivedDate", day(ours.certificate_received_date), day(theirs.certificate_received)),
    ] {
        match (&here, &there) {
            (Some(ours), Some(theirs)) if ours == theirs => {}
            (Some(_), None) => draft.change(of(field), Side::OneFile, None, here, SyncRule::BlankThere),
            (None, _) => draft.change(of(field), Side::PicsWeb, None, there, SyncRule::BlankHere),
            (Some(_), Some(_)) => draft.change(of(field), Side::PicsWeb, here, there, SyncRule::OneFileWins),
        }
    }
    for (field, here, there) in [
        ("totalElements", ours.total_elements, total(theirs)),
        ("elementsDone", ours.elements_done, done(theirs)),
    ] {
        if there.is_some() && here != there {
            let text = |count: Option<i64>| count.map(|count| count.to_string());
            draft.change(of(field), Side::PicsWeb, text(here), text(there), SyncRule::OneFileCounts);
        }
    }
}

/// Whether OneFile does not count elements: then its progress stands for elements done of 100.
fn by_progress(aim: &RemoteAim) -> bool {
    aim.total_elements.is_none() && aim.elements_done.is_none() && aim.progress.is_some()
}

fn total(aim: &RemoteAim) -> Option<i64> {
    if by_progress(aim) { Some(100) } else { aim.total_elements.map(count) }
}

/// Never more than there are in all: a record of ours cannot say so.
fn done(aim: &RemoteAim) -> Option<i64> {
    if by_progress(aim) {
        return aim.progress.map(|percent| percent.clamp(0, 100));
    }
    let done = aim.elements_done.map(count)?;
    Some(total(aim).map_or(done, |total| done.min(total)))
}

/// A count, as a record of ours can hold it.
fn count(told: i64) -> i64 {
    told.clamp(0, 100_000)
}
