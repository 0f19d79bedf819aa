//! What learners, officers and organisations have in common at the API: put, get, delete, list.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use serde::Serialize;
use uuid::Uuid;

use super::State;
use super::etag::{Tagged, unexpected};
use super::params::{Page, Paging};
use super::problem::{Code, Problem};
use crate::domain::{
    Check, Item, Learner, LearnerRecord, Officer, OfficerId, OfficerRecord, Organisation, OrganisationId,
    OrganisationRecord, parse,
};
use crate::store::{By, Expected, NewRecord, RecordKind, Removed, Store, to_json};

/// A kind of record, as the API sees it.
pub trait Resource: Item<Record = <Self as Resource>::Body> + Serialize {
    /// The record without its id.
    type Body: Serialize + Check;
    /// Its kind in the store.
    const KIND: RecordKind;
    /// Its id, as text.
    fn id_text(&self) -> &str;
    /// The record without its id.
    fn body(&self) -> &Self::Body;
    /// The blind indexes of ULN and person: learners only.
    fn indexes(_: &Self::Body, _: &Store, _: Uuid) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        (None, None)
    }
    /// The record that is read along with it.
    fn refers_to(_: &Self::Body) -> Option<&str> {
        None
    }
}

impl Resource for LearnerRecord {
    type Body = Learner;
    const KIND: RecordKind = RecordKind::Learner;
    fn id_text(&self) -> &str {
        self.learner_id.as_str()
    }
    fn body(&self) -> &Learner {
        &self.learner
    }
    fn refers_to(learner: &Learner) -> Option<&str> {
        learner.employer_id.as_ref().map(OrganisationId::as_str)
    }
    fn indexes(learner: &Learner, store: &Store, provider: Uuid) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let uln = learner.uln.as_ref().filter(|uln| !uln.is_placeholder());
        (
            uln.map(|uln| store.uln_index(provider, uln.as_str())),
            learner
                .date_of_birth
                .map(|birth| store.person_index(provider, &learner.first_name, &learner.last_name, birth)),
        )
    }
}

impl Resource for OfficerRecord {
    type Body = Officer;
    const KIND: RecordKind = RecordKind::Officer;
    fn id_text(&self) -> &str {
        self.officer_id.as_str()
    }
    fn body(&self) -> &Officer {
        &self.officer
    }
}

impl Resource for OrganisationRecord {
    type Body = Organisation;
    const KIND: RecordKind = RecordKind::Organisation;
    fn id_text(&self) -> &str {
        self.organisation_id.as_str()
    }
    fn body(&self) -> &Organisation {
        &self.organisation
    }
    fn refers_to(organisation: &Organisation) -> Option<&str> {
        organisation.main_contact_id.as_ref().map(OfficerId::as_str)
    }
}

/// What is written of a record that came in so many bytes.
///
/// # Errors
/// It cannot be serialised.
pub fn to_new<R: Resource>(
    record: &R,
    size: usize,
    store: &Store,
    provider: Uuid,
) -> Result<NewRecord, Problem> {
    let (uln_index, person_index) = R::indexes(record.body(), store, provider);
    Ok(NewRecord {
        id: record.id_text().to_owned(),
        json: to_json(record.body(), size)?,
        uln_index,
        person_index,
        refers_to: R::refers_to(record.body()).map(str::to_owned),
    })
}

/// Parses and keeps a record; 201 when it is new, else 200.
///
/// # Errors
/// All faults; what is there is not what was expected; the database's.
pub async fn put<R: Resource>(
    state: &State,
    provider: Uuid,
    id: R::Id,
    id_text: &str,
    body: &Bytes,
    expected: &Expected,
    by: &By,
) -> Result<Tagged<R>, Problem> {
    let today = state.auth.clock().today();
    let record = parse::parse_with_own_id::<R>(body, id_text, today).map_err(Problem::faults)?;
    let record = R::new(id, record);
    let new = to_new(&record, body.len(), &state.store, provider)?;
    let put = state.store.put_record(provider, R::KIND, &new, expected, by).await?;
    let version = put.ok_or_else(|| unexpected(expected))?;
    let status = if version.count == 1 { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Tagged { status, version, body: record })
}

/// Reads a record.
///
/// # Errors
/// There is none; the database's.
pub async fn get<R: Resource>(
    state: &State,
    provider: Uuid,
    id: R::Id,
    id_text: &str,
) -> Result<Tagged<R>, Problem> {
    let found = state.store.record::<R::Record>(provider, R::KIND, id_text).await?;
    let found = found.ok_or_else(|| Problem::not_found(R::KIND.as_str()))?;
    Ok(Tagged::ok(found.version, R::new(id, found.record)))
}

/// Reads a page of records.
///
/// # Errors
/// The database's.
pub async fn list<R: Resource>(state: &State, provider: Uuid, paging: &Paging) -> Result<Page<R>, Problem> {
    let page = state
        .store
        .list_records::<R::Record>(provider, R::KIND, paging.after.as_deref(), paging.size)
        .await?;
    let last = page.items.last().filter(|_| page.more).map(|row| row.id.clone());
    // An id that was kept is a good id: it is parsed only to have its type again.
    let items = page
        .items
        .into_iter()
        .filter_map(|row| R::id(&row.id).ok().map(|id| R::new(id, row.record)))
        .collect();
    Ok(paging.page(items, last.as_deref()))
}

/// Deletes an officer or an organisation.
///
/// # Errors
/// There is none, or not what was expected; the database's.
pub async fn delete<R: Resource>(
    state: &State,
    provider: Uuid,
    id_text: &str,
    expected: &Expected,
    by: &By,
) -> Result<HttpResponse, Problem> {
    removed(state.store.delete_record(provider, R::KIND, id_text, expected, by).await?, R::KIND, expected)
}

/// What is answered to a deletion.
///
/// # Errors
/// It was not done.
pub fn removed(removed: Removed, kind: RecordKind, expected: &Expected) -> Result<HttpResponse, Problem> {
    match removed {
        Removed::Done => Ok(HttpResponse::NoContent().finish()),
        Removed::Missing => Err(Problem::not_found(kind.as_str())),
        Removed::Unexpected => Err(unexpected(expected)),
        Removed::InFlight => Err(Problem::new(
            Code::InFlight,
            "An upload of this learner was sent and its outcome is not known yet: erase it afterwards.",
        )),
    }
}
