//! Intents at the API: what was sent upstream, and what is not known of it.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, get, post};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::State;
use super::ace360::link::same_person;
use super::ace360::of_failure;
use super::errors::{ReadErrors, ResolveErrors};
use super::extract::{Body, Caller, Id};
use super::params::{Page, Params};
use super::problem::{Code, Problem};
use crate::ace360::links::readings::{mirror_row, single};
use crate::auth::scope::Scope;
use crate::auth::scope::needs::{AnyWrite, RunsRead};
use crate::domain::{Check, Fault, IntentState, LearnerId, Settlement, Subject, UploadMethod, Upstream};
use crate::onefile::create::create_steps::CreateCall;
use crate::store::{By, IntentProblem, IntentRow, SettleOutcome, StoreError};
use crate::upstream::pace::Class;

/// A creation that was to happen upstream.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01a20126-7c6e-7b2e-8a53-0c1d2e3f4a5b", "upstream": "ace360", "subject": {"kind": "learner", "id": "L-1001"}, "step": "apprentice",
    "state": "unknown", "createdAt": "2026-11-22T10:00:00Z", "sentAt": "2026-11-22T10:00:00Z", "sends": 1, "nextLookAt": "2026-11-22T10:10:15Z",
    "remoteId": null, "settledAt": null, "problem": "no answer within 15 s", "problemCode": "upstreamFailed"
}))]
pub struct Intent {
    /// This service's id of the intent.
    id: Uuid,
    /// The system in which something is created.
    upstream: Upstream,
    /// The record that it is created for.
    subject: Subject,
    /// Which of the subject's creations.
    #[schema(example = "apprentice")]
    step: String,
    /// The state of the creation.
    state: IntentState,
    /// When it was written.
    created_at: DateTime<Utc>,
    /// When it was sent last; null: nothing can have reached the upstream.
    sent_at: Option<DateTime<Utc>>,
    /// How often it was tried: twice only when the first was surely lost. A try that the upstream turned away at its door (429), or of
    /// which nothing arrived, counts too.
    sends: i32,
    /// When it is looked for next; null, in state `unknown`: a person decides.
    next_look_at: Option<DateTime<Utc>>,
    /// The upstream's id of what it became.
    remote_id: Option<i64>,
    /// When it was settled.
    settled_at: Option<DateTime<Utc>>,
    /// Why it did not happen, or is not known; null when it is done.
    problem: Option<String>,
    /// The same, for programs: `settledByHand` when a person found it out.
    #[schema(value_type = Option<Code>)]
    problem_code: Option<String>,
}

super::page::page! {
    /// A page of intents.
    IntentPage of Intent
}

fn shown(state: &State, row: IntentRow) -> Result<Intent, Problem> {
    // What was amiss before it was found is over.
    let problem = match row.state {
        IntentState::Done => None,
        IntentState::Sending | IntentState::Unknown | IntentState::Rejected | IntentState::NotSent => {
            state.store.intent_problem(&row)?
        }
    };
    let (problem, problem_code) = problem.map(|problem| (problem.message, problem.code)).unzip();
    Ok(Intent {
        id: row.id,
        upstream: row.upstream,
        subject: Subject { kind: row.subject_kind, id: row.subject_id },
        step: row.step,
        state: row.state,
        created_at: row.created_at,
        sent_at: row.sent_at,
        sends: row.sends,
        next_look_at: row.next_look_at,
        remote_id: row.remote_id,
        settled_at: row.settled_at,
        problem,
        problem_code,
    })
}

/// List intents
///
/// With `state=unknown`: what was sent and whose answer was lost, and since when. Oldest first. Needs `runs:read`.
#[utoipa::path(operation_id = "listIntents", tag = "Runs", security(("bearer" = ["runs:read"])),
    params(("state" = Option<IntentState>, Query, description = "Only those in this state."),
           ("learnerId" = Option<LearnerId>, Query, description = "Only this learner's."),
           ("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."), ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of intents.", body = IntentPage), ReadErrors))]
#[get("/intents")]
pub async fn list(
    who: Caller<RunsRead>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Intent>>, Problem> {
    let mut params = Params::of(&request);
    let wanted = params.word("state", IntentState::WORDS).and_then(IntentState::parse);
    let learner = params.text("learnerId");
    if let Some(Err(broken)) = learner.as_deref().map(LearnerId::parse) {
        params.fault("learnerId", broken.code, broken.message);
    }
    let paging = params.paging(who.provider());
    params.done()?;
    let page = state
        .store
        .list_intents(who.provider(), wanted, learner.as_deref(), paging.after.as_deref(), paging.size)
        .await?;
    let last = page.items.last().filter(|_| page.more).map(|row| row.id.to_string());
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        items.push(shown(&state, row)?);
    }
    Ok(Json(paging.page(items, last.as_deref())))
}

/// What a person found out.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"outcome": "done", "remoteId": 248}))]
pub struct ResolveRequest {
    /// How it was settled.
    outcome: Settlement,
    /// The upstream's id of the record, with `done`.
    #[serde(default)]
    #[schema(example = 248, minimum = 1)]
    remote_id: Option<i64>,
    /// Also when the record's ULN is not the learner's.
    #[serde(default)]
    #[schema(default = false)]
    allow_other_person: bool,
}

impl Check for ResolveRequest {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        match (self.outcome, self.remote_id) {
            (Settlement::Done, None) => {
                vec![Fault::at("/remoteId", "required", "Send the upstream's id of the record.")]
            }
            (Settlement::NotDone, Some(_)) => {
                vec![Fault::at("/remoteId", "conflict", "Leave this out: there is no record.")]
            }
            (_, Some(id)) if id < 1 => {
                vec![Fault::at("/remoteId", "outOfRange", "Send a whole number of 1 or more.")]
            }
            _ => Vec::new(),
        }
    }
}

