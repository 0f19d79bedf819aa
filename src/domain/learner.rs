//! A learner in full: the record that PICSWeb sends with one PUT. Links to upstreams and their
//! states are elsewhere.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::address::Address;
use super::check::{Check, attributes, not_blank, printable, unique};
use super::codes::{Disability, Ethnicity, LearnerStatus, OneFileId, Sex};
use super::contact::{Email, Telephone};
use super::fault::Fault;
use super::ids::{Ace360StandardId, OfficerId, OrganisationId, QualificationId, ReviewId};
use super::ni_number::NiNumber;
use super::placement::{LearnerOfficer, Placement};
use super::programme::Programme;
use super::qualification::Qualification;
use super::review::Review;
use super::serde_fields::{object, objects};
use super::time;
use super::uln::Uln;

/// A learner in PICSWeb. Only the names are required here; an upload may need more fields.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "firstName": "Lucy", "lastName": "Example", "dateOfBirth": "2005-03-14", "sex": "F", "uln": "1000102504", "status": "live",
    "employerId": "ACME", "ace360": {"standardId": 170},
    "address": {"line1": "2 Mill Lane", "line2": "Cowley", "line3": "Oxford", "line4": "Oxfordshire", "postcode": "OX4 3AB"},
    "programme": {"type": 25, "standardCode": 1029, "startDate": "2025-09-01", "plannedEndDate": "2027-02-28", "fundingOrganisation": "SFZZ"}
}))]
pub struct Learner {
    /// The learner's first name.
    #[validate(length(max = 100), custom(function = not_blank))]
    #[schema(min_length = 1, max_length = 100, example = "Lucy")]
    pub first_name: String,
    /// The learner's last name.
    #[validate(length(max = 100), custom(function = not_blank))]
    #[schema(min_length = 1, max_length = 100, example = "Example")]
    pub last_name: String,
    /// The date of birth, 13 to 100 years ago; null when not recorded.
    #[serde(default, deserialize_with = "time::optional")]
    pub date_of_birth: Option<NaiveDate>,
    /// The learner's sex in PICSWeb.
    pub sex: Option<Sex>,
    /// Ethnicity as an ILR code.
    pub ethnicity: Option<Ethnicity>,
    /// The ILR code of learning difficulty, disability or health problem; null when not recorded.
    pub disability: Option<Disability>,
    /// National Insurance number, such as `QQ123456C`.
    pub national_insurance_number: Option<NiNumber>,
    /// Unique Learner Number, ten digits.
    pub uln: Option<Uln>,
    /// The learner's e-mail address.
    pub email: Option<Email>,
    /// The learner's telephone number.
    pub telephone: Option<Telephone>,
    /// The learner's mobile number.
    pub mobile: Option<Telephone>,
    /// The learner's postal address.
    #[serde(default, deserialize_with = "object")]
    #[validate(nested)]
    pub address: Option<Address>,
    /// The record's status in PICSWeb.
    pub status: Option<LearnerStatus>,
    /// The learner's programme: standard and dates.
    #[serde(default, deserialize_with = "object")]
    #[validate(nested)]
    pub programme: Option<Programme>,
    /// The choices in the learner's ACE360 Standard tab; null when nothing was chosen.
    #[serde(default, deserialize_with = "object")]
    pub ace360: Option<Ace360Choice>,
    /// PICSWeb's id of the employer.
    pub employer_id: Option<OrganisationId>,
    /// PICSWeb's id of the main officer.
    pub main_officer_id: Option<OfficerId>,
    /// PICSWeb's Main Tag. OneFile's classroom can be taken from it.
    #[validate(length(max = 100), custom(function = printable))]
    #[schema(max_length = 100, example = "Vehicle 2026")]
    pub main_tag: Option<String>,
    /// The officers with a role for this learner, at most 50.
    #[serde(default, deserialize_with = "objects::<50, _, _>")]
    #[validate(nested)]
    #[schema(max_items = 50)]
    pub officers: Vec<LearnerOfficer>,
    /// Where the learner works, by period.
    #[serde(default, deserialize_with = "objects::<50, _, _>")]
    #[validate(nested)]
    #[schema(max_items = 50)]
    pub placements: Vec<Placement>,
    /// Qualifications of the delivery plan.
    #[serde(default, deserialize_with = "objects::<100, _, _>")]
    #[validate(nested)]
    #[schema(max_items = 100)]
    pub qualifications: Vec<Qualification>,
    /// Reviews of the learner's progress.
    #[serde(default, deserialize_with = "objects::<1000, _, _>")]
    #[validate(nested)]
    #[schema(max_items = 1000)]
    pub reviews: Vec<Review>,
}

/// The choices in the learner's ACE360 Standard tab.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ace360Choice {
    /// ACE360's id of the standard. It is needed because a LARS code does not identify a version or
    /// an option.
    pub standard_id: Option<Ace360StandardId>,
}

impl Learner {
    /// A younger or older learner is taken to be a typing error.
    const AGE: std::ops::RangeInclusive<u32> = 13..=100;

    fn age_fault(&self, today: NaiveDate) -> Option<Fault> {
        // A future date of birth gives no age.
        let age = today.years_since(self.date_of_birth?);
        (!age.is_some_and(|age| Self::AGE.contains(&age))).then(|| {
            Fault::at(
                "/dateOfBirth",
                "ageOutOfRange",
                "Correct the date of birth: learners are 13 to 100 years old.",
            )
        })
    }
}

impl Check for Learner {
    fn check(&self, today: NaiveDate) -> Vec<Fault> {
        let mut faults = attributes(self.validate());
        faults.extend(self.age_fault(today));
        faults
            .extend(self.programme.iter().flat_map(Programme::across).map(|fault| fault.under("/programme")));
        for (index, placement) in self.placements.iter().enumerate() {
            faults.extend(placement.across().map(|fault| fault.under(&format!("/placements/{index}"))));
        }
        for (index, qualification) in self.qualifications.iter().enumerate() {
            let found = qualification.across().into_iter();
            faults.extend(found.map(|fault| fault.under(&format!("/qualifications/{index}"))));
        }
        let ids =
            self.qualifications.iter().map(|q| q.qualification_id.as_ref().map(QualificationId::as_str));
        faults.extend(unique(ids, "qualifications", "qualificationId"));
        let ids = self.reviews.iter().map(|review| review.review_id.as_ref().map(ReviewId::as_str));
        faults.extend(unique(ids, "reviews", "reviewId"));
        let ids = self.reviews.iter().map(|review| review.one_file_id.as_ref().map(OneFileId::as_str));
        faults.extend(unique(ids, "reviews", "oneFileId"));
        faults
    }
}
