//! The learner's part of an upload.

use chrono::NaiveDate;
use serde::Serialize;

use super::address::{self, Names};
use super::choice;
use super::draft::{Draft, said};
use super::input::UploadInput;
use crate::ace360::ethnicity;
use crate::domain::RecordRef;
use crate::domain::{Email, Ethnicity, Learner, NiNumber, Sex, Telephone, Uln};

/// PICSWeb's Funding Organisation of publicly funded learners: funding is true for it and for nothing else.
const FUNDED: &str = "SFZZ";

pub(super) struct Part {
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) standard_id: i64,
    pub(super) date_of_birth: NaiveDate,
    pub(super) gender: &'static str,
    pub(super) address: address::Part,
    pub(super) telephone: Option<Telephone>,
    pub(super) email: Option<Email>,
    pub(super) start: NaiveDate,
    pub(super) end: NaiveDate,
    pub(super) ethnic_group: Option<&'static str>,
    pub(super) national_insurance_number: Option<NiNumber>,
    pub(super) uln: Uln,
    pub(super) funding: bool,
    pub(super) additional_needs: Option<bool>,
}

const ADDRESS: Names = Names {
    owner: "Learner",
    street: "street",
    city: "city",
    county: "county",
    postcode: "postcode",
    country: "country",
};

/// Every field is looked at before anything is given up, so that all that is missing shows at once.
pub(super) fn fill(input: &UploadInput<'_>, draft: &mut Draft) -> Option<Part> {
    let learner = input.learner;
    let record = RecordRef::from(input.learner_id);
    let programme = learner.programme.as_ref();
    let first_name = required(
        draft,
        &record,
        "firstName",
        "Learner > First Name",
        said(Some(&learner.first_name)),
        "/firstName",
    );
    let last_name = required(
        draft,
        &record,
        "lastName",
        "Learner > Surname",
        said(Some(&learner.last_name)),
        "/lastName",
    );
    let standard_id = choice::fill(input, draft);
    let date_of_birth = required(
        draft,
        &record,
        "dateOfBirth",
        "Learner > Date of Birth",
        learner.date_of_birth,
        "/dateOfBirth",
    );
    let gender = learner.sex.map(|sex| match sex {
        Sex::F => "Female",
        Sex::M => "Male",
    });
    let gender = required(draft, &record, "gender", "Learner > Sex", gender, "/sex");
    let address = address::fill(&ADDRESS, learner.address.as_ref(), &record, draft);
    let telephone = telephone(learner, draft);
    let email = draft.prefer("email", "Learner > Email", learner.email.clone());
    let start = programme.and_then(|programme| programme.start_date);
    let start = required(
        draft,
        &record,
        "estimatedStartDate",
        "Learner > ILR Summary > Start Date",
        start,
        "/programme/startDate",
    );
    let end = programme.and_then(|programme| programme.planned_end_date);
    let end = required(
        draft,
        &record,
        "estimatedEndDate",
        "Learner > ILR Summary > Planned End Date",
        end,
        "/programme/plannedEndDate",
    );
    let ethnic_group = ethnic_group(learner.ethnicity, draft);
    let national_insurance_number = draft.prefer(
        "nationalInsuranceNumber",
        "Learner > NI Number",
        learner.national_insurance_number.clone(),
    );
    let uln = uln(learner, &record, draft);
    let funding = funding(programme.and_then(|programme| programme.funding_organisation.as_ref()), draft);
    let additional_needs = draft.send(
        "additionalNeeds",
        "Learner > Additional Needs",
        programme.and_then(|programme| programme.additional_needs),
    );
    Some(Part {
        first_name: first_name?,
        last_name: last_name?,
        standard_id: standard_id?,
        date_of_birth: date_of_birth?,
        gender: gender?,
        address: address?,
        telephone,
        email,
        start: start?,
        end: end?,
        ethnic_group,
        national_insurance_number,
        uln: uln?,
        funding: funding?,
        additional_needs,
    })
}

fn required<T: Serialize>(
    draft: &mut Draft,
    record: &RecordRef,
    name: &'static str,
    source: &str,
    value: Option<T>,
    pointer: &str,
) -> Option<T> {
    draft.require(name, source, value, record, pointer, &format!("Enter it in PICSWeb: {source}."))
}

fn telephone(learner: &Learner, draft: &mut Draft) -> Option<Telephone> {
    const NAME: &str = "telephoneNumber";
    match (&learner.telephone, &learner.mobile) {
        (None, Some(mobile)) => {
            draft.send(NAME, "Learner > Mobile Number (Telephone is blank)", Some(mobile.clone()))
        }
        (telephone, _) => draft.prefer(NAME, "Learner > Telephone", telephone.clone()),
    }
}

fn ethnic_group(code: Option<Ethnicity>, draft: &mut Draft) -> Option<&'static str> {
    let source = code.map_or("Learner > Ethnicity".to_owned(), |code| {
        format!("Learner > Ethnicity (ILR code {})", code.get())
    });
    draft.prefer("ethnicGroup", &source, code.map(ethnicity::label))
}

/// Required, since it cannot be changed in ACE360 afterwards; the placeholder never goes out.
fn uln(learner: &Learner, record: &RecordRef, draft: &mut Draft) -> Option<Uln> {
    let message = if learner.uln.as_ref().is_some_and(Uln::is_placeholder) {
        "9999999999 stands for no ULN: enter the real one in PICSWeb: Learner > ULN. It cannot be changed in \
         ACE360 afterwards."
    } else {
        "Enter it in PICSWeb: Learner > ULN. It cannot be added in ACE360 afterwards."
    };
    let uln = learner.uln.clone().filter(|uln| !uln.is_placeholder());
    draft.require("ulnNumber", "Learner > ULN", uln, record, "/uln", message)
}

fn funding(organisation: Option<&String>, draft: &mut Draft) -> Option<bool> {
    let organisation = said(organisation);
    if organisation.is_none() {
        draft.warn(
            "funding",
            "Sent as false, since Learner > Funding Organisation is blank: true is sent for SFZZ only.",
        );
    }
    let source = format!("Learner > Funding Organisation is {FUNDED}");
    draft.send("funding", source, Some(organisation.as_deref() == Some(FUNDED)))
}
