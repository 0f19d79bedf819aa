//! Importing links: many at once, each with its outcome. So come the ids that PICSWeb holds already.

use std::collections::{BTreeSet, HashMap};

use actix_web::post;
use actix_web::web::{Data, Json};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::State;
use super::super::errors::OneFileLinkErrors;
use super::super::extract::{Caller, LargeBody};
use super::super::import_faults::FaultRoom;
use super::super::problem::{Code, Problem};
use super::links::{Link, LinkRequest};
use crate::auth::scope::needs::OnefileWrite;
use crate::domain::serde_fields::required_list;
use crate::domain::{Check, Fault, Faults, LearnerId, LinkMethod, parse};
use crate::onefile::OneFile;
use crate::onefile::links::Seen;
use crate::onefile::links::suggest::LinkKind;
use crate::store::{By, Linking};

/// The links to create, as a list.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = OneFileLinkImport, example = json!({"items": [{"kind": "officer", "localId": "O-17", "remoteId": "1042"}], "validateOnly": true}))]
pub struct LinkImport {
    /// The links, at most 10,000.
    #[serde(deserialize_with = "required_list::<10_000, _, _>")]
    #[schema(value_type = Vec<LinkRequest>, max_items = 10_000)]
    items: Vec<Value>,
    /// `true`: nothing is kept, and the outcomes are what would come of it.
    #[serde(default)]
    #[schema(default = false)]
    validate_only: bool,
}

impl Check for LinkImport {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        let empty = || Fault::at("/items", "emptyImport", "There is no link. Send at least one.");
        self.items.is_empty().then(empty).into_iter().collect()
    }
}

/// What came of the links of an import.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = OneFileLinkImportAnswer, example = json!({
    "succeeded": 1, "unchanged": 0, "failed": 1,
    "items": [{"index": 0, "id": "O-17", "outcome": "succeeded", "problem": null, "link": {
            "id": "01a20126-7c6e-7b2e-8a53-0c1d2e3f4a5b", "kind": "officer", "localId": "O-17", "centreId": "1001", "remoteId": "1042",
            "remoteName": "Sam Okoro", "method": "imported", "state": "linked", "createdAt": "2026-11-22T10:00:00Z"}},
        {"index": 1, "id": "O-18", "outcome": "failed", "link": null, "problem": {"code": "invalidRequest", "message": "Send this field: it is required.",
            "errors": [{"pointer": "/remoteId", "code": "required", "message": "Send this field: it is required."}]}}]
}))]
pub struct LinkImportAnswer {
    /// Links that were made.
    #[schema(example = 1)]
    succeeded: usize,
    /// Links that were there already.
    #[schema(example = 0)]
    unchanged: usize,
    /// Links that could not be made.
    #[schema(example = 1)]
    failed: usize,
    /// Every one, in the order it came.
    items: Vec<LinkImportItem>,
}

/// What came of one link.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OneFileLinkImportItem)]
pub struct LinkImportItem {
    /// Where it stood, from 0.
    #[schema(example = 0)]
    index: usize,
    /// Its `localId`, if one could be read.
    #[schema(example = "O-17")]
    id: Option<String>,
    /// Whether this link was created.
    outcome: LinkImportOutcome,
    /// The link that there is; null when it failed, and with `validateOnly` where there is none yet.
    link: Option<Link>,
    /// What is wrong; null when nothing is.
    problem: Option<LinkImportProblem>,
}

/// How it went for a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileLinkImportOutcome)]
pub enum LinkImportOutcome {
    /// The link was created.
    Succeeded,
    /// It was there already.
    Unchanged,
    /// It was not made.
    Failed,
}

/// The faults of a link.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OneFileLinkImportProblem)]
pub struct LinkImportProblem {
    /// As in other errors.
    code: Code,
    /// What happened, and what to do.
    #[schema(example = "OneFile has no assessor 4711. Nothing was linked.")]
    message: String,
    /// The faults; pointers are within the link. At most 10 of a link and 1,000 of an import are listed: a last one, `tooManyFaults`, says how
    /// many more there are.
    errors: Vec<Fault>,
}

/// Import links with OneFile
///
/// Many at once: proposals that were accepted, and the ids that PICSWeb holds already, so that moving over makes nothing again: an officer's Other System ID,
/// an organisation's Additional ID, a learner's OneFile ID, each as `remoteId`. (A review's OneFile System ID comes with its learner, as `reviews[].oneFileId`.)
/// Each has its outcome; one that fails stops no other, and what is sent again is `unchanged`. That OneFile's records are there is looked up in what was read
/// last; a few others are asked for singly, and where there are more, OneFile's lists are read. Nothing happens in OneFile. Needs `onefile:write`.
#[utoipa::path(operation_id = "importOneFileLinks", tag = "OneFile", security(("bearer" = ["onefile:write"])), request_body = LinkImport,
    responses((status = 200, description = "What came of each.", body = LinkImportAnswer), OneFileLinkErrors))]
