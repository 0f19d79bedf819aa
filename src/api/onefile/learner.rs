//! A learner's OneFile tab: where it stands.

use actix_web::get;
use actix_web::web::{Data, Json};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::State;
use super::super::errors::ReadErrors;
use super::super::extract::{Caller, Id};
use super::super::problem::{Code, Problem, UpstreamCause};
use crate::auth::scope::needs::OnefileRead;
use crate::domain::{
    EnrolmentState, Learner, LearnerId, LearnerStatus, LinkState, OneFileId, OneFileState, QualificationId,
    StepState, VqReference,
};
use crate::onefile::catalogue::codes;
use crate::store::{EnrolmentStep, IntentProblem, Portfolio, RecordKind};

impl From<EnrolmentState> for OneFileState {
    fn from(state: EnrolmentState) -> Self {
        match state {
            EnrolmentState::Enrolling => Self::Enrolling,
            EnrolmentState::Incomplete => Self::Incomplete,
            EnrolmentState::Unknown => Self::Unknown,
            EnrolmentState::Rejected => Self::Rejected,
            EnrolmentState::Enrolled => Self::Enrolled,
        }
    }
}

/// A learner's OneFile tab.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "learnerId": "L-1001", "eligible": true, "ineligibleReason": null, "state": "enrolled", "userId": "20011", "centreId": "1001", "archived": false,
    "enrolledAt": "2026-11-20T10:12:00Z", "lastExchangedAt": "2026-11-22T05:00:41Z",
    "qualifications": [{"qualificationId": "Q-31", "vqReference": "196AS", "standardId": "901", "learningAimId": "50112", "totalElements": 20,
        "elementsDone": 8, "registrationNumber": "REG-1", "registrationDate": "2025-10-01", "certificateAppliedForDate": null, "certificateReceivedDate": null}],
    "reviews": [], "steps": [{"name": "user", "state": "done", "remoteId": "20011", "problem": null}], "notes": [], "problem": null
}))]
pub struct OneFileTab {
    /// PICSWeb's id of the learner.
    #[schema(example = "L-1001")]
    pub learner_id: String,
    /// Whether the learner may be enrolled.
    eligible: bool,
    /// Why the learner is not eligible. Null for a learner who is.
    ineligible_reason: Option<String>,
    /// The learner's state in this system.
    state: OneFileState,
    /// OneFile's id of the user; null when no user is linked.
    #[schema(example = "20011")]
    user_id: Option<String>,
    /// OneFile's id of the user's centre; null when no user is linked.
    #[schema(example = "1001")]
    centre_id: Option<String>,
    /// Whether the user is archived in OneFile.
    archived: bool,
    /// When the enrolment's last step was done (UTC). Null: the enrolment is not complete, or the
    /// user was linked by hand.
    enrolled_at: Option<DateTime<Utc>>,
    /// When the learner was last exchanged (UTC); null: never.
    last_exchanged_at: Option<DateTime<Utc>>,
    /// The qualifications of the delivery plan, with OneFile's values.
    qualifications: Vec<OneFileLearnerQualification>,
    /// OneFile's reviews that PICSWeb has not claimed by their OneFile System ID.
    reviews: Vec<OneFileReview>,
    /// The steps of the enrolment.
    pub steps: Vec<OneFileStep>,
    /// What the last exchange found that somebody should look at.
    notes: Vec<String>,
    /// Why the last enrolment or exchange of this learner failed, if it did.
    problem: Option<OneFileProblem>,
}

/// A qualification after the last exchange.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneFileLearnerQualification {
    /// PICSWeb's id of the qualification.
    #[schema(example = "Q-31")]
    qualification_id: Option<String>,
    /// The qualification's VQ reference in PICSWeb.
    #[schema(example = "196AS")]
    vq_reference: Option<String>,
    /// OneFile's id of the standard.
    #[schema(example = "901")]
    standard_id: Option<String>,
    /// OneFile's id of the learning aim; null: it is not assigned.
    #[schema(example = "50112")]
    learning_aim_id: Option<String>,
    /// Number of elements in OneFile.
    total_elements: Option<i64>,
    /// Number of elements that are complete.
    elements_done: Option<i64>,
    /// The awarding organisation's registration number.
    registration_number: Option<String>,
    /// The date of registration with the awarding organisation.
    registration_date: Option<NaiveDate>,
    /// The day on which the certificate was applied for; null when it was not.
    certificate_applied_for_date: Option<NaiveDate>,
    /// The day on which the certificate was received; null when it was not.
    certificate_received_date: Option<NaiveDate>,
}

/// A review that was copied from OneFile.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneFileReview {
    /// OneFile's id of the review (the OneFile System ID).
    #[schema(example = "70211")]
    one_file_id: String,
    /// When the review is scheduled (UTC); null when OneFile has no date.
    scheduled_for: Option<DateTime<Utc>>,
    /// When the review started (UTC), which means that the learner attended. Null: it has not
    /// started.
    started_on: Option<DateTime<Utc>>,
}

/// A step of an enrolment.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneFileStep {
    /// The name of the step: `assessor:<officer>`, `placement:<organisation>`, `classroom`, `user`,
    /// `aim:<vqReference>`, `aimDetails:<vqReference>`, `assign:<officer>`, `visit:<review>` or
    /// `review:<review>`.
    #[schema(example = "user")]
    pub name: String,
    /// The state of this step.
    pub state: StepState,
    /// OneFile's id of what was made or found.
    #[schema(example = "20011")]
    remote_id: Option<String>,
    /// Why it is not done.
    pub problem: Option<OneFileProblem>,
}

/// Why the last enrolment or exchange of a learner failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OneFileProblem {
    /// The error code, as in a problem response.
    #[schema(value_type = Code)]
    pub code: String,
    /// What happened, and what to do next.
    pub message: String,
    /// OneFile's part in it.
    pub upstream: Option<UpstreamCause>,
}

