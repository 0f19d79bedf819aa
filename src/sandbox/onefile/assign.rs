//! Assigns people, standards, units and templates to learners.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::kind::Kind;
use super::new_fields::{map, new_aim};
use super::record::Record;
use super::references::{LEARNER, ROLES};
use super::settings::AssignReading;
use super::world::Desk;
use crate::sandbox::origin::Origin;

pub fn user(desk: &mut Desk, path: u64, mut fields: Map<String, Value>) -> Answer {
    let Some(named) = fields.get("LearnerID").and_then(Value::as_u64) else {
        return Answer::refused("Required: LearnerID.");
    };
    if desk.books.get(Kind::User, path).is_none() {
        return Answer::NotFound;
    }
    let is_learner = |id| desk.books.user(id, LEARNER).is_some();
    let (person, learner) = match desk.settings.assign {
        AssignReading::LearnerInPath => (named, path),
        AssignReading::Either if is_learner(path) => (named, path),
        AssignReading::AssessorInPath | AssignReading::Either => (path, named),
    };
    let (Some(learner), Some(person)) =
        (desk.books.user(learner, LEARNER), desk.books.user(person, &ROLES[1..]))
    else {
        return Answer::refused("One of the two users must be a learner, the other one must not.");
    };
    if person.centre != learner.centre {
        return Answer::refused("The two users are of different organisations.");
    }
    let role = person.whole("Role").unwrap_or_default();
    // It is documented which roles and which other values each level needs.
    let (roles, needs): (&[u64], Option<&str>) = match fields.get("Level").and_then(Value::as_u64) {
        Some(1) => (&ROLES[1..], None),
        Some(2) => (&[4, 5, 10], Some("UnitID")),
        Some(3) => (&[4, 5, 10], Some("StandardID")),
        _ => return Answer::refused("Level must be 1, 2 or 3."),
    };
    if !roles.contains(&role) {
        return Answer::refused(format!("Role {role} cannot be assigned on this level."));
    }
    if let Some(name) = needs
        && fields.get(name).is_none_or(Value::is_null)
    {
        return Answer::refused(format!("Required: {name}."));
    }
    if let Some(standard) = fields.get("StandardID").and_then(Value::as_u64)
        && !has_aim(desk, learner.id, standard)
    {
        return Answer::refused(format!("The learner has no learning aim of StandardID {standard}."));
    }
    fields.remove("ID");
    fields.insert("LearnerID".to_owned(), learner.id.into());
    fields.insert("AssignedID".to_owned(), person.id.into());
    let (centre, owner) = (learner.centre, learner.id);
    // A second identical assignment changes nothing.
    if !desk.books.owned(owner, Kind::Assignment).any(|known| known.fields == fields) {
        desk.add(Kind::Assignment, centre, Origin::Api, fields);
        touch(desk, owner);
    }
    Answer::Empty
}

/// `POST /Standard/{id}/Assign/{learnerId}`: creates a learning aim, even if the learner has one
/// already.
pub fn standard(desk: &mut Desk, standard: u64, learner: u64) -> Answer {
    if desk.books.get(Kind::Standard, standard).is_none() {
        return Answer::NotFound;
    }
    match aim(desk, standard, learner) {
        Ok(id) => {
            touch(desk, learner);
            Answer::Json(id.into())
        }
        Err(message) => Answer::Refused(message),
    }
}

/// `POST /Unit/{unitId}/Assign/{learnerId}/{standardId}`: it is observed that a second identical
/// call fails.
pub fn unit(desk: &mut Desk, unit: u64, learner: u64, standard: u64) -> Answer {
    let Some(record) = desk.books.get(Kind::Unit, unit) else { return Answer::NotFound };
    let unit = record.shown_id();
    if record.whole("StandardID") != Some(standard) {
        return Answer::refused("The unit is not one of this standard.");
    }
    if !has_aim(desk, learner, standard) {
        return Answer::refused("The learner has no learning aim of this standard.");
    }
    if desk.books.owned(learner, Kind::UnitSummary).any(|known| known.fields.get("UnitID") == Some(&unit)) {
        return Answer::refused("The unit is already assigned to this learner.");
    }
    let centre = record.centre;
    let id = desk.add(Kind::UnitSummary, centre, Origin::Api, summary(learner, &unit, standard));
    touch(desk, learner);
    Answer::Json(id.into())
}

/// `POST /FrameworkTemplate/{id}/Assign/{userId}/{onlyChangeAssigned}`: assigns the learning aims
/// of the template that the learner lacks, with all their units.
pub fn template(desk: &mut Desk, template: u64, learner: u64) -> Answer {
    let Some(record) = desk.books.get(Kind::FrameworkTemplate, template) else { return Answer::NotFound };
    let standards = record.fields.get("StandardIDs").and_then(Value::as_array).cloned().unwrap_or_default();
    for standard in standards.iter().filter_map(Value::as_u64) {
        if has_aim(desk, learner, standard) {
            continue;
        }
        if let Err(message) = aim(desk, standard, learner) {
            return Answer::Refused(message);
        }
        let units = desk.books.of_kind(Kind::Unit).filter(|unit| unit.whole("StandardID") == Some(standard));
        let units: Vec<(u64, Value)> = units.map(|unit| (unit.centre, unit.shown_id())).collect();
        for (centre, unit) in units {
            desk.add(Kind::UnitSummary, centre, Origin::Api, summary(learner, &unit, standard));
        }
    }
    touch(desk, learner);
    Answer::Empty
}

fn aim(desk: &mut Desk, standard: u64, learner: u64) -> Result<u64, String> {
    let record = desk.books.user(learner, LEARNER).ok_or("The user is not a learner.")?;
    let centre = record.centre;
    if desk.books.get(Kind::Standard, standard).is_none_or(|found| found.centre != centre) {
        return Err("The standard is not one of the learner's organisation.".to_owned());
    }
    Ok(desk.add(Kind::LearningAim, centre, Origin::Api, new_aim(learner, standard)))
}

fn summary(learner: u64, unit: &Value, standard: u64) -> Map<String, Value> {
    map(json!({ "UserID": learner, "UnitID": unit, "StandardID": standard, "Progress": 0 }))
}

fn has_aim(desk: &Desk, learner: u64, standard: u64) -> bool {
    let of_standard = |aim: &Record| aim.whole("StandardID") == Some(standard);
    desk.books.owned(learner, Kind::LearningAim).any(of_standard)
}

/// Records a change to the learner's data. A setting decides whether `LastModified` shows it.
pub fn touch(desk: &mut Desk, learner: u64) {
    if desk.settings.last_modified_moves
        && let Some(learner) = desk.books.get(Kind::User, learner).cloned()
    {
        desk.change(learner);
    }
}
