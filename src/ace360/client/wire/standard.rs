//! A standard and a sector of ACE360's.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::page::Page;
use super::reader::{Reader, Row};

/// A page of standards. Whether ACE360 pages this list is not known, so both forms are read.
pub type StandardPage = Page<Standard>;

/// A standard in ACE360: a LARS code, version and option together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "standardId": 204, "stCode": "ST0353/02", "larsCode": 54, "version": "1.2", "option": "Paint Technician",
    "name": "Accident Repair Technician", "sectorId": 3, "sectorName": "Engineering and Manufacturing",
    "validFrom": "2024-01-01", "validTo": null, "archived": false
}))]
pub struct Standard {
    /// ACE360's id of this standard.
    pub standard_id: i64,
    /// The reference of the standard, such as `ST0353/02`.
    pub st_code: Option<String>,
    /// The LARS code. Several standards can share one.
    pub lars_code: Option<u32>,
    /// The standard's version, such as `1.2`.
    pub version: Option<String>,
    /// The option or pathway within the standard.
    pub option: Option<String>,
    /// The standard's name in ACE360.
    pub name: Option<String>,
    /// The id of the standard's sector in ACE360.
    pub sector_id: Option<i64>,
    /// The name of the standard's sector, which may change.
    pub sector_name: Option<String>,
    /// The first start date that ACE360 accepts (its `datePublished`: assumed); null: no limit.
    pub valid_from: Option<NaiveDate>,
    /// The last start date that ACE360 accepts (its `endDate`); null: no limit.
    pub valid_to: Option<NaiveDate>,
    /// Whether the standard is archived in ACE360.
    pub archived: bool,
}

impl Standard {
    /// Whether a learner may start on this day. ACE360 refuses other dates. A missing end is open.
    pub fn valid_at(&self, start: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= start) && self.valid_to.is_none_or(|to| start <= to)
    }
}

/// An employer sector. The list holds the sectors that standards name, until ACE360 publishes a
/// list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": 3, "name": "Engineering and Manufacturing"}))]
pub struct Sector {
    /// ACE360's id of this sector.
    pub id: i64,
    /// The name of the sector, which may change.
    pub name: String,
}

impl Row for Standard {
    /// What is not said to be archived is not.
    fn read(id: i64, fields: &mut Reader<'_>) -> Self {
        let sector = fields.object("sector", |sector| (sector.integer("id"), sector.text("name")));
        let (sector_id, sector_name) = sector.unwrap_or_default();
        Self {
            standard_id: id,
            // Their page calls it `AceCoding` in its list of contents.
            st_code: fields.text("stCode").or_else(|| fields.text("aceCoding")),
            lars_code: fields
                .integer("larsCode")
                .and_then(|code| u32::try_from(code).ok())
                .filter(|code| *code > 0),
            version: fields.text("version"),
            option: fields.text("courseOption"),
            name: fields.text("name"),
            sector_id,
            sector_name,
            valid_from: fields.date("datePublished"),
            valid_to: fields.date("endDate"),
            archived: fields.boolean("archived").unwrap_or(false),
        }
    }
}
