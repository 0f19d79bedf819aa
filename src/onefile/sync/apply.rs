//! What came down is put into the learner's record, and told to the feed with before and after. A value that a record cannot hold
//! is left out, and said. Pure.

use chrono::NaiveDate;
use serde_json::Value;

use crate::domain::change_onefile::{
    DetailsChangedData, FoundBy, QualificationChangedData, QualificationValue, ReviewChangedData, ReviewValue,
};
use crate::domain::parse::parse_value;
use crate::domain::{Change, Learner};
use crate::onefile::fields::Group;
use crate::onefile::sync::diff::{ChangedRecord, FieldChange};
use crate::store::Portfolio;

pub(crate) struct Applied {
    /// None: nothing was changed.
    pub(crate) learner: Option<Learner>,
    /// What the feed is told.
    pub(crate) events: Vec<Change>,
    /// Values that came down, beside element counts that PICSWeb had set back.
    pub(crate) values: usize,
    /// What could not be taken.
    pub(crate) notes: Vec<String>,
    /// Learning aims whose element counts came down, and into which qualification.
    pub(crate) counted: Vec<(String, String)>,
}

/// Puts it in. `before`: what OneFile had when it was read last; `found_by_sweep`: the search for what changed had not told of it.
pub(crate) fn apply(
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
        match parse_value::<Learner>(&tried, today) {
            Ok(parsed) => {
                record = tried;
                applied.learner = Some(parsed);
                for change in group {
                    if change.field.group == Group::Counts {
                        applied.counted.push((change.remote.clone(), change.id.clone().unwrap_or_default()));
                        if is_told(change, before) {
                            continue;
                        }
                    }
                    applied.values += 1;
                    applied.events.push(event(learner, change, found_by_sweep));
                }
            }
            Err(_) => {
                for change in group {
                    applied.notes.push(format!(
                        "OneFile's value of {} cannot be taken: a record of PICSWeb's does not hold such a one.",
                        change.field.here
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
            let counts = |own: &FieldChange| own.field.group == Group::Counts;
            counts(change) && group.iter().any(|other| counts(other) && other.place == change.place)
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
    let aim = before.aims.iter().find(|own| own.learning_aim_id == change.remote);
    aim.is_some_and(|own| {
        let same_one = own.counted_for.as_deref() == Some(change.id.as_deref().unwrap_or_default());
        own.read && same_one && own.fields.get(change.field.there) == Some(&change.after)
    })
}

fn set(record: &mut Value, change: &FieldChange) {
    let list = match change.record {
        ChangedRecord::Learner => None,
        ChangedRecord::Qualification => Some("qualifications"),
        ChangedRecord::Review => Some("reviews"),
    };
    let entry = match list {
        None => Some(record),
        Some(list) => record.get_mut(list).and_then(|list| list.get_mut(change.place)),
    };
    if let Some(entry) = entry.and_then(Value::as_object_mut) {
        entry.insert(change.field.here.to_owned(), change.field.record_value(&change.after));
    }
}

fn event(learner: &Learner, change: &FieldChange, found_by_sweep: bool) -> Change {
    let found_by = found_by_sweep.then_some(FoundBy::Sweep);
    let (field, before, after) = (change.field.here.to_owned(), change.before.clone(), change.after.clone());
    match change.record {
        ChangedRecord::Learner => Change::DetailsChanged(DetailsChangedData {
            user_id: Some(change.remote.clone()),
            one_file_id: None,
            field,
            before,
            after,
            why: Some(change.why),
            found_by,
        }),
        ChangedRecord::Review => Change::ReviewChanged(ReviewChangedData {
            review_id: change.id.clone(),
            one_file_id: Some(change.remote.clone()),
            field,
            before: before.map(ReviewValue::Text),
            after: Some(ReviewValue::Text(after)),
            why: Some(change.why),
            found_by,
        }),
        ChangedRecord::Qualification => {
            let own = learner.qualifications.get(change.place).and_then(|own| own.vq_reference.as_ref());
            let group = change.field.group;
            let data = QualificationChangedData {
                qualification_id: change.id.clone(),
                vq_reference: own.map(|reference| reference.as_str().to_owned()),
                learning_aim_id: Some(change.remote.clone()),
                field,
                before: before.map(|text| qualification_value(group, text)),
                after: qualification_value(group, after),
                why: change.why,
                found_by,
            };
            match group {
                Group::Counts => Change::ProgressChanged(data),
                Group::Registration => Change::RegistrationChanged(data),
                Group::Certificate | Group::Details | Group::Attendance => Change::CertificateChanged(data),
            }
        }
    }
}

fn qualification_value(group: Group, text: String) -> QualificationValue {
    match text.parse() {
        Ok(count) if group == Group::Counts => QualificationValue::Count(count),
        _ => QualificationValue::Text(text),
    }
}

impl Applied {
    pub(crate) fn nothing() -> Self {
        Self { learner: None, events: Vec::new(), values: 0, notes: Vec::new(), counted: Vec::new() }
    }
}
