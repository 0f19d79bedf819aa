//! Tests that each row of the tables does what it says.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::domain::Check;
use crate::domain::parse::parse_value;
use crate::onefile::client::wire;
use crate::onefile::client::wire::Row as WireRow;

/// A value of the field, in OneFile's format.
fn sample(field: &Field) -> &'static str {
    match (field.kind, field.here) {
        (Kind::Number, "disability") => "2",
        (Kind::Number, _) => "31",
        (Kind::Day, _) => "2001-02-03",
        (Kind::Address, _) => "2 Mill Lane\nOxford\nOX4 3AB",
        (Kind::Text, "email") => "lucy@example.com",
        (Kind::Text, "telephone" | "mobile") => "01632 960001",
        (Kind::Text, "uln") => "1000102504",
        (Kind::Text, "nationalInsuranceNumber") => "AB123456C",
        (Kind::Text, "sex") => "F",
        (Kind::Text, _) => "Some words",
    }
}

#[allow(clippy::needless_pass_by_value, reason = "callers build the value in place")]
fn parsed<T: DeserializeOwned + Check>(value: Value) -> T {
    parse_value(&value, NaiveDate::from_ymd_opt(2026, 7, 1).unwrap()).unwrap()
}

/// Checks that a record with the sample at `pointer` is read as the sample.
fn read_here(field: &Field, mut record: Value, ours: impl Fn(Value) -> Option<String>) {
    let mut at = &mut record;
    for part in field.here.split('/') {
        at = &mut at[part];
    }
    *at = field.record_value(sample(field));
    assert_eq!(ours(record).as_deref(), Some(sample(field)), "{}", field.here);
}

/// Checks that OneFile's record with the sample under the row's name is read as the sample.
fn read_there<Ours, Theirs: WireRow>(table: &[Row<Ours, Theirs>]) {
    for row in table.iter().filter(|row| row.exchange.is_some()) {
        let (name, value) = row.field.property(sample(&row.field));
        let (there, _) =
            wire::record::<Theirs>(json!({"ID": 7, name.as_str(): value}).to_string().as_bytes()).unwrap();
        let read = values(table, &there);
        assert_eq!(read.get(&name).map(String::as_str), Some(sample(&row.field)), "{name}");
    }
}

#[test]
fn every_field_is_read_from_where_its_row_says() {
    let learner = json!({"firstName": "A", "lastName": "B", "programme": {}});
    for row in LEARNER {
        read_here(&row.field, learner.clone(), |record| (row.ours)(&parsed(record)));
    }
    for row in QUALIFICATION {
        read_here(&row.field, json!({}), |own| {
            let record = json!({"firstName": "A", "lastName": "B", "qualifications": [own]});
            (row.ours)(&parsed::<Learner>(record).qualifications[0])
        });
    }
    for row in OFFICER {
        read_here(&row.field, json!({"lastName": "B"}), |record| (row.ours)(&parsed(record)));
    }
    for row in ORGANISATION {
        read_here(&row.field, json!({"name": "B"}), |record| (row.ours)(&parsed(record)));
    }
    read_there(LEARNER);
    read_there(QUALIFICATION);
    read_there(OFFICER);
    read_there(ORGANISATION);
}
