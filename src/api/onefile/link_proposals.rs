//! Which links might be made: proposals with their reasons, and what is in use and not linked yet. Nothing is linked here.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, get, post};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::State;
use super::super::errors::{LookUpErrors, OneFileLinkErrors};
use super::super::extract::{Caller, OptionalBody};
use super::super::params::{Page, Params};
use super::super::problem::{Code, Problem};
use super::links::kind_of;
use super::remote_id::RemoteId;
use crate::auth::scope::needs::OnefileRead;
use crate::domain::{Check, Fault};
use crate::onefile::links::proposals::Candidate;
use crate::onefile::links::suggest::{LinkKind, Suggestion, SuggestionCounts, Suggestions};

/// For what proposals are wanted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = OneFileSuggestRequest, example = json!({"kind": "officer"}))]
pub struct SuggestRequest {
    /// Only these; left out: all three.
    kind: Option<LinkKind>,
    /// Only with records of this centre; left out: of all.
    centre_id: Option<RemoteId>,
}

impl Check for SuggestRequest {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        match &self.centre_id {
            Some(id) if !id.is_id() => vec![unknown_centre()],
            _ => Vec::new(),
        }
    }
}

fn unknown_centre() -> Fault {
    Fault::at("/centreId", "invalidId", "Send the id of a centre as GET /onefile/centres answers it.")
}

/// Propose links
///
/// For each officer, organisation and learner without a link: who it probably is in OneFile, with a score and its reasons (MIS value, ULN, e-mail address,
/// name, nearly the name, birth date). What fits equally well is listed and not proposed; with several centres only the MIS value proposes. Nothing is linked:
/// send what you accept to `POST /onefile/links:import`. Assessors and placements are those that were read last; learners' users are read from OneFile, a call
/// a page, where a learner has no link yet. Needs `onefile:read`.
#[utoipa::path(operation_id = "suggestOneFileLinks", tag = "OneFile", security(("bearer" = ["onefile:read"])), request_body = Option<SuggestRequest>,
    responses((status = 200, description = "Proposals.", body = Suggestions), OneFileLinkErrors))]
#[post("/onefile/links:suggest")]
pub async fn suggest(
    who: Caller<OnefileRead>,
    state: Data<State>,
    body: OptionalBody<SuggestRequest>,
) -> Result<Json<Suggestions>, Problem> {
    let (onefile, provider, asked) = (state.background.onefile.clone(), who.provider(), body.0);
    // What was begun is of use to the next caller, also when this one goes away.
    let work = state.background.spawn(async move {
        let centre = asked.centre_id.as_ref().map(|id| id.0.as_str());
        let mut all = Suggestions {
            counts: SuggestionCounts::default(),
            suggestions: Vec::new(),
            ambiguous: Vec::new(),
            unmatched: Vec::new(),
        };
        let kinds = [LinkKind::Officer, LinkKind::Organisation, LinkKind::Learner];
        for kind in kinds.into_iter().filter(|kind| asked.kind.is_none_or(|own| own == *kind)) {
            match onefile.proposals(provider, kind, centre).await? {
                Some(found) => add(&mut all, found),
                None => return Err(Problem::faults(vec![unknown_centre()])),
            }
        }
        Ok(all)
    });
    work.await.map_err(|_| Problem::new(Code::Internal, "The comparison broke off."))?.map(Json)
}

fn add(all: &mut Suggestions, found: Suggestions) {
    all.counts.certain += found.counts.certain;
    all.counts.to_confirm += found.counts.to_confirm;
    all.counts.ambiguous += found.counts.ambiguous;
    all.counts.unmatched += found.counts.unmatched;
    all.suggestions.extend(found.suggestions);
    all.ambiguous.extend(found.ambiguous);
    all.unmatched.extend(found.unmatched);
}

