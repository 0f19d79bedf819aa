//! Intents at the API: what was sent upstream, and what is not known of it.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, get};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::State;
use super::document::{IntentPage, ReadErrors};
use super::extract::Caller;
use super::params::{Page, Params};
use super::problem::Problem;
use super::runs::Subject;
use crate::auth::scope::needs::RunsRead;

/// A creation that was to happen upstream.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Ours.
    id: Uuid,
    /// With which upstream.
    #[schema(example = "ace360")]
    upstream: String,
    /// For whom.
    subject: Subject,
    /// Which of the subject's creations.
    #[schema(example = "apprentice")]
    step: String,
    /// `sending`, `unknown`, `done`, `rejected` or `notSent`.
    #[schema(example = "unknown")]
    state: String,
    /// When it was written.
    created_at: DateTime<Utc>,
    /// When it was sent last; null: nothing can have reached the upstream.
    sent_at: Option<DateTime<Utc>>,
    /// How often it was sent: twice only when the first was surely lost.
    sends: i32,
    /// When it is looked for next; null, in state `unknown`: a person decides.
    next_look_at: Option<DateTime<Utc>>,
    /// The upstream's id of what it became.
    remote_id: Option<i64>,
    /// When it was settled.
    settled_at: Option<DateTime<Utc>>,
    /// Why it did not happen, or is not known.
    problem: Option<String>,
}

/// List intents
///
/// With `state=unknown`: what was sent and whose answer was lost, and since when. Oldest first. Needs `runs:read`.
#[utoipa::path(operation_id = "listIntents", tag = "Runs", security(("bearer" = ["runs:read"])),
    params(("state" = Option<String>, Query, description = "`sending`, `unknown`, `done`, `rejected` or `notSent`."),
           ("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."), ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of intents.", body = IntentPage), ReadErrors))]
#[get("/intents")]
pub async fn list(
    who: Caller<RunsRead>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Intent>>, Problem> {
    let mut params = Params::of(&request);
    let wanted = params.word("state", &["sending", "unknown", "done", "rejected", "notSent"]);
    let paging = params.paging();
    params.done()?;
    let page = state.store.list_intents(who.provider(), wanted, paging.after.as_deref(), paging.size).await?;
    let last = page.items.last().filter(|_| page.more).map(|row| row.id.to_string());
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        let problem = state.store.intent_problem(&row)?.map(|problem| problem.message);
        items.push(Intent {
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
        });
    }
    Ok(Json(Page::new(items, last.as_deref())))
}
