//! A learner's portfolio: learning aims and reviews. The rows of a search contain little more than
//! the id.

use chrono::{DateTime, NaiveDate, Utc};

use super::rows::rows;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct LearningAim {
    pub id: String,
    /// The learner, if OneFile says it.
    pub user_id: Option<String>,
    /// The standard that it was made from, if OneFile says it.
    pub standard_id: Option<String>,
    /// 0 in progress, 1 achieved, 2 withdrawn (assumed).
    pub status: Option<i64>,
    pub progress: Option<f64>,
    /// All elements; not every OneFile customer counts them (assumed).
    pub total_elements: Option<i64>,
    pub elements_done: Option<i64>,
    pub started: Option<NaiveDate>,
    pub planned_end: Option<NaiveDate>,
    /// The registration number with the awarding body.
    pub registration_number: Option<String>,
    pub registered: Option<NaiveDate>,
    /// The day on which the certificate was applied for.
    pub certificate_applied: Option<NaiveDate>,
    /// The day on which the certificate arrived.
    pub certificate_received: Option<NaiveDate>,
    /// The day of the achievement.
    pub achieved: Option<NaiveDate>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Review {
    pub id: String,
    /// The learner, if OneFile says it.
    pub learner_id: Option<String>,
    pub assessor_id: Option<String>,
    pub employer_id: Option<String>,
    pub visit_id: Option<String>,
    pub created: Option<DateTime<Utc>>,
    pub scheduled: Option<DateTime<Utc>>,
    /// The start; set once the review was held.
    pub started: Option<DateTime<Utc>>,
    pub assessor_signed: Option<DateTime<Utc>>,
    pub learner_signed: Option<DateTime<Utc>>,
    pub employer_signed: Option<DateTime<Utc>>,
    /// The learner's progress at that time, in percent.
    pub progress: Option<f64>,
}

impl LearningAim {
    /// The progress in percent, without the fraction.
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
