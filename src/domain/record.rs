//! Records with their ids: the entries of an import and the results of a read.

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::check::Check;
use super::ids::{LearnerId, OfficerId, OrganisationId};
use super::learner::Learner;
use super::officer::Officer;
use super::organisation::Organisation;
use super::rule::Broken;

/// A record that contains its id next to its fields. `parse::parse_item` reads it.
pub trait Item: Sized {
    type Id;
    /// The record without its id.
    type Record: Check;
    /// The JSON name of the id.
    const ID_FIELD: &'static str;
    fn id(text: &str) -> Result<Self::Id, Broken>;
    fn new(id: Self::Id, record: Self::Record) -> Self;
}

macro_rules! item {
    ($(#[$doc:meta])* $name:ident, $id_field:ident: $id:ident, $wire:literal, $record_field:ident: $record:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        pub struct $name {
            /// PICSWeb's id of the record.
            #[serde(rename = $wire)]
            pub $id_field: $id,
            /// The record itself. In JSON its fields appear next to the identifier.
            #[serde(flatten)]
            pub $record_field: $record,
        }

        impl Item for $name {
            type Id = $id;
            type Record = $record;
            const ID_FIELD: &'static str = $wire;
            fn id(text: &str) -> Result<$id, Broken> {
                $id::parse(text)
            }
            fn new($id_field: $id, $record_field: $record) -> Self {
                Self { $id_field, $record_field }
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                with_id($record::schema(), $wire, $id::schema())
            }
        }

        impl ToSchema for $name {
            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                $record::schemas(schemas);
            }
        }
    };
}

/// The record's own schema with the id added. `allOf` would not work: the record allows no other
/// fields.
fn with_id(record: RefOr<Schema>, field: &str, id: RefOr<Schema>) -> RefOr<Schema> {
    match record {
        RefOr::T(Schema::Object(mut object)) => {
            if let (Some(Value::Object(example)), RefOr::T(Schema::Object(id))) = (&mut object.example, &id) {
                example.extend(id.examples.first().map(|id| (field.to_owned(), id.clone())));
            }
            object.properties.insert(field.to_owned(), id);
            object.required.push(field.to_owned());
            RefOr::T(Schema::Object(object))
        }
        other => other,
    }
}

item! {
    /// A learner with its id.
    LearnerRecord, learner_id: LearnerId, "learnerId", learner: Learner
}
item! {
    /// An officer with its id.
    OfficerRecord, officer_id: OfficerId, "officerId", officer: Officer
}
item! {
    /// An organisation with its id.
    OrganisationRecord, organisation_id: OrganisationId, "organisationId", organisation: Organisation
}
