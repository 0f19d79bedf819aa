//! Learners: whole records in and out, the list with where each stands, import, and erasure.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::State;
use super::errors::{ReadErrors, WriteErrors};
use super::etag::{Precondition, Tagged};
use super::extract::{Caller, Id, ImportBody, RecordBody};
use super::import::ImportAnswer;
use super::params::{Page, Params};
use super::problem::Problem;
use super::{import, records};
use crate::auth::scope::needs::{RecordsRead, RecordsWrite};
use crate::domain::{Ace360Status, Learner, LearnerId, LearnerRecord, OneFileState, TabState};
use crate::store::{LearnerFilter, RecordKind};

/// A learner in the list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LearnerLine {
    /// PICSWeb's id of the learner.
    #[schema(example = "L1")]
    learner_id: String,
    /// Where it stands in ACE360.
    ace360: Ace360Line,
    /// Where it stands in OneFile.
    onefile: OnefileLine,
    /// When the record was written last.
    updated_at: DateTime<Utc>,
}

/// Where a learner stands in ACE360.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ace360Line {
    /// As its ACE360 tab says it.
    state: TabState,
    /// ACE360's status; null: none was read yet.
    status: Option<Ace360Status>,
}

/// Where a learner stands in OneFile.
#[derive(Debug, Serialize, ToSchema)]
pub struct OnefileLine {
    /// As its OneFile tab says it.
    state: OneFileState,
}

/// A page of learners.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LearnerPage {
    /// The records of this page, at most `pageSize`.
    items: Vec<LearnerLine>,
    /// Send it as `pageToken` for the next page; null: there is none.
    #[schema(example = "TC0xMDAx")]
    next_page_token: Option<String>,
}

/// Keep a learner
///
/// Writes the record whole: what is left out is emptied. All but the names may be missing; what an upload needs and the record lacks shows in
/// its preview. Nothing is called upstream. Needs `records:write`.
#[utoipa::path(operation_id = "putLearner", tag = "Records", security(("bearer" = ["records:write"])), params(("learnerId" = LearnerId, Path)), request_body = Learner,
    responses((status = 201, description = "It is new.", body = LearnerRecord), (status = 200, description = "It was replaced.", body = LearnerRecord), WriteErrors))]
#[put("/learners/{learnerId}")]
pub async fn put(
    who: Caller<RecordsWrite>,
    state: Data<State>,
    id: Id<LearnerId>,
    expected: Precondition,
    body: RecordBody,
) -> Result<Tagged<LearnerRecord>, Problem> {
    let text = id.0.as_str().to_owned();
    records::put::<LearnerRecord>(&state, who.provider(), id.0, &text, &body.0, &expected.0, &who.by()).await
}

/// Read a learner
///
/// Needs `records:read`.
#[utoipa::path(operation_id = "getLearner", tag = "Records", security(("bearer" = ["records:read"])), params(("learnerId" = LearnerId, Path)),
    responses((status = 200, description = "The learner.", body = LearnerRecord), ReadErrors))]
#[get("/learners/{learnerId}")]
pub async fn get(
    who: Caller<RecordsRead>,
    state: Data<State>,
    id: Id<LearnerId>,
) -> Result<Tagged<LearnerRecord>, Problem> {
    let text = id.0.as_str().to_owned();
    records::get::<LearnerRecord>(&state, who.provider(), id.0, &text).await
}

/// Erase a learner
///
/// Everything that is kept of the learner here: record, links, histories, intents, run records and changes, and its id in what runs were asked (in one that
/// is under way when it ends). The audit keeps the id. Nothing happens upstream, where the record stays; so do its id, status and keyed hashes in the
/// mirror of ACE360's list, by which duplicates are found. Refused (409) while the outcome of an upload is open. Needs `records:write`.
#[utoipa::path(operation_id = "eraseLearner", tag = "Records", security(("bearer" = ["records:write"])), params(("learnerId" = LearnerId, Path)),
    responses((status = 204, description = "Nothing is left."), (status = 409, description = "An upload's outcome is open (`inFlight`).", body = Problem, content_type = "application/problem+json"), ReadErrors))]
#[delete("/learners/{learnerId}")]
pub async fn delete(
    who: Caller<RecordsWrite>,
    state: Data<State>,
    id: Id<LearnerId>,
    expected: Precondition,
) -> Result<HttpResponse, Problem> {
    let erased = state.store.erase_learner(who.provider(), id.0.as_str(), &expected.0, &who.by()).await?;
    records::removed(erased, RecordKind::Learner, &expected.0)
}

/// List learners
///
/// In the order of their ids, with where each stands in ACE360 and OneFile. Needs `records:read`.
#[utoipa::path(operation_id = "listLearners", tag = "Records", security(("bearer" = ["records:read"])),
    params(("ace360" = Option<TabState>, Query, description = "Only those in this state."),
           ("onefile" = Option<OneFileState>, Query, description = "Only those in this state."),
           ("updatedAfter" = Option<DateTime<Utc>>, Query, description = "Only those whose record was written after this time."),
           ("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."),
           ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of learners.", body = LearnerPage), ReadErrors))]
#[get("/learners")]
pub async fn list(
    who: Caller<RecordsRead>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<LearnerLine>>, Problem> {
    let mut params = Params::of(&request);
    let ace360 = params.word("ace360", TabState::WORDS).and_then(TabState::parse);
    let onefile = params.word("onefile", OneFileState::WORDS).and_then(OneFileState::parse);
    let updated_after = params.time("updatedAfter");
    let paging = params.paging(who.provider());
    params.done()?;
    let page = state
        .store
        .list_learners(
            who.provider(),
            LearnerFilter { ace360: ace360.as_slice(), onefile: onefile.as_slice(), updated_after },
            paging.after.as_deref(),
            paging.size,
        )
        .await?;
    let last = page.items.last().filter(|_| page.more).map(|line| line.learner_id.clone());
    let items = page
        .items
        .into_iter()
        .map(|line| LearnerLine {
            learner_id: line.learner_id,
            ace360: Ace360Line {
                state: line.ace360,
                status: Ace360Status::of(line.status_id, line.status_text),
            },
            onefile: OnefileLine { state: line.onefile },
            updated_at: line.updated_at,
        })
        .collect();
    Ok(Json(paging.page(items, last.as_deref())))
}

/// Import learners
///
/// Up to 10,000 records as a JSON array, or one a line as `application/x-ndjson`. Each carries its `learnerId` and replaces what is kept under
/// it. Every record has its outcome; the good ones are kept. Needs `records:write`.
#[utoipa::path(operation_id = "importLearners", tag = "Records", security(("bearer" = ["records:write"])),
    request_body(content((Vec<LearnerRecord> = "application/json"), (LearnerRecord = "application/x-ndjson"))),
    responses((status = 200, description = "Every record with its outcome, also when some or all failed.", body = ImportAnswer), WriteErrors))]
#[post("/learners:import")]
pub async fn bring(
    who: Caller<RecordsWrite>,
    state: Data<State>,
    body: ImportBody,
) -> Result<HttpResponse, Problem> {
    import::import::<LearnerRecord>(&state, who.provider(), body, &who.by()).await
}
