//! The rules of a creation. The keys are those of the read model and a few that are write-only
//! (assumed). The rules are those that ACE360's pages show: a valid ULN, and a start within the
//! standard's days.

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::catalogue::Catalogue;
use super::record::{Apprentice, WriteOnly};
use super::rules::Checked;
use super::sectors;
use crate::sandbox::{now, uln};

const REQUIRED: [&str; 11] = [
    "firstName",
    "lastName",
    "dateOfBirth",
    "gender",
    "ulnNumber",
    "standardId",
    "estimatedStartDate",
    "estimatedEndDate",
    "street",
    "postcode",
    "employerName",
];

const OPTIONAL: [&str; 24] = [
    "ethnicGroup",
    "city",
    "county",
    "country",
    "telephoneNumber",
    "email",
    "nationalInsuranceNumber",
    "funding",
    "additionalNeeds",
    "employerErn",
    "employerCompanySize",
    "employerSectorId",
    "employerSector",
    "employerStreet",
    "employerCity",
    "employerCounty",
    "employerCountry",
    "employerPostcode",
    "employerEmail",
    "employerTelephoneNumber",
    "employerContactFirstName",
    "employerContactLastName",
    "employerContactPosition",
    "epaoInternalId",
];

/// "Female" is documented; the others are assumed.
const GENDERS: [&str; 4] = ["Female", "Male", "Other", "Prefer not to say"];
/// Assumed: the bands are PICSWeb's, the words are ours.
const COMPANY_SIZES: [&str; 3] = ["Small (0-49)", "Medium (50-249)", "Large (250+)"];
/// What the ILR writes for an employer without a number. It is not a real ERN.
const NO_ERN: &str = "999999999";

/// The record of this body, without id, owner and time, or the body of the 422.
pub fn read(body: &Map<String, Value>, catalogue: &Catalogue) -> Result<(Apprentice, WriteOnly), Value> {
    let known = [REQUIRED.as_slice(), OPTIONAL.as_slice()].concat();
    let mut checked = Checked::new(body, &known);
    checked.require(&REQUIRED);
    let (apprentice, write_only) = take(&mut checked, catalogue);
    match checked.verdict() {
        Some(problem) => Err(problem),
        None => Ok((apprentice, write_only)),
    }
}

/// Reads every field, even after an error, so that the caller gets all errors at once.
fn take(body: &mut Checked, catalogue: &Catalogue) -> (Apprentice, WriteOnly) {
    let born = body.date("dateOfBirth");
    if born.is_some_and(|born| born >= now::today()) {
        body.fault("dateOfBirth", "The date of birth field must be a date before today.");
    }
    let uln_number = body.owned("ulnNumber").unwrap_or_default();
    if let Some(fault) = uln::fault(&uln_number).filter(|_| !uln_number.is_empty()) {
        body.fault("ulnNumber", fault);
    }
    let (standard_id, start, end) = period(body, catalogue);
    let (employer_sector_id, employer_sector) = sector(body);
    let apprentice = Apprentice {
        first_name: body.owned("firstName").unwrap_or_default(),
        last_name: body.owned("lastName").unwrap_or_default(),
        uln_number,
        date_of_birth: written(born),
        gender: body.one_of("gender", &GENDERS).unwrap_or_default(),
        ethnic_group: body.owned("ethnicGroup"),
        standard_id,
        estimated_start_date: written(start),
        estimated_end_date: written(end),
        epao_internal_id: body.owned("epaoInternalId"),
        funding: body.flag("funding"),
        uln_validated: Some(false),
        employer_name: body.owned("employerName").unwrap_or_default(),
        employer_sector_id,
        employer_sector,
        employer_street: body.owned("employerStreet"),
        employer_city: body.owned("employerCity"),
        employer_county: body.owned("employerCounty"),
        employer_country: body.owned("employerCountry"),
        employer_postcode: body.shaped("employerPostcode", is_postcode),
        employer_email: body.shaped("employerEmail", is_email),
        employer_contact_first_name: body.owned("employerContactFirstName"),
        employer_contact_last_name: body.owned("employerContactLastName"),
        employer_contact_position: body.owned("employerContactPosition"),
        street: body.owned("street").unwrap_or_default(),
        city: body.owned("city"),
        county: body.owned("county"),
        postcode: body.shaped("postcode", is_postcode).unwrap_or_default(),
        country: body.owned("country"),
        telephone_number: body.shaped("telephoneNumber", is_telephone),
        ..Apprentice::default()
    };
    let write_only = WriteOnly {
        email: body.shaped("email", is_email),
        national_insurance_number: body.shaped("nationalInsuranceNumber", is_national_insurance),
        employer_ern: body.shaped("employerErn", is_ern),
        employer_company_size: body.one_of("employerCompanySize", &COMPANY_SIZES),
        employer_telephone_number: body.shaped("employerTelephoneNumber", is_telephone),
        additional_needs: body.flag("additionalNeeds"),
    };
    (apprentice, write_only)
}

