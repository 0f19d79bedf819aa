//! Officers and the organisation: linked, found by an id, to be made, or to be decided by a person. Nothing is linked by a likeness.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::report::PlannedState;
use crate::domain::{LinkState, Officer, OfficerId, Organisation, OrganisationId};
use crate::onefile::create::context::EnrolmentContext;
use crate::onefile::create::find::same_text;
use crate::onefile::links::suggest::{
    Existing, LinkKind, Local, Remote, SuggestInput, Suggestions, suggest, whole_name,
};
use crate::store::{DirectoryEntry, OneFileLink};

/// Where somebody stands in OneFile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) state: PlannedState,
    pub(crate) remote_id: Option<String>,
    pub(crate) candidates: Vec<String>,
    pub(crate) message: String,
}

impl Standing {
    pub(crate) fn of(state: PlannedState, message: impl Into<String>) -> Self {
        Self { state, remote_id: None, candidates: Vec::new(), message: message.into() }
    }

    fn at(self, remote_id: &str) -> Self {
        Self { remote_id: Some(remote_id.to_owned()), ..self }
    }
}

/// Where these officers stand in the centre.
pub(crate) fn officers(context: &EnrolmentContext, centre: &str, allow: bool) -> BTreeMap<String, Standing> {
    let ids: Vec<(OfficerId, &Officer)> =
        context.officers.iter().filter_map(|(id, own)| Some((OfficerId::parse(id).ok()?, own))).collect();
    let locals: Vec<Local<'_>> = ids.iter().map(|(id, own)| Local::officer(id, own, None)).collect();
    let mut found = standings(
        context,
        &Side {
            kind: LinkKind::Officer,
            links: &context.officer_links,
            entries: &context.assessors,
            centre,
            allow,
        },
        locals,
    );
    for (id, standing) in &mut found {
        if matches!(standing.state, PlannedState::Linked | PlannedState::Matched)
            && let Some(message) = shared_mis(context, centre, standing.remote_id.as_deref())
        {
            *standing = Standing {
                remote_id: standing.remote_id.clone(),
                ..Standing::of(PlannedState::Blocked, message)
            };
        }
        let lacking = context.officers.get(id).is_some_and(|officer| officer.email.is_none());
        if standing.state == PlannedState::Create && lacking {
            standing.state = PlannedState::Blocked;
            "It is not in OneFile, which demands an e-mail address of everybody: enter it in PICSWeb (Officer > Email), or link the officer."
                .clone_into(&mut standing.message);
        }
    }
    found
}

/// OneFile refuses an enrolment whose assessor shares the MIS value with another one, also with one in the archive.
fn shared_mis(context: &EnrolmentContext, centre: &str, remote: Option<&str>) -> Option<String> {
    let here = || context.assessors.iter().filter(|entry| entry.centre_id == centre);
    let own = here().find(|entry| Some(entry.remote_id.as_str()) == remote)?;
    let mis = own.labels.mis_id.as_deref()?;
    let shares = |entry: &&DirectoryEntry| {
        entry.remote_id != own.remote_id && same_text(entry.labels.mis_id.as_deref(), mis)
    };
    let other = here().find(shares)?;
    let archived = if other.archived { ", in the archive" } else { "" };
    Some(format!(
        "OneFile's assessors {} and {}{archived} share the MIS value {mis}, and OneFile refuses an enrolment then: change one there, and read them again (GET /onefile/assessors?refresh=true).",
        own.remote_id, other.remote_id
    ))
}

/// Where these organisations stand in the centre.
pub(crate) fn organisations(
    context: &EnrolmentContext,
    centre: &str,
    allow: bool,
) -> BTreeMap<String, Standing> {
    let ids: Vec<(OrganisationId, &Organisation)> = context
        .organisations
        .iter()
        .filter_map(|(id, own)| Some((OrganisationId::parse(id).ok()?, own)))
        .collect();
    let locals: Vec<Local<'_>> = ids.iter().map(|(id, own)| Local::organisation(id, own, None)).collect();
    standings(
        context,
        &Side {
            kind: LinkKind::Organisation,
            links: &context.organisation_links,
            entries: &context.placements,
            centre,
            allow,
        },
        locals,
    )
}

struct Side<'a> {
    kind: LinkKind,
    links: &'a [OneFileLink],
    entries: &'a [DirectoryEntry],
    centre: &'a str,
    /// Likenesses are somebody else's.
    allow: bool,
}

