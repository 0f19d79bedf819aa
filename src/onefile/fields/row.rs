//! What a row of the tables in `fields.rs` says, and what follows from it: what is sent, what differs, and which side changes.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::address::address_value;
use crate::domain::{DemographicsMode, SyncRule};
use crate::onefile::client::wire::day_out;

/// A field: its names, and what it holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name here, as the API shows it; of a field within the programme its path.
    pub here: &'static str,
    /// The field's name in OneFile.
    pub there: &'static str,
    pub kind: Kind,
    pub group: Group,
}

/// What a field holds. Between the two sides it is a text; a day is `2026-01-31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Day,
    Address,
}

/// What a change of the field belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Details,
    Registration,
    Certificate,
    /// Element counts: both of a qualification change together, as one alone may be too many for the other.
    Counts,
    Attendance,
}

/// Whether a field is sent when OneFile's record is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    Never,
    IfKnown,
    /// It is left out with a warning where it is blank, since OneFile's record of the person is found by it.
    Expected,
    /// OneFile creates nothing without it.
    Required,
}

/// What becomes of a field that the two sides hold differently. A blank never replaces a value (assumed: not public).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The demographics mode says which side's value counts.
    ByMode,
    /// The same, but OneFile's value is never taken over.
    PushedByMode,
    /// The blank side gets the other's value; where both have one, OneFile's counts.
    FillsBlanks,
    /// OneFile's value counts, for this reason.
    Pulled(SyncRule),
}

/// Where a value would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The record in PICSWeb changes.
    PicsWeb,
    /// The record in OneFile changes.
    OneFile,
}

/// A field of `Ours`, a record here, and of `Theirs`, OneFile's record of it.
pub struct Row<Ours, Theirs> {
    pub field: Field,
    /// Where PICSWeb shows it.
    pub source: &'static str,
    pub creation: Creation,
    /// The value here, without blanks around it.
    pub ours: fn(&Ours) -> Option<String>,
    /// How it is exchanged; `None`: it is sent when OneFile's record is created, and never looked at again.
    pub exchange: Option<Exchange<Theirs>>,
}

/// How a field is exchanged.
pub struct Exchange<Theirs> {
    pub rule: Rule,
    /// Two values are the same when this makes the same of both.
    pub alike: fn(&str) -> String,
    /// The value in OneFile, without blanks around it.
    pub theirs: fn(&Theirs) -> Option<String>,
}

/// A field that the two sides hold differently, and what it becomes on one of them.
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
    /// The property that OneFile is sent.
    pub fn property(&self, text: &str) -> (String, Value) {
        let value = match (self.kind, text.parse()) {
            (Kind::Day, Ok(day)) => json!(day_out(day)),
            (Kind::Day | Kind::Text | Kind::Number | Kind::Address, _) => json!(text),
        };
        (self.there.to_owned(), value)
    }

    /// OneFile's value as a record of ours holds it.
    pub fn record_value(&self, text: &str) -> Value {
        match self.kind {
            Kind::Number => text.parse::<i64>().map_or_else(|_| json!(text), Value::from),
            Kind::Address => address_value(text),
            Kind::Text | Kind::Day => json!(text),
        }
    }
}

impl Rule {
    /// Which side changes, and why, where the two differ; `None`: neither.
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

/// What OneFile is sent when it creates a record: the fields that say something, by OneFile's names.
pub fn created<Ours, Theirs>(table: &[Row<Ours, Theirs>], ours: &Ours) -> Map<String, Value> {
    let rows = table.iter().filter(|row| row.creation != Creation::Never);
    rows.filter_map(|row| Some(row.field.property(&(row.ours)(ours)?))).collect()
}

/// The exchanged fields of OneFile's record that say something, by OneFile's names.
pub fn values<Ours, Theirs>(table: &[Row<Ours, Theirs>], theirs: &Theirs) -> BTreeMap<String, String> {
    let value = |row: &Row<Ours, Theirs>| (row.exchange.as_ref()?.theirs)(theirs);
    table.iter().filter_map(|row| Some((row.field.there.to_owned(), value(row)?))).collect()
}

/// The fields that the two sides hold differently, and of which one changes. `theirs`: as `values` makes them.
pub fn differences<Ours, Theirs>(
    table: &'static [Row<Ours, Theirs>],
    ours: &Ours,
    theirs: &BTreeMap<String, String>,
    mode: DemographicsMode,
) -> Vec<Difference> {
    let there = |row: &Row<Ours, Theirs>| theirs.get(row.field.there).map(String::as_str);
    table.iter().filter_map(|row| row.difference(ours, there(row), mode)).collect()
}
