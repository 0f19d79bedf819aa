//! What happened to the records of a run.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, get};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::State;
use super::errors::ReadErrors;
use super::extract::{Caller, Id};
use super::params::{Page, Params};
use super::problem::Problem;
use crate::auth::scope::needs::RunsRead;
use crate::domain::{Fault, RecordCode, Subject};
use crate::store::{OutcomeKind, RecordOutcome};

/// What happened to a record.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "subject": {"kind": "learner", "id": "L-1001"}, "outcome": "failed", "code": "fieldsMissing",
    "message": "1 field is missing: see errors. Nothing was sent.", "recordId": null,
    "problem": {"code": "fieldsMissing", "message": "1 field is missing: see errors. Nothing was sent.", "recordIds": [],
        "errors": [{"pointer": "/uln", "code": "missing",
            "message": "ulnNumber: Enter it in PICSWeb: Learner > ULN. It cannot be added in ACE360 afterwards."}]}
}))]
pub struct RunRecord {
    /// The record that the run worked on.
    subject: Subject,
    /// What the run did with the record.
    outcome: OutcomeKind,
    /// What came of it: stable, for programs.
    #[schema(value_type = RecordCode)]
    code: RecordCode,
    /// The same in words, where there is more to say.
    message: Option<String>,
    /// ACE360's id of the record that it has now, or would be linked to.
    #[schema(example = 248)]
    record_id: Option<i64>,
    /// Why it failed or was skipped; null when all is well.
    problem: Option<RunRecordProblem>,
}

super::page::page! {
    /// A page of a run's records.
    RunRecordPage of RunRecord
}

/// Why a record failed or was skipped.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunRecordProblem {
    /// A code that never changes.
    #[schema(value_type = RecordCode)]
    code: RecordCode,
    /// What to know and to do.
    message: Option<String>,
    /// Every fault: for `fieldsMissing` what is missing and where to fix it, for `upstreamRejected` the upstream's reasons.
    errors: Vec<Fault>,
    /// ACE360's ids of the records that it may be, for `likelyDuplicate` and `ambiguous`.
    record_ids: Vec<i64>,
}

impl From<RecordOutcome> for RunRecord {
    fn from(row: RecordOutcome) -> Self {
        let message = row.told.as_ref().map(|told| told.message.clone()).filter(|text| !text.is_empty());
        let well = matches!(row.outcome, OutcomeKind::Succeeded | OutcomeKind::Unchanged);
        let problem = (!well).then(|| {
            let told = row.told.unwrap_or_default();
            RunRecordProblem {
                code: row.code,
                message: message.clone(),
                errors: told.errors,
                record_ids: told.record_ids,
            }
        });
        Self {
            subject: Subject { kind: row.kind, id: row.id },
            outcome: row.outcome,
            code: row.code,
            message,
            record_id: row.record_id,
            problem,
        }
    }
}

/// List a run's records
///
/// What happened to each record and why, by subject: `code` for programs, and for one that failed `problem` with every fault. Records with nothing
/// changed are counted in the run and not listed. Needs `runs:read`.
#[utoipa::path(operation_id = "listRunRecords", tag = "Runs", security(("bearer" = ["runs:read"])),
    params(("id" = Uuid, Path), ("outcome" = Option<OutcomeKind>, Query, description = "Only those with this outcome."),
           ("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."), ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of records.", body = RunRecordPage), ReadErrors))]
#[get("/runs/{id}/records")]
pub async fn list(
    who: Caller<RunsRead>,
    state: Data<State>,
    id: Id<Uuid>,
    request: HttpRequest,
) -> Result<Json<Page<RunRecord>>, Problem> {
    let mut params = Params::of(&request);
    let outcome =
        params.word("outcome", &["succeeded", "unchanged", "failed", "skipped"]).and_then(OutcomeKind::parse);
    let paging = params.paging(who.provider());
    params.done()?;
    let run = state.store.run(who.provider(), id.0).await?.ok_or_else(|| Problem::not_found("run"))?;
    let page = state.store.run_records(run.id, outcome, paging.after.as_deref(), paging.size).await?;
    let last = page.items.last().filter(|_| page.more).map(|row| row.id.clone());
    Ok(Json(paging.page(page.items.into_iter().map(RunRecord::from).collect(), last.as_deref())))
}
