//! What a caller has created twice. Two records count as the same if their identifying values are
//! equal and at least one came through the API.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::books::Books;
use super::kind::Kind;
use super::record::Record;
use crate::sandbox::origin::Origin;

/// Groups of ids of equal records. All lists should stay empty.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Duplicates {
    /// Users of one organisation and role with the same MIS value.
    pub users: Vec<Vec<u64>>,
    /// Placements of one organisation with the same name.
    pub placements: Vec<Vec<u64>>,
    pub classrooms: Vec<Vec<u64>>,
    /// Learning aims of one learner on the same standard.
    pub learning_aims: Vec<Vec<u64>>,
    /// Visits to one learner at the same time.
    pub visits: Vec<Vec<u64>>,
    /// Reviews of one learner at the same time.
    pub reviews: Vec<Vec<u64>>,
}

impl Duplicates {
    pub fn find<'a>(all: impl Iterator<Item = &'a Books>) -> Self {
        let mut found = Self::default();
        for books in all {
            found.users.extend(same(books, Kind::User, &["OrganisationID", "Role", "MISID"]));
            found.placements.extend(same(books, Kind::Placement, &["OrganisationID", "Name"]));
            found.classrooms.extend(same(books, Kind::Classroom, &["OrganisationID", "Name"]));
            found.learning_aims.extend(same(books, Kind::LearningAim, &["UserID", "StandardID"]));
            found.visits.extend(same(books, Kind::Visit, &["LearnerID", "DateFrom"]));
            found.reviews.extend(same(books, Kind::Review, &["LearnerID", "ScheduledFor"]));
        }
        found
    }
}

/// A record without one of the values equals no other.
fn same(books: &Books, kind: Kind, names: &[&str]) -> Vec<Vec<u64>> {
    let mut groups: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    for record in books.of_kind(kind) {
        let values: Vec<_> = names.iter().map(|name| record.value(name)).collect();
        if values.iter().all(|value| !value.is_null()) {
            let key = serde_json::Value::from(values).to_string().to_lowercase();
            groups.entry(key).or_default().push(record);
        }
    }
    let twice = groups
        .into_values()
        .filter(|group| group.len() > 1 && group.iter().any(|record| record.origin == Origin::Api));
    twice.map(|group| group.iter().map(|record| record.id).collect()).collect()
}
