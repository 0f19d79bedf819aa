//! Linking a learner by hand to a record that ACE360 has, and unlinking it. Nothing changes in ACE360.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, put};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::State;
use super::super::errors::{LinkErrors, ReadErrors};
use super::super::extract::{Body, Caller, Id};
use super::super::problem::{Code, Problem};
use super::learner::{self, Tab};
use crate::ace360::client::wire::Apprentice;
use crate::ace360::links::readings::single;
use crate::auth::scope::needs::Ace360Write;
use crate::domain::{Check, Fault, Learner, LearnerId, LinkMethod};
use crate::store::{Linked, RecordKind};
use crate::upstream::pace::Class;

/// The ACE360 record to link.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"recordId": 248}))]
pub struct LinkRequest {
    /// ACE360's id of the record ("ACE ID").
    #[schema(example = 248, minimum = 1)]
    record_id: i64,
    /// Also when the record's ULN is not the learner's.
    #[serde(default)]
    #[schema(default = false)]
    allow_other_person: bool,
}

impl Check for LinkRequest {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        if self.record_id >= 1 {
            Vec::new()
        } else {
            vec![Fault::at(
                "/recordId",
                "outOfRange",
                "Send ACE360's id of the record: a whole number of 1 or more.",
            )]
        }
    }
}

/// Link a learner to its ACE360 record by hand
///
/// For a learner that ACE360 has already. The record is read once, so that only one that exists is linked, and its status is known at once.
/// Nothing is created. Needs `ace360:write`.
#[utoipa::path(operation_id = "linkLearnerToAce360", tag = "ACE360", security(("bearer" = ["ace360:write"])), params(("learnerId" = LearnerId, Path)), request_body = LinkRequest,
    responses((status = 200, description = "It is linked.", body = Tab), LinkErrors))]
#[put("/learners/{learnerId}/ace360/link")]
pub async fn put(
    who: Caller<Ace360Write>,
    state: Data<State>,
    id: Id<LearnerId>,
    body: Body<LinkRequest>,
) -> Result<Json<Tab>, Problem> {
    let provider = who.provider();
    let learner = id.0.as_str();
    // Whose learner it is comes first: nothing is asked upstream for another provider's.
    learner::answer(&state, provider, learner).await?;
    let (client, settings) = state.ace360.client(provider, Class::Interactive).await?;
    let apprentice = client.apprentice(body.0.record_id).await?.map_err(super::of_failure)?;
    if !body.0.allow_other_person {
        same_person(&state, provider, learner, &apprentice).await?;
    }
    match state
        .store
        .link_ace360(
            provider,
            learner,
            &settings.environment,
            LinkMethod::Manual,
            &single(&apprentice),
            &who.by(),
        )
        .await?
    {
        Linked::Done | Linked::Same => learner::answer(&state, provider, learner).await,
        Linked::NoRecord => Err(Problem::not_found("learner")),
        Linked::InFlight => Err(Problem::new(
            Code::InFlight,
            "An upload of this learner was sent and its outcome is not known yet: link it afterwards, if it is still needed.",
        )),
        Linked::LearnerTaken => Err(Problem::new(
            Code::AlreadyLinked,
            "The learner is linked to another record: unlink it first.",
        )),
        Linked::RecordTaken => Err(Problem::new(
            Code::AlreadyLinked,
            "The record is linked to another learner: unlink that one first.",
        )),
    }
}

/// Refuses a record whose ULN is known not to be the learner's: one wrong digit would give it a stranger's status.
pub async fn same_person(
    state: &State,
    provider: uuid::Uuid,
    learner: &str,
    apprentice: &Apprentice,
) -> Result<(), Problem> {
    let stored = state.store.record::<Learner>(provider, RecordKind::Learner, learner).await?;
    let own = stored.and_then(|stored| stored.record.uln).filter(|uln| !uln.is_placeholder());
    match (own, &apprentice.uln_number) {
        (Some(own), Some(theirs)) if own.as_str() != theirs => Err(Problem::new(
            Code::OtherPerson,
            format!(
                "Record {} has another ULN than the learner. Nothing was linked: look at the number again, or repeat with `allowOtherPerson: true`.",
                apprentice.id
            ),
        )),
        _ => Ok(()),
    }
}

/// Unlink a learner from its ACE360 record
///
/// Nothing happens in ACE360: the record stays, and so does what it cost. Needs `ace360:write`.
#[utoipa::path(operation_id = "unlinkLearnerFromAce360", tag = "ACE360", security(("bearer" = ["ace360:write"])), params(("learnerId" = LearnerId, Path)),
    responses((status = 204, description = "It is unlinked."), ReadErrors))]
#[delete("/learners/{learnerId}/ace360/link")]
pub async fn delete(
    who: Caller<Ace360Write>,
    state: Data<State>,
    id: Id<LearnerId>,
) -> Result<HttpResponse, Problem> {
    match state.store.unlink_ace360(who.provider(), id.0.as_str(), &who.by()).await? {
        Some(true) => Ok(HttpResponse::NoContent().finish()),
        Some(false) => {
            Err(Problem::new(Code::NotFound, "The learner has no ACE360 record to be unlinked from."))
        }
        None => Err(Problem::not_found("learner")),
    }
}
