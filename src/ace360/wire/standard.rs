//! A standard as ACE360 answers it.

use chrono::NaiveDate;

use super::page::Page;
use super::reader::{Reader, Row};
use crate::ace360::standards::Standard;

/// A page of standards. Whether their list is paged is not known: both will do.
pub type StandardPage = Page<StandardRow>;

/// A standard of theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandardRow {
    /// ACE360's id.
    pub id: i64,
    /// Reference such as `ST0353/02`.
    pub st_code: Option<String>,
    pub name: Option<String>,
    pub sector: Option<SectorRow>,
    /// When it was published.
    pub date_published: Option<NaiveDate>,
    /// Until when one may start on it.
    pub end_date: Option<NaiveDate>,
    /// Whether it is put away.
    pub archived: Option<bool>,
    pub lars_code: Option<u32>,
    pub course_option: Option<String>,
    pub version: Option<String>,
    pub highest_grade: Option<String>,
}

/// The sector of a standard: names may change, the id is what counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SectorRow {
    /// ACE360's id.
    pub id: Option<i64>,
    pub name: Option<String>,
}

impl Row for StandardRow {
    fn read(id: i64, fields: &mut Reader<'_>) -> Self {
        Self {
            id,
            // Their page calls it `AceCoding` in its list of contents.
            st_code: fields.text("stCode").or_else(|| fields.text("aceCoding")),
            name: fields.text("name"),
            sector: fields
                .object("sector", |sector| SectorRow { id: sector.integer("id"), name: sector.text("name") }),
            date_published: fields.date("datePublished"),
            end_date: fields.date("endDate"),
            archived: fields.boolean("archived"),
            lars_code: fields
                .integer("larsCode")
                .and_then(|code| u32::try_from(code).ok())
                .filter(|code| *code > 0),
            course_option: fields.text("courseOption"),
            version: fields.text("version"),
            highest_grade: fields.text("highestGrade"),
        }
    }
}

impl From<StandardRow> for Standard {
    /// What is not said to be archived is not.
    fn from(row: StandardRow) -> Self {
        let (sector_id, sector_name) = row.sector.map_or((None, None), |sector| (sector.id, sector.name));
        Self {
            standard_id: row.id,
            st_code: row.st_code,
            lars_code: row.lars_code,
            version: row.version,
            option: row.course_option,
            name: row.name,
            sector_id,
            sector_name,
            valid_from: row.date_published,
            valid_to: row.end_date,
            archived: row.archived.unwrap_or(false),
        }
    }
}
