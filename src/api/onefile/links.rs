//! Links: which of OneFile's assessors, placements and users is which of our officers, organisations and learners.

use std::collections::BTreeSet;

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::State;
use super::super::errors::{OneFileLinkErrors, ReadErrors};
use super::super::extract::{Body, Caller, Id};
use super::super::params::{Page, Params};
use super::super::problem::{Code, Problem};
use super::remote_id::RemoteId;
use crate::auth::scope::needs::{OnefileRead, OnefileWrite};
use crate::domain::{Check, Fault, LearnerId, LinkMethod, LinkState};
use crate::onefile::links::suggest::LinkKind;
use crate::onefile::links::{Found, Seen};
use crate::store::{LinkFilter, Linking, NewOneFileLink, OneFileLink, OneFileLinked};

/// A link of a record with OneFile's.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileLink, example = json!({
    "id": "01a20126-7c6e-7b2e-8a53-0c1d2e3f4a5b", "kind": "officer", "localId": "O-17", "centreId": "1001", "remoteId": "1042",
    "remoteName": "Sam Okoro", "method": "manual", "state": "linked", "createdAt": "2026-11-22T10:00:00Z"
}))]
pub struct Link {
    /// This service's id of the link.
    id: Uuid,
    /// What is linked with what.
    kind: LinkKind,
    /// PICSWeb's id of the officer, organisation or learner.
    #[schema(example = "O-17")]
    local_id: String,
    /// OneFile's id of the centre.
    #[schema(example = "1001")]
    centre_id: String,
    /// OneFile's id of the assessor, placement or user.
    #[schema(example = "1042")]
    remote_id: String,
    /// The name there, as it was read last; null: it has none.
    #[schema(example = "Sam Okoro")]
    remote_name: Option<String>,
    /// How it came to be.
    method: LinkMethod,
    /// How OneFile's record was, when it was read last.
    state: LinkState,
    /// When it was made.
    created_at: DateTime<Utc>,
}

super::super::page::page! {
    /// A page of links with OneFile.
    OneFileLinkPage of Link
}

impl From<OneFileLink> for Link {
    fn from(link: OneFileLink) -> Self {
        Self {
            id: link.id,
            kind: LinkKind::of(link.kind),
            local_id: link.local_id,
            centre_id: link.centre_id,
            remote_id: link.remote_id,
            remote_name: link.remote_name,
            method: link.method,
            state: link.state,
            created_at: link.created_at,
        }
    }
}

/// What is to be linked with what.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = OneFileLinkRequest, example = json!({"kind": "officer", "localId": "O-17", "centreId": "1001", "remoteId": "1042"}))]
pub struct LinkRequest {
    /// What is linked with what.
    pub kind: LinkKind,
    /// PICSWeb's id of the officer, organisation or learner.
    #[schema(example = "O-17", pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    pub local_id: String,
    /// OneFile's id of the centre; left out: the one that OneFile's record is in.
    pub centre_id: Option<RemoteId>,
    /// OneFile's id of the assessor, placement or user. PICSWeb holds it as Other System ID, Additional ID or OneFile ID.
    pub remote_id: RemoteId,
}

impl Check for LinkRequest {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        // One rule for the ids of all three.
        let local = LearnerId::parse(&self.local_id).err();
        let local = local.map(|broken| Fault::at("/localId", broken.code, broken.message));
        let remote = |id: &RemoteId, at: &'static str, message: &'static str| {
            (!id.is_id()).then(|| Fault::at(at, "invalidId", message))
        };
        let centre = self
            .centre_id
            .as_ref()
            .and_then(|id| remote(id, "/centreId", "Send an id as GET /onefile/centres answers it."));
        let message = "Send OneFile's id: letters, digits, underscores or hyphens, at most 64.";
        local.into_iter().chain(centre).chain(remote(&self.remote_id, "/remoteId", message)).collect()
    }
}

