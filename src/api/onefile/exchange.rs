//! Exchanging learners with OneFile now: one, or all of them as a run.

use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use chrono::NaiveDate;
use serde::Deserialize;
use tracing::error;
use utoipa::ToSchema;

use super::super::State;
use super::super::bulk::{named, texts};
use super::super::errors::{BulkErrors, ExchangeErrors};
use super::super::extract::{Caller, Id, OptionalBody};
use super::super::params::{Params, prefer_wait};
use super::super::problem::{Code, Problem};
use super::super::runs::{self as run_api, Run};
use super::learner::{OneFileTab, tab_of};
use crate::auth::scope::needs::OnefileSync;
use crate::domain::serde_fields::optional_list;
use crate::domain::{Check, Fault, LearnerId, RecordCode, RunKind};
use crate::onefile::sync::exchange::SyncedOne;
use crate::onefile::sync::run::ExchangeParams;
use crate::store::{NewRun, StoreError};

/// A call on one learner waits this long for its outcome, if `Prefer: wait` does not say otherwise.
const WAIT: Duration = Duration::from_secs(25);

/// Which learners to exchange.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"full": true}))]
pub struct ExchangeRequest {
    /// Only these learners, read whole; not said: all who are linked.
    #[serde(default, deserialize_with = "optional_list::<10_000, _, _>")]
    #[schema(max_items = 10_000)]
    learner_ids: Option<Vec<LearnerId>>,
    /// Read everybody whole, whatever OneFile says has changed; some seven calls a learner.
    #[serde(default)]
    #[schema(default = false)]
    full: bool,
}

impl Check for ExchangeRequest {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        self.learner_ids
            .as_deref()
            .map(|ids| named(ids, "Name at least one learner, or leave it out for all."))
            .unwrap_or_default()
    }
}

/// Exchange a learner with OneFile now
///
/// What the daily exchange does, for this learner and at once, before all that runs do: element counts, registration, certificates and reviews come down,
/// blanks are filled on both sides, details go by their modes, qualifications that were added are assigned, new reviews go up. Answers the tab as it is
/// afterwards; what did not work is its `problem`. Some seven calls. Needs `onefile:sync`.
#[utoipa::path(operation_id = "syncLearnerOneFile", tag = "OneFile", security(("bearer" = ["onefile:sync"])),
    params(("learnerId" = LearnerId, Path), ("Prefer" = Option<String>, Header, description = "`wait=20`: how many seconds to wait for the end, at most 60; 25 if not said.")),
    responses((status = 200, description = "The tab, after the exchange.", body = OneFileTab),
              (status = 202, description = "It is under way: see the tab (`Location`).", body = OneFileTab), ExchangeErrors))]
#[post("/learners/{learnerId}/onefile:sync")]
pub async fn sync(
    who: Caller<OnefileSync>,
    state: Data<State>,
    id: Id<LearnerId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Params::of(&request).done()?;
    let (provider, learner, by) = (who.provider(), id.0.clone(), who.by());
    // There is no such learner: nothing is asked for.
    tab_of(&state, provider, learner.as_str()).await?;
    let onefile = state.background.onefile.clone();
    // In a task of its own: a client that goes away must not take half of it with it.
    let working = state.background.spawn(async move { onefile.exchange_now(provider, &id.0, by).await });
    let Ok(finished) = tokio::time::timeout(prefer_wait(&request, WAIT), working).await else {
        let tab = tab_of(&state, provider, learner.as_str()).await?;
        let location = format!("/learners/{}/onefile", learner.as_str());
        return Ok(HttpResponse::Accepted().insert_header((LOCATION, location)).json(tab));
    };
    let synced = finished.map_err(|error| {
        error!(%error, "an exchange's task failed");
        Problem::new(Code::Internal, "Something unexpected happened here. The tab tells what was exchanged.")
    })??;
    match synced {
        SyncedOne::NotLinked => Err(Problem::new(
            Code::NotEnrolled,
            format!(
                "Enrol the learner (POST /learners/{0}/onefile), or link it to its user (PUT /learners/{0}/onefile/link).",
                learner.as_str()
            ),
        )),
        SyncedOne::InFlight => Err(Problem::new(
            Code::InFlight,
            "The learner is exchanged or enrolled just now. Ask again in a moment; the tab shows what came of it.",
        )),
        SyncedOne::Came(outcome) if outcome.code == RecordCode::NotEligible => {
            let words = outcome.told.map(|told| told.message).unwrap_or_default();
            Err(Problem::new(Code::NotEligible, words))
        }
        SyncedOne::Came(_) => Ok(HttpResponse::Ok().json(tab_of(&state, provider, learner.as_str()).await?)),
    }
}

/// Exchange learners with OneFile now
///
/// The daily exchange, now: a run with an outcome for each learner; those with nothing changed are counted only. OneFile's searches say what changed since
/// the last one, and only that is read; everybody is read whole every `fullSweepDays` days, changed and due ones first. Without parameters one that is
/// active already is answered instead. `POST /runs/{id}:retry` takes the failed ones again. Needs `onefile:sync`.
#[utoipa::path(operation_id = "syncLearnersOneFile", tag = "OneFile", security(("bearer" = ["onefile:sync"])),
    params(("Prefer" = Option<String>, Header, description = "`wait=20`: how many seconds to wait for the run's end, at most 60; not at all if not said.")),
    request_body(content = Option<ExchangeRequest>, description = "May be left out: all who are linked."),
    responses((status = 200, description = "The run has ended.", body = Run), (status = 202, description = "The run is under way (`Location`).", body = Run), BulkErrors))]
#[post("/onefile/learners:sync")]
pub async fn sync_all(
    who: Caller<OnefileSync>,
    state: Data<State>,
    request: HttpRequest,
    body: OptionalBody<ExchangeRequest>,
) -> Result<HttpResponse, Problem> {
    let ExchangeRequest { learner_ids, full } = body.0;
    let run = NewRun {
        shared: learner_ids.is_none() && !full,
        learners: learner_ids.as_deref().map(texts),
        params: serde_json::to_value(ExchangeParams { full }).map_err(StoreError::from)?,
        ..NewRun::of(who.provider(), RunKind::Exchange, who.by())
    };
    run_api::start(&state, &request, run).await
}
