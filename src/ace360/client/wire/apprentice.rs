//! An apprentice record as ACE360 returns it. The list has 11 of its 52 keys and the single record
//! has more, so `None` means "not in this response", never "no value".

use chrono::{NaiveDate, NaiveDateTime};
use serde_json::Value;

use super::page::Page;
use super::reader::{Reader, Row, integer};
use crate::domain::redacted;

pub type ApprenticePage = Page<Apprentice>;

/// The part of ACE360's apprentice record that is used here.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Apprentice {
    /// The id of the record in ACE360 ("ACE ID").
    pub id: i64,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// The ULN as ACE360 has it, unchecked. Not in the list.
    pub uln_number: Option<String>,
    pub date_of_birth: Option<NaiveDate>,
    /// The id of the standard in ACE360.
    pub standard_id: Option<i64>,
    pub status: Option<Status>,
    /// There is a status, and it cannot be read.
    pub status_unreadable: bool,
    /// ACE360's id of the training provider.
    pub tpo_id: Option<i64>,
    pub estimated_start_date: Option<NaiveDate>,
    pub estimated_end_date: Option<NaiveDate>,
    /// Not in the list.
    pub provisional_grade: Option<String>,
    /// Not in the list.
    pub overall_grade: Option<String>,
    /// When the grade was given. Not in the list.
    pub grade_date: Option<NaiveDate>,
    /// When an assessment organisation was assigned. Not in the list.
    pub epao_registered_date: Option<NaiveDate>,
    /// When the gateway was submitted. Not in the list.
    pub gateway_submitted_date: Option<NaiveDate>,
    pub certificate_claimed_at: Option<NaiveDateTime>,
    /// When the record was created. ACE360's time zone is unknown.
    pub created_at: Option<NaiveDateTime>,
    /// When the record was archived, if the time is readable.
    pub archived_at: Option<NaiveDateTime>,
    /// Also true when the archive time is unreadable.
    pub archived: bool,
    /// Why it was archived. Not in the list.
    pub archival_status: Option<String>,
    /// Not in the list.
    pub employer_name: Option<String>,
}

redacted!(Apprentice);

/// ACE360's status. Match on the id; show the text unchanged. Unknown ids are stored too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// ACE360 documents 1 to 10.
    pub id: Option<i64>,
    pub text: Option<String>,
}

impl Row for Apprentice {
    fn read(id: i64, fields: &mut Reader<'_>) -> Self {
        let archived =
            fields.raw("archivedAt").is_some_and(|at| !matches!(at, Value::Bool(false)) && at != "");
        let status = status(fields);
        Self {
            id,
            status_unreadable: status.is_none() && fields.raw("status").is_some_and(|status| status != ""),
            first_name: fields.text("firstName"),
            last_name: fields.text("lastName"),
            uln_number: fields.text("ulnNumber"),
            date_of_birth: fields.date("dateOfBirth"),
            standard_id: fields.integer("standardId"),
            status,
            tpo_id: fields.integer("tpoId"),
            estimated_start_date: fields.date("estimatedStartDate"),
            estimated_end_date: fields.date("estimatedEndDate"),
            provisional_grade: fields.text("epaProvisionalGrade"),
            overall_grade: fields.text("epaOverallGrade"),
            grade_date: fields.date("gradeDate"),
            epao_registered_date: fields.date("epaoRegisteredDate"),
            gateway_submitted_date: fields.date("gatewaySubmittedDate"),
            certificate_claimed_at: fields.moment("esfaCertificateClaimedAt"),
            created_at: fields.moment("createdAt"),
            archived_at: fields.moment("archivedAt"),
            archived,
            archival_status: fields.text("archivalStatus"),
            employer_name: fields.text("employerName"),
        }
    }
}

/// Reads the documented object, or a bare id or text.
fn status(fields: &mut Reader<'_>) -> Option<Status> {
    let status = match fields.raw("status") {
        Some(Value::String(_)) => Status { id: None, text: fields.text("status") },
        Some(Value::Number(number)) => Status { id: integer(&Value::Number(number.clone())), text: None },
        _ => fields
            .object("status", |status| Status { id: status.integer("id"), text: status.text("text") })?,
    };
    (status != Status::default()).then_some(status)
}
