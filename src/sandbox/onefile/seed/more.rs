//! Creates many more records, for size tests and benches.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::learners::{Ground, learner};
use super::maker::Maker;
use super::people::name;
use super::standards;
use crate::sandbox::onefile::kind::Kind;
use crate::sandbox::onefile::world::Desk;

/// The number of records of each kind to add to one centre.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct More {
    /// The organisation that gets the records; the customer's first by default.
    pub centre_id: Option<u64>,
    /// The number of assessors. Their MIS values are `MA-` and their ids.
    pub assessors: u32,
    /// The number of placements. Their MIS values are `MP-` and their ids.
    pub placements: u32,
    pub standards: u32,
    /// The number of learners. Their MIS values are `ML-` and their ids. Each has the centre's
    /// first assessor, classroom and placement.
    pub learners: u32,
    /// The number of learning aims of each new learner.
    pub aims_per_learner: u32,
    /// The number of reviews of each new learner. Every second one was held.
    pub reviews_per_learner: u32,
}

/// The ids of the created records, in ascending order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Made {
    pub centre_id: u64,
    pub assessors: Vec<u64>,
    pub placements: Vec<u64>,
    pub standards: Vec<u64>,
    pub learners: Vec<u64>,
}

/// Creates the records. `None`: the centre has no assessor, classroom or placement for a learner.
pub fn more(desk: &mut Desk, centre: u64, wanted: &More) -> Option<Made> {
    let first = desk.books.next_id();
    let made = {
        let then = desk.now.clone();
        let mut maker = Maker { books: desk.books, titles: desk.titles, then };
        make(&mut maker, centre, wanted)
    };
    desk.write_since(first);
    made
}

fn make(maker: &mut Maker, centre: u64, wanted: &More) -> Option<Made> {
    let assessors = (0..wanted.assessors).map(|_| assessor(maker, centre)).collect();
    let placements = (0..wanted.placements).map(|_| placement(maker, centre)).collect();
    let standards = standards::more(maker, centre, wanted.standards as usize);
    let mut learners = Vec::new();
    if wanted.learners > 0 {
        let ground = Ground::of(maker, centre)?;
        let (aims, reviews) = (wanted.aims_per_learner as usize, u64::from(wanted.reviews_per_learner));
        learners.extend((0..wanted.learners).map(|_| {
            let number = maker.books.next_id();
            learner(maker, &ground, number, Some(&format!("ML-{number}")), aims, reviews)
        }));
    }
    Some(Made { centre_id: centre, assessors, placements, standards, learners })
}

fn assessor(maker: &mut Maker, centre: u64) -> u64 {
    let number = maker.books.next_id();
    let (first, last) = name(usize::try_from(number).unwrap_or(0));
    let fields = json!({
        "FirstName": first,
        "LastName": format!("{last} {number}"),
        "Role": if number.is_multiple_of(4) { 4 } else { 5 },
        "MISID": format!("MA-{number}"),
        "Email": format!("assessor{number}@copperfold.example"),
        "Username": format!("user{number}"),
    });
    maker.add(Kind::User, centre, fields)
}

fn placement(maker: &mut Maker, centre: u64) -> u64 {
    let number = maker.books.next_id();
    let fields = json!({
        "Name": format!("Employer {number} (sample)"),
        "MISID": format!("MP-{number}"),
        "Address": format!("{number} Sample Road\nSampleton"),
        "Active": true,
    });
    maker.add(Kind::Placement, centre, fields)
}
