//! What an enrolment of a learner in OneFile would send, and the enrolment.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, post};
use chrono::NaiveDate;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use tracing::error;
use utoipa::ToSchema;

use super::super::State;
use super::super::errors::{EnrolErrors, UpstreamErrors};
use super::super::extract::{Caller, Id, OptionalBody};
use super::super::params::{Params, prefer_wait};
use super::super::problem::{Code, Problem};
use super::learner::{OneFileTab, tab_of};
use super::remote_id::{RemoteId, enrolment_faults};
use crate::auth::scope::needs::{OnefileRead, OnefileWrite};
use crate::domain::{Check, EnrolmentState, Fault, LearnerId, StepState};
use crate::onefile::OneFileError;
use crate::onefile::create::enrol::Enrolled;
use crate::onefile::create::report::EnrolmentPreview;
use crate::onefile::create::wanted::Wanted;
use crate::upstream::failure::faults;

/// A call on one learner waits this long for its outcome, if `Prefer: wait` does not say otherwise.
const WAIT: Duration = Duration::from_secs(25);

/// Settings of one enrolment. All are optional.
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
        enrolment_faults(self.centre_id.as_ref(), self.pathways.as_ref())
    }
}

/// Preview a learner's enrolment
///
/// What would be sent to OneFile, field by field with its place in PICSWeb; of each officer, the organisation and the classroom whether OneFile has it;
/// of each qualification whether it is there, and in which pathways; everything that is missing and where to fix it; users of OneFile's who may be this
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
        "The enrolment stopped at the step {}: {} Fix it, and call again: it goes on where it stopped.",
        step.name,
        problem.message.trim_end_matches('.').to_owned() + "."
    );
    let mut told = Problem::new(code.unwrap_or(Code::UpstreamRejected), detail);
    if let Some(upstream) = problem.upstream {
        told = told.with_errors(faults(&[])).with_upstream(upstream);
    }
    told
}