impl LinkRequest {
    /// The link, if OneFile's record allows it.
    pub fn with(&self, seen: Option<&Seen>) -> Result<NewOneFileLink, Problem> {
        let (theirs, id) = (self.kind.remote_word(), &self.remote_id.0);
        let found: &Found = match seen {
            Some(Seen::There(found)) => found,
            Some(Seen::Failed(failure)) => return Err(Problem::of_failure("onefile", failure.clone())),
            Some(Seen::OtherRole) => {
                let message = format!("OneFile's user {id} has another role than {}.", self.kind.role_word());
                return Err(Problem::faults(vec![Fault::at("/remoteId", "otherRole", message)]));
            }
            Some(Seen::Missing) | None => {
                let detail = format!("OneFile has no {theirs} {id}. Nothing was linked.");
                return Err(Problem::new(Code::UpstreamMissing, detail));
            }
        };
        let asked = self.centre_id.as_ref().map(|centre| centre.0.as_str());
        let centre = match (asked, found.centre_id.as_deref()) {
            (Some(asked), Some(own)) if asked != own => {
                let message = format!("OneFile's {theirs} {id} is in centre {own}: send that one, or none.");
                return Err(Problem::faults(vec![Fault::at("/centreId", "otherCentre", message)]));
            }
            (_, Some(own)) => own,
            (Some(asked), None) => asked,
            (None, None) => {
                let message = "Send the centre: OneFile does not say it of this record.";
                return Err(Problem::faults(vec![Fault::at("/centreId", "required", message)]));
            }
        };
        Ok(NewOneFileLink {
            kind: self.kind.record(),
            local_id: self.local_id.trim().to_owned(),
            centre_id: centre.to_owned(),
            remote_id: id.clone(),
            remote_name: found.name.clone(),
            archived: found.archived,
        })
    }

    /// What came of it: the link, and whether it is new.
    pub fn outcome(&self, linked: OneFileLinked) -> Result<(Link, bool), Problem> {
        let (ours, theirs) = (self.kind.local_word(), self.kind.remote_word());
        match linked {
            OneFileLinked::Made(link) => Ok((link.into(), true)),
            OneFileLinked::Same(link) => Ok((link.into(), false)),
            OneFileLinked::NoRecord => Err(Problem::not_found(ours)),
            OneFileLinked::LocalTaken(other) => Err(Problem::new(
                Code::AlreadyLinked,
                format!("The {ours} is linked to OneFile's {theirs} {other}: remove that link first."),
            )),
            OneFileLinked::RemoteTaken(other) => {
                let other = other.map_or_else(
                    || "another record here".to_owned(),
                    |(kind, id)| format!("{} {id}", kind.as_str()),
                );
                Err(Problem::new(
                    Code::AlreadyLinked,
                    format!(
                        "OneFile's {theirs} {} is linked to {other}: remove that link first.",
                        self.remote_id.0
                    ),
                ))
            }
            OneFileLinked::InFlight => Err(Problem::new(
                Code::InFlight,
                "An enrolment of this learner was sent and its outcome is not known yet: link it afterwards, if it is still needed.",
            )),
        }
    }
}

/// Link a record to OneFile's
///
/// An officer to an assessor, an organisation to a placement, a learner to a user, so that an enrolment makes none again. That OneFile's record is there
/// is looked up in what was read last, else asked once. Nothing happens in OneFile. One that is archived there may be linked; `state` says so. Works before
/// the integration is switched on. Needs `onefile:write`.
#[utoipa::path(operation_id = "linkToOneFile", tag = "OneFile", security(("bearer" = ["onefile:write"])), request_body = LinkRequest,
    responses((status = 201, description = "It is linked.", body = Link), (status = 200, description = "It was linked so already.", body = Link), OneFileLinkErrors))]
#[post("/onefile/links")]
pub async fn create(
    who: Caller<OnefileWrite>,
    state: Data<State>,
    body: Body<LinkRequest>,
) -> Result<HttpResponse, Problem> {
    let (provider, request) = (who.provider(), body.0);
    // Whose record it is comes first: nothing is asked upstream for another provider's.
    let ours = state
        .store
        .record::<serde::de::IgnoredAny>(provider, request.kind.record(), request.local_id.trim())
        .await?;
    if ours.is_none() {
        return Err(Problem::not_found(request.kind.local_word()));
    }
    let settings = state.store.onefile_settings(provider).await?;
    let ids = BTreeSet::from([request.remote_id.0.clone()]);
    let seen = state.onefile.remotes(provider, &settings, request.kind, &ids).await?;
    let link = request.with(seen.get(&request.remote_id.0))?;
    let by = who.by();
    let environment = settings.choices.environment;
    let how = Linking { provider, environment, method: LinkMethod::Manual, keep: true, by: &by };
    let linked = state.store.link_onefile(how, std::slice::from_ref(&link)).await?;
    let linked = linked.into_iter().next().unwrap_or(OneFileLinked::NoRecord);
    let (link, new) = request.outcome(linked)?;
    Ok(if new { HttpResponse::Created().json(link) } else { HttpResponse::Ok().json(link) })
}

