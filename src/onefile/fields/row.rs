//! The rows of the tables in `fields.rs`, and what follows from them: what is sent, what differs,
//! and which side changes.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::address::address_value;
use crate::domain::{DemographicsMode, SyncRule};
use crate::onefile::client::wire::day_out;

/// A field: its names and the kind of its value.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The field's name in this API, or its path within the programme.
    pub here: &'static str,
    /// The field's name in OneFile.
    pub there: &'static str,
    pub kind: Kind,
    pub group: Group,
}

/// The kind of value. Both sides are compared as text; a day is `2026-01-31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Day,
    Address,
}

/// The group of fields that change together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Details,
    Registration,
    Certificate,
    /// Element counts. Both counts of a qualification change together, because one alone may exceed
    /// the other.
    Counts,
    Attendance,
}

/// Whether a field is sent when OneFile's record is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    Never,
    IfKnown,
    /// A blank value is left out with a warning, because it is used to find OneFile's record of the
    /// person.
    Expected,
    /// OneFile creates no record without it.
    Required,
}

/// What happens when the two sides differ. A blank never replaces a value (assumed: not public).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The demographics mode decides which value wins.
    ByMode,
    /// The same, but OneFile's value is never taken over.
    PushedByMode,
    /// A blank side gets the other's value. If both have one, OneFile's wins.
    FillsBlanks,
    /// OneFile's value wins, for this reason.
    Pulled(SyncRule),
}

/// The system in which a value would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The record in PICSWeb changes.
    PicsWeb,
    /// The record in OneFile changes.
    OneFile,
}

/// A field of `Ours`, a record here, and of `Theirs`, OneFile's copy of it.
pub struct Row<Ours, Theirs> {
    pub field: Field,
    /// Where PICSWeb shows the value.
    pub source: &'static str,
    pub creation: Creation,
    /// The trimmed value here.
    pub ours: fn(&Ours) -> Option<String>,
    /// How the field is exchanged. `None`: it is sent at the creation and never compared.
    pub exchange: Option<Exchange<Theirs>>,
}

/// How a field is exchanged.
pub struct Exchange<Theirs> {
    pub rule: Rule,
    /// Two values are equal if this function maps them to the same text.
    pub alike: fn(&str) -> String,
    /// The trimmed value in OneFile.
    pub theirs: fn(&Theirs) -> Option<String>,
}

/// A field that differs, and its new value on one side.
pub struct Difference {
    pub field: &'static Field,
    pub side: Side,
    pub before: Option<String>,
    pub after: String,
    pub why: SyncRule,
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.here)
    }
}

impl Field {
    /// The property that is sent to OneFile.
    pub fn property(&self, text: &str) -> (String, Value) {
        let value = match (self.kind, text.parse()) {
            (Kind::Day, Ok(day)) => json!(day_out(day)),
            (Kind::Day | Kind::Text | Kind::Number | Kind::Address, _) => json!(text),
        };
        (self.there.to_owned(), value)
    }

    /// OneFile's value in the form that a record here holds.
    pub fn record_value(&self, text: &str) -> Value {
        match self.kind {
            Kind::Number => text.parse::<i64>().map_or_else(|_| json!(text), Value::from),
            Kind::Address => address_value(text),
            Kind::Text | Kind::Day => json!(text),
        }
    }
}

impl Rule {
    /// Which side changes and why, if the two differ. `None`: neither.
    fn side(self, mode: DemographicsMode, here: bool, there: bool) -> Option<(Side, SyncRule)> {
        match (self, mode) {
            (Self::ByMode | Self::PushedByMode, DemographicsMode::Pushed) => {
                Some((Side::OneFile, SyncRule::DetailsPushed))
            }
            (Self::ByMode, DemographicsMode::Pulled) => Some((Side::PicsWeb, SyncRule::DetailsPulled)),
            (Self::PushedByMode, DemographicsMode::Pulled)
            | (Self::ByMode | Self::PushedByMode, DemographicsMode::Ignored) => None,
            (Self::FillsBlanks, _) => Some(match (here, there) {
                (true, false) => (Side::OneFile, SyncRule::BlankThere),
                (false, _) => (Side::PicsWeb, SyncRule::BlankHere),
                (true, true) => (Side::PicsWeb, SyncRule::OneFileWins),
            }),
            (Self::Pulled(why), _) => Some((Side::PicsWeb, why)),
        }
    }
}

impl<Ours, Theirs> Row<Ours, Theirs> {
    pub(super) const fn new(
        here: &'static str,
        there: &'static str,
        source: &'static str,
        ours: fn(&Ours) -> Option<String>,
    ) -> Self {
        let field = Field { here, there, kind: Kind::Text, group: Group::Details };
        Self { field, source, creation: Creation::Never, ours, exchange: None }
    }

    pub(super) const fn kind(mut self, kind: Kind) -> Self {
        self.field.kind = kind;
        self
    }

    pub(super) const fn group(mut self, group: Group) -> Self {
        self.field.group = group;
        self
    }

    pub(super) const fn created(mut self, creation: Creation) -> Self {
        self.creation = creation;
        self
    }

    pub(super) const fn exchanged(
        mut self,
        rule: Rule,
        alike: fn(&str) -> String,
        theirs: fn(&Theirs) -> Option<String>,
    ) -> Self {
        self.exchange = Some(Exchange { rule, alike, theirs });
        self
    }

    fn difference(
        &'static self,
        ours: &Ours,
        there: Option<&str>,
        mode: DemographicsMode,
    ) -> Option<Difference> {
        let exchange = self.exchange.as_ref()?;
        let here = (self.ours)(ours);
        if here.as_deref().map(exchange.alike) == there.map(exchange.alike) {
            return None;
        }
        let (side, why) = exchange.rule.side(mode, here.is_some(), there.is_some())?;
        let there = there.map(str::to_owned);
        let (before, after) = match side {
            Side::OneFile => (there, here),
            Side::PicsWeb => (here, there),
        };
        Some(Difference { field: &self.field, side, before, after: after?, why })
    }
}

/// The properties that are sent when a record is created in OneFile, without blank ones.
pub fn created<Ours, Theirs>(table: &[Row<Ours, Theirs>], ours: &Ours) -> Map<String, Value> {
    let rows = table.iter().filter(|row| row.creation != Creation::Never);
    rows.filter_map(|row| Some(row.field.property(&(row.ours)(ours)?))).collect()
}

/// The exchanged properties of OneFile's record, without blank ones.
pub fn values<Ours, Theirs>(table: &[Row<Ours, Theirs>], theirs: &Theirs) -> BTreeMap<String, String> {
    let value = |row: &Row<Ours, Theirs>| (row.exchange.as_ref()?.theirs)(theirs);
    table.iter().filter_map(|row| Some((row.field.there.to_owned(), value(row)?))).collect()
}

/// The fields that differ and that one side has to change. `theirs`: the result of `values`.
pub fn differences<Ours, Theirs>(
    table: &'static [Row<Ours, Theirs>],
    ours: &Ours,
    theirs: &BTreeMap<String, String>,
    mode: DemographicsMode,
) -> Vec<Difference> {
    let there = |row: &Row<Ours, Theirs>| theirs.get(row.field.there).map(String::as_str);
    table.iter().filter_map(|row| row.difference(ours, there(row), mode)).collect()
}
