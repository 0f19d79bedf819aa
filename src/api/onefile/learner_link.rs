//! Linking a learner by hand to its user in OneFile, and unlinking it. Nothing happens in OneFile.

use std::collections::BTreeSet;

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, put};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::State;
use super::super::errors::{OneFileLinkErrors, ReadErrors};
use super::super::extract::{Body, Caller, Id};
use super::super::problem::{Code, Problem};
use super::learner::{OneFileTab, tab_of};
use super::links::LinkRequest;
use super::remote_id::RemoteId;
use crate::auth::scope::needs::OnefileWrite;
use crate::domain::{Check, Fault, LearnerId, LinkMethod};
use crate::onefile::links::suggest::LinkKind;
use crate::store::{Linking, OneFileLinked, RecordKind};

/// The OneFile user to link.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"userId": "20011", "centreId": "1001"}))]
pub struct UserLinkRequest {
    /// OneFile's id of the user: the OneFile ID.
    user_id: RemoteId,
    /// OneFile's id of the centre; left out: the one that the user is in.
    centre_id: Option<RemoteId>,
}

impl UserLinkRequest {
    fn as_link(&self, learner: &LearnerId) -> LinkRequest {
        LinkRequest {
            kind: LinkKind::Learner,
            local_id: learner.as_str().to_owned(),
            centre_id: self.centre_id.clone(),
            remote_id: self.user_id.clone(),
        }
    }
}

impl Check for UserLinkRequest {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        let message = "Send OneFile's id of the user: letters, digits, underscores or hyphens, at most 64.";
        let user = (!self.user_id.is_id()).then(|| Fault::at("/userId", "invalidId", message));
        let message = "Send an id as GET /onefile/centres answers it.";
        let wrong = self.centre_id.as_ref().is_some_and(|id| !id.is_id());
        user.into_iter().chain(wrong.then(|| Fault::at("/centreId", "invalidId", message))).collect()
    }
}

/// Link a learner to its OneFile user by hand
///
/// For a learner whom OneFile has already. The user is read once, so that only one that exists, and is a learner, is linked. Nothing is made. From the
/// next exchange on it is exchanged. Needs `onefile:write`.
#[utoipa::path(operation_id = "linkLearnerToOneFile", tag = "OneFile", security(("bearer" = ["onefile:write"])), params(("learnerId" = LearnerId, Path)), request_body = UserLinkRequest,
    responses((status = 200, description = "It is linked.", body = OneFileTab), OneFileLinkErrors))]
#[put("/learners/{learnerId}/onefile/link")]
pub async fn put(
    who: Caller<OnefileWrite>,
    state: Data<State>,
    id: Id<LearnerId>,
    body: Body<UserLinkRequest>,
) -> Result<Json<OneFileTab>, Problem> {
    let (provider, learner) = (who.provider(), id.0.as_str());
    // Whose learner it is comes first: nothing is asked upstream for another provider's.
    tab_of(&state, provider, learner).await?;
    let settings = state.store.onefile_settings(provider).await?;
    let request = body.0.as_link(&id.0);
    let ids = BTreeSet::from([request.remote_id.0.clone()]);
    let seen = state.onefile.remotes(provider, &settings, LinkKind::Learner, &ids).await?;
    let link = request.with(seen.get(&request.remote_id.0)).map_err(|mut problem| {
        // The field has another name here.
        for fault in &mut problem.errors {
            if fault.pointer.as_deref() == Some("/remoteId") {
                fault.pointer = Some("/userId".to_owned());
            }
        }
        problem
    })?;
    let by = who.by();
    let how = Linking {
        provider,
        environment: settings.choices.environment,
        method: LinkMethod::Manual,
        keep: true,
        by: &by,
    };
    let linked = state.store.link_onefile(how, std::slice::from_ref(&link)).await?;
    request.outcome(linked.into_iter().next().unwrap_or(OneFileLinked::NoRecord))?;
    tab_of(&state, provider, learner).await.map(Json)
}

/// Unlink a learner from its OneFile user
///
/// Nothing happens in OneFile: the user stays. What is kept here of the enrolment and of what was exchanged goes; an enrolment would make another user.
/// Needs `onefile:write`.
#[utoipa::path(operation_id = "unlinkLearnerFromOneFile", tag = "OneFile", security(("bearer" = ["onefile:write"])), params(("learnerId" = LearnerId, Path)),
    responses((status = 204, description = "It is unlinked."), ReadErrors))]
#[delete("/learners/{learnerId}/onefile/link")]
pub async fn delete(
    who: Caller<OnefileWrite>,
    state: Data<State>,
    id: Id<LearnerId>,
) -> Result<HttpResponse, Problem> {
    let (provider, learner) = (who.provider(), id.0.as_str());
    tab_of(&state, provider, learner).await?;
    let environment = state.store.onefile_settings(provider).await?.choices.environment;
    let link = state.store.onefile_link_of(provider, environment, RecordKind::Learner, learner).await?;
    let gone = match link {
        Some(link) => state.store.remove_onefile_link(provider, environment, link.id, &who.by()).await?,
        None => false,
    };
    if gone {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Problem::new(Code::NotFound, "The learner has no OneFile user to be unlinked from."))
    }
}
