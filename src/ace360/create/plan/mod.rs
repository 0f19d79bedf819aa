//! What would be sent to ACE360 for a learner, or all that is missing for it. Preview and upload are this one
//! function, so that the one cannot promise what the other does not do. Pure: who looks the records up,
//! finds duplicates and sends is elsewhere. Which fields there are: `fields.rs`.

mod doubts;
mod report;

#[cfg(test)]
mod tests;

use crate::ace360::client::wire::CreateApprentice;
use crate::ace360::fields;
use crate::ace360::fields::{FIELDS, Field, Need, Read, Reading};
use crate::domain::{Learner, Organisation, Programme, RecordRef};
pub use doubts::{Doubt, DoubtCandidate, PossibleDuplicate, doubts};
pub use fields::UploadInput;
pub use report::{CandidateStandard, Ineligible, Missing, NotReady, Preview, PreviewField, Upload, Warning};

#[derive(Default)]
struct Draft {
    fields: Vec<PreviewField>,
    missing: Vec<Missing>,
    warnings: Vec<Warning>,
}

/// Builds what would be sent, says where each value comes from, and lists all that is missing.
pub fn build(input: &UploadInput<'_>) -> Upload {
    let mut draft = Draft::default();
    for field in FIELDS {
        match (field.read, input.employer, input.contact) {
            (Read::Learner(read), ..) => draft.add(field, &input.learner_id.into(), read(input)),
            (Read::Employer(read), Some((id, employer)), _) => {
                draft.add(field, &id.into(), read(input, employer));
            }
            (Read::Contact(read), Some(_), Some((id, officer))) => {
                draft.add(field, &id.into(), read(officer));
            }
            (Read::Contact(_), Some((id, employer)), None) if field.need == Need::Required => {
                draft.miss(field, id.into(), "/mainContactId", no_contact(employer));
            }
            (Read::Contact(_), Some(_), None) | (Read::Employer(_) | Read::Contact(_), None, _) => {}
        }
    }
    // Without an employer all its fields are missing: one message is enough.
    let first = FIELDS.iter().find(|field| matches!(field.read, Read::Employer(_)));
    if let (Some(field), None) = (first, input.employer) {
        draft.miss(field, input.learner_id.into(), "/employerId", no_employer(input));
    }
    let eligibility = eligible(input.learner);
    let payload = (eligibility.is_ok() && draft.missing.is_empty())
        .then(|| draft.fields.iter().map(|field| (field.name.to_owned(), field.value.clone())).collect());
    Upload {
        eligibility,
        fields: draft.fields,
        missing: draft.missing,
        warnings: draft.warnings,
        candidate_standards: fields::candidates(input).into_iter().map(Into::into).collect(),
        payload: payload.map(CreateApprentice),
    }
}

impl Draft {
    fn add(&mut self, field: &Field, record: &RecordRef, reading: Reading) {
        let (name, pointer) = (field.name, field.from.first().copied().unwrap_or_default());
        let is_blank = reading.value.is_none() && reading.faults.is_empty();
        match field.need {
            Need::Required if is_blank => {
                let message = format!("Enter it in PICSWeb: {}.", field.source);
                self.miss(field, record.clone(), pointer, message);
            }
            Need::Expected if is_blank => {
                let message = format!("Not sent, since it is blank in PICSWeb: {}.", field.source);
                self.warnings.push(Warning { field: name, message });
            }
            Need::Required | Need::Expected | Need::Optional => {}
        }
        for (at, message) in reading.faults {
            self.miss(field, record.clone(), at.as_deref().unwrap_or(pointer), message);
        }
        self.warnings.extend(reading.warnings.into_iter().map(|message| Warning { field: name, message }));
        if let Some(value) = reading.value {
            let source = reading.source.unwrap_or_else(|| field.source.to_owned());
            self.fields.push(PreviewField { name, value, source });
        }
    }

    fn miss(&mut self, field: &Field, record: RecordRef, pointer: &str, message: String) {
        self.missing.push(Missing { field: field.name, record, pointer: pointer.to_owned(), message });
    }
}

fn no_employer(input: &UploadInput<'_>) -> String {
    match &input.learner.employer_id {
        Some(id) => format!("PICSWeb has not sent the employer {id}: send it with PUT /organisations/{id}."),
        None if input.employer_missing => "PICSWeb has not sent the learner's employer: send it.".to_owned(),
        None => "Choose the learner's employer in PICSWeb: Learner > Employer.".to_owned(),
    }
}

fn no_contact(employer: &Organisation) -> String {
    match &employer.main_contact_id {
        Some(id) => {
            format!("PICSWeb has not sent the Main Contact {id}: send it with PUT /officers/{id}.")
        }
        None => "Choose the Main Contact in PICSWeb: Editing the Organisation > Main Contact.".to_owned(),
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
