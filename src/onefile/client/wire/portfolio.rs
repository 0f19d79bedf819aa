//! What a learner has in the portfolio: learning aims and reviews. A search's rows have little more than the id.

use chrono::{DateTime, NaiveDate, Utc};

use super::rows::rows;

/// A learning aim of a learner's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LearningAim {
    pub id: String,
    /// The learner, where that is said.
    pub user_id: Option<String>,
    /// What it was made of, where that is said.
    pub standard_id: Option<String>,
    /// 0 in progress, 1 achieved, 2 withdrawn (assumed).
    pub status: Option<i64>,
    pub progress: Option<f64>,
    /// Elements in all; not every OneFile counts them (assumed).
    pub total_elements: Option<i64>,
    pub elements_done: Option<i64>,
    pub started: Option<NaiveDate>,
    pub planned_end: Option<NaiveDate>,
    /// Registration number with the awarding body.
    pub registration_number: Option<String>,
    /// Day of the registration.
    pub registered: Option<NaiveDate>,
    /// Day on which the certificate was applied for.
    pub certificate_applied: Option<NaiveDate>,
    /// Day on which the certificate came.
    pub certificate_received: Option<NaiveDate>,
    /// Day of the achievement.
    pub achieved: Option<NaiveDate>,
}

/// A review of a learner's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Review {
    pub id: String,
    /// The learner, where that is said.
    pub learner_id: Option<String>,
    pub assessor_id: Option<String>,
    pub employer_id: Option<String>,
    /// The visit that it belongs to.
    pub visit_id: Option<String>,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
    /// When it is planned for.
    pub scheduled: Option<DateTime<Utc>>,
    /// When it began: it was held.
    pub started: Option<DateTime<Utc>>,
    /// When the assessor signed.
    pub assessor_signed: Option<DateTime<Utc>>,
    /// When the learner signed.
    pub learner_signed: Option<DateTime<Utc>>,
    /// When the employer signed.
    pub employer_signed: Option<DateTime<Utc>>,
    /// The learner's then, percent.
    pub progress: Option<f64>,
}

impl LearningAim {
    /// Its progress in percent, without the fraction.
    #[allow(clippy::cast_possible_truncation, reason = "it is cut to what a percentage can be")]
    pub fn percent(&self) -> Option<i64> {
        self.progress.map(|percent| percent.clamp(0.0, 100.0) as i64)
    }
}

rows! {
    LearningAim {
        user_id: id "UserID", standard_id: id "StandardID", status: integer "Status", progress: number "Progress",
        total_elements: integer "TotalElements", elements_done: integer "ElementsDone", started: day "StartDate",
        planned_end: day "PlannedEnd", registration_number: text "RegistrationNumber", registered: day "RegistrationDate",
        certificate_applied: day "CertificateAppliedDate", certificate_received: day "CertificateReceivedDate",
        achieved: day "AchievedDate",
    }
    Review {
        learner_id: id "LearnerID", assessor_id: id "AssessorID", employer_id: id "EmployerID", visit_id: id "VisitID",
        created: instant "CreatedOn", scheduled: instant "ScheduledFor", started: instant "StartedOn",
        assessor_signed: instant "AssessorSignedOn", learner_signed: instant "LearnerSignedOn",
        employer_signed: instant "EmployerSignedOn", progress: number "Progress",
    }
}
