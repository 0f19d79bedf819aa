//! A learner's ACE360 tab: where it stands, its status now, its history.

use actix_web::web::{Data, Json};
use actix_web::{get, post};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::State;
use super::super::errors::{ReadErrors, UpstreamErrors};
use super::super::extract::{Caller, Id};
use super::super::problem::{Code, Problem, UpstreamCause};
use crate::ace360::Ace360Error;
use crate::ace360::create::plan::eligible;
use crate::ace360::sync::status::SyncedOne;
use crate::auth::scope::needs::{Ace360Read, Ace360Sync};
use crate::domain::{Ace360LinkState, Ace360Status, Fault, IntentState, Learner, LearnerId, TabState};
use crate::store::{IntentProblem, LinkRow, TabRow};
use crate::upstream::failure::faults;

/// A learner's ACE360 tab.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "learnerId": "L-1001", "eligible": true, "ineligibleReason": null, "state": "uploaded", "recordId": 248,
    "status": {"id": 2, "text": "Gateway in Progress"}, "statusReadAt": "2026-11-22T05:00:03Z", "archivedAt": null, "archivalStatus": null,
    "provisionalGrade": null, "overallGrade": null, "gradeDate": null, "certificateClaimedAt": null, "uploadedAt": "2026-11-20T10:12:00Z",
    "method": "upload", "problem": null, "history": "/learners/L-1001/ace360/history"
}))]
pub struct Tab {
    /// PICSWeb's id of the learner.
    #[schema(example = "L1")]
    pub learner_id: String,
    /// Whether the learner may go to ACE360; one that is there already may.
    eligible: bool,
    /// Why the learner is not eligible. Null for a learner who is.
    ineligible_reason: Option<String>,
    /// The learner's state in this system.
    pub state: TabState,
    /// ACE360's id of the record.
    #[schema(example = 248)]
    pub record_id: Option<i64>,
    /// ACE360's status, as read last.
    status: Option<Ace360Status>,
    /// When it was read last.
    status_read_at: Option<DateTime<Utc>>,
    /// When ACE360 archived the record (UTC is assumed; 1970: at a time that ACE360 did not tell).
    archived_at: Option<String>,
    /// Why it is archived, in ACE360's words.
    archival_status: Option<String>,
    /// Before the assessment is settled.
    #[schema(example = "merit")]
    provisional_grade: Option<String>,
    /// The final grade, in ACE360's words.
    #[schema(example = "pass")]
    overall_grade: Option<String>,
    /// When it was given.
    grade_date: Option<String>,
    /// When the certificate was claimed (UTC is assumed).
    certificate_claimed_at: Option<String>,
    /// When the learner was uploaded, or linked.
    uploaded_at: Option<DateTime<Utc>>,
    /// How the link came to be: `upload`, `manual`, `matched`, `reconciled`.
    method: Option<String>,
    /// Why the last upload or sync of this learner failed, if it did.
    problem: Option<TabProblem>,
    /// Where its history is.
    #[schema(example = "/learners/L1/ace360/history")]
    history: String,
}

/// Why the last upload or sync of a learner failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TabProblem {
    /// As in an error.
    #[schema(value_type = Code)]
    code: String,
    /// What happened, and what to do next.
    message: String,
    /// The upstream's part in it.
    upstream: Option<UpstreamCause>,
    /// The upstream's faults, by its own field names.
    errors: Vec<Fault>,
}

impl From<IntentProblem> for TabProblem {
    fn from(problem: IntentProblem) -> Self {
        Self {
            errors: faults(&problem.field_errors),
            // What a person said of it is not the upstream's part.
            upstream: problem.code.starts_with("upstream").then(|| UpstreamCause {
                name: "ace360".to_owned(),
                status: problem.status,
                message: problem.upstream_message,
            }),
            code: problem.code,
            message: problem.message,
        }
    }
}

/// Every status that was seen.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [
    {"status": {"id": 1, "text": "In Training"}, "readAt": "2025-09-04T05:00:03Z"},
    {"status": {"id": 2, "text": "Gateway in Progress"}, "readAt": "2026-11-22T05:00:03Z"}
]}))]
pub struct History {
    /// Every status that was read, oldest first.
    items: Vec<HistoryItem>,
}

/// One status that was seen.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryItem {
    /// The status that ACE360 showed.
    status: Ace360Status,
    /// When it was seen first.
    read_at: DateTime<Utc>,
}

/// The tab of a learner, from what is kept.
pub async fn tab_of(state: &State, provider: Uuid, learner: &str) -> Result<Tab, Problem> {
    // Most have a link, and with it one row tells all.
    if let Some(link) = state.store.ace360_link(provider, learner).await? {
        return linked_tab(state, provider, link);
    }
    let row = state
        .store
        .ace360_tab::<Learner>(provider, learner)
        .await?
        .ok_or_else(|| Problem::not_found("learner"))?;
    match row {
        TabRow::Linked(link) => linked_tab(state, provider, *link),
        TabRow::Unlinked { record, intent } => {
            let mut tab = empty_tab(learner);
            if let Err(reason) = eligible(&record) {
                tab.eligible = false;
                tab.ineligible_reason = Some(reason.message);
            }
            let Some((_, intent_state)) = intent else { return Ok(tab) };
            tab.state = match intent_state {
                IntentState::Sending => TabState::Uploading,
                IntentState::Unknown => TabState::Unknown,
                IntentState::Rejected => TabState::Rejected,
                IntentState::Done | IntentState::NotSent => TabState::NotUploaded,
            };
            if tab.state != TabState::Uploading
                && let Some(intent) = state.ace360.latest_upload(provider, learner).await?
            {
                tab.problem = state.store.intent_problem(&intent)?.map(TabProblem::from);
            }
            Ok(tab)
        }
    }
}

