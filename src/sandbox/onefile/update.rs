//! Updates change only what is sent. Null and blank text remove a value.

use serde_json::{Map, Value};

use super::answer::Answer;
use super::create::required;
use super::kind::Kind;
use super::record::Record;
use super::references;
use super::world::Desk;

/// The identifying fields of a record, which no update changes.
const FIXED: [&str; 5] = ["ID", "OrganisationID", "Role", "UserID", "LearnerID"];

pub fn update(desk: &mut Desk, kind: Kind, id: u64, fields: Map<String, Value>) -> Answer {
    let Some(mut record) = desk.books.get(kind, id).cloned() else { return Answer::NotFound };
    if let Some(fault) = mismatch(&record, &fields) {
        return Answer::Refused(fault);
    }
    let needed = required(kind, record.whole("Role"));
    if let Some((name, _)) =
        fields.iter().find(|(name, value)| value.is_null() && needed.contains(&name.as_str()))
    {
        return Answer::refused(format!("Required: {name}."));
    }
    if let Some(fault) = references::fault(desk.books, record.centre, &fields) {
        return Answer::Refused(fault);
    }
    let own = fields.into_iter().filter(|(name, _)| !FIXED.contains(&name.as_str()));
    record.fields.extend(own);
    desk.change(record);
    Answer::Empty
}

/// The field of the body that contradicts the record.
pub fn mismatch(record: &Record, fields: &Map<String, Value>) -> Option<String> {
    let value = |name: &str| if name == "ID" { record.id.into() } else { record.value(name) };
    let wrong = FIXED
        .into_iter()
        .find(|name| fields.get(*name).is_some_and(|sent| !sent.is_null() && *sent != value(name)))?;
    Some(format!("{} {} has another {wrong}.", record.kind.noun(), record.id))
}
