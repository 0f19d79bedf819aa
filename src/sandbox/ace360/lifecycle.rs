//! The life of a record after its creation: the steps to the certificate, and the archive. In the
//! real ACE360 other people do this by hand over months.

use super::record::{Apprentice, Status};
use crate::sandbox::now;

/// The usual order: every status in turn except the two bad ones.
fn after(status: u32) -> Option<u32> {
    match status {
        1..=4 | 7 | 8 => Some(status + 1),
        // A denied gateway is submitted again, and a failed assessment is repeated.
        6 => Some(4),
        5 | 10 => Some(7),
        _ => None,
    }
}

/// Grades to set instead of the step's own.
#[derive(Debug, Default)]
pub struct Grades {
    pub overall: Option<String>,
    pub provisional: Option<String>,
}

/// Takes the usual next step. After the last status the certificate is claimed. `false`: nothing is
/// left to do.
pub fn next(apprentice: &mut Apprentice) -> bool {
    if let Some(status) = after(apprentice.status.id).and_then(Status::of) {
        enter(apprentice, status, &Grades::default());
        return true;
    }
    if apprentice.status.id == 9 && apprentice.esfa_certificate_claimed_at.is_none() {
        apprentice.esfa_certificate_claimed_at = Some(now::stamp());
        return true;
    }
    false
}

/// Sets the status with its dates and grades.
pub fn enter(apprentice: &mut Apprentice, status: Status, grades: &Grades) {
    let today = now::today().to_string();
    match status.id {
        2 => {
            // A gateway needs an assessment organisation.
            apprentice.epao_registered_date.get_or_insert(today);
            let expected = apprentice.estimated_end_date.clone();
            apprentice.estimated_gateway_at_epao_registration.get_or_insert(expected);
        }
        4 => apprentice.gateway_submitted_date = Some(today),
        5 => apprentice.approved_for_epa_date = Some(today),
        6 => apprentice.denied_epa_date = Some(today),
        7 => apprentice.epa_in_progress_date = Some(today),
        8 => apprentice.epa_provisional_grade = Some("merit".to_owned()),
        9 => {
            let provisional = apprentice.epa_provisional_grade.clone();
            apprentice.epa_overall_grade = Some(provisional.unwrap_or_else(|| "pass".to_owned()));
            apprentice.grade_date = Some(today);
        }
        10 => {
            apprentice.epa_overall_grade = Some("fail".to_owned());
            apprentice.grade_date = Some(today);
        }
        _ => {}
    }
    apprentice.status = status;
    grade(apprentice, grades);
}

/// Sets the given grades.
pub fn grade(apprentice: &mut Apprentice, grades: &Grades) {
    if let Some(provisional) = &grades.provisional {
        apprentice.epa_provisional_grade = Some(provisional.clone());
    }
    if let Some(overall) = &grades.overall {
        apprentice.epa_overall_grade = Some(overall.clone());
    }
}

/// Archives or restores the record.
pub fn archive(apprentice: &mut Apprentice, archived: bool, reason: Option<&str>) {
    if archived {
        apprentice.archived_at = Some(now::stamp());
        apprentice.archival_status = Some(reason.unwrap_or("Withdrawn").to_owned());
    } else {
        apprentice.archived_at = None;
        apprentice.archival_status = None;
    }
}
