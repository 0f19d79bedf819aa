//! The employer's part of an upload: the organisation that the learner's record names as employer, and the
//! officer that is its Main Contact.

use super::address::{self, Names};
use super::draft::{Draft, said};
use super::input::UploadInput;
use super::{choice, sector, size};
use crate::domain::RecordRef;
use crate::domain::{Email, Ern, Organisation, OrganisationId, Telephone};

pub(super) struct Part {
    pub(super) name: String,
    pub(super) ern: Option<Ern>,
    pub(super) contact_first_name: String,
    pub(super) contact_last_name: String,
    pub(super) contact_position: Option<String>,
    pub(super) sector_id: Option<i64>,
    pub(super) company_size: Option<&'static str>,
    pub(super) address: address::Part,
    pub(super) telephone: Option<Telephone>,
    pub(super) email: Option<Email>,
}

const ADDRESS: Names = Names {
    owner: "Organisation",
    street: "employerStreet",
    city: "employerCity",
    county: "employerCounty",
    postcode: "employerPostcode",
    country: "employerCountry",
};

pub(super) fn fill(input: &UploadInput<'_>, draft: &mut Draft) -> Option<Part> {
    let Some((id, employer)) = input.employer else {
        no_employer(input, draft);
        return None;
    };
    let record = RecordRef::from(id);
    let name = draft.require(
        "employerName",
        "Organisation > Name",
        said(Some(&employer.name)),
        &record,
        "/name",
        "Enter it in PICSWeb: Organisation > Name.",
    );
    // ACE360 lets it be blank, and new ones are no longer issued: nothing to warn about.
    let ern = employer.ern.clone().filter(|ern| !ern.is_placeholder());
    let ern = draft.send("employerErn", "Organisation > ERN", ern);
    let contact = contact(input, id, employer, draft);
    let contact_position = position(input, draft);
    let sector_id = sector_id(input, employer, &record, draft);
    let size = size::of(employer.sem, employer.employee_count);
    if let Some(warning) = size.warning {
        draft.warn("employerCompanySize", warning);
    }
    let source = match (employer.sem, employer.employee_count) {
        (Some(true), None) => "Organisation (Additional Details) > SEM",
        (None, Some(_)) => "Organisation (Additional Details) > Employee Count",
        _ => "Organisation (Additional Details) > SEM + Employee Count",
    };
    let company_size = draft.send("employerCompanySize", source, size.band);
    let address = address::fill(&ADDRESS, employer.address.as_ref(), &record, draft);
    let telephone =
        draft.prefer("employerTelephoneNumber", "Organisation > Telephone", employer.telephone.clone());
    let email = draft.prefer("employerEmail", "Organisation > Email", employer.email.clone());
    let (contact_first_name, contact_last_name) = contact?;
    Some(Part {
        name: name?,
        ern,
        contact_first_name,
        contact_last_name,
        contact_position,
        sector_id,
        company_size,
        address: address?,
        telephone,
        email,
    })
}

fn no_employer(input: &UploadInput<'_>, draft: &mut Draft) {
    let message = match &input.learner.employer_id {
        Some(id) => format!("PICSWeb has not sent the employer {id}: send it with PUT /organisations/{id}."),
        None if input.employer_missing => "PICSWeb has not sent the learner's employer: send it.".to_owned(),
        None => "Choose the learner's employer in PICSWeb: Learner > Employer.".to_owned(),
    };
    draft.miss("employerName", &RecordRef::from(input.learner_id), "/employerId", message);
}

/// The Main Contact's names. Required: ACE360 writes to employers (assumed).
fn contact(
    input: &UploadInput<'_>,
    id: &OrganisationId,
    employer: &Organisation,
    draft: &mut Draft,
) -> Option<(String, String)> {
    const FIRST: &str = "employerContactFirstName";
    const LAST: &str = "employerContactLastName";
    let Some((officer_id, officer)) = input.contact else {
        let message = match &employer.main_contact_id {
            Some(officer) => {
                format!(
                    "PICSWeb has not sent the Main Contact {officer}: send it with PUT /officers/{officer}."
                )
            }
            None => "Choose the Main Contact in PICSWeb: Editing the Organisation > Main Contact.".to_owned(),
        };
        let record = RecordRef::from(id);
        draft.miss(FIRST, &record, "/mainContactId", message.clone());
        draft.miss(LAST, &record, "/mainContactId", message);
        return None;
    };
    let record = RecordRef::from(officer_id);
    let first = draft.require(
        FIRST,
        "Main Contact (Officer) > First Name",
        said(officer.first_name.as_ref()),
        &record,
        "/firstName",
        "Enter the Main Contact's first name in PICSWeb: Officer > First Name.",
    );
    let last = draft.require(
        LAST,
        "Main Contact (Officer) > Surname",
        said(Some(&officer.last_name)),
        &record,
        "/lastName",
        "Enter the Main Contact's surname in PICSWeb: Officer > Surname.",
    );
    first.zip(last)
}

fn position(input: &UploadInput<'_>, draft: &mut Draft) -> Option<String> {
    // Without a contact the names are missing already: one message is enough.
    let (_, officer) = input.contact?;
    let title = said(officer.job_title.as_ref());
    draft.prefer("employerContactPosition", "Main Contact (Officer) > Job Title", title)
}

/// None at all is a warning, since ACE360 may do without. One that names nothing, or two, is missing: a
/// sector was meant, and what is sent once is not sent again.
fn sector_id(
    input: &UploadInput<'_>,
    employer: &Organisation,
    record: &RecordRef,
    draft: &mut Draft,
) -> Option<i64> {
    const FIELD: &str = "employerSectorId";
    const SOURCE: &str = "Organisation > Provisions > ACE360 Employer Sector";
    match sector::find(&employer.provisions, input.sectors) {
        sector::Found::One(id) => {
            let name = input.sectors.iter().find(|sector| sector.id == id).map(|sector| sector.name.as_str());
            draft.send(FIELD, format!("{SOURCE} ({})", name.unwrap_or_default()), Some(id))
        }
        sector::Found::None => draft.prefer(FIELD, SOURCE, None),
        sector::Found::Unknown(index) if choice::is_empty(input) => {
            draft.miss(FIELD, record, &format!("/provisions/{index}"), choice::EMPTY);
            None
        }
        sector::Found::Unknown(index) => {
            let message = format!(
                "This provision names no sector of ACE360's: make its code the sector's id or its description the \
                 sector's name (GET /ace360/sectors) in PICSWeb: {SOURCE}."
            );
            draft.miss(FIELD, record, &format!("/provisions/{index}"), message);
            None
        }
        sector::Found::Several(index) => {
            let message = format!("Only one employer sector can be sent: leave one in PICSWeb: {SOURCE}.");
            draft.miss(FIELD, record, &format!("/provisions/{index}"), message);
            None
        }
    }
}
