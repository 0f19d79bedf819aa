//! The audit, as it is read. Lines are written where things are done, and by `refusals.rs` where they are not.

use actix_web::HttpRequest;
use actix_web::get;
use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::State;
use super::errors::ReadErrors;
use super::extract::Caller;
use super::params::{Page, Params};
use super::problem::Problem;
use crate::auth::scope::needs::AuditRead;
use crate::store::{AuditFilter, AuditRow};

/// A line of the audit.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "0198f3c2-7c6e-7b2e-8a53-0c1d2e3f4a5b", "at": "2026-11-22T10:15:00Z", "actor": "token:0198f3b0-1c2d-7e3f-8a4b-5c6d7e8f9a0b",
    "action": "record.put", "outcome": "done", "subject": {"kind": "learner", "id": "L-1002"}, "subjectIds": null, "subjectCount": null, "calls": 1,
    "requestId": "01a20126-7c6e-7b2e-8a53-0c1d2e3f4a5b", "address": "203.0.113.7", "reason": null, "person": null
}))]
pub struct AuditLine {
    /// In the order of writing.
    id: Uuid,
    /// When it happened, in UTC.
    at: DateTime<Utc>,
    /// Who: `token:` and its id, `user:` and the `sub` of a trusted issuer's token, `run:` and its id, `cli`, or a part of the service.
    #[schema(example = "token:0198f3b0-1c2d-7e3f-8a4b-5c6d7e8f9a0b")]
    actor: String,
    /// What: a word such as `record.put`, or, of a call that was refused, its method and route.
    #[schema(example = "record.put")]
    action: String,
    /// `done`, or the `code` of the problem that the call was refused with; `several` where the line stands for calls of several.
    #[schema(example = "done")]
    outcome: String,
    /// On whom; null: on many, or on nothing that has an id.
    subject: Option<AuditSubject>,
    /// On whom, where it was many: the first 100.
    subject_ids: Option<Vec<String>>,
    /// How many they are.
    subject_count: Option<i32>,
    /// How many calls the line stands for: 1, but for refusals that were too many to have a line each.
    #[schema(example = 1)]
    calls: i32,
    /// The request that it came with; null: no request of the API.
    request_id: Option<String>,
    /// From where; null where it cannot be known.
    #[schema(example = "203.0.113.7")]
    address: Option<String>,
    /// Why, where somebody said.
    reason: Option<String>,
    /// Which person, where somebody said.
    person: Option<String>,
}

super::page::page! {
    /// A page of the audit.
    AuditPage of AuditLine
}

/// What a line is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditSubject {
    /// What kind of thing; of the learners of an import `learner`, say.
    #[schema(example = "learner")]
    kind: String,
    /// Its id; null: see `subjectIds`.
    #[schema(example = "L-1002")]
    id: Option<String>,
}

impl From<AuditRow> for AuditLine {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            at: row.at,
            actor: row.actor,
            action: row.action,
            outcome: row.refused.unwrap_or_else(|| "done".to_owned()),
            subject: row.subject_kind.map(|kind| AuditSubject { kind, id: row.subject_id }),
            subject_ids: row.subject_ids,
            subject_count: row.subjects,
            calls: row.calls,
            request_id: row.request_id,
            address: row.address,
            reason: row.reason,
            person: row.person,
        }
    }
}

/// Read the audit
///
/// Who did what to whom, when and from where, the newest first; also what was refused. Lines are never changed, and are removed by retention
/// alone (6 years, if the operator did not say otherwise); they outlive the erasure of a learner, whose id they keep. Refused calls of a token
/// that is known have a line: 401 of one that has expired or was revoked, 403, and every refused change (404, 409, 412, 422); after 10 in a
/// minute the rest of that minute is one line that counts them. Needs `audit:read`.
#[utoipa::path(operation_id = "listAudit", tag = "Audit", security(("bearer" = ["audit:read"])),
    params(("action" = Option<String>, Query, description = "Only this action, such as `record.put`."),
           ("actor" = Option<String>, Query, description = "Only this actor, such as `token:` and its id."),
           ("subjectKind" = Option<String>, Query, description = "With `subjectId`: `learner`, `officer`, `organisation`, `token`, …"),
           ("subjectId" = Option<String>, Query, description = "With `subjectKind`: only what was done to this one, imports with it among others included."),
           ("after" = Option<DateTime<Utc>>, Query, description = "Only what was done after this time."),
           ("before" = Option<DateTime<Utc>>, Query, description = "Only what was done before this time."),
           ("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."),
           ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of lines.", body = AuditPage), ReadErrors))]
#[get("/audit")]
pub async fn list(
    who: Caller<AuditRead>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<AuditLine>>, Problem> {
    let mut params = Params::of(&request);
    let (action, actor) = (params.text("action"), params.text("actor"));
    let (kind, id) = (params.text("subjectKind"), params.text("subjectId"));
    for (name, missing) in
        [("subjectKind", kind.is_none() && id.is_some()), ("subjectId", kind.is_some() && id.is_none())]
    {
        if missing {
            params.fault(name, "required", "Send subjectKind and subjectId together.");
        }
    }
    for (name, text) in [("action", &action), ("actor", &actor), ("subjectKind", &kind), ("subjectId", &id)] {
        if text.as_ref().is_some_and(|text| text.chars().any(char::is_control)) {
            params.fault(name, "invalidValue", "Send it as a line of the audit has it.");
        }
    }
    let (after, before) = (params.time("after"), params.time("before"));
    let paging = params.paging(who.provider());
    params.done()?;
    let filter = AuditFilter {
        action: action.as_deref(),
        actor: actor.as_deref(),
        subject: kind.as_deref().zip(id.as_deref()),
        after,
        before,
    };
    let page = state.store.list_audit(who.provider(), filter, paging.after.as_deref(), paging.size).await?;
    let last = page.items.last().filter(|_| page.more).map(|row| row.id.to_string());
    Ok(Json(paging.page(page.items.into_iter().map(AuditLine::from).collect(), last.as_deref())))
}
