//! What is in OneFile when a customer is met for the first time, the same for each customer but for the ids, and
//! more of it on demand. All people, employers and places are invented.
//!
//! Three centres. The main one has nearly everything; the others have what makes matching hard: the same
//! assessor, the same classroom, the same standard once more, and a standard that only they have.

mod learners;
pub mod more;
mod people;
mod places;
mod standards;

use serde_json::Value;

use super::assign::map;
use super::books::Books;
use super::kind::Kind;
use super::record::Record;
use crate::sandbox::origin::Origin;
use crate::sandbox::titles::Title;

/// When all of it was last changed. Not the present: a seeded sandbox is the same each time.
const THEN: &str = "2025-09-01T08:00:00.000Z";

/// Puts seeded records into the books.
struct Maker<'a> {
    books: &'a mut Books,
    titles: &'a [Title],
    then: String,
}

impl Maker<'_> {
    /// Null fields are none.
    fn add(&mut self, kind: Kind, centre: u64, fields: Value) -> u64 {
        let id = self.books.next_id();
        let mut fields = map(fields);
        fields.retain(|_, value| !value.is_null());
        // A centre belongs to itself.
        let centre = if kind == Kind::Organisation { id } else { centre };
        let modified = self.then.clone();
        self.books.put(Record { id, kind, centre, origin: Origin::Seed, archived: false, modified, fields });
        id
    }

    fn archive(&mut self, id: u64) {
        if let Some(mut record) = self.books.find(id).cloned() {
            record.archived = true;
            self.books.put(record);
        }
    }
}

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
