//! What is made of a learner's own in OneFile: learning aims, visits, reviews. An enrolment makes them, and so does an exchange.
//! Pure.

use serde_json::{Map, Value, json};

use crate::domain::{Qualification, VisitType};
use crate::onefile::client::id_out;
use crate::onefile::making::{Find, Made, Making};
use crate::onefile::wire::{day_out, instant, instant_out};

/// A learning aim: a standard, for a user.
pub(in crate::onefile) fn aim(standard: &str, user: &str) -> Making {
    Making {
        made: Made::Aim,
        path: format!("Standard/{standard}/Assign/{user}"),
        body: None,
        find: Find::Aim { user_id: user.to_owned(), standard_id: standard.to_owned() },
        link: None,
    }
}

/// The visit of a review: from then, an hour long. `holder`: the assessor.
pub(in crate::onefile) fn visit(
    user: &str,
    centre: &str,
    holder: Option<&str>,
    from: &str,
    kind: VisitType,
) -> Making {
    let to = instant(from).map(|from| from + chrono::TimeDelta::hours(1));
    let to = to.map_or_else(|| from.to_owned(), instant_out);
    let body = json!({
        "LearnerID": id_out(user), "OrganisationID": id_out(centre), "DateFrom": from, "DateTo": to,
        "VisitTypeID": visit_type(kind), "SMSReminder": false
    });
    Making {
        made: Made::Visit,
        path: "Visit".to_owned(),
        body: Some(held_by(body, holder)),
        find: Find::Nothing,
        link: None,
    }
}

/// A review, with its visit.
pub(in crate::onefile) fn review(user: &str, holder: Option<&str>, from: &str, visit: &str) -> Making {
    let body =
        json!({"LearnerID": id_out(user), "Status": 1, "ScheduledFor": from, "VisitID": id_out(visit)});
    Making {
        made: Made::Review,
        path: "Review".to_owned(),
        body: Some(held_by(body, holder)),
        find: Find::Review { user_id: user.to_owned(), visit_id: visit.to_owned() },
        link: None,
    }
}

/// What goes up of a qualification; `None`: nothing is known of it.
pub(in crate::onefile) fn details(user: &str, aim: &str, own: &Qualification) -> Option<Value> {
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| json!(day_out(day)));
    let number_ = own.registration_number.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let rows = [
        ("StartDate", day(own.start_date)),
        ("PlannedEnd", day(own.planned_end_date)),
        ("RegistrationNumber", number_.map(|text| json!(text))),
        ("RegistrationDate", day(own.registration_date)),
        ("CertificateAppliedDate", day(own.certificate_applied_for_date)),
        ("CertificateReceivedDate", day(own.certificate_received_date)),
    ];
    let mut body: Map<String, Value> =
        rows.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    if body.is_empty() {
        return None;
    }
    body.insert("ID".to_owned(), id_out(aim));
    body.insert("UserID".to_owned(), id_out(user));
    Some(Value::Object(body))
}

fn held_by(mut body: Value, holder: Option<&str>) -> Value {
    if let Some(holder) = holder {
        body["AssessorID"] = id_out(holder);
    }
    body
}

/// OneFile's numbers for the kinds of visit are not public: 2 is in use, what it stands for and the others are assumed.
fn visit_type(kind: VisitType) -> i32 {
    match kind {
        VisitType::NotSpecified => 1,
        VisitType::RemoteSession => 2,
        VisitType::FaceToFace => 3,
    }
}