/// The standard and the two dates, which must fit each other.
fn period(body: &mut Checked, catalogue: &Catalogue) -> (u32, Option<NaiveDate>, Option<NaiveDate>) {
    let start = body.date("estimatedStartDate");
    let end = body.date("estimatedEndDate");
    if let (Some(start), Some(end)) = (start, end)
        && end < start
    {
        let message = "The estimated end date field must be a date after or equal to estimated start date.";
        body.fault("estimatedEndDate", message);
    }
    let Some(asked) = body.whole("standardId") else { return (0, start, end) };
    let Some(standard) = catalogue.find(asked).filter(|standard| !standard.archived) else {
        body.fault("standardId", "The selected standard id is invalid.");
        return (0, start, end);
    };
    if start.is_some_and(|start| !standard.covers(start)) {
        let message = "The estimated start date must lie within the validity dates of the standard.";
        body.fault("estimatedStartDate", message);
    }
    (standard.id, start, end)
}

fn sector(body: &mut Checked) -> (Option<u32>, Option<String>) {
    let asked = body.whole("employerSectorId");
    let name = body.owned("employerSector");
    let sector = asked.and_then(sectors::find);
    if asked.is_some() && sector.is_none() {
        body.fault("employerSectorId", "The selected employer sector id is invalid.");
    }
    // The name alone is ambiguous, so it may only repeat what the id says.
    if name.is_some() && name.as_deref() != sector.map(|sector| sector.name) {
        body.fault("employerSector", "The employer sector field must match employer sector id.");
    }
    (sector.map(|sector| sector.id), sector.map(|sector| sector.name.to_owned()))
}

fn written(date: Option<NaiveDate>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

/// The format of a British postcode: it ends with a digit and two letters.
fn is_postcode(text: &str) -> bool {
    let compact: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let shape = (5..=7).contains(&compact.len()) && compact.iter().all(u8::is_ascii_alphanumeric);
    shape
        && compact[0].is_ascii_alphabetic()
        && matches!(compact[compact.len() - 3..], [digit, a, b]
            if digit.is_ascii_digit() && a.is_ascii_alphabetic() && b.is_ascii_alphabetic())
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.contains('@') && !text.contains(char::is_whitespace)
    })
}

fn is_telephone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (6..=15).contains(&digits) && text.bytes().all(|byte| byte.is_ascii_digit() || b" +()-".contains(&byte))
}

/// Two letters, six digits, and one letter, which may be missing (assumed: the ILR takes it so).
fn is_national_insurance(text: &str) -> bool {
    let compact: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    matches!(compact.len(), 8 | 9)
        && compact[..2].iter().all(u8::is_ascii_alphabetic)
        && compact[2..8].iter().all(u8::is_ascii_digit)
        && compact[8..].iter().all(u8::is_ascii_alphabetic)
}

fn is_ern(text: &str) -> bool {
    text != NO_ERN && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit())
}
