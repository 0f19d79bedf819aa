//! What came down is put into the learner's record, and told to the feed with before and after. A value that a record cannot hold
//! is left out, and said. Pure.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::domain::change_onefile::{
    DetailsChangedData, FoundBy, QualificationChangedData, QualificationValue, ReviewChangedData, ReviewValue,
};
use crate::domain::parse::parse_value;
use crate::domain::{Change, Learner, Postcode};
use crate::onefile::takeover::{ChangedRecord, FieldChange};
use crate::store::Portfolio;

/// Of one qualification these are put in together: alone, one may be too many for the other.
const COUNTS: [&str; 2] = ["totalElements", "elementsDone"];

/// The record afterwards.
pub(super) struct Applied {
    /// None: nothing was changed.
    pub(super) learner: Option<Learner>,
    /// What the feed is told.
    pub(super) events: Vec<Change>,
    /// Values that came down, beside element counts that PICSWeb had set back.
    pub(super) values: usize,
    /// What could not be taken.
    pub(super) notes: Vec<String>,
    /// Learning aims whose element counts came down, and into which qualification.
    pub(super) counted: Vec<(String, String)>,
}

/// Puts it in. `before`: what OneFile had when it was read last; `found_by_sweep`: the search for what changed had not told of it.
pub(super) fn apply(
    learner: &Learner,
    here: &[FieldChange],
    before: &Portfolio,
    today: NaiveDate,
    found_by_sweep: bool,
) -> Applied {
    let mut applied =
        Applied { learner: None, events: Vec::new(), values: 0, notes: Vec::new(), counted: Vec::new() };
    let Ok(mut record) = serde_json::to_value(learner) else { return applied };
    for group in groups(here) {
        let mut tried = record.clone();
        for change in &group {
            set(&mut tried, change);
        }
        match parse_value::<Learner>(tried.clone(), "", today) {
            Ok(parsed) => {
                record = tried;
                applied.learner = Some(parsed);
                for change in group {
                    if let (true, Some(aim)) = (COUNTS.contains(&change.field), &change.remote) {
                        applied.counted.push((aim.clone(), change.id.clone().unwrap_or_default()));
                    }
                    if COUNTS.contains(&change.field) && is_told(change, before) {
                        continue;
                    }
                    applied.values += 1;
                    applied.events.push(event(learner, change, found_by_sweep));
                }
            }
            Err(_) => {
                for change in group {
                    applied.notes.push(format!(
                        "OneFile's value of {} cannot be taken: a record of PICSWeb's does not hold such a one.",
                        change.field
                    ));
                }
            }
        }
    }
    applied
}

/// Changes that are put in together.
fn groups(here: &[FieldChange]) -> Vec<Vec<&FieldChange>> {
    let mut groups: Vec<Vec<&FieldChange>> = Vec::new();
    for change in here {
        let together = groups.iter_mut().find(|group| {
            COUNTS.contains(&change.field)
                && group.iter().any(|other| COUNTS.contains(&other.field) && other.place == change.place)
        });
        match together {
            Some(group) => group.push(change),
            None => groups.push(vec![change]),
        }
    }
    groups
}

/// Whether OneFile's counts are those that were told of this qualification before: then it was PICSWeb that set its own back.
fn is_told(change: &FieldChange, before: &Portfolio) -> bool {
    let aim = before.aims.iter().find(|own| Some(&own.learning_aim_id) == change.remote.as_ref());
    aim.is_some_and(|own| {
        let by_progress = own.total_elements.is_none() && own.elements_done.is_none();
        let told = match (change.field, by_progress) {
            ("totalElements", false) => own.total_elements,
            ("totalElements", true) => own.progress.map(|_| 100),
            (_, false) => own.elements_done,
            (_, true) => own.progress,
        };
        let same_one = own.counted_for.as_deref() == Some(change.id.as_deref().unwrap_or_default());
        own.read && same_one && told.map(|told| told.to_string()).as_ref() == Some(&change.after)
    })
}

