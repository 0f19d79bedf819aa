//! Checks the references in a body. Ids must belong to this customer, to the right kind, and to the
//! same centre.

use serde_json::{Map, Value};

use super::books::Books;
use super::kind::Kind;
use super::record::Record;

/// The documented roles: 1 Learner, 4 Trainee Assessor, 5 Assessor, 10 IV, 40 Employer, 45
/// Observer.
pub const ROLES: [u64; 6] = [1, 4, 5, 10, 40, 45];
pub const LEARNER: &[u64] = &[1];
pub const ASSESSORS: &[u64] = &[4, 5];
const EMPLOYERS: &[u64] = &[40];
/// The roles that may attend a visit or a review for the centre.
const STAFF: &[u64] = &[4, 5, 10];

/// Not specified, remote, face to face. The pages show that there are three; their numbers are
/// assumed.
const VISIT_TYPES: [u64; 3] = [1, 2, 3];
const LEARNER_STATUSES: [&str; 4] = ["On programme", "At risk", "Break in learning", "Withdrawn"];

/// A centre's learner statuses. Each centre has its own table, so the ids differ.
pub fn learner_statuses(centre: u64) -> impl Iterator<Item = (u64, &'static str)> {
    (1..).map(move |number| centre * 10 + number).zip(LEARNER_STATUSES)
}

/// The error in the values of a record of this centre.
pub fn fault(books: &Books, centre: u64, fields: &Map<String, Value>) -> Option<String> {
    let wrong = fields.iter().find(|(name, value)| {
        value.as_u64().is_some_and(|id| !leads_somewhere(books, centre, fields, name, id))
    });
    if let Some((name, value)) = wrong {
        return Some(format!("{name} {value} is not valid for this organisation."));
    }
    let email = fields.get("Email").and_then(Value::as_str);
    if email.is_some_and(|email| {
        email.split_once('@').is_none_or(|(name, host)| name.is_empty() || host.is_empty())
    }) {
        return Some("The value of Email is not valid.".to_owned());
    }
    let time = |name| fields.get(name).and_then(Value::as_str);
    if time("DateFrom").zip(time("DateTo")).is_some_and(|(from, to)| to <= from) {
        return Some("DateTo must be after DateFrom.".to_owned());
    }
    None
}

fn leads_somewhere(books: &Books, centre: u64, fields: &Map<String, Value>, name: &str, id: u64) -> bool {
    let here = |record: Option<&Record>| record.is_some_and(|record| record.centre == centre);
    match name {
        "OrganisationID" => id == centre,
        "Role" => ROLES.contains(&id),
        "ClassroomID" => here(books.get(Kind::Classroom, id)),
        "PlacementID" => here(books.get(Kind::Placement, id)),
        "DefaultAssessorID" => here(books.user(id, ASSESSORS)),
        "DefaultEmployerID" => here(books.user(id, EMPLOYERS)),
        "AssessorID" => here(books.user(id, STAFF)),
        "LearnerID" => here(books.user(id, LEARNER)),
        "LearnerStatusID" => learner_statuses(centre).any(|(status, _)| status == id),
        "VisitTypeID" => VISIT_TYPES.contains(&id),
        "VisitID" => {
            let learner = fields.get("LearnerID").and_then(Value::as_u64);
            books.get(Kind::Visit, id).is_some_and(|visit| visit.owner() == learner)
        }
        _ => true,
    }
}