fn standings(
    context: &EnrolmentContext,
    side: &Side<'_>,
    mut locals: Vec<Local<'_>>,
) -> BTreeMap<String, Standing> {
    let mut found = BTreeMap::new();
    let here = side.links.iter().filter(|link| link.centre_id == side.centre);
    let links: BTreeMap<&str, &OneFileLink> = here.map(|link| (link.local_id.as_str(), link)).collect();
    locals.retain(|local| match links.get(local.id) {
        Some(link) => {
            found.insert(local.id.to_owned(), linked(side.kind, link));
            false
        }
        None => true,
    });
    if locals.is_empty() {
        return found;
    }
    let entries = side.entries.iter().filter(|entry| entry.centre_id == side.centre);
    let remotes: Vec<Remote<'_>> = entries
        .map(|entry| Remote {
            id: &entry.remote_id,
            centre_id: &entry.centre_id,
            name: Cow::Borrowed(entry.labels.name.as_deref().unwrap_or_default()),
            mis_id: entry.labels.mis_id.as_deref(),
            email: entry.labels.email.as_deref(),
            uln: None,
            born: None,
            archived: entry.archived,
        })
        .collect();
    let existing: Vec<Existing<'_>> = side.links.iter().map(Existing::of).collect();
    let several_centres = context.centres.len() > 1;
    let proposals = suggest(&SuggestInput {
        kind: side.kind,
        locals: &locals,
        remotes: &remotes,
        linked: &existing,
        several_centres,
    });
    for local in &locals {
        found.insert(local.id.to_owned(), of_proposals(side, local.id, &proposals));
    }
    found
}

fn linked(kind: LinkKind, link: &OneFileLink) -> Standing {
    let (word, id) = (kind.remote_word(), &link.remote_id);
    match link.state {
        LinkState::Linked => Standing::of(PlannedState::Linked, format!("Linked with {word} {id}.")).at(id),
        LinkState::Archived => Standing::of(
            PlannedState::Blocked,
            format!(
                "Linked with {word} {id}, which is in OneFile's archive: take it out there, or link another."
            ),
        )
        .at(id),
        LinkState::Gone => Standing::of(
            PlannedState::Blocked,
            format!(
                "Linked with {word} {id}, which OneFile no longer has: remove the link, or link another."
            ),
        )
        .at(id),
    }
}

fn of_proposals(side: &Side<'_>, local: &str, proposals: &Suggestions) -> Standing {
    let word = side.kind.remote_word();
    if let Some(own) = proposals.suggestions.iter().find(|own| own.local_id == local) {
        let why = own.reasons.first().map(|reason| reason.message.as_str()).unwrap_or_default();
        if own.certain && !own.archived {
            let message = format!("{why} It would be linked with {word} {}.", own.remote_id);
            return Standing::of(PlannedState::Matched, message).at(&own.remote_id);
        }
        if own.certain {
            let message = format!(
                "{why} But {word} {} is in OneFile's archive: take it out there, or change its MIS value.",
                own.remote_id
            );
            return Standing {
                candidates: vec![own.remote_id.clone()],
                ..Standing::of(PlannedState::Blocked, message)
            };
        }
        return likely(side, vec![own.remote_id.clone()], why);
    }
    if let Some(own) = proposals.ambiguous.iter().find(|own| own.local_id == local) {
        let candidates: Vec<String> = own.candidates.iter().map(|it| it.remote_id.clone()).collect();
        if own.candidates.iter().any(|it| it.certain) {
            return Standing { candidates, ..Standing::of(PlannedState::Ambiguous, own.message.clone()) };
        }
        return likely(side, candidates, &own.message);
    }
    Standing::of(PlannedState::Create, "It is not in OneFile: it would be made there, and linked.".to_owned())
}

/// Something looks like it: a person says whether it is.
fn likely(side: &Side<'_>, candidates: Vec<String>, why: &str) -> Standing {
    if side.allow {
        let message = "It would be made in OneFile, though something there looks like it (`allowDuplicate`).";
        return Standing { candidates, ..Standing::of(PlannedState::Create, message.to_owned()) };
    }
    let message = format!(
        "{why} Link it if it is the same (POST /onefile/links), or enrol with `allowDuplicate: true` if it is another: then it is made."
    );
    Standing { candidates, ..Standing::of(PlannedState::Ambiguous, message) }
}

/// A person's whole name.
pub(crate) fn name_of(officer: &Officer) -> String {
    whole_name(officer.first_name.as_deref(), &officer.last_name).into_owned()
}