impl From<IntentProblem> for OneFileProblem {
    fn from(problem: IntentProblem) -> Self {
        Self {
            upstream: problem.code.starts_with("upstream").then(|| UpstreamCause {
                name: "onefile".to_owned(),
                status: problem.status,
                message: problem.upstream_message,
            }),
            code: problem.code,
            message: problem.message,
        }
    }
}

impl From<EnrolmentStep> for OneFileStep {
    fn from(step: EnrolmentStep) -> Self {
        Self {
            name: step.name,
            state: step.state,
            remote_id: step.remote_id,
            problem: step.problem.map(OneFileProblem::from),
        }
    }
}

/// The tab of a learner, from what is kept.
pub async fn tab_of(state: &State, provider: Uuid, learner: &str) -> Result<OneFileTab, Problem> {
    let record = state.store.record::<Learner>(provider, RecordKind::Learner, learner).await?;
    let record = record.map(|row| row.record).ok_or_else(|| Problem::not_found("learner"))?;
    let environment = state.store.onefile_settings(provider).await?.choices.environment;
    let link = state.store.onefile_link_of(provider, environment, RecordKind::Learner, learner).await?;
    let enrolment = state.store.enrolment(provider, environment, learner).await?;
    let kept = state.store.portfolio(provider, environment, learner).await?;
    let standing = match (&link, &enrolment) {
        (Some(link), _) if link.state == LinkState::Gone => OneFileState::Gone,
        (_, Some(own)) => own.state.into(),
        (Some(_), None) => OneFileState::Enrolled,
        (None, None) => OneFileState::NotEnrolled,
    };
    let live = record.status == Some(LearnerStatus::Live);
    let steps: Vec<OneFileStep> = enrolment
        .as_ref()
        .map(|own| own.steps.clone())
        .unwrap_or_default()
        .into_iter()
        .map(OneFileStep::from)
        .collect();
    let problem = steps.iter().find_map(|step| step.problem.clone());
    Ok(OneFileTab {
        learner_id: learner.to_owned(),
        eligible: live,
        ineligible_reason: (!live).then(|| "Only live learners are enrolled and exchanged.".to_owned()),
        state: standing,
        centre_id: link
            .as_ref()
            .map(|link| link.centre_id.clone())
            .or_else(|| enrolment.as_ref().map(|own| own.centre_id.clone())),
        archived: link.as_ref().is_some_and(|link| link.state == LinkState::Archived),
        user_id: link.map(|link| link.remote_id),
        enrolled_at: enrolment.and_then(|own| own.enrolled_at),
        last_exchanged_at: kept.exchanged_at,
        qualifications: qualifications(&record, &kept.portfolio),
        reviews: reviews(&record, &kept.portfolio),
        notes: kept.portfolio.notes.clone(),
        steps,
        problem: problem.or_else(|| kept.problem.map(OneFileProblem::from)),
    })
}

fn qualifications(record: &Learner, portfolio: &Portfolio) -> Vec<OneFileLearnerQualification> {
    let key = |reference: Option<&str>| reference.and_then(codes::Code::parse).map(|code| code.key);
    let all = record.qualifications.iter();
    all.map(|own| {
        let reference = own.vq_reference.as_ref().map(VqReference::as_str);
        let code = key(reference);
        let aim = portfolio
            .aims
            .iter()
            .find(|aim| !aim.gone && code.is_some() && key(aim.vq_reference.as_deref()) == code);
        OneFileLearnerQualification {
            qualification_id: own.qualification_id.as_ref().map(|id| QualificationId::as_str(id).to_owned()),
            vq_reference: reference.map(str::to_owned),
            standard_id: aim.map(|aim| aim.standard_id.clone()),
            learning_aim_id: aim.map(|aim| aim.learning_aim_id.clone()),
            total_elements: own.total_elements,
            elements_done: own.elements_done,
            registration_number: own.registration_number.clone(),
            registration_date: own.registration_date,
            certificate_applied_for_date: own.certificate_applied_for_date,
            certificate_received_date: own.certificate_received_date,
        }
    })
    .collect()
}

/// The reviews that no PICSWeb review names as its OneFile System ID.
fn reviews(record: &Learner, portfolio: &Portfolio) -> Vec<OneFileReview> {
    let claimed = |id: &str| {
        record
            .reviews
            .iter()
            .any(|own| own.one_file_id.as_ref().is_some_and(|own| OneFileId::as_str(own) == id))
    };
    let left = portfolio
        .reviews
        .iter()
        .filter(|own| !own.gone && own.review_id.is_none() && !claimed(&own.one_file_id));
    left.map(|own| OneFileReview {
        one_file_id: own.one_file_id.clone(),
        scheduled_for: own.scheduled_for,
        started_on: own.started_on,
    })
    .collect()
}

/// Read a learner's OneFile tab
///
/// Returns the learner's state, user, OneFile's values of the qualifications, the reviews from
/// OneFile, and the steps of the enrolment. The data is stored here; OneFile is not called. Needs
/// `onefile:read`.
#[utoipa::path(operation_id = "getLearnerOneFile", tag = "OneFile", security(("bearer" = ["onefile:read"])), params(("learnerId" = LearnerId, Path)),
    responses((status = 200, description = "The tab.", body = OneFileTab), ReadErrors))]
#[get("/learners/{learnerId}/onefile")]
pub async fn read(
    who: Caller<OnefileRead>,
    state: Data<State>,
    id: Id<LearnerId>,
) -> Result<Json<OneFileTab>, Problem> {
    tab_of(&state, who.provider(), id.0.as_str()).await.map(Json)
}
