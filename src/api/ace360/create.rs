//! What an upload of a learner to ACE360 would send, and the upload.

use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, post};
use chrono::NaiveDate;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use tracing::error;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::State;
use super::super::errors::{ReadErrors, UploadErrors};
use super::super::extract::{Caller, Id, OptionalBody};
use super::super::params::prefer_wait;
use super::super::problem::{Code, Problem};
use super::learner::{Tab, linked_tab, tab_of};
use super::of_failure;
use crate::ace360::Ace360Error;
use crate::ace360::create::plan::{Doubt, Preview, Upload};
use crate::ace360::create::upload::{CANNOT_TELL, Order, Uploaded};
use crate::auth::scope::needs::{Ace360Read, Ace360Write};
use crate::domain::serde_fields::optional_list;
use crate::domain::{Check, DoubtCode, Fault, LearnerId, TabState};

/// A call on one learner waits this long for its outcome, if `Prefer: wait` does not say otherwise.
const WAIT: Duration = Duration::from_secs(25);

/// Settings of one upload. All are optional.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"overrule": ["leaver"]}))]
pub struct UploadRequest {
    /// Short for `overrule: ["likelyDuplicate"]`. Another record costs another credit.
    #[serde(default)]
    #[schema(default = false)]
    allow_duplicate: bool,
    /// The doubts of the preview that the upload overrules, by their codes.
    #[serde(default, deserialize_with = "optional_list::<20, _, _>")]
    #[schema(max_items = 20)]
    overrule: Option<Vec<DoubtCode>>,
}

/// The doubts that a request overrules.
pub fn overruled(allow_duplicate: bool, overrule: Option<Vec<DoubtCode>>) -> Vec<DoubtCode> {
    let mut codes = overrule.unwrap_or_default();
    if allow_duplicate {
        codes.push(DoubtCode::LikelyDuplicate);
    }
    codes
}

impl Check for UploadRequest {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        Vec::new()
    }
}

/// Preview a learner's upload
///
/// What would be sent to ACE360, field by field with its place in PICSWeb; everything that is missing and where to fix it; warnings; the
/// standards to choose from; records in ACE360 that may be this learner's. ACE360's newest records are read for that, nothing is created. Needs
/// `ace360:read`.
#[utoipa::path(operation_id = "previewLearnerAce360", tag = "ACE360", security(("bearer" = ["ace360:read"])), params(("learnerId" = LearnerId, Path)),
    responses((status = 200, description = "The preview.", body = Preview), ReadErrors))]
#[get("/learners/{learnerId}/ace360/preview")]
pub async fn preview(
    who: Caller<Ace360Read>,
    state: Data<State>,
    id: Id<LearnerId>,
) -> Result<Json<Preview>, Problem> {
    state.ace360.preview(who.provider(), &id.0).await?.map(Json).ok_or_else(|| Problem::not_found("learner"))
}

/// Upload a learner to ACE360
///
/// Creates the learner's record in ACE360. **It costs the provider one ACE360 credit and cannot be undone.** It is sent once and never twice:
/// when the answer is lost the call answers 202, the record is looked for, and the tab tells what came of it. Nothing is sent when a field is
/// missing (422 with every one), when the learner is uploaded already (409), or when there is a doubt that `overrule` does not name (409).
/// Doubts are that ACE360 probably has the learner, that the learner has left, or that the programme starts in more than 30 days. Needs `ace360:write`.
#[utoipa::path(operation_id = "uploadLearnerToAce360", tag = "ACE360", security(("bearer" = ["ace360:write"])),
    params(("learnerId" = LearnerId, Path), ("Prefer" = Option<String>, Header, description = "`wait=20`: how many seconds to wait for the outcome, at most 60; 25 if not said.")),
    request_body(content = Option<UploadRequest>, description = "May be left out."),
    responses((status = 201, description = "ACE360 has the record and the learner is linked to it.", body = Tab),
              (status = 202, description = "It was sent, and its outcome is not known yet: ask the tab (`Location`).", body = Tab), UploadErrors))]
