//! Adds seeded records to the books.

use serde_json::Value;

use crate::sandbox::onefile::books::Books;
use crate::sandbox::onefile::kind::Kind;
use crate::sandbox::onefile::new_fields::map;
use crate::sandbox::onefile::record::Record;
use crate::sandbox::origin::Origin;
use crate::sandbox::titles::Title;

pub struct Maker<'a> {
    pub books: &'a mut Books,
    pub titles: &'a [Title],
    pub then: String,
}

impl Maker<'_> {
    /// Fields with null are left out.
    pub fn add(&mut self, kind: Kind, centre: u64, fields: Value) -> u64 {
        let id = self.books.next_id();
        let mut fields = map(fields);
        fields.retain(|_, value| !value.is_null());
        // A centre belongs to itself.
        let centre = if kind == Kind::Organisation { id } else { centre };
        let modified = self.then.clone();
        self.books.put(Record { id, kind, centre, origin: Origin::Seed, archived: false, modified, fields });
        id
    }

    pub fn archive(&mut self, id: u64) {
        if let Some(mut record) = self.books.find(id).cloned() {
            record.archived = true;
            self.books.put(record);
        }
    }
}
