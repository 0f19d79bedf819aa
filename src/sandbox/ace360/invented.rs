//! Invented apprentices, each a complete and valid create body. The persons do not exist. Telephone
//! numbers are from the range that is reserved for drama, and postcodes start with ZZ, which no
//! place has.

use chrono::{Days, Months, NaiveDate};
use serde_json::{Map, Value, json};

use super::catalogue::{Catalogue, Standard};
use crate::sandbox::draw::Draw;
use crate::sandbox::names::{EMPLOYERS, FIRST, LAST};
use crate::sandbox::uln;

/// Creates apprentices one after the other. The same seed gives the same people.
pub struct People<'a> {
    draw: Draw,
    standards: Vec<(&'a Standard, NaiveDate)>,
    number: u64,
}

impl<'a> People<'a> {
    /// `first` is the number of the first apprentice. Different numbers give different ULNs.
    pub fn new(catalogue: &'a Catalogue, seed: u64, first: u64) -> Self {
        let sample = NaiveDate::from_ymd_opt(2025, 9, 1).unwrap_or_default();
        let open = catalogue.all().iter().filter(|standard| !standard.archived && standard.covers(sample));
        Self {
            draw: Draw::new(seed ^ first),
            standards: open.map(|standard| (standard, standard.date_published)).collect(),
            number: first,
        }
    }

    /// The next create body.
    pub fn body(&mut self) -> Map<String, Value> {
        let draw = &mut self.draw;
        let (standard, published) = draw.pick(&self.standards);
        // A start in the two years before autumn 2025, or later if the standard is younger.
        let start =
            NaiveDate::from_ymd_opt(2023, 9, 1).unwrap_or_default() + Days::new(draw.below(730).into());
        let start = start.max(published);
        let born =
            NaiveDate::from_ymd_opt(1985, 1, 1).unwrap_or_default() + Days::new(draw.below(7_900).into());
        let house = 1 + draw.below(200);
        self.number += 1;
        let fields = json!({
            "firstName": draw.pick(&FIRST),
            "lastName": draw.pick(&LAST),
            "dateOfBirth": born,
            "gender": draw.pick(&["Female", "Male"]),
            "ulnNumber": uln::invented(self.number),
            "standardId": standard.id,
            "estimatedStartDate": start,
            "estimatedEndDate": start + Months::new(standard.approx_min_duration),
            "street": format!("{house} Sample Street"),
            "city": "Sampleton",
            "county": "Sampleshire",
            "postcode": format!("ZZ{} {}ZZ", 1 + draw.below(98), draw.below(10)),
            "country": "UK",
            "telephoneNumber": format!("07700 900{:03}", draw.below(1000)),
            "email": format!("apprentice{}@example.org", self.number),
            "funding": draw.below(2) == 0,
            "additionalNeeds": draw.below(8) == 0,
            "employerName": draw.pick(&EMPLOYERS),
            "employerSectorId": standard.sector.id,
            "employerCompanySize": "Medium (50-249)",
        });
        match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}
