//! A learner's OneFile tab: where it stands, what an enrolment would send, and the enrolment.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, post};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing::error;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::State;
use super::super::errors::{EnrolErrors, ReadErrors, UpstreamErrors};
use super::super::extract::{Caller, Id, OptionalBody};
use super::super::params::{Params, prefer_wait};
use super::super::problem::{Code, Problem, UpstreamCause};
use super::remote_id::RemoteId;
use crate::auth::scope::needs::{OnefileRead, OnefileWrite};
use crate::domain::{
    Check, EnrolmentState, Fault, Learner, LearnerId, LearnerStatus, LinkState, OneFileId, OneFileState,
    QualificationId, StepState, VqReference,
};
use crate::onefile::OneFileError;
use crate::onefile::catalogue::codes;
use crate::onefile::create::enrol::Enrolled;
use crate::onefile::create::report::EnrolmentPreview;
use crate::onefile::create::wanted::Wanted;
use crate::store::{EnrolmentStep, IntentProblem, Portfolio, RecordKind};
use crate::upstream::failure::faults;

/// A call on one learner waits this long for its outcome, if `Prefer: wait` does not say otherwise.
const WAIT: Duration = Duration::from_secs(25);

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
    /// PICSWeb's id.
    #[schema(example = "L-1001")]
    learner_id: String,
    /// Whether the learner may be enrolled.
    eligible: bool,
    /// Why not.
    ineligible_reason: Option<String>,
    /// Where it stands.
    state: OneFileState,
    /// OneFile's id of the user.
    #[schema(example = "20011")]
    user_id: Option<String>,
    /// OneFile's id of the centre.
    #[schema(example = "1001")]
    centre_id: Option<String>,
    /// Whether the user is in OneFile's archive.
    archived: bool,
    /// When every step of the enrolment was done; null: it was linked, or is not whole.
    enrolled_at: Option<DateTime<Utc>>,
    /// When it was exchanged last.
    last_exchanged_at: Option<DateTime<Utc>>,
    /// The qualifications of the delivery plan, with what OneFile has of them.
    qualifications: Vec<OneFileLearnerQualification>,
    /// Reviews of OneFile's that PICSWeb has not claimed by their OneFile System ID.
    reviews: Vec<OneFileReview>,
    /// The steps of the enrolment.
    steps: Vec<OneFileStep>,
    /// What the last exchange found that somebody should look at.
    notes: Vec<String>,
    /// What ails it.
    problem: Option<OneFileProblem>,
}

/// A qualification, as the exchange left it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneFileLearnerQualification {
    /// PICSWeb's id.
    #[schema(example = "Q-31")]
    qualification_id: Option<String>,
    /// Its VQ reference.
    #[schema(example = "196AS")]
    vq_reference: Option<String>,
    /// OneFile's standard.
    #[schema(example = "901")]
    standard_id: Option<String>,
    /// OneFile's learning aim; null: it is not assigned.
    #[schema(example = "50112")]
    learning_aim_id: Option<String>,
    /// Elements in all.
    total_elements: Option<i64>,
    /// Of these, done.
    elements_done: Option<i64>,
    /// Registration number.
    registration_number: Option<String>,
    /// Registration date.
    registration_date: Option<NaiveDate>,
    /// When the certificate was applied for.
    certificate_applied_for_date: Option<NaiveDate>,
    /// When the certificate came.
    certificate_received_date: Option<NaiveDate>,
}

/// A review that came down from OneFile.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneFileReview {
    /// OneFile's id: the OneFile System ID.
    #[schema(example = "70211")]
    one_file_id: String,
    /// When it is planned for.
    scheduled_for: Option<DateTime<Utc>>,
    /// When it began: then the learner attended.
    started_on: Option<DateTime<Utc>>,
}

/// A step of the enrolment.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneFileStep {
    /// `assessor:<officer>`, `placement:<organisation>`, `classroom`, `user`, `aim:<vqReference>`, `aimDetails:<vqReference>`,
    /// `assign:<officer>`, `visit:<review>`, `review:<review>`.
    #[schema(example = "user")]
    name: String,
    /// Where it stands.
    state: StepState,
    /// OneFile's id of what was made or found.
    #[schema(example = "20011")]
    remote_id: Option<String>,
    /// Why it is not done.
    problem: Option<OneFileProblem>,
}

/// What ails an enrolment or an exchange.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OneFileProblem {
    /// As in an error.
    #[schema(value_type = Code)]
    code: String,
    /// What to know.
    message: String,
    /// OneFile's part in it.
    upstream: Option<UpstreamCause>,
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

