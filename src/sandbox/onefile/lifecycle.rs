//! The life of records after their creation. The API archives and deletes users; the control API
//! does what assessors and centre managers do in OneFile's own pages.

use serde_json::{Map, Value};

use super::answer::Answer;
use super::assign::touch;
use super::kind::Kind;
use super::new_fields::map;
use super::record::Record;
use super::references::LEARNER;
use super::update::mismatch;
use super::world::Desk;
use crate::sandbox::origin::Origin;

/// The kinds of records that a learner owns.
const OWNED: [Kind; 5] = [Kind::LearningAim, Kind::UnitSummary, Kind::Visit, Kind::Review, Kind::Assignment];

/// `POST /User/{id}/Archive` and `Unarchive`. A second identical call is no error (assumed).
pub fn archive(desk: &mut Desk, id: u64, archived: bool, fields: &Map<String, Value>) -> Answer {
    let Some(mut user) = desk.books.get(Kind::User, id).cloned() else { return Answer::NotFound };
    if let Some(fault) = mismatch(&user, fields) {
        return Answer::Refused(fault);
    }
    user.archived = archived;
    desk.change(user);
    Answer::Empty
}

/// `DELETE /User/{id}`. The real OneFile flags the user and deletes at night; here the user is
/// deleted at once.
pub fn delete(desk: &mut Desk, id: u64, fields: &Map<String, Value>) -> Answer {
    let Some(user) = desk.books.get(Kind::User, id) else { return Answer::NotFound };
    if let Some(fault) = mismatch(user, fields) {
        return Answer::Refused(fault);
    }
    let done =
        |aim: &Record| aim.fields.get("Progress").and_then(Value::as_f64).is_some_and(|done| done > 0.0);
    if desk.books.owned(id, Kind::LearningAim).any(done) {
        return Answer::refused("The user has signed assessments.");
    }
    remove(desk, id);
    Answer::Empty
}

/// Deletes a user with all its records.
pub fn remove(desk: &mut Desk, id: u64) {
    for owned in owned(desk, id) {
        desk.remove(owned.id);
    }
    desk.remove(id);
}

/// Merges two users: all references to the first move to the second, and the first is deleted.
pub fn merge(desk: &mut Desk, from: u64, into: u64) {
    for mut owned in owned(desk, from) {
        if let Some(name) = Record::owner_field(owned.kind) {
            owned.set(name, into);
            desk.change(owned);
        }
    }
    let names = ["DefaultAssessorID", "DefaultEmployerID", "AssessorID", "EmployerID", "AssignedID"];
    let leads = |record: &&Record| names.iter().any(|name| record.whole(name) == Some(from));
    let kinds = [Kind::User, Kind::Visit, Kind::Review, Kind::Assignment];
    let leading: Vec<Record> =
        kinds.into_iter().flat_map(|kind| desk.books.of_kind(kind)).filter(leads).cloned().collect();
    for mut record in leading {
        for name in names.into_iter().filter(|name| record.whole(name) == Some(from)).collect::<Vec<_>>() {
            record.set(name, into);
        }
        desk.change(record);
    }
    desk.remove(from);
}

/// Sets fields of some of a learner's aims or reviews, and updates `LastModified` if the setting
/// says so.
pub fn set(desk: &mut Desk, records: Vec<Record>, fields: &Map<String, Value>) {
    let learners: Vec<u64> = records.iter().filter_map(Record::owner).collect();
    for mut record in records {
        record.fields.extend(fields.clone());
        desk.change(record);
    }
    for learner in learners {
        sum_up(desk, learner);
        touch(desk, learner);
    }
}

/// The usual next step: each learning aim advances by a tenth, and the first review that was not
/// held is held.
pub fn step(desk: &mut Desk, learner: u64) {
    let aims: Vec<Record> = desk.books.owned(learner, Kind::LearningAim).cloned().collect();
    for mut aim in aims {
        let progress = (aim.fields.get("Progress").and_then(Value::as_f64).unwrap_or(0.0) + 10.0).min(100.0);
        let total = aim.whole("TotalElements").unwrap_or(0);
        aim.set("Progress", progress);
        aim.set("ElementsDone", elements(total, progress));
        if progress >= 100.0 && aim.whole("Status") == Some(0) {
            aim.set("Status", 1);
            aim.set("AchievedDate", desk.now.clone());
        }
        desk.change(aim);
    }
    let open = |review: &&Record| review.text("StartedOn").is_none();
    let first = desk.books.owned(learner, Kind::Review).filter(open);
    let first = first.min_by_key(|review| review.text("ScheduledFor").unwrap_or_default()).cloned();
    if let Some(mut review) = first {
        review.set("StartedOn", review.value("ScheduledFor"));
        review.set("AssessorSignedOn", desk.now.clone());
        desk.change(review);
    }
    sum_up(desk, learner);
    touch(desk, learner);
}

/// A review that a person created in OneFile's own pages.
pub fn review(desk: &mut Desk, learner: u64, fields: Map<String, Value>) {
    let Some(record) = desk.books.user(learner, LEARNER) else { return };
    let centre = record.centre;
    let assessor = record.value("DefaultAssessorID");
    let mut whole = map(serde_json::json!({
        "LearnerID": learner, "AssessorID": assessor, "Status": 1, "CreatedOn": desk.now
    }));
    whole.extend(fields);
    desk.add(Kind::Review, centre, Origin::Control, whole);
    touch(desk, learner);
}

/// A learner's progress is the average of the aims' progress.
fn sum_up(desk: &mut Desk, learner: u64) {
    let done: Vec<f64> = desk
        .books
        .owned(learner, Kind::LearningAim)
        .filter_map(|aim| aim.fields.get("Progress").and_then(Value::as_f64))
        .collect();
    let Some(mut user) = desk.books.get(Kind::User, learner).cloned() else { return };
    let count = u32::try_from(done.len()).unwrap_or(u32::MAX).max(1);
    user.set("Progress", done.iter().sum::<f64>() / f64::from(count));
    // Unchanged, because only `touch` updates `LastModified`.
    desk.put(user);
}

/// The number of elements that are done at this progress.
fn elements(total: u64, progress: f64) -> u64 {
    // Tenths of a percent, so that no division loses an element.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1000")]
    let thousandths = (progress.clamp(0.0, 100.0) * 10.0).round() as u64;
    total * thousandths / 1000
}

fn owned(desk: &Desk, user: u64) -> Vec<Record> {
    OWNED.into_iter().flat_map(|kind| desk.books.owned(user, kind)).cloned().collect()
}
