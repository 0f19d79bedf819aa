//! The catalogue: what a standard and a sector of ACE360's are to us. Pure; how the catalogue is read and
//! kept is not here.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A standard in ACE360: a LARS code, version and option together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "standardId": 204, "stCode": "ST0353/02", "larsCode": 54, "version": "1.2", "option": "Paint Technician",
    "name": "Accident Repair Technician", "sectorId": 3, "sectorName": "Engineering and Manufacturing",
    "validFrom": "2024-01-01", "validTo": null, "archived": false
}))]
pub struct Standard {
    /// ACE360's id.
    pub standard_id: i64,
    /// Reference such as `ST0353/02`.
    pub st_code: Option<String>,
    /// LARS code; several standards share one.
    pub lars_code: Option<u32>,
    /// Version.
    pub version: Option<String>,
    /// Option or pathway.
    pub option: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// ACE360's id of its sector.
    pub sector_id: Option<i64>,
    /// Its sector's name, which may change.
    pub sector_name: Option<String>,
    /// First start date it may have (ACE360's `datePublished`: assumed).
    pub valid_from: Option<NaiveDate>,
    /// Last start date it may have (ACE360's `endDate`).
    pub valid_to: Option<NaiveDate>,
    /// Whether ACE360 has put it away.
    pub archived: bool,
}

impl Standard {
    /// Whether a learner may start on it that day: ACE360 refuses other dates. Open ends are open.
    pub fn valid_at(&self, start: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= start) && self.valid_to.is_none_or(|to| start <= to)
    }
}

/// An employer sector: one of those that standards name, until ACE360 publishes a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"id": 3, "name": "Engineering and Manufacturing"}))]
pub struct Sector {
    /// ACE360's id.
    pub id: i64,
    /// Its name, which may change.
    pub name: String,
}
