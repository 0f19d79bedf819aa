//! The first records of a OneFile customer, which are the same for each customer except the ids,
//! and more records on demand. All people, employers and places are invented.
//!
//! There are three centres. The main one has nearly everything. The others have what makes matching
//! difficult: the same assessor, the same classroom, the same standard again, and a standard that
//! only they have.

mod learners;
mod maker;
pub mod more;
mod people;
mod places;
mod standards;

use self::maker::Maker;
use super::books::Books;
use crate::sandbox::titles::Title;

/// The last change of all seeded records. Not the current time, because a seeded sandbox is the
/// same each time.
const THEN: &str = "2025-09-01T08:00:00.000Z";

/// Fills the empty books of a new customer.
pub fn first(books: &mut Books, titles: &[Title]) {
    let mut maker = Maker { books, titles, then: THEN.to_owned() };
    let centres = places::centres(&mut maker);
    places::placements(&mut maker, centres);
    places::classrooms(&mut maker, centres);
    people::staff(&mut maker, centres);
    standards::catalogue(&mut maker, centres);
    learners::learners(&mut maker, centres);
}
