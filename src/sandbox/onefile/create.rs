//! Creates records. An existing record is created again, because OneFile is not known to check for
//! duplicates.

use serde_json::{Map, Value};

use super::answer::Answer;
use super::books::Books;
use super::kind::Kind;
use super::record::Record;
use super::references::{self, ASSESSORS};
use super::world::Desk;
use crate::sandbox::origin::Origin;

/// The required fields for this kind, and for a user of this role.
pub fn required(kind: Kind, role: Option<u64>) -> &'static [&'static str] {
    match (kind, role) {
        (Kind::User, Some(1)) => &[
            "OrganisationID",
            "FirstName",
            "LastName",
            "Email",
            "Role",
            "DefaultAssessorID",
            "ClassroomID",
            "PlacementID",
        ],
        (Kind::User, Some(40 | 45)) => {
            &["OrganisationID", "FirstName", "LastName", "Email", "Role", "PlacementID"]
        }
        (Kind::User, _) => &["OrganisationID", "FirstName", "LastName", "Email", "Role"],
        (Kind::Placement | Kind::Classroom, _) => &["OrganisationID", "Name"],
        (Kind::Visit, _) => &["LearnerID", "OrganisationID", "DateFrom", "DateTo", "VisitTypeID"],
        (Kind::Review, _) => &["LearnerID", "ScheduledFor"],
        _ => &[],
    }
}

pub fn create(desk: &mut Desk, kind: Kind, mut fields: Map<String, Value>) -> Answer {
    let whole = |name: &str| fields.get(name).and_then(Value::as_u64);
    let absent = |name: &&&str| fields.get(**name).is_none_or(Value::is_null);
    let missing: Vec<&str> = required(kind, whole("Role")).iter().filter(absent).copied().collect();
    if !missing.is_empty() {
        return Answer::refused(format!("Required: {}.", missing.join(", ")));
    }
    // A review names its learner, which determines the centre.
    let centre = match kind {
        Kind::Review => whole("LearnerID").and_then(|id| desk.books.find(id)).map(|learner| learner.centre),
        _ => whole("OrganisationID").filter(|id| desk.books.get(Kind::Organisation, *id).is_some()),
    };
    let Some(centre) = centre else {
        return Answer::refused(format!("{} is not known.", required(kind, None)[0]));
    };
    if let Some(fault) = references::fault(desk.books, centre, &fields) {
        return Answer::Refused(fault);
    }
    if let Some(fault) = user_fault(desk.books, &fields).filter(|_| kind == Kind::User) {
        return Answer::Refused(fault);
    }
    let next = desk.books.next_id();
    match kind {
        Kind::User => drop(fields.entry("Username").or_insert_with(|| format!("user{next}").into())),
        Kind::Placement => drop(fields.entry("Active").or_insert(true.into())),
        Kind::Review => {
            fields.entry("Status").or_insert(1.into());
            fields.insert("CreatedOn".to_owned(), desk.now.clone().into());
        }
        _ => {}
    }
    fields.remove("OrganisationID");
    fields.remove("ID");
    let id = desk.add(kind, centre, Origin::Api, fields);
    // A new user is returned in full; for all others only the new id.
    match desk.books.get(Kind::User, id) {
        Some(user) => Answer::Json(user.detail(desk.settings)),
        None => Answer::Json(id.into()),
    }
}

fn user_fault(books: &Books, fields: &Map<String, Value>) -> Option<String> {
    if let Some(name) = fields.get("Username").and_then(Value::as_str) {
        let same =
            |user: &Record| user.text("Username").is_some_and(|other| other.eq_ignore_ascii_case(name));
        if books.of_kind(Kind::User).any(same) {
            return Some("The Username is in use.".to_owned());
        }
    }
    // PICSWeb users meet this problem: the assessor is looked up by the MIS value, archived ones
    // included.
    let assessor = books.find(fields.get("DefaultAssessorID")?.as_u64()?)?;
    let mis = assessor.text("MISID")?;
    let shares = |user: &&Record| {
        user.id != assessor.id
            && user.centre == assessor.centre
            && user.is_user(ASSESSORS)
            && user.text("MISID").is_some_and(|other| other.eq_ignore_ascii_case(mis))
    };
    let other = books.of_kind(Kind::User).find(shares)?;
    Some(format!("The default assessor's MIS value {mis} is also that of user {}.", other.id))
}
