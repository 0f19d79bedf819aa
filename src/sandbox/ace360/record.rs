//! An apprentice's record: what ACE360 shows in full and in a list, and the write-only values.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sandbox::origin::Origin;

/// The single record: the 52 documented keys, in the order of the documentation.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Apprentice {
    pub id: u64,
    pub first_name: String,
    pub last_name: String,
    pub uln_number: String,
    pub date_of_birth: String,
    pub gender: String,
    pub ethnic_group: Option<String>,
    pub standard_id: u32,
    pub status: Status,
    pub tpo_id: u32,
    pub epa_overall_grade: Option<String>,
    pub epa_provisional_grade: Option<String>,
    pub epao_registered_date: Option<String>,
    pub estimated_start_date: String,
    pub estimated_end_date: String,
    pub estimated_gateway_at_epao_registration: Option<String>,
    pub esfa_certificate_claimed_at: Option<String>,
    pub epao_notes: Option<String>,
    pub created_at: String,
    pub archived_at: Option<String>,
    pub grade_date: Option<String>,
    pub approved_for_epa_date: Option<String>,
    pub epao_internal_id: Option<String>,
    pub archival_status: Option<String>,
    pub reasonable_adjustment_requested_at: Option<String>,
    pub reasonable_adjustment_approved_at: Option<String>,
    pub reasonable_adjustment_rejected_at: Option<String>,
    pub learning_support: Option<bool>,
    pub gateway_submitted_date: Option<String>,
    pub epa_in_progress_date: Option<String>,
    pub denied_epa_date: Option<String>,
    pub funding: Option<bool>,
    pub funding_type: Option<String>,
    pub uln_validated: Option<bool>,
    pub employer_name: String,
    pub employer_sector_id: Option<u32>,
    pub employer_sector: Option<String>,
    pub employer_street: Option<String>,
    pub employer_city: Option<String>,
    pub employer_county: Option<String>,
    pub employer_country: Option<String>,
    pub employer_postcode: Option<String>,
    pub employer_email: Option<String>,
    pub employer_contact_first_name: Option<String>,
    pub employer_contact_last_name: Option<String>,
    pub employer_contact_position: Option<String>,
    pub street: String,
    pub city: Option<String>,
    pub county: Option<String>,
    pub postcode: String,
    pub country: Option<String>,
    pub telephone_number: Option<String>,
}

/// A status in ACE360's format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    pub id: u32,
    pub text: String,
}

/// The documented statuses. The id is the position in the list, from 1.
pub const STATUSES: [&str; 10] = [
    "In Training",
    "Gateway in Progress",
    "Gateway Evidence Complete",
    "Gateway Submitted",
    "Approved for EPA",
    "Denied EPA",
    "EPA in Progress",
    "EPA Evidence Complete",
    "EPA Passed",
    "EPA Failed",
];

impl Status {
    /// The status with this id. `None`: ACE360 documents no such status.
    pub fn of(id: u32) -> Option<Self> {
        let text = STATUSES.get(usize::try_from(id).ok()?.checked_sub(1)?)?;
        Some(Self { id, text: (*text).to_owned() })
    }
}

impl Default for Status {
    /// Every record starts in training.
    fn default() -> Self {
        Self { id: 1, text: STATUSES[0].to_owned() }
    }
}

/// Values of a creation that ACE360 never returns.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WriteOnly {
    pub email: Option<String>,
    pub national_insurance_number: Option<String>,
    pub employer_ern: Option<String>,
    pub employer_company_size: Option<String>,
    pub employer_telephone_number: Option<String>,
    pub additional_needs: Option<bool>,
}

/// A record as the simulator stores it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// The token of the organisation that owns it.
    pub organisation: String,
    pub origin: Origin,
    pub apprentice: Apprentice,
    pub write_only: WriteOnly,
}

/// A row of the list: the 11 keys of the documented example. The ULN is not one of them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row<'a> {
    id: u64,
    first_name: &'a str,
    last_name: &'a str,
    date_of_birth: &'a str,
    standard_id: u32,
    status: &'a Status,
    estimated_start_date: &'a str,
    estimated_end_date: &'a str,
    esfa_certificate_claimed_at: Option<&'a str>,
    created_at: &'a str,
    archived_at: Option<&'a str>,
}

impl<'a> From<&'a Apprentice> for Row<'a> {
    fn from(apprentice: &'a Apprentice) -> Self {
        Self {
            id: apprentice.id,
            first_name: &apprentice.first_name,
            last_name: &apprentice.last_name,
            date_of_birth: &apprentice.date_of_birth,
            standard_id: apprentice.standard_id,
            status: &apprentice.status,
            estimated_start_date: &apprentice.estimated_start_date,
            estimated_end_date: &apprentice.estimated_end_date,
            esfa_certificate_claimed_at: apprentice.esfa_certificate_claimed_at.as_deref(),
            created_at: &apprentice.created_at,
            archived_at: apprentice.archived_at.as_deref(),
        }
    }
}
