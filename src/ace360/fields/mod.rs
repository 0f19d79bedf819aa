//! What an upload sends: one row for each field of ACE360's record, in the order of PICSWeb's preview.
//! The preview, what is missing, the payload and `openapi/fields.md` are made from these rows.
//!
//! The fields and where PICSWeb shows them are those of PICSWeb's page "ACE360 Integration". Assumed,
//! since it is not public: which fields ACE360 requires; and the keys that its documented read model
//! lacks, which follow its style (`email`, `nationalInsuranceNumber`, `additionalNeeds`, `employerErn`,
//! `employerCompanySize`, `employerTelephoneNumber`).

mod address;
mod company_size;
mod ethnicity;
mod input;
mod reading;
mod sector;
mod standard;

use crate::domain::{Officer, Organisation, Sex, Uln};
use address::{line, postcode};
pub use input::UploadInput;
pub use reading::Reading;
use reading::{said, sent};
pub use standard::candidates;

use Need::{Expected, Optional, Required};
use Read::{Contact, Employer, Learner};

/// A field of ACE360's record.
pub struct Field {
    pub name: &'static str,
    /// The fields it is made from, as pointers into the record that `read` names. Where it is missing,
    /// the first is the one to fill in.
    pub from: &'static [&'static str],
    /// Where PICSWeb shows it.
    pub source: &'static str,
    pub need: Need,
    pub read: Read,
}

/// What happens when there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// There is no upload without it.
    Required,
    /// It is left out, with a warning.
    Expected,
    /// It is left out.
    Optional,
}

