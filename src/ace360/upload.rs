//! What would be sent to ACE360 for a learner, or all that is missing for it. Preview and upload are this one
//! function, so that the one cannot promise what the other does not do. Pure: who looks the records up,
//! finds duplicates and sends is elsewhere.
//!
//! The fields and their sources are those of PICSWeb's page "ACE360 Integration". Which of them ACE360
//! requires is not public. Assumed: names, date of birth, gender, ULN, standard, both dates, the learner's
//! first address line and postcode, and of the employer name, contact's names, first address line and
//! postcode. All else is sent when it is there; where it is not, a warning says so.

mod address;
mod choice;
mod draft;
mod employer;
mod input;
mod learner;
mod report;
mod sector;
mod size;

#[cfg(test)]
pub(crate) mod tests;

use super::wire::CreateApprentice;
use crate::domain::{Learner, Programme};
use draft::Draft;
pub use input::UploadInput;
pub use report::{
    CandidateStandard, Ineligible, Missing, NotReady, PossibleDuplicate, Preview, PreviewField, Upload,
    Warning,
};

/// Builds what would be sent, says where each value comes from, and lists all that is missing.
pub fn build(input: &UploadInput<'_>) -> Upload {
    let mut draft = Draft::default();
    let eligibility = eligible(input.learner);
    let learner = learner::fill(input, &mut draft);
    let employer = employer::fill(input, &mut draft);
    let payload = (eligibility.is_ok() && draft.missing.is_empty())
        .then(|| learner.zip(employer))
        .flatten()
        .map(|(learner, employer)| payload(learner, employer));
    Upload {
        eligibility,
        fields: draft.fields,
        missing: draft.missing,
        warnings: draft.warnings,
        candidate_standards: choice::candidates(input),
        payload,
    }
}

/// PICSWeb's rule: only learners on an apprenticeship standard (programme type 25).
pub fn eligible(learner: &Learner) -> Result<(), Ineligible> {
    match learner.programme.as_ref().and_then(|programme| programme.kind) {
        Some(Programme::APPRENTICESHIP_STANDARD) => Ok(()),
        Some(other) => Err(Ineligible {
            code: "notAnApprenticeshipStandard",
            message: format!(
                "Only learners with Programme Type 25 (Apprenticeship Standard) go to ACE360; this one's is {other}."
            ),
        }),
        None => Err(Ineligible {
            code: "noProgrammeType",
            message: "Only learners with Programme Type 25 (Apprenticeship Standard) go to ACE360; \
                      this one has none (ILR Summary > Programme Type)."
                .to_owned(),
        }),
    }
}

fn payload(learner: learner::Part, employer: employer::Part) -> CreateApprentice {
    CreateApprentice {
        first_name: learner.first_name,
        last_name: learner.last_name,
        standard_id: learner.standard_id,
        date_of_birth: learner.date_of_birth,
        gender: learner.gender,
        street: learner.address.street,
        city: learner.address.city,
        county: learner.address.county,
        postcode: learner.address.postcode,
        country: learner.address.country,
        telephone_number: learner.telephone,
        email: learner.email,
        estimated_start_date: learner.start,
        estimated_end_date: learner.end,
        ethnic_group: learner.ethnic_group,
        national_insurance_number: learner.national_insurance_number,
        uln_number: learner.uln,
        funding: learner.funding,
        additional_needs: learner.additional_needs,
        employer_name: employer.name,
        employer_ern: employer.ern,
        employer_contact_first_name: employer.contact_first_name,
        employer_contact_last_name: employer.contact_last_name,
        employer_contact_position: employer.contact_position,
        employer_sector_id: employer.sector_id,
        employer_company_size: employer.company_size,
        employer_street: employer.address.street,
        employer_city: employer.address.city,
        employer_county: employer.address.county,
        employer_postcode: employer.address.postcode,
        employer_country: employer.address.country,
        employer_telephone_number: employer.telephone,
        employer_email: employer.email,
    }
}