/// List links with OneFile
///
/// Those of the environment that the settings name, the oldest first. Needs `onefile:read`.
#[utoipa::path(operation_id = "listOneFileLinks", tag = "OneFile", security(("bearer" = ["onefile:read"])),
    params(("kind" = Option<LinkKind>, Query, description = "Only those of this kind."),
           ("state" = Option<String>, Query, description = "Only those in these states, with commas between: `linked`, `archived`, `gone`.", example = "archived,gone"),
           ("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."),
           ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of links.", body = OneFileLinkPage), ReadErrors))]
#[get("/onefile/links")]
pub async fn list(
    who: Caller<OnefileRead>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Link>>, Problem> {
    let mut params = Params::of(&request);
    let kind = params.word("kind", &["officer", "organisation", "learner"]).and_then(kind_of);
    let states = params.words("state", &["linked", "archived", "gone"]);
    let paging = params.paging(who.provider());
    let after = paging.after.as_deref().map(Uuid::parse_str);
    if matches!(after, Some(Err(_))) {
        params.fault("pageToken", "invalidValue", "Send the `nextPageToken` of the page before, unaltered.");
    }
    params.done()?;
    let environment = state.store.onefile_settings(who.provider()).await?.choices.environment;
    let filter = LinkFilter {
        kind: kind.map(LinkKind::record),
        states: states.into_iter().filter_map(LinkState::parse).collect(),
    };
    let after = after.and_then(Result::ok);
    let page =
        state.store.list_onefile_links(who.provider(), environment, &filter, after, paging.size).await?;
    let last = page.items.last().filter(|_| page.more).map(|link| link.id.to_string());
    Ok(Json(paging.page(page.items.into_iter().map(Link::from).collect(), last.as_deref())))
}

/// The kind of this name.
pub fn kind_of(word: &str) -> Option<LinkKind> {
    [LinkKind::Officer, LinkKind::Organisation, LinkKind::Learner]
        .into_iter()
        .find(|kind| kind.local_word() == word)
}

/// Read a link with OneFile
///
/// Needs `onefile:read`.
#[utoipa::path(operation_id = "getOneFileLink", tag = "OneFile", security(("bearer" = ["onefile:read"])), params(("id" = Uuid, Path)),
    responses((status = 200, description = "The link.", body = Link), ReadErrors))]
#[get("/onefile/links/{id}")]
pub async fn get(who: Caller<OnefileRead>, state: Data<State>, id: Id<Uuid>) -> Result<Json<Link>, Problem> {
    let environment = state.store.onefile_settings(who.provider()).await?.choices.environment;
    let link = state.store.onefile_link(who.provider(), environment, id.0).await?;
    link.map(|link| Json(link.into())).ok_or_else(|| Problem::not_found("link"))
}

/// Remove a link with OneFile
///
/// Nothing happens in OneFile: its record stays. An enrolment that needs it would make another one. Needs `onefile:write`.
#[utoipa::path(operation_id = "unlinkFromOneFile", tag = "OneFile", security(("bearer" = ["onefile:write"])), params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is removed."), ReadErrors))]
#[delete("/onefile/links/{id}")]
pub async fn delete(
    who: Caller<OnefileWrite>,
    state: Data<State>,
    id: Id<Uuid>,
) -> Result<HttpResponse, Problem> {
    let environment = state.store.onefile_settings(who.provider()).await?.choices.environment;
    if state.store.remove_onefile_link(who.provider(), environment, id.0, &who.by()).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Problem::not_found("link"))
    }
}