#[post("/learners/{learnerId}/ace360")]
pub async fn upload(
    who: Caller<Ace360Write>,
    state: Data<State>,
    id: Id<LearnerId>,
    request: HttpRequest,
    body: OptionalBody<UploadRequest>,
) -> Result<HttpResponse, Problem> {
    let provider = who.provider();
    let order = Order {
        provider,
        learner: id.0.clone(),
        overrule: overruled(body.0.allow_duplicate, body.0.overrule),
        validate_only: false,
        run: None,
        by: who.by(),
    };
    let opened = CancellationToken::new();
    let told = opened.clone();
    // In a task of its own: a client that goes away must not take a half-sent upload with it.
    let ace360 = state.background.ace360.clone();
    let mut sending = state.background.spawn(async move { ace360.upload(&order, &told).await });
    let accepted = |tab: Tab| {
        let location = format!("/learners/{}/ace360", tab.learner_id);
        HttpResponse::Accepted().insert_header((LOCATION, location)).json(tab)
    };
    // What refuses an upload before it is written down is answered however long it takes: nobody could read it later.
    let patience = async {
        tokio::time::sleep(prefer_wait(&request, WAIT)).await;
        opened.cancelled().await;
    };
    let ends = tokio::time::Instant::now() + prefer_wait(&request, WAIT);
    let finished = tokio::select! {
        finished = &mut sending => finished,
        () = patience => return tab_of(&state, provider, id.0.as_str()).await.map(accepted),
    };
    let uploaded = finished.map_err(|error| {
        error!(%error, "an upload's task failed");
        Problem::new(Code::Internal, "Something unexpected happened here. The tab tells whether it was sent.")
    })?;
    let uploaded = uploaded.map_err(|error| {
        // The database may have failed after the send; whatever else failed did so before.
        let before = !matches!(error, Ace360Error::Store(_));
        let mut problem = Problem::from(error);
        if before {
            problem.detail.push_str(" Nothing was sent.");
        }
        problem
    })?;
    match uploaded {
        Uploaded::Done(link) => {
            let tab = linked_tab(&state, provider, *link)?;
            Ok(HttpResponse::Created()
                .insert_header((LOCATION, format!("/learners/{}/ace360", id.0.as_str())))
                .json(tab))
        }
        Uploaded::Unknown => tab_of(&state, provider, id.0.as_str()).await.map(accepted),
        Uploaded::InFlight => {
            let tab = wait_for_other(&state, provider, id.0.as_str(), ends).await?;
            match (tab.state, tab.record_id) {
                (TabState::Uploading | TabState::Unknown, _) => Ok(accepted(tab)),
                (_, Some(record)) => Err(refusal(Uploaded::AlreadyUploaded(record))),
                _ => Err(refusal(Uploaded::InFlight)),
            }
        }
        refused => Err(refusal(refused)),
    }
}

/// An earlier upload of the learner is under way: nothing is sent; its outcome is waited for.
async fn wait_for_other(
    state: &State,
    provider: Uuid,
    learner: &str,
    ends: tokio::time::Instant,
) -> Result<Tab, Problem> {
    loop {
        let tab = tab_of(state, provider, learner).await?;
        let open = matches!(tab.state, TabState::Uploading | TabState::Unknown);
        if !open || tokio::time::Instant::now() >= ends {
            return Ok(tab);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn refusal(uploaded: Uploaded) -> Problem {
    match uploaded {
        Uploaded::NoLearner => Problem::not_found("learner"),
        Uploaded::AlreadyUploaded(record) => Problem::new(
            Code::AlreadyUploaded,
            format!("The learner has ACE360 record {record}. Nothing was sent."),
        )
        .with_records(vec![record]),
        Uploaded::NotEligible(reason) => Problem::new(Code::NotEligible, reason),
        Uploaded::Missing(built) => missing(&built),
        Uploaded::Doubted(doubts, search) => doubted(&doubts).with_records(search.likely),
        Uploaded::CannotTell => Problem::new(Code::LikelyDuplicate, CANNOT_TELL).with_records(Vec::new()),
        Uploaded::Rejected(failure) => of_failure(failure),
        Uploaded::NotSent(failure) => {
            let mut problem = of_failure(failure);
            problem.detail.push_str(" Nothing was sent.");
            problem
        }
        Uploaded::InFlight | Uploaded::Done(_) | Uploaded::Would | Uploaded::Unknown => Problem::new(
            Code::InFlight,
            "Another upload of this learner was under way and ended without a record. Nothing was sent now: see the tab, and upload again.",
        ),
    }
}

/// The code is the first doubt's; `errors` names each.
fn doubted(doubts: &[Doubt]) -> Problem {
    let code = match doubts.first().map(|doubt| doubt.code) {
        Some(DoubtCode::Leaver) => Code::Leaver,
        Some(DoubtCode::StartsLater) => Code::StartsLater,
        Some(DoubtCode::LikelyDuplicate) | None => Code::LikelyDuplicate,
    };
    let words: Vec<_> = doubts.iter().map(|doubt| doubt.message.as_str()).collect();
    let mut detail = words.join(" ");
    if code != Code::LikelyDuplicate {
        detail
            .push_str(" Nothing was sent. If it is right all the same, repeat with the codes in `overrule`.");
    }
    let faults =
        doubts.iter().map(|doubt| Fault::at("/overrule", doubt.code.as_str(), doubt.message.clone()));
    Problem::new(code, detail).with_errors(faults.collect())
}

/// Every missing field, with where in PICSWeb to fix it.
fn missing(built: &Upload) -> Problem {
    let detail = format!("{}. Nothing was sent.", built.missing_in_words());
    Problem::new(Code::FieldsMissing, detail).with_errors(built.faults())
}