#[post("/onefile/links:import")]
pub async fn bring(
    who: Caller<OnefileWrite>,
    state: Data<State>,
    body: LargeBody<LinkImport>,
) -> Result<Json<LinkImportAnswer>, Problem> {
    let (onefile, provider, by) = (state.background.onefile.clone(), who.provider(), who.by());
    let today = state.auth.clock().today();
    // What was begun comes to its end, also when the caller goes away.
    let work = state.background.spawn(async move { import(&onefile, provider, body.0, today, &by).await });
    work.await.map_err(|_| Problem::new(Code::Internal, "The import broke off: send it again."))?.map(Json)
}

async fn import(
    onefile: &OneFile,
    provider: Uuid,
    body: LinkImport,
    today: NaiveDate,
    by: &By,
) -> Result<LinkImportAnswer, Problem> {
    let keep = !body.validate_only;
    let mut lines: Vec<(Option<String>, Result<LinkRequest, Refused>)> = Vec::with_capacity(body.items.len());
    let mut wanted: HashMap<LinkKind, BTreeSet<String>> = HashMap::new();
    for item in body.items {
        let id = item.get("localId").and_then(Value::as_str).map(str::trim);
        let id = id.filter(|id| LearnerId::parse(id).is_ok()).map(str::to_owned);
        let parsed = parse::parse_value::<LinkRequest>(&item, today).map_err(Refused::from);
        if let Ok(request) = &parsed {
            wanted.entry(request.kind).or_default().insert(request.remote_id.0.clone());
        }
        lines.push((id, parsed));
    }
    let settings = onefile.store.onefile_settings(provider).await?;
    let mut seen: HashMap<LinkKind, HashMap<String, Seen>> = HashMap::new();
    for (kind, ids) in wanted {
        seen.insert(kind, onefile.remotes(provider, &settings, kind, &ids).await?);
    }
    let mut links = Vec::with_capacity(lines.len());
    let lines: Vec<_> = lines
        .into_iter()
        .map(|(id, parsed)| {
            let ready = parsed.and_then(|request| {
                let there = seen.get(&request.kind).and_then(|own| own.get(&request.remote_id.0));
                links.push(request.with(there)?);
                Ok(request)
            });
            (id, ready)
        })
        .collect();
    let environment = settings.choices.environment;
    let how = Linking { provider, environment, method: LinkMethod::Imported, keep, by };
    let mut linked = onefile.store.link_onefile(how, &links).await?.into_iter();
    let (mut answer, mut room) = (LinkImportAnswer::default(), FaultRoom::default());
    for (id, ready) in lines {
        let outcome = ready.and_then(|request| match linked.next() {
            Some(linked) => request.outcome(linked).map_err(Refused::from),
            None => Err(Problem::new(Code::Internal, "The import broke off: send it again.").into()),
        });
        answer.add(id, outcome, keep, &mut room);
    }
    Ok(answer)
}

/// Why a link was not made.
struct Refused {
    code: Code,
    message: String,
    faults: Faults,
}

impl From<Faults> for Refused {
    fn from(faults: Faults) -> Self {
        Self { code: Code::InvalidRequest, message: faults.summary(), faults }
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self { code: problem.code, message: problem.detail, faults: problem.errors.into() }
    }
}

impl LinkImportAnswer {
    fn add(
        &mut self,
        id: Option<String>,
        came: Result<(Link, bool), Refused>,
        kept: bool,
        room: &mut FaultRoom,
    ) {
        let index = self.items.len();
        let (outcome, link, problem) = match came {
            Ok((link, true)) => (LinkImportOutcome::Succeeded, kept.then_some(link), None),
            Ok((link, false)) => (LinkImportOutcome::Unchanged, Some(link), None),
            Err(Refused { code, message, faults }) => {
                let errors = room.list(faults);
                (LinkImportOutcome::Failed, None, Some(LinkImportProblem { code, message, errors }))
            }
        };
        *match outcome {
            LinkImportOutcome::Succeeded => &mut self.succeeded,
            LinkImportOutcome::Unchanged => &mut self.unchanged,
            LinkImportOutcome::Failed => &mut self.failed,
        } += 1;
        self.items.push(LinkImportItem { index, id, outcome, link, problem });
    }
}
