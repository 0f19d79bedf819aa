//! An example of each kind of change, for the API document and the tests. The examples are values
//! of the real types, so they cannot show what the service never sends.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::change_ace360::{
    Ace360Status, ArchivedData, Archiving, CertificateClaimedData, GradeChangedData, Grades, RecordGoneData,
    StatusChangedData, UploadedData,
};
use super::change_onefile::{
    DetailsChangedData, OneFileArchivedData, OneFileUserData, QualificationChangedData, QualificationValue,
    ReviewChangedData, ReviewValue, SyncRule,
};
use super::change_service::{LinkData, RunFinishedData, WebhookDisabledData};
use super::{
    Change, ChangeEntry, ChangeType, LinkMethod, RunKind, RunState, Subject, SubjectKind, TestEntry,
    UploadMethod, Upstream,
};

/// 22 November 2026, 05:00:03 UTC.
const AT: DateTime<Utc> = DateTime::from_timestamp(1_795_323_603, 0).unwrap();
const CHANGE: Uuid = Uuid::from_u128(0x01a2_0126_7c6e_7b2e_8a53_0c1d_2e3f_4a5b);
/// The id of a link, a run or a webhook.
const OTHER: Uuid = Uuid::from_u128(0x019a_cb5e_7a10_7c3e_9d52_6f0e_3b1a_2c4d);
const RECORD: i64 = 248;
const USER: &str = "700412";
const CENTRE: &str = "1001";

impl ChangeEntry {
    pub fn example(kind: ChangeType) -> Self {
        let subject = match kind {
            ChangeType::RunFinished => Subject::run(OTHER),
            ChangeType::WebhookDisabled => Subject::webhook(OTHER),
            ChangeType::LinkCreated | ChangeType::LinkRemoved => {
                Subject { kind: SubjectKind::Officer, id: "O-17".to_owned() }
            }
            _ => Subject::learner("L-1001"),
        };
        Self::new(CHANGE, subject, AT, Change::example(kind))
    }
}

impl TestEntry {
    pub fn example() -> Self {
        Self::new(CHANGE, OTHER, AT)
    }
}

impl Change {
    pub fn example(kind: ChangeType) -> Self {
        match kind {
            ChangeType::Uploaded => Self::Uploaded(UploadedData {
                record_id: RECORD,
                status: status(1, "In Training"),
                method: UploadMethod::Upload,
            }),
            ChangeType::StatusChanged => Self::StatusChanged(StatusChangedData {
                record_id: RECORD,
                before: status(1, "In Training"),
                after: status(2, "Gateway in Progress"),
            }),
            ChangeType::GradeChanged => Self::GradeChanged(GradeChangedData {
                record_id: RECORD,
                before: grades(None, None),
                after: grades(Some("merit"), Some("2026-11-20")),
            }),
            ChangeType::Archived => Self::Archived(ArchivedData {
                record_id: RECORD,
                before: archiving(None, None),
                after: archiving(Some("2026-11-20T10:12:00Z"), Some("Withdrawn")),
            }),
            ChangeType::CertificateClaimed => Self::CertificateClaimed(CertificateClaimedData {
                record_id: RECORD,
                before: None,
                after: Some("2026-11-20T10:12:00Z".to_owned()),
            }),
            ChangeType::Gone => Self::Gone(RecordGoneData { record_id: RECORD }),
            ChangeType::Returned => Self::Returned(RecordGoneData { record_id: RECORD }),
            ChangeType::Enrolled => Self::Enrolled(user()),
            ChangeType::ProgressChanged => Self::ProgressChanged(qualification(
                "elementsDone",
                Some(QualificationValue::Count(12)),
                QualificationValue::Count(15),
                SyncRule::OneFileCounts,
            )),
            ChangeType::RegistrationChanged => Self::RegistrationChanged(qualification(
                "registrationNumber",
                Some(QualificationValue::Text("REG-1".to_owned())),
                QualificationValue::Text("REG-2".to_owned()),
                SyncRule::OneFileWins,
            )),
            ChangeType::CertificateChanged => Self::CertificateChanged(qualification(
                "certificateReceivedDate",
                None,
                QualificationValue::Text("2026-11-20".to_owned()),
                SyncRule::BlankHere,
            )),
            ChangeType::DetailsChanged => Self::DetailsChanged(DetailsChangedData {
                user_id: Some(USER.to_owned()),
                one_file_id: None,
                field: "mobile".to_owned(),
                before: None,
                after: "07700 900123".to_owned(),
                why: Some(SyncRule::DetailsPulled),
                found_by: None,
            }),
            ChangeType::UserArchived => Self::UserArchived(OneFileArchivedData {
                user_id: USER.to_owned(),
                centre_id: CENTRE.to_owned(),
                archived: true,
            }),
            ChangeType::UserGone => Self::UserGone(user()),
            ChangeType::UserReturned => Self::UserReturned(user()),
            ChangeType::ReviewChanged => Self::ReviewChanged(ReviewChangedData {
                review_id: Some("R-7".to_owned()),
                one_file_id: Some("70211".to_owned()),
                field: "attendance".to_owned(),
                before: None,
                after: Some(ReviewValue::Text("attended".to_owned())),
                why: Some(SyncRule::ReviewStarted),
                found_by: None,
            }),
            ChangeType::LinkCreated => {
                Self::LinkCreated(LinkData { method: Some(LinkMethod::Manual), ..link() })
            }
            ChangeType::LinkRemoved => Self::LinkRemoved(link()),
            ChangeType::RunFinished => Self::RunFinished(RunFinishedData {
                kind: RunKind::StatusSync,
                upstream: Upstream::Ace360,
                validate_only: false,
                state: RunState::Succeeded,
                succeeded: 3,
                unchanged: 410,
                failed: 0,
                skipped: 0,
            }),
            ChangeType::WebhookDisabled => Self::WebhookDisabled(WebhookDisabledData {
                reason: WebhookDisabledData::GONE.to_owned(),
                failing_since: AT - TimeDelta::days(1),
            }),
        }
    }
}

fn status(id: i32, words: &str) -> Ace360Status {
    Ace360Status { id: Some(id), text: Some(words.to_owned()) }
}

fn grades(overall: Option<&str>, day: Option<&str>) -> Grades {
    Grades {
        provisional_grade: None,
        overall_grade: overall.map(str::to_owned),
        grade_date: day.map(str::to_owned),
    }
}

fn archiving(at: Option<&str>, why: Option<&str>) -> Archiving {
    Archiving { archived_at: at.map(str::to_owned), archival_status: why.map(str::to_owned) }
}

fn user() -> OneFileUserData {
    OneFileUserData { user_id: Some(USER.to_owned()), centre_id: CENTRE.to_owned() }
}

fn qualification(
    field: &str,
    before: Option<QualificationValue>,
    after: QualificationValue,
    why: SyncRule,
) -> QualificationChangedData {
    QualificationChangedData {
        qualification_id: Some("Q-1".to_owned()),
        vq_reference: Some("105AS".to_owned()),
        learning_aim_id: Some("700413".to_owned()),
        field: field.to_owned(),
        before,
        after,
        why,
        found_by: None,
    }
}

fn link() -> LinkData {
    LinkData::onefile(OTHER, CENTRE.to_owned(), "50012".to_owned())
}