/// How to enrol.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"centreId": "1001", "pathways": {"196AS": "901"}, "allowDuplicate": false}))]
pub struct EnrolRequest {
    /// OneFile's centre; needed where there are several.
    #[serde(default)]
    centre_id: Option<RemoteId>,
    /// OneFile's standard for each VQ reference that has several pathways.
    #[serde(default)]
    pathways: Option<BTreeMap<String, RemoteId>>,
    /// Enrol even though OneFile probably has the learner, or an officer or organisation of the learner's: they are made then.
    #[serde(default)]
    #[schema(default = false)]
    allow_duplicate: bool,
}

impl Check for EnrolRequest {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        Vec::new()
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

/// Those that no review of PICSWeb's holds as its OneFile System ID.
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
/// Where the learner stands: state, user, what OneFile has of the qualifications, reviews that came down, and the steps of the enrolment. Answered from
/// what is kept here; OneFile is not called. Needs `onefile:read`.
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

/// Preview a learner's enrolment
///
/// What would be sent to OneFile, field by field with its place in PICSWeb; of each officer, the organisation and the classroom whether OneFile has it;
/// of each qualification whether it is there, and in which pathways; everything that is missing and where to mend it; users of OneFile's who may be this
/// learner already. Some searches in OneFile, nothing is made. Works before the integration is switched on. Needs `onefile:read`.
#[utoipa::path(operation_id = "previewLearnerOneFile", tag = "OneFile", security(("bearer" = ["onefile:read"])),
    params(("learnerId" = LearnerId, Path), ("centreId" = Option<String>, Query, description = "OneFile's centre; needed where there are several.", example = "1001"),
           ("pathways" = Option<String>, Query, description = "OneFile's standards for VQ references that have several pathways: `196AS:901`, with commas between.", example = "196AS:901"),
           ("allowDuplicate" = Option<bool>, Query, description = "As the enrolment would be told.")),
    responses((status = 200, description = "The preview.", body = EnrolmentPreview), UpstreamErrors))]
#[get("/learners/{learnerId}/onefile/preview")]
pub async fn preview(
    who: Caller<OnefileRead>,
    state: Data<State>,
    id: Id<LearnerId>,
    request: HttpRequest,
) -> Result<Json<EnrolmentPreview>, Problem> {
    let mut params = Params::of(&request);
    let centre_id = params.text("centreId");
    let allow_duplicate = params.flag("allowDuplicate");
    let text = params.text("pathways").unwrap_or_default();
    let pairs: Option<BTreeMap<String, String>> = text
        .split(',')
        .filter(|pair| !pair.trim().is_empty())
        .map(|pair| pair.rsplit_once(':').map(|(own, id)| (own.trim().to_owned(), id.trim().to_owned())))
        .collect();
    if pairs.is_none() {
        params.fault(
            "pathways",
            "invalidValue",
            "Send VQ references and standards, such as 196AS:901, with commas between.",
        );
    }
    params.done()?;
    let wanted = Wanted {
        provider: who.provider(),
        learner: id.0,
        centre_id,
        pathways: pairs.unwrap_or_default(),
        allow_duplicate,
        validate_only: true,
        run: None,
        by: who.by(),
    };
    let planned = state.onefile.preview_enrolment(&wanted).await?;
    planned.map(Json).ok_or_else(|| Problem::not_found("learner"))
}

/// Enrol a learner in OneFile
///
/// Makes what the learner needs in OneFile, step by step, each once: assessors and the placement that are not there, the classroom (if the settings say so),
/// the user, its learning aims with dates and registrations, further assessors, and reviews (if they go up). What is made is linked at once. When OneFile
/// refuses a step, it stops there, and the tab holds OneFile's words; when an answer is lost, the record is looked for, and then it goes on by itself. The
/// same call goes on with one that stopped. Nothing is sent when something is missing (422 with all of it) or when OneFile probably has the learner (409).
/// Needs `onefile:write`.
#[utoipa::path(operation_id = "enrolLearnerInOneFile", tag = "OneFile", security(("bearer" = ["onefile:write"])),
    params(("learnerId" = LearnerId, Path), ("Prefer" = Option<String>, Header, description = "`wait=20`: how many seconds to wait for the outcome, at most 60; 25 if not said.")),
    request_body(content = Option<EnrolRequest>, description = "May be left out where there is one centre."),
    responses((status = 201, description = "OneFile has the learner, whole.", body = OneFileTab),
              (status = 202, description = "It is under way, or stopped at a step after the user was made, or the outcome of a step is not known: see the tab (`Location`).", body = OneFileTab), EnrolErrors))]
