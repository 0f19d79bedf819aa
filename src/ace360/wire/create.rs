//! The body of `POST /apprentices`.
//!
//! Assumed: the path and the body are not public. The keys are those of the documented read model; those
//! that it lacks (`email`, `nationalInsuranceNumber`, `employerErn`, `employerCompanySize`,
//! `employerTelephoneNumber`, `additionalNeeds`) follow its style.

use chrono::NaiveDate;
use serde::Serialize;

use crate::domain::{Email, Ern, NiNumber, Postcode, Telephone, Uln, redacted};

/// A new apprentice record. What is `None` is left out. Built by `upload::build` only.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateApprentice {
    /// First name.
    pub first_name: String,
    /// Surname.
    pub last_name: String,
    /// ACE360's id of the standard, not the LARS code.
    pub standard_id: i64,
    /// Date of birth.
    pub date_of_birth: NaiveDate,
    /// `Female` or `Male` (only the first has been seen).
    pub gender: &'static str,
    /// First line of the learner's address.
    pub street: String,
    /// Second line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Third line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub county: Option<String>,
    /// Postcode.
    pub postcode: Postcode,
    /// `UK`.
    pub country: &'static str,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telephone_number: Option<Telephone>,
    /// E-mail address (key assumed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Start date.
    pub estimated_start_date: NaiveDate,
    /// Planned end date.
    pub estimated_end_date: NaiveDate,
    /// ACE360's label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ethnic_group: Option<&'static str>,
    /// National Insurance number (key assumed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub national_insurance_number: Option<NiNumber>,
    /// Unique Learner Number; cannot be changed afterwards.
    pub uln_number: Uln,
    /// Whether publicly funded, by PICSWeb's rule.
    pub funding: bool,
    /// Whether the learner has additional needs (key assumed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_needs: Option<bool>,
    /// The employer's name.
    pub employer_name: String,
    /// Employer Reference Number (key assumed); may be blank in ACE360.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_ern: Option<Ern>,
    /// The main contact's first name.
    pub employer_contact_first_name: String,
    /// The main contact's surname.
    pub employer_contact_last_name: String,
    /// The main contact's job title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_contact_position: Option<String>,
    /// ACE360's id of the employer's sector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_sector_id: Option<i64>,
    /// Band of employees (key and words assumed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_company_size: Option<&'static str>,
    /// First line of the employer's address.
    pub employer_street: String,
    /// Second line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_city: Option<String>,
    /// Third line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_county: Option<String>,
    /// Postcode.
    pub employer_postcode: Postcode,
    /// `UK`.
    pub employer_country: &'static str,
    /// Telephone number (key assumed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_telephone_number: Option<Telephone>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_email: Option<Email>,
}

redacted!(CreateApprentice);