fn empty_tab(learner: &str) -> Tab {
    Tab {
        learner_id: learner.to_owned(),
        eligible: true,
        ineligible_reason: None,
        state: TabState::NotUploaded,
        record_id: None,
        status: None,
        status_read_at: None,
        archived_at: None,
        archival_status: None,
        provisional_grade: None,
        overall_grade: None,
        grade_date: None,
        certificate_claimed_at: None,
        uploaded_at: None,
        method: None,
        problem: None,
        history: format!("/learners/{learner}/ace360/history"),
    }
}

pub fn linked_tab(state: &State, provider: Uuid, link: LinkRow) -> Result<Tab, Problem> {
    let problem = state.store.link_problem(provider, &link)?.map(TabProblem::from);
    let empty = empty_tab(&link.learner_id);
    Ok(Tab {
        state: if link.state == Ace360LinkState::Gone { TabState::Gone } else { TabState::Uploaded },
        record_id: Some(link.record_id),
        status: Ace360Status::of(link.status_id, link.status_text),
        status_read_at: link.status_read_at,
        archived_at: link.archived_at,
        archival_status: link.archival_status,
        provisional_grade: link.provisional_grade,
        overall_grade: link.overall_grade,
        grade_date: link.grade_date,
        certificate_claimed_at: link.certificate_claimed_at,
        uploaded_at: Some(link.uploaded_at),
        method: Some(link.method),
        problem,
        ..empty
    })
}

/// Read a learner's ACE360 tab
///
/// Where the learner stands: eligible or why not, state, record, status and when it was read, grades, dates, certificate. Answered from what is
/// kept here; ACE360 is not called. Needs `ace360:read`.
#[utoipa::path(operation_id = "getLearnerAce360", tag = "ACE360", security(("bearer" = ["ace360:read"])), params(("learnerId" = LearnerId, Path)),
    responses((status = 200, description = "The tab.", body = Tab), ReadErrors))]
#[get("/learners/{learnerId}/ace360")]
pub async fn read(
    who: Caller<Ace360Read>,
    state: Data<State>,
    id: Id<LearnerId>,
) -> Result<Json<Tab>, Problem> {
    tab_of(&state, who.provider(), id.0.as_str()).await.map(Json)
}

/// Read a learner's status from ACE360 now
///
/// One call to ACE360: status, grades, dates, certificate, archive. Answers the tab as it is afterwards. Needs `ace360:sync`.
#[utoipa::path(operation_id = "syncLearnerAce360", tag = "ACE360", security(("bearer" = ["ace360:sync"])), params(("learnerId" = LearnerId, Path)),
    responses((status = 200, description = "The tab, as ACE360 says it now.", body = Tab), UpstreamErrors))]
#[post("/learners/{learnerId}/ace360:sync")]
pub async fn sync(
    who: Caller<Ace360Sync>,
    state: Data<State>,
    id: Id<LearnerId>,
) -> Result<Json<Tab>, Problem> {
    let tab = tab_of(&state, who.provider(), id.0.as_str()).await?;
    let synced = state.ace360.sync_one(who.provider(), id.0.as_str()).await;
    match synced {
        Ok(SyncedOne::NotLinked) => Err(Problem::new(
            Code::NotUploaded,
            match tab.state {
                TabState::Uploading | TabState::Unknown => {
                    "The outcome of the learner's upload is not known yet."
                }
                _ => "The learner has no ACE360 record: upload it, or link it to its record.",
            },
        )),
        Ok(SyncedOne::Changed | SyncedOne::Unchanged | SyncedOne::Gone) => {
            // Not before: while the integration is off nothing is read.
            let learner = id.0.as_str();
            state.store.audit_call(who.provider(), &who.by(), "ace360.sync", "learner", learner).await?;
            tab_of(&state, who.provider(), id.0.as_str()).await.map(Json)
        }
        Err(Ace360Error::Store(error)) => Err(error.into()),
        Err(error) => Err(error.into()),
    }
}

/// Read a learner's status history
///
/// Every status that was seen, oldest first. Needs `ace360:read`.
#[utoipa::path(operation_id = "getLearnerAce360History", tag = "ACE360", security(("bearer" = ["ace360:read"])), params(("learnerId" = LearnerId, Path)),
    responses((status = 200, description = "The history.", body = History), ReadErrors))]
#[get("/learners/{learnerId}/ace360/history")]
pub async fn history(
    who: Caller<Ace360Read>,
    state: Data<State>,
    id: Id<LearnerId>,
) -> Result<Json<History>, Problem> {
    tab_of(&state, who.provider(), id.0.as_str()).await?;
    let rows = state.store.ace360_history(who.provider(), id.0.as_str()).await?;
    let items = rows
        .into_iter()
        .map(|row| HistoryItem {
            status: Ace360Status { id: row.status_id, text: row.status_text },
            read_at: row.read_at,
        })
        .collect();
    Ok(Json(History { items }))
}

/// The tab, for the handlers beside this one.
pub(super) async fn answer(state: &State, provider: Uuid, learner: &str) -> Result<Json<Tab>, Problem> {
    tab_of(state, provider, learner).await.map(Json)
}