#[post("/learners/{learnerId}/onefile")]
pub async fn enrol(
    who: Caller<OnefileWrite>,
    state: Data<State>,
    id: Id<LearnerId>,
    request: HttpRequest,
    body: OptionalBody<EnrolRequest>,
) -> Result<HttpResponse, Problem> {
    let provider = who.provider();
    let onefile = state.background.onefile.clone();
    let pathways = body.0.pathways.unwrap_or_default();
    let wanted = Wanted {
        provider,
        learner: id.0.clone(),
        centre_id: body.0.centre_id.map(|id| id.0),
        pathways: pathways.into_iter().map(|(reference, id)| (reference, id.0)).collect(),
        allow_duplicate: body.0.allow_duplicate,
        validate_only: false,
        run: None,
        by: who.by(),
    };
    let opened = CancellationToken::new();
    let told = opened.clone();
    // In a task of its own: a client that goes away must not take half of an enrolment with it.
    let mut working = state.background.spawn(async move { onefile.enrol(&wanted, &told).await });
    let learner = id.0.as_str();
    // What refuses it before it is written down is answered however long it takes: nobody could read it later.
    let patience = async {
        tokio::time::sleep(prefer_wait(&request, WAIT)).await;
        opened.cancelled().await;
    };
    let finished = tokio::select! {
        finished = &mut working => finished,
        () = patience => return tab_of(&state, provider, learner).await.map(|tab| accepted(&tab)),
    };
    let enrolled = finished.map_err(|error| {
        error!(%error, "an enrolment's task failed");
        Problem::new(Code::Internal, "Something unexpected happened here. The tab tells what was sent.")
    })?;
    let enrolled = enrolled.map_err(|error| match error {
        OneFileError::Store(error) => Problem::from(error),
        other => {
            let mut problem = Problem::from(other);
            if !problem.detail.contains("Nothing was sent.") {
                problem.detail.push_str(" Nothing was sent.");
            }
            problem
        }
    })?;
    match enrolled {
        Enrolled::Came(EnrolmentState::Enrolled) => {
            let tab = tab_of(&state, provider, learner).await?;
            Ok(HttpResponse::Created().insert_header((LOCATION, location(&tab))).json(tab))
        }
        Enrolled::Came(EnrolmentState::Rejected) => Err(rejected(&tab_of(&state, provider, learner).await?)),
        Enrolled::Came(_) | Enrolled::InFlight => tab_of(&state, provider, learner).await.map(|tab| accepted(&tab)),
        Enrolled::NoLearner => Err(Problem::not_found("learner")),
        Enrolled::Already(user) => Err(Problem::new(
            Code::AlreadyLinked,
            format!("The learner has OneFile user {user}. Nothing was sent: POST /learners/{learner}/onefile:sync exchanges it now."),
        )
        .with_records(user.parse().into_iter().collect())),
        Enrolled::NotReady(planned) => Err(not_ready(&planned, learner)),
        Enrolled::Would => Err(Problem::new(Code::Internal, "Something unexpected happened here.")),
    }
}

fn location(tab: &OneFileTab) -> String {
    format!("/learners/{}/onefile", tab.learner_id)
}

fn accepted(tab: &OneFileTab) -> HttpResponse {
    HttpResponse::Accepted().insert_header((LOCATION, location(tab))).json(tab)
}

/// Something is missing, or OneFile probably has the learner.
fn not_ready(planned: &EnrolmentPreview, learner: &str) -> Problem {
    if planned.missing.is_empty() {
        let ids = planned.likely().iter().filter_map(|user| user.user_id.parse().ok()).collect();
        let advice = planned.advice().unwrap_or_default().replace("{id}", learner);
        return Problem::new(Code::LikelyDuplicate, format!("{advice} Nothing was sent.")).with_records(ids);
    }
    let detail = format!("{}. Nothing was sent.", planned.missing_in_words());
    Problem::new(Code::FieldsMissing, detail).with_errors(planned.faults(learner))
}

/// OneFile refused a step, and does not have the learner.
fn rejected(tab: &OneFileTab) -> Problem {
    let step = tab.steps.iter().find(|step| step.state == StepState::Rejected);
    let Some((step, problem)) = step.and_then(|step| Some((step, step.problem.clone()?))) else {
        return Problem::new(Code::UpstreamRejected, "A step was refused: see the tab.");
    };
    let code = Code::ALL.iter().copied().find(|code| code.as_str() == problem.code);
    let detail = format!(
        "The enrolment stopped at the step {}: {} Mend it, and call again: it goes on where it stopped.",
        step.name,
        problem.message.trim_end_matches('.').to_owned() + "."
    );
    let mut told = Problem::new(code.unwrap_or(Code::UpstreamRejected), detail);
    if let Some(upstream) = problem.upstream {
        told = told.with_errors(faults(&[])).with_upstream(upstream);
    }
    told
}