fn set(record: &mut Value, change: &FieldChange) {
    let after = match change.field {
        "totalElements" | "elementsDone" | "ethnicity" => {
            change.after.parse::<i64>().map_or_else(|_| json!(change.after), Value::from)
        }
        "address" => address_of(&change.after),
        _ => json!(change.after),
    };
    let list = match change.record {
        ChangedRecord::Learner => {
            record[change.field] = after;
            return;
        }
        ChangedRecord::Qualification => "qualifications",
        ChangedRecord::Review => "reviews",
    };
    let entry = record.get_mut(list).and_then(|list| list.get_mut(change.place));
    if let Some(entry) = entry.and_then(Value::as_object_mut) {
        entry.insert(change.field.to_owned(), after);
    }
}

/// One text of OneFile's: its lines, the last of them perhaps the postcode.
pub(super) fn address_of(text: &str) -> Value {
    let parts = text.split(['\n', '\r', ',']).map(str::trim).filter(|part| !part.is_empty());
    let mut lines: Vec<String> = parts.map(str::to_owned).collect();
    let postcode =
        lines.last().and_then(|last| Postcode::parse(last).ok()).map(|code| code.as_str().to_owned());
    if postcode.is_some() {
        lines.pop();
    }
    if lines.len() > 4 {
        let rest = lines.split_off(3).join(", ");
        lines.push(rest);
    }
    let mut address = json!({ "postcode": postcode });
    for (number, line) in lines.into_iter().enumerate() {
        address[format!("line{}", number + 1)] = json!(line);
    }
    address
}

/// A record's address as one text.
pub(super) fn address_text(address: &Value) -> Option<String> {
    let lines = ["line1", "line2", "line3", "line4", "postcode"].into_iter();
    let lines: Vec<&str> = lines
        .filter_map(|line| address[line].as_str().map(str::trim))
        .filter(|line| !line.is_empty())
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn event(learner: &Learner, change: &FieldChange, found_by_sweep: bool) -> Change {
    let found_by = found_by_sweep.then_some(FoundBy::Sweep);
    let (field, before, after) = (change.field.to_owned(), change.before.clone(), change.after.clone());
    match change.record {
        ChangedRecord::Learner => Change::DetailsChanged(DetailsChangedData {
            user_id: change.remote.clone(),
            one_file_id: None,
            field,
            before,
            after,
            why: Some(change.why),
            found_by,
        }),
        ChangedRecord::Review => Change::ReviewChanged(ReviewChangedData {
            review_id: change.id.clone(),
            one_file_id: change.remote.clone(),
            field,
            before: before.map(ReviewValue::Text),
            after: Some(ReviewValue::Text(after)),
            why: Some(change.why),
            found_by,
        }),
        ChangedRecord::Qualification => {
            let own = learner.qualifications.get(change.place).and_then(|own| own.vq_reference.as_ref());
            let data = QualificationChangedData {
                qualification_id: change.id.clone(),
                vq_reference: own.map(|reference| reference.as_str().to_owned()),
                learning_aim_id: change.remote.clone(),
                field,
                before: before.map(|text| qualification_value(change.field, text)),
                after: qualification_value(change.field, after),
                why: change.why,
                found_by,
            };
            match change.field {
                "totalElements" | "elementsDone" => Change::ProgressChanged(data),
                "registrationNumber" | "registrationDate" => Change::RegistrationChanged(data),
                _ => Change::CertificateChanged(data),
            }
        }
    }
}

fn qualification_value(field: &str, text: String) -> QualificationValue {
    match text.parse() {
        Ok(count) if COUNTS.contains(&field) => QualificationValue::Count(count),
        _ => QualificationValue::Text(text),
    }
}

impl Applied {
    /// Nothing came down.
    pub(super) fn nothing() -> Self {
        Self { learner: None, events: Vec::new(), values: 0, notes: Vec::new(), counted: Vec::new() }
    }
}
