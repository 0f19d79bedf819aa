//! An id of OneFile's in a request.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::Fault;

const LONGEST_ID: usize = 64;

/// A text or a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteId(pub String);

impl<'de> Deserialize<'de> for RemoteId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Number(u64),
            Text(String),
        }
        Ok(Self(match Given::deserialize(deserializer)? {
            Given::Number(number) => number.to_string(),
            Given::Text(text) => text.trim().to_owned(),
        }))
    }
}

impl PartialSchema for RemoteId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Array(vec![Type::String, Type::Integer]))
            .description(Some("An id of OneFile's: a text, or a number."))
            .examples([serde_json::json!("301")])
            .into()
    }
}

impl ToSchema for RemoteId {}

impl RemoteId {
    /// Whether it can be one.
    pub fn is_id(&self) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        !self.0.is_empty() && self.0.len() <= LONGEST_ID && self.0.chars().all(plain)
    }

    pub(super) fn fault(&self, pointer: String) -> Option<Fault> {
        (!self.is_id()).then(|| {
            let message = "Send an id as GET /onefile/centres and GET /onefile/classrooms answer it.";
            Fault::at(pointer, "invalidId", message)
        })
    }
}

/// The faults of what an enrolment is asked: the centre, and a standard for each VQ reference.
pub(super) fn enrolment_faults(
    centre: Option<&RemoteId>,
    pathways: Option<&BTreeMap<String, RemoteId>>,
) -> Vec<Fault> {
    let mut faults: Vec<Fault> = centre.and_then(|id| id.fault("/centreId".to_owned())).into_iter().collect();
    for (reference, id) in pathways.into_iter().flatten() {
        if reference.chars().any(char::is_control) {
            let message = "Send VQ references as the learner's qualifications have them.";
            faults.push(Fault::at("/pathways", "invalidVqReference", message));
        } else if !id.is_id() {
            let pointer = format!("/pathways/{}", reference.replace('~', "~0").replace('/', "~1"));
            faults.push(Fault::at(
                pointer,
                "invalidId",
                "Send the id of a learning aim as the preview shows it.",
            ));
        }
    }
    faults
}