/// An officer or an organisation in use that is not linked yet.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileLinkCandidate, example = json!({
    "kind": "officer", "localId": "O-17", "localName": "Sam Okoro", "state": "unlinked", "alternatives": [], "message": null, "proposal": {
        "kind": "officer", "localId": "O-17", "localName": "Sam Okoro", "centreId": "1001", "remoteId": "1042", "remoteName": "Sam Okoro", "archived": false,
        "score": 99, "certain": true, "caution": null,
        "reasons": [{"code": "misValueIsIdent", "message": "The assessor's MIS value is the officer's Ident."}]
    }
}))]
pub struct LinkCandidate {
    /// Which of the two.
    kind: LinkKind,
    /// PICSWeb's id of the record.
    #[schema(example = "O-17")]
    local_id: String,
    /// The record's name in PICSWeb.
    #[schema(example = "Sam Okoro")]
    local_name: String,
    /// Whether the record has a link or a proposal.
    state: CandidateState,
    /// What should be linked; in several centres: the best of them. Null: nothing fits, or several do.
    proposal: Option<Suggestion>,
    /// What fits where several do: a person has to say which it is.
    alternatives: Vec<Suggestion>,
    /// What to do where nothing is proposed; null: something is.
    message: Option<String>,
}

super::super::page::page! {
    /// A page of officers and organisations that are not linked.
    OneFileCandidatePage of LinkCandidate
}

/// Where a candidate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileCandidateState)]
pub enum CandidateState {
    /// It has no link; `proposal` says which it should have, if one fits.
    Unlinked,
    /// It has no link, and what fits cannot be distinguished.
    Ambiguous,
}

impl From<Candidate> for LinkCandidate {
    fn from(own: Candidate) -> Self {
        Self {
            kind: own.kind,
            local_id: own.local_id,
            local_name: own.local_name,
            state: if own.ambiguous { CandidateState::Ambiguous } else { CandidateState::Unlinked },
            proposal: own.proposal,
            alternatives: own.alternatives,
            message: own.message,
        }
    }
}

/// List what is in use and not linked
///
/// Officers and organisations that a learner names (main officer, officers, assessors, reviews; employer, placements) and that have no link with OneFile in any
/// centre, each with its best proposal: an enrolment would make them there again. Compared with what was read of OneFile last. Needs `onefile:read`.
#[utoipa::path(operation_id = "listOneFileLinkCandidates", tag = "OneFile", security(("bearer" = ["onefile:read"])),
    params(("kind" = Option<String>, Query, description = "Only `officer` or only `organisation`; not given: both.", example = "officer"),
           ("state" = Option<String>, Query, description = "Only those in these states, with commas between: `unlinked`, `ambiguous`.", example = "unlinked,ambiguous"),
           ("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."),
           ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of candidates, officers first, in the order of their ids.", body = OneFileCandidatePage), LookUpErrors))]
#[get("/onefile/links:candidates")]
pub async fn candidates(
    who: Caller<OnefileRead>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<LinkCandidate>>, Problem> {
    let mut params = Params::of(&request);
    let kind = params.word("kind", &["officer", "organisation"]).and_then(kind_of);
    let states = params.words("state", &["unlinked", "ambiguous"]);
    let paging = params.paging(who.provider());
    params.done()?;
    let kinds = match kind {
        Some(kind) => vec![kind],
        None => vec![LinkKind::Officer, LinkKind::Organisation],
    };
    let (onefile, provider) = (state.background.onefile.clone(), who.provider());
    let work = state.background.spawn(async move { onefile.link_candidates(provider, &kinds).await });
    let all = work.await.map_err(|_| Problem::new(Code::Internal, "The comparison broke off."))??;
    let wanted = |own: &Candidate| {
        let state = if own.ambiguous { "ambiguous" } else { "unlinked" };
        (states.is_empty() || states.contains(&state))
            && paging.after.as_deref().is_none_or(|after| place(own).as_str() > after)
    };
    let mut items: Vec<Candidate> = all.into_iter().filter(wanted).collect();
    let size = usize::try_from(paging.size).unwrap_or(usize::MAX);
    let more = items.len() > size;
    items.truncate(size);
    let last = items.last().filter(|_| more).map(place);
    Ok(Json(paging.page(items.into_iter().map(LinkCandidate::from).collect(), last.as_deref())))
}

/// Where it stands in the list: `officer` goes before `organisation`.
fn place(own: &Candidate) -> String {
    format!("{}/{}", own.kind.local_word(), own.local_id)
}