/// The record that a field comes from, and how its value is made.
#[derive(Clone, Copy)]
pub enum Read {
    Learner(fn(&UploadInput<'_>) -> Reading),
    /// The organisation that is the learner's employer.
    Employer(fn(&UploadInput<'_>, &Organisation) -> Reading),
    /// The officer who is the employer's Main Contact.
    Contact(fn(&Officer) -> Reading),
}

/// PICSWeb's Funding Organisation of publicly funded learners: funding is true for it and for nothing else.
const FUNDED: &str = "SFZZ";
/// PICSWeb sends it for every learner and every employer.
const COUNTRY: &str = "UK";

#[rustfmt::skip]
pub static FIELDS: &[Field] = &[
    row("firstName", &["/firstName"], "Learner > First Name", Required,
        Learner(|it| sent(said(Some(&it.learner.first_name))))),
    row("lastName", &["/lastName"], "Learner > Surname", Required,
        Learner(|it| sent(said(Some(&it.learner.last_name))))),
    row("standardId", &["/ace360/standardId"], "Learner > ILR Summary > ACE360 Standard", Required,
        Learner(standard::read)),
    row("dateOfBirth", &["/dateOfBirth"], "Learner > Date of Birth", Required,
        Learner(|it| sent(it.learner.date_of_birth))),
    row("gender", &["/sex"], "Learner > Sex", Required,
        Learner(gender)),
    row("street", &["/address/line1", "/address/line2"], "Learner > Address 1", Required,
        Learner(|it| line(it.learner.address.as_ref(), 0, "Learner"))),
    row("city", &["/address/line3"], "Learner > Address 3", Optional,
        Learner(|it| line(it.learner.address.as_ref(), 1, "Learner"))),
    row("county", &["/address/line4"], "Learner > Address 4", Optional,
        Learner(|it| line(it.learner.address.as_ref(), 2, "Learner"))),
    row("postcode", &["/address/postcode"], "Learner > Postcode", Required,
        Learner(|it| postcode(it.learner.address.as_ref(), "Learner"))),
    row("country", &[], "Always UK", Required,
        Learner(|_| sent(Some(COUNTRY)))),
    row("telephoneNumber", &["/telephone", "/mobile"], "Learner > Telephone", Expected,
        Learner(telephone)),
    row("email", &["/email"], "Learner > Email", Expected,
        Learner(|it| sent(it.learner.email.as_ref()))),
    row("estimatedStartDate", &["/programme/startDate"], "Learner > ILR Summary > Start Date", Required,
        Learner(|it| sent(it.learner.programme.as_ref().and_then(|own| own.start_date)))),
    row("estimatedEndDate", &["/programme/plannedEndDate"], "Learner > ILR Summary > Planned End Date", Required,
        Learner(|it| sent(it.learner.programme.as_ref().and_then(|own| own.planned_end_date)))),
    row("ethnicGroup", &["/ethnicity"], "Learner > Ethnicity", Expected,
        Learner(ethnic_group)),
    row("nationalInsuranceNumber", &["/nationalInsuranceNumber"], "Learner > NI Number", Expected,
        Learner(|it| sent(it.learner.national_insurance_number.as_ref()))),
    row("ulnNumber", &["/uln"], "Learner > ULN", Required,
        Learner(uln)),
    row("funding", &["/programme/fundingOrganisation"], "Learner > Funding Organisation is SFZZ", Required,
        Learner(funding)),
    row("additionalNeeds", &["/programme/additionalNeeds"], "Learner > Additional Needs", Optional,
        Learner(|it| sent(it.learner.programme.as_ref().and_then(|own| own.additional_needs)))),
    row("employerName", &["/name"], "Organisation > Name", Required,
        Employer(|_, own| sent(said(Some(&own.name))))),
    // ACE360 lets it be blank, and new ones are no longer issued: nothing to warn about.
    row("employerErn", &["/ern"], "Organisation > ERN", Optional,
        Employer(|_, own| sent(own.ern.as_ref().filter(|ern| !ern.is_placeholder())))),
    // Required, since ACE360 writes to employers (assumed).
    row("employerContactFirstName", &["/firstName"], "Main Contact (Officer) > First Name", Required,
        Contact(|own| sent(said(own.first_name.as_ref())))),
    row("employerContactLastName", &["/lastName"], "Main Contact (Officer) > Surname", Required,
        Contact(|own| sent(said(Some(&own.last_name))))),
    row("employerContactPosition", &["/jobTitle"], "Main Contact (Officer) > Job Title", Expected,
        Contact(|own| sent(said(own.job_title.as_ref())))),
    row("employerSectorId", &["/provisions/0/code", "/provisions/0/description", "/provisions/0/type"], sector::SOURCE, Expected,
        Employer(sector::read)),
    row("employerCompanySize", &["/employeeCount", "/sem"], "Organisation (Additional Details) > SEM + Employee Count", Optional,
        Employer(|_, own| company_size::read(own))),
    row("employerStreet", &["/address/line1", "/address/line2"], "Organisation > Address 1", Required,
        Employer(|_, own| line(own.address.as_ref(), 0, "Organisation"))),
    row("employerCity", &["/address/line3"], "Organisation > Address 3", Optional,
        Employer(|_, own| line(own.address.as_ref(), 1, "Organisation"))),
    row("employerCounty", &["/address/line4"], "Organisation > Address 4", Optional,
        Employer(|_, own| line(own.address.as_ref(), 2, "Organisation"))),
    row("employerPostcode", &["/address/postcode"], "Organisation > Postcode", Required,
        Employer(|_, own| postcode(own.address.as_ref(), "Organisation"))),
    row("employerCountry", &[], "Always UK", Required,
        Employer(|_, _| sent(Some(COUNTRY)))),
    row("employerTelephoneNumber", &["/telephone"], "Organisation > Telephone", Expected,
        Employer(|_, own| sent(own.telephone.as_ref()))),
    row("employerEmail", &["/email"], "Organisation > Email", Expected,
        Employer(|_, own| sent(own.email.as_ref()))),
];

const fn row(
    name: &'static str,
    from: &'static [&'static str],
    source: &'static str,
    need: Need,
    read: Read,
) -> Field {
    Field { name, from, source, need, read }
}

/// Only the first word has been seen in ACE360 (the second is assumed).
fn gender(input: &UploadInput<'_>) -> Reading {
    sent(input.learner.sex.map(|sex| match sex {
        Sex::F => "Female",
        Sex::M => "Male",
    }))
}

/// The mobile number stands in for a blank telephone.
fn telephone(input: &UploadInput<'_>) -> Reading {
    match (&input.learner.telephone, &input.learner.mobile) {
        (None, Some(mobile)) => {
            sent(Some(mobile)).shown_at("Learner > Mobile Number (Telephone is blank)".to_owned())
        }
        (telephone, _) => sent(telephone.as_ref()),
    }
}

fn ethnic_group(input: &UploadInput<'_>) -> Reading {
    let Some(code) = input.learner.ethnicity else { return Reading::default() };
    sent(Some(ethnicity::label(code))).shown_at(format!("Learner > Ethnicity (ILR code {})", code.get()))
}

/// Required, since it cannot be changed in ACE360 afterwards; the placeholder is never sent.
fn uln(input: &UploadInput<'_>) -> Reading {
    match &input.learner.uln {
        Some(uln) if !Uln::is_placeholder(uln) => sent(Some(uln)),
        Some(_) => Reading::fault(
            "9999999999 stands for no ULN: enter the real one in PICSWeb: Learner > ULN. It cannot be changed in \
             ACE360 afterwards.",
        ),
        None => {
            Reading::fault("Enter it in PICSWeb: Learner > ULN. It cannot be added in ACE360 afterwards.")
        }
    }
}

fn funding(input: &UploadInput<'_>) -> Reading {
    let programme = input.learner.programme.as_ref();
    let organisation = said(programme.and_then(|own| own.funding_organisation.as_ref()));
    let reading = sent(Some(organisation.as_deref() == Some(FUNDED)));
    if organisation.is_some() {
        return reading;
    }
    reading.warn("Sent as false, since Learner > Funding Organisation is blank: true is sent for SFZZ only.")
}
