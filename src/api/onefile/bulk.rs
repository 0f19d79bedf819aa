//! Enrolling many learners: a run with an outcome for each.

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::State;
use super::super::bulk::{Batch, which};
use super::super::errors::BulkErrors;
use super::super::extract::{Body, Caller};
use super::super::problem::Problem;
use super::super::runs::Run;
use super::remote_id::{RemoteId, enrolment_faults};
use crate::auth::scope::needs::OnefileWrite;
use crate::domain::serde_fields::{object, optional_list};
use crate::domain::{Check, Fault, LearnerId, OneFileState, RunKind};
use crate::onefile::create::bulk::EnrolOptions;
use crate::upstream::run::BatchFilter;

/// Which learners to enrol.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"filter": {}, "centreId": "1001", "validateOnly": true}))]
pub struct BulkEnrol {
    /// These learners, in this order. Either this or `filter`.
    #[serde(default, deserialize_with = "optional_list::<10_000, _, _>")]
    #[schema(max_items = 10_000)]
    learner_ids: Option<Vec<LearnerId>>,
    /// Those that the filter takes; `{}`: all that are not enrolled, were rejected, or are incomplete. Either this or `learnerIds`.
    #[serde(default, deserialize_with = "object")]
    filter: Option<EnrolFilter>,
    /// OneFile's centre; needed where there are several.
    #[serde(default)]
    centre_id: Option<RemoteId>,
    /// OneFile's standard for each VQ reference that has several pathways; a reference that a learner does not have is a fault of that learner.
    #[serde(default)]
    pathways: Option<BTreeMap<String, RemoteId>>,
    /// Only say for each what would come of it; nothing is made.
    #[serde(default)]
    #[schema(default = false)]
    validate_only: bool,
    /// Also those whom OneFile probably has.
    #[serde(default)]
    #[schema(default = false)]
    allow_duplicate: bool,
}

/// Chooses learners by their state.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnrolFilter {
    /// In this state of their OneFile tab; not said: `notEnrolled`, `rejected` and `incomplete`.
    #[serde(default)]
    onefile: Option<OneFileState>,
    /// Whose record was written after this time.
    #[serde(default)]
    updated_after: Option<DateTime<Utc>>,
}

impl From<EnrolFilter> for BatchFilter<OneFileState> {
    fn from(filter: EnrolFilter) -> Self {
        let states = match filter.onefile {
            Some(state) => vec![state],
            None => vec![OneFileState::NotEnrolled, OneFileState::Rejected, OneFileState::Incomplete],
        };
        Self { states, updated_after: filter.updated_after }
    }
}

impl Check for BulkEnrol {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        let mut faults = which(self.learner_ids.as_deref(), self.filter.is_some(), "enrolled");
        faults.extend(enrolment_faults(self.centre_id.as_ref(), self.pathways.as_ref()));
        faults
    }
}

/// Enrol many learners in OneFile
///
/// A run with an outcome for each learner; each goes the way of a single enrolment (`POST /learners/{learnerId}/onefile`), and nothing is made twice. With
/// `validateOnly` nothing is made: the outcomes say what is missing. Some 16 calls a learner. `POST /runs/{id}:retry` takes the failed ones again. Needs
/// `onefile:write`.
#[utoipa::path(operation_id = "enrolLearnersInOneFile", tag = "OneFile", security(("bearer" = ["onefile:write"])),
    params(("Prefer" = Option<String>, Header, description = "`wait=20`: how many seconds to wait for the run's end, at most 60; not at all if not said.")),
    request_body = BulkEnrol,
    responses((status = 200, description = "The run has ended.", body = Run), (status = 202, description = "The run is under way (`Location`).", body = Run), BulkErrors))]
#[post("/onefile/learners:enrol")]
pub async fn enrol(
    who: Caller<OnefileWrite>,
    state: Data<State>,
    request: HttpRequest,
    body: Body<BulkEnrol>,
) -> Result<HttpResponse, Problem> {
    let body = body.0;
    let pathways = body.pathways.unwrap_or_default();
    let options = EnrolOptions {
        centre_id: body.centre_id.map(|id| id.0),
        pathways: pathways.into_iter().map(|(reference, id)| (reference, id.0)).collect(),
        allow_duplicate: body.allow_duplicate,
    };
    let batch = Batch {
        kind: RunKind::Enrol,
        learners: body.learner_ids,
        filter: body.filter.map(BatchFilter::from),
        options,
        validate_only: body.validate_only,
    };
    batch.start(&state, &request, who.provider(), who.by()).await
}
