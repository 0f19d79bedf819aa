//! What a reading of a linked record changes. Pure.

use crate::domain::change_ace360::{
    ArchivedData, Archiving, CertificateClaimedData, GradeChangedData, Grades, RecordGoneData,
    StatusChangedData,
};
use crate::domain::{Ace360LinkState, Ace360Status, Change};
use crate::store::{Detail, LinkRow, LinkStatus, Reading};

/// What a reading of a linked record means.
#[derive(Debug)]
pub struct Decision {
    /// What is known of the record now.
    pub now: LinkStatus,
    pub changes: Vec<Change>,
    /// The list shows that the record was archived or came back, but only the single record says why: it must be read.
    pub wants_single: bool,
}

impl Decision {
    /// Whether the history gets a line.
    pub fn status_changed(&self) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::StatusChanged(_)))
    }
}

/// What is known after a reading: what it did not say stays as it was.
fn merged(link: &LinkRow, reading: &Reading) -> LinkStatus {
    let said = reading.status_id.is_some() || reading.status_text.is_some();
    let detail = reading.detail.as_ref();
    let pick = |new: fn(&Detail) -> &Option<String>, old: &Option<String>| {
        detail.map_or_else(|| old.clone(), |d| new(d).clone())
    };
    LinkStatus {
        read_singly: detail.is_some(),
        status_id: if said { reading.status_id } else { link.status_id },
        status_text: if said { reading.status_text.clone() } else { link.status_text.clone() },
        archived_at: reading.archived_at.clone().unwrap_or_else(|| link.archived_at.clone()),
        archival_status: pick(|d| &d.archival_status, &link.archival_status),
        provisional_grade: pick(|d| &d.provisional_grade, &link.provisional_grade),
        overall_grade: pick(|d| &d.overall_grade, &link.overall_grade),
        grade_date: pick(|d| &d.grade_date, &link.grade_date),
        certificate_claimed_at: reading
            .certificate_claimed_at
            .clone()
            .unwrap_or_else(|| link.certificate_claimed_at.clone()),
    }
}

/// What the reading says that was not known.
pub fn decide(link: &LinkRow, reading: &Reading) -> Decision {
    let mut now = merged(link, reading);
    let wants_single = !now.read_singly && now.archived_at != link.archived_at;
    if wants_single {
        now.archived_at.clone_from(&link.archived_at);
    }
    let changes = differences(link, now.clone());
    Decision { now, changes, wants_single }
}

fn differences(link: &LinkRow, now: LinkStatus) -> Vec<Change> {
    let record_id = link.record_id;
    let mut changes = Vec::new();
    if link.state == Ace360LinkState::Gone {
        changes.push(Change::Returned(RecordGoneData { record_id }));
    }
    if now.status_id != link.status_id || (now.status_id.is_none() && now.status_text != link.status_text) {
        let before = Ace360Status { id: link.status_id, text: link.status_text.clone() };
        let after = Ace360Status { id: now.status_id, text: now.status_text };
        changes.push(Change::StatusChanged(StatusChangedData { record_id, before, after }));
    }
    let before = Grades {
        provisional_grade: link.provisional_grade.clone(),
        overall_grade: link.overall_grade.clone(),
        grade_date: link.grade_date.clone(),
    };
    let after = Grades {
        provisional_grade: now.provisional_grade,
        overall_grade: now.overall_grade,
        grade_date: now.grade_date,
    };
    if after != before {
        changes.push(Change::GradeChanged(GradeChangedData { record_id, before, after }));
    }
    let before =
        Archiving { archived_at: link.archived_at.clone(), archival_status: link.archival_status.clone() };
    let after = Archiving { archived_at: now.archived_at, archival_status: now.archival_status };
    if after != before {
        changes.push(Change::Archived(ArchivedData { record_id, before, after }));
    }
    let (before, after) = (link.certificate_claimed_at.clone(), now.certificate_claimed_at);
    if after != before {
        changes.push(Change::CertificateClaimed(CertificateClaimedData { record_id, before, after }));
    }
    changes
}
