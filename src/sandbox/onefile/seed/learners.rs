//! Learners with their learning aims and reviews, held or planned.

use serde_json::{Value, json};

use super::maker::Maker;
use super::people::name;
use crate::sandbox::onefile::kind::Kind;
use crate::sandbox::onefile::new_fields::new_aim;
use crate::sandbox::onefile::references::ASSESSORS;
use crate::sandbox::uln;

/// What a new learner needs from one centre.
pub struct Ground {
    centre: u64,
    assessor: u64,
    classroom: u64,
    placement: u64,
    standards: Vec<u64>,
}

impl Ground {
    /// `None`: the centre lacks one of them.
    pub fn of(maker: &Maker, centre: u64) -> Option<Self> {
        let first = |kind| maker.books.of_kind(kind).find(|record| record.centre == centre).map(|it| it.id);
        let mut users = maker.books.of_kind(Kind::User);
        let assessor =
            users.find(|user| user.centre == centre && user.is_user(ASSESSORS) && !user.archived)?;
        let standards = maker.books.of_kind(Kind::Standard).filter(|standard| standard.centre == centre);
        Some(Self {
            centre,
            assessor: assessor.id,
            classroom: first(Kind::Classroom)?,
            placement: first(Kind::Placement)?,
            standards: standards.map(|standard| standard.id).collect(),
        })
    }
}

/// Twelve in the main centre, of which the last is archived and number 5 has no MIS value; three in
/// the second.
pub fn learners(maker: &mut Maker, [main, north, _]: [u64; 3]) {
    if let Some(ground) = Ground::of(maker, main) {
        for number in 1..=12 {
            let mis = (number != 5).then(|| format!("OLD-{number:03}"));
            let id = learner(maker, &ground, number, mis.as_deref(), 2, 2);
            if number == 12 {
                maker.archive(id);
            }
        }
    }
    if let Some(ground) = Ground::of(maker, north) {
        for number in 13..=15 {
            learner(maker, &ground, number, Some(&format!("OLD-{number:03}")), 1, 1);
        }
    }
}

/// One learner. Every second review was held.
pub fn learner(
    maker: &mut Maker,
    ground: &Ground,
    number: u64,
    mis: Option<&str>,
    aims: usize,
    reviews: u64,
) -> u64 {
    let (first, last) = name(usize::try_from(number).unwrap_or(0) + 64);
    let fields = json!({
        "FirstName": first,
        "LastName": last,
        "Role": 1,
        "MISID": mis,
        "Email": format!("learner{number}@example.org"),
        "Username": format!("learner{}", maker.books.next_id()),
        "ULN": uln::invented(1_000_000 + number),
        "DOB": format!("{}-0{}-1{}T00:00:00.000Z", 1990 + number % 16, 1 + number % 9, number % 10),
        "DefaultAssessorID": ground.assessor,
        "ClassroomID": ground.classroom,
        "PlacementID": ground.placement,
        "StartOn": "2025-09-01T00:00:00.000Z",
        "PlannedEndDate": "2027-02-28T00:00:00.000Z",
        "Progress": 0,
    });
    let id = maker.add(Kind::User, ground.centre, fields);
    for standard in ground.standards.iter().take(aims) {
        maker.add(Kind::LearningAim, ground.centre, Value::Object(new_aim(id, *standard)));
    }
    for month in 0..reviews {
        let day = format!("2025-{:02}-1{}T09:00:00.000Z", 10 + month % 3, month / 3 % 10);
        let fields = json!({
            "LearnerID": id,
            "AssessorID": ground.assessor,
            "Status": 1,
            "CreatedOn": maker.then,
            "ScheduledFor": day,
            "StartedOn": (month % 2 == 0).then_some(&day),
        });
        maker.add(Kind::Review, ground.centre, fields);
    }
    id
}