/// Settle an intent by hand
///
/// For one in state `unknown` that no look-up can settle: a person looked in the upstream. `done` links the record, which is read once to see that
/// it exists (a visit, for which OneFile has no look-up, is believed); `notDone` lets it be sent again. An enrolment that waited for it goes on. Needs
/// `ace360:write` for an intent with ACE360, `onefile:write` for one with OneFile.
#[utoipa::path(operation_id = "resolveIntent", tag = "Runs", security(("bearer" = ["ace360:write"]), ("bearer" = ["onefile:write"])), params(("id" = Uuid, Path)), request_body = ResolveRequest,
    responses((status = 200, description = "It is settled.", body = Intent), ResolveErrors))]
#[post("/intents/{id}:resolve")]
pub async fn resolve(
    who: Caller<AnyWrite>,
    state: Data<State>,
    id: Id<Uuid>,
    body: Body<ResolveRequest>,
) -> Result<Json<Intent>, Problem> {
    let provider = who.provider();
    let intent = state.store.intent(provider, id.0).await?.ok_or_else(|| Problem::not_found("intent"))?;
    who.needs(match intent.upstream {
        Upstream::Ace360 => Scope::Ace360Write,
        Upstream::OneFile => Scope::OnefileWrite,
    })?;
    match intent.state {
        IntentState::Unknown => {}
        IntentState::Sending => {
            return Err(Problem::new(Code::InFlight, "It is being sent: wait for its outcome."));
        }
        settled @ (IntentState::Done | IntentState::Rejected | IntentState::NotSent) => {
            let text = format!("The intent is settled ({}).", settled.as_str());
            return Err(Problem::new(Code::AlreadySettled, text));
        }
    }
    if let (Settlement::Done, Some(record)) = (body.0.outcome, body.0.remote_id) {
        match intent.upstream {
            Upstream::Ace360 => {
                done_in_ace360(&state, &intent, record, body.0.allow_other_person).await?;
            }
            Upstream::OneFile => done_in_onefile(&state, &intent, record, &who.by()).await?,
        }
    } else {
        let found = "A person found that the upstream does not have it; it may be sent again.";
        let problem = IntentProblem::ours("settledByHand", found);
        if !state.store.settle_not_done(intent.id, &problem).await? {
            return Err(Problem::new(
                Code::AlreadySettled,
                "The intent was settled meanwhile, or is being sent once more.",
            ));
        }
    }
    match intent.upstream {
        Upstream::Ace360 => {}
        Upstream::OneFile => state.onefile.wake_waiting(&intent).await?,
    }
    state.store.note_resolved(&intent, &who.by()).await?;
    let row = state.store.intent(provider, id.0).await?.ok_or_else(|| Problem::not_found("intent"))?;
    Ok(Json(shown(&state, row)?))
}

/// A person says which record an upload became.
async fn done_in_ace360(
    state: &State,
    intent: &IntentRow,
    record: i64,
    allow_other_person: bool,
) -> Result<(), Problem> {
    let provider = intent.provider_id;
    let (client, _) = state.ace360.client(provider, Class::Interactive).await?;
    let apprentice = client.apprentice(record).await?.map_err(of_failure)?;
    if !allow_other_person {
        same_person(state, provider, &intent.subject_id, &apprentice).await?;
    }
    let mirror = mirror_row(&state.store, provider, &apprentice);
    match state.store.settle_uploaded(intent, UploadMethod::Manual, &single(&apprentice), &mirror).await? {
        SettleOutcome::Done(_) => Ok(()),
        SettleOutcome::Elsewhere | SettleOutcome::Taken => Err(Problem::new(
            Code::AlreadyLinked,
            "The record is linked to another learner, or the intent was settled meanwhile.",
        )),
    }
}

/// A person says what a creation in OneFile became.
async fn done_in_onefile(state: &State, intent: &IntentRow, record: i64, by: &By) -> Result<(), Problem> {
    let call: CreateCall =
        serde_json::from_slice(&state.store.intent_payload(intent)?).map_err(StoreError::from)?;
    let environment = intent.environment.as_str();
    state.onefile.is_there(intent.provider_id, environment, &call, &record.to_string()).await?;
    let link = call.link.as_ref().and_then(|link| link.with(record));
    match state.store.settle_onefile(intent, record, link.as_ref(), by).await? {
        SettleOutcome::Done(_) => Ok(()),
        SettleOutcome::Elsewhere => {
            Err(Problem::new(Code::AlreadySettled, "The intent was settled meanwhile."))
        }
        SettleOutcome::Taken => Err(Problem::new(
            Code::AlreadyLinked,
            "OneFile's record is linked to another record here, or this one to another of OneFile's.",
        )),
    }
}
