//! A record: the values that every kind has, and its own fields.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields::{self, Shown};
use super::kind::Kind;
use super::settings::Settings;
use crate::sandbox::origin::Origin;

/// The ids of units are texts, as in the only known example. All others are numbers.
pub const UNIT_PREFIX: &str = "UNIT_";

/// A record as the simulator stores it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    pub id: u64,
    pub kind: Kind,
    /// The organisation that it belongs to. An organisation belongs to itself.
    pub centre: u64,
    pub origin: Origin,
    #[serde(default)]
    pub archived: bool,
    /// The time of the last change, in OneFile's format.
    pub modified: String,
    pub fields: Map<String, Value>,
}

impl Record {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str()
    }

    pub fn whole(&self, name: &str) -> Option<u64> {
        self.fields.get(name)?.as_u64()
    }

    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    /// Whether it is a user with one of these roles.
    pub fn is_user(&self, roles: &[u64]) -> bool {
        self.kind == Kind::User && self.whole("Role").is_some_and(|role| roles.contains(&role))
    }

    /// The name of the field that contains the owner.
    pub fn owner_field(kind: Kind) -> Option<&'static str> {
        match kind {
            Kind::LearningAim | Kind::UnitSummary => Some("UserID"),
            Kind::Visit | Kind::Review | Kind::Assignment => Some("LearnerID"),
            _ => None,
        }
    }

    /// The learner who owns the record.
    pub fn owner(&self) -> Option<u64> {
        self.whole(Self::owner_field(self.kind)?)
    }

    /// The id in the format of responses.
    pub fn shown_id(&self) -> Value {
        match self.kind {
            Kind::Unit => format!("{UNIT_PREFIX}{}", self.id).into(),
            _ => self.id.into(),
        }
    }

    /// The value of a field, stored or derived.
    pub fn value(&self, name: &str) -> Value {
        match name {
            "OrganisationID" => self.centre.into(),
            "Archived" => self.archived.into(),
            "LastModified" => self.modified.clone().into(),
            _ => self.fields.get(name).cloned().unwrap_or_default(),
        }
    }

    /// A row of a search: few fields, and only those with a value.
    pub fn row(&self) -> Value {
        let mut row = Map::from_iter([("ID".to_owned(), self.shown_id())]);
        for field in fields::of(self.kind).iter().filter(|field| field.shown == Shown::Row) {
            let value = self.value(field.name);
            if !value.is_null() {
                row.insert(field.name.to_owned(), value);
            }
        }
        row.into()
    }

    /// The single record: all visible fields, with null for missing values.
    pub fn detail(&self, settings: &Settings) -> Value {
        let mut detail = Map::from_iter([("ID".to_owned(), self.shown_id())]);
        for field in fields::of(self.kind).iter().filter(|field| field.shown != Shown::Never) {
            let counts = matches!(field.name, "TotalElements" | "ElementsDone");
            if settings.element_counts || !counts {
                detail.insert(field.name.to_owned(), self.value(field.name));
            }
        }
        detail.into()
    }
}
