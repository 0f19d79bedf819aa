//! Looks up the rule of a value type by the schema name or the format that the API document gives
//! it.

use chrono::{DateTime, Utc};

use super::codes::{Disability, Ern, Ethnicity, OneFileId, StandardCode, VqReference};
use super::contact::{Email, Telephone};
use super::ids::{Ace360StandardId, LearnerId, OfficerId, OrganisationId, QualificationId, ReviewId};
use super::ni_number::NiNumber;
use super::postcode::Postcode;
use super::rule::Broken;
use super::time::{StartTime, parse_date};
use super::uln::Uln;

pub(super) type TextRule = fn(&str) -> Result<(), Broken>;
pub(super) type NumberRule = fn(i64) -> Result<(), Broken>;

macro_rules! rules {
    ($name:expr => $($type:ident)+) => {
        match $name {
            $(stringify!($type) => Some(|value| $type::parse(value).map(drop)),)+
            _ => None,
        }
    };
}

/// The rule of a text, by its schema name.
pub(super) fn text(schema: &str) -> Option<TextRule> {
    rules! { schema =>
        Email Ern LearnerId NiNumber OfficerId OneFileId OrganisationId Postcode QualificationId ReviewId
        StartTime Telephone Uln VqReference
    }
}

/// The rule of a whole number, by its schema name.
pub(super) fn number(schema: &str) -> Option<NumberRule> {
    rules! { schema => Ace360StandardId Disability Ethnicity StandardCode }
}

/// The rule of a text, by its format.
pub(super) fn format(format: &str) -> Option<TextRule> {
    match format {
        "date" => Some(|text| parse_date(text).map(drop)),
        "date-time" => Some(|text| match text.parse::<DateTime<Utc>>() {
            Ok(_) => Ok(()),
            Err(_) => {
                Err(Broken { code: "invalidValue", message: "Send a time such as 2026-11-22T10:00:00Z." })
            }
        }),
        _ => None,
    }
}
