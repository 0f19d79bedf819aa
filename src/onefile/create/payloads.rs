//! The records that are created in OneFile for a learner: assessors, placements, learning aims,
//! visits and reviews. An enrolment creates all of them; an exchange creates those that belong to
//! the learner. Pure.

use serde_json::{Value, json};

use super::people::name_of;
use crate::domain::time::instant;
use crate::domain::{Officer, Organisation, Qualification, VisitType};
use crate::onefile::client::wire::instant_out;
use crate::onefile::client::{ASSESSOR_ROLES, id_out};
use crate::onefile::create::create_steps::{CreateCall, CreatedKind, Find, LinkTo, Person};
use crate::onefile::fields;
use crate::store::{PortfolioAim, RecordKind};

/// The role of an assessor. The other role is the trainee assessor's.
const ASSESSOR: i32 = 5;

/// A learning aim: a standard, for a user.
pub(crate) fn aim(standard: &str, user: &str) -> CreateCall {
    CreateCall {
        made: CreatedKind::Aim,
        path: format!("Standard/{standard}/Assign/{user}"),
        body: None,
        find: Find::Aim { user_id: user.to_owned(), standard_id: standard.to_owned() },
        link: None,
    }
}

/// The visit of a review: from then, an hour long. `holder`: the assessor.
pub(crate) fn visit(
    user: &str,
    centre: &str,
    holder: Option<&str>,
    from: &str,
    kind: VisitType,
) -> CreateCall {
    let to = instant(from).map(|from| from + chrono::TimeDelta::hours(1));
    let to = to.map_or_else(|| from.to_owned(), instant_out);
    let body = json!({
        "LearnerID": id_out(user), "OrganisationID": id_out(centre), "DateFrom": from, "DateTo": to,
        "VisitTypeID": visit_type(kind), "SMSReminder": false
    });
    CreateCall {
        made: CreatedKind::Visit,
        path: "Visit".to_owned(),
        body: Some(held_by(body, holder)),
        find: Find::Nothing,
        link: None,
    }
}

/// A review, with its visit.
pub(crate) fn review(user: &str, holder: Option<&str>, from: &str, visit: &str) -> CreateCall {
    let body =
        json!({"LearnerID": id_out(user), "Status": 1, "ScheduledFor": from, "VisitID": id_out(visit)});
    CreateCall {
        made: CreatedKind::Review,
        path: "Review".to_owned(),
        body: Some(held_by(body, holder)),
        find: Find::Review { user_id: user.to_owned(), visit_id: visit.to_owned() },
        link: None,
    }
}

/// What goes up of a qualification; `None`: nothing is known of it.
pub(crate) fn details(user: &str, aim: &str, own: &Qualification) -> Option<Value> {
    details_beside(user, aim, own, None)
}

/// The same without what the learning aim has already: there OneFile's value counts.
pub(crate) fn details_beside(
    user: &str,
    aim: &str,
    own: &Qualification,
    there: Option<&PortfolioAim>,
) -> Option<Value> {
    let mut body = fields::created(fields::QUALIFICATION, own);
    body.retain(|name, _| !there.is_some_and(|aim| aim.fields.contains_key(name)));
    if body.is_empty() {
        return None;
    }
    body.insert("ID".to_owned(), id_out(aim));
    body.insert("UserID".to_owned(), id_out(user));
    Some(Value::Object(body))
}

/// An assessor's user. Its MIS value is PICSWeb's Ident, else the id.
pub(crate) fn assessor(id: &str, officer: &Officer, centre: &str) -> CreateCall {
    let mis = mis_value(officer.ident.as_deref(), id);
    let (first, last) = names(officer);
    let mut body = fields::created(fields::OFFICER, officer);
    body.insert("OrganisationID".to_owned(), id_out(centre));
    body.insert("Role".to_owned(), json!(ASSESSOR));
    body.insert("FirstName".to_owned(), json!(first));
    body.insert("LastName".to_owned(), json!(last));
    body.insert("MISID".to_owned(), json!(mis));
    CreateCall {
        made: CreatedKind::User,
        path: "User".to_owned(),
        body: Some(Value::Object(body)),
        find: Find::Person(Person {
            centre_id: centre.to_owned(),
            roles: ASSESSOR_ROLES.to_vec(),
            mis_id: Some(mis.to_owned()),
            email: officer.email.clone().map(String::from),
            first_name: first,
            last_name: last,
        }),
        link: Some(LinkTo {
            kind: RecordKind::Officer.as_str().to_owned(),
            local_id: id.to_owned(),
            centre_id: centre.to_owned(),
            name: name_of(officer),
        }),
    }
}

/// A placement. Its MIS value is PICSWeb's Ident, else the id.
pub(crate) fn placement(id: &str, own: &Organisation, centre: &str) -> CreateCall {
    let (name, mis) = (own.name.trim(), mis_value(own.ident.as_deref(), id));
    let mut body = fields::created(fields::ORGANISATION, own);
    body.insert("OrganisationID".to_owned(), id_out(centre));
    body.insert("MISID".to_owned(), json!(mis));
    body.insert("Active".to_owned(), json!(true));
    CreateCall {
        made: CreatedKind::Placement,
        path: "Placement".to_owned(),
        body: Some(Value::Object(body)),
        find: Find::Placement {
            centre_id: centre.to_owned(),
            name: name.to_owned(),
            mis_id: Some(mis.to_owned()),
        },
        link: Some(LinkTo {
            kind: RecordKind::Organisation.as_str().to_owned(),
            local_id: id.to_owned(),
            centre_id: centre.to_owned(),
            name: name.to_owned(),
        }),
    }
}

fn mis_value<'a>(ident: Option<&'a str>, id: &'a str) -> &'a str {
    ident.map(str::trim).filter(|ident| !ident.is_empty()).unwrap_or(id)
}

fn held_by(mut body: Value, holder: Option<&str>) -> Value {
    if let Some(holder) = holder {
        body["AssessorID"] = id_out(holder);
    }
    body
}

/// OneFile's numbers for the kinds of visit are not public. 2 is in use; its meaning and the other
/// numbers are assumed.
fn visit_type(kind: VisitType) -> i32 {
    match kind {
        VisitType::NotSpecified => 1,
        VisitType::RemoteSession => 2,
        VisitType::FaceToFace => 3,
    }
}

/// OneFile requires both names; an officer may have only a surname.
fn names(officer: &Officer) -> (String, String) {
    let last = officer.last_name.trim().to_owned();
    match officer.first_name.as_deref().map(str::trim).filter(|first| !first.is_empty()) {
        Some(first) => (first.to_owned(), last),
        None => match last.split_once(' ') {
            Some((first, rest)) => (first.to_owned(), rest.trim().to_owned()),
            None => (last.clone(), last),
        },
    }
}

/// The step of a further assessor.
pub fn assignment(officer: &str, standard: Option<&str>) -> String {
    match standard {
        Some(standard) => format!("assign:{officer}:{standard}"),
        None => format!("assign:{officer}"),
    }
}
