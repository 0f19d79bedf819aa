//! Uploading and matching many learners: runs with an outcome for each.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::State;
use super::super::bulk::{Batch, which};
use super::super::errors::BulkErrors;
use super::super::extract::{Body, Caller, OptionalBody};
use super::super::problem::Problem;
use super::super::runs::{self as run_api, Run};
use super::create::overruled;
use crate::ace360::create::bulk::UploadOptions;
use crate::auth::scope::needs::Ace360Write;
use crate::domain::serde_fields::{object, optional_list};
use crate::domain::{Check, DoubtCode, Fault, LearnerId, RunKind, TabState};
use crate::store::NewRun;
use crate::upstream::run::BatchFilter;

/// Which learners to upload.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"filter": {}, "validateOnly": true}))]
pub struct BulkUpload {
    /// These learners, in this order. Either this or `filter`.
    #[serde(default, deserialize_with = "optional_list::<10_000, _, _>")]
    #[schema(max_items = 10_000)]
    learner_ids: Option<Vec<LearnerId>>,
    /// Those that the filter takes; `{}`: all that are not uploaded, or were rejected. Either this or `learnerIds`.
    #[serde(default, deserialize_with = "object")]
    filter: Option<BulkFilter>,
    /// Only say for each what would come of it; nothing is created.
    #[serde(default)]
    #[schema(default = false)]
    validate_only: bool,
    /// Also those that ACE360 probably has. Each costs another credit.
    #[serde(default)]
    #[schema(default = false)]
    allow_duplicate: bool,
    /// Upload learners in spite of these doubts. A filter leaves out leavers and those who start later all the same.
    #[serde(default, deserialize_with = "optional_list::<20, _, _>")]
    #[schema(max_items = 20)]
    overrule: Option<Vec<DoubtCode>>,
}

/// Chooses learners by their state.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkFilter {
    /// In this state of their ACE360 tab; not said: `notUploaded` and `rejected`.
    #[serde(default)]
    ace360: Option<TabState>,
    /// Whose record was written after this time.
    #[serde(default)]
    updated_after: Option<DateTime<Utc>>,
}

impl From<BulkFilter> for BatchFilter<TabState> {
    fn from(filter: BulkFilter) -> Self {
        let states = match filter.ace360 {
            Some(state) => vec![state],
            None => vec![TabState::NotUploaded, TabState::Rejected],
        };
        Self { states, updated_after: filter.updated_after }
    }
}

impl Check for BulkUpload {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        which(self.learner_ids.as_deref(), self.filter.is_some(), "uploaded")
    }
}

/// Settings of a matching run.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"validateOnly": true}))]
pub struct MatchRequest {
    /// Only say what would be linked.
    #[serde(default)]
    #[schema(default = false)]
    validate_only: bool,
}

impl Check for MatchRequest {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        Vec::new()
    }
}

/// Upload many learners to ACE360
///
/// A run with an outcome for each learner. **Each upload costs the provider one ACE360 credit and cannot be undone**; none is sent twice. With
/// `validateOnly` nothing is sent: the outcomes say what is missing. While another such run is under way this one waits its turn (`queuedBehind`); learners
/// that it uploads meanwhile are not taken again. `POST /runs/{id}:retry` takes the failed ones again. Needs `ace360:write`.
#[utoipa::path(operation_id = "uploadLearnersToAce360", tag = "ACE360", security(("bearer" = ["ace360:write"])),
    params(("Prefer" = Option<String>, Header, description = "`wait=20`: how many seconds to wait for the run's end, at most 60; not at all if not said.")),
    request_body = BulkUpload,
    responses((status = 200, description = "The run has ended.", body = Run), (status = 202, description = "The run is under way (`Location`).", body = Run), BulkErrors))]
#[post("/ace360/learners:upload")]
pub async fn upload(
    who: Caller<Ace360Write>,
    state: Data<State>,
    request: HttpRequest,
    body: Body<BulkUpload>,
) -> Result<HttpResponse, Problem> {
    let body = body.0;
    let batch = Batch {
        kind: RunKind::Upload,
        learners: body.learner_ids,
        filter: body.filter.map(BatchFilter::from),
        options: UploadOptions { overrule: overruled(body.allow_duplicate, body.overrule) },
        validate_only: body.validate_only,
    };
    batch.start(&state, &request, who.provider(), who.by()).await
}

/// Match ACE360's records to learners
///
/// A run that finds the ACE360 records of learners that have none here: by ULN, else by name, birth date and standard. Ambiguous ones are listed
/// and never guessed. Each record of ACE360's that is not linked is read once to learn its ULN. With `validateOnly` nothing is linked. Nothing
/// changes in ACE360. Needs `ace360:write`.
#[utoipa::path(operation_id = "matchAce360Records", tag = "ACE360", security(("bearer" = ["ace360:write"])),
    params(("Prefer" = Option<String>, Header, description = "`wait=20`: how many seconds to wait for the run's end, at most 60; not at all if not said.")),
    request_body(content = Option<MatchRequest>, description = "May be left out."),
    responses((status = 200, description = "The run has ended.", body = Run), (status = 202, description = "The run is under way (`Location`).", body = Run), BulkErrors))]
#[post("/ace360/records:match")]
pub async fn match_records(
    who: Caller<Ace360Write>,
    state: Data<State>,
    request: HttpRequest,
    body: OptionalBody<MatchRequest>,
) -> Result<HttpResponse, Problem> {
    let validate_only = body.0.validate_only;
    let run = NewRun {
        shared: !validate_only,
        validate_only,
        ..NewRun::of(who.provider(), RunKind::Match, who.by())
    };
    run_api::start(&state, &request, run).await
}
