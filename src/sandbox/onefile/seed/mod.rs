//! What is in OneFile when a customer is met for the first time, the same for each customer but for the ids, and
//! more of it on demand. All people, employers and places are invented.
//!
//! Three centres. The main one has nearly everything; the others have what makes matching hard: the same
//! assessor, the same classroom, the same standard once more, and a standard that only they have.

mod learners;
mod maker;
pub mod more;
mod people;
mod places;
mod standards;

use self::maker::Maker;
use super::books::Books;
use crate::sandbox::titles::Title;

/// When all of it was last changed. Not the present: a seeded sandbox is the same each time.
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
