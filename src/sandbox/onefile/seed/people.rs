//! Assessors and other staff.

use serde_json::{Value, json};

use super::maker::Maker;
use crate::sandbox::names::{FIRST, LAST};
use crate::sandbox::onefile::kind::Kind;

/// Forty assessors: 30 in the main centre, 6 and 4 in the others. Every fourth is a trainee (role
/// 4).
///
/// In the main centre, number 6 is archived and has the MIS value of number 5. Numbers 12 and 18
/// are archived. Every seventh has no MIS value, and number 9 has no e-mail address. Numbers 1 to 3
/// also work in the second centre, as separate users with the same MIS value. In this way one
/// PICSWeb officer is two OneFile users.
pub fn staff(maker: &mut Maker, [main, north, south]: [u64; 3]) {
    for number in 1..=30 {
        let mis = match number {
            6 => Some("O-05".to_owned()),
            _ => (number % 7 != 0).then(|| format!("O-{number:02}")),
        };
        let id = assessor(maker, main, number, mis, number != 9);
        if matches!(number, 6 | 12 | 18) {
            maker.archive(id);
        }
    }
    for number in [1, 2, 3, 31, 32, 33] {
        assessor(maker, north, number, Some(format!("O-{number:02}")), true);
    }
    for number in 34..=37 {
        assessor(maker, south, number, None, true);
    }
    let placement = maker.books.of_kind(Kind::Placement).next().map(|first| first.id);
    for (number, role) in [(41, 10), (42, 40), (43, 40), (44, 45)] {
        let placement = placement.filter(|_| role >= 40);
        let mut fields = person(number, role);
        fields["PlacementID"] = placement.into();
        maker.add(Kind::User, main, fields);
    }
}

fn assessor(maker: &mut Maker, centre: u64, number: usize, mis: Option<String>, email: bool) -> u64 {
    let mut fields = person(number, if number.is_multiple_of(4) { 4 } else { 5 });
    fields["MISID"] = mis.into();
    if !email {
        fields["Email"] = Value::Null;
    }
    // Usernames are unique; people are not.
    fields["Username"] = format!("user{}", maker.books.next_id()).into();
    maker.add(Kind::User, centre, fields)
}

/// The name of person `number`. The first 256 names are different.
pub fn name(number: usize) -> (&'static str, &'static str) {
    let last = (number / FIRST.len() + number * 7) % LAST.len();
    (FIRST[number % FIRST.len()], LAST[last])
}

fn person(number: usize, role: u64) -> Value {
    let (first, last) = name(number);
    json!({
        "FirstName": first,
        "LastName": last,
        "Role": role,
        "Email": format!("{first}.{last}{number}@copperfold.example").to_lowercase(),
        "Username": format!("staff{number}"),
        "Telephone": format!("01632 960{number:03}"),
    })
}
