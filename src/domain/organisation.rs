//! An organisation: an employer or a site where learners are placed, with its provisions.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::address::Address;
use super::check::{Check, attributes, not_blank, printable};
use super::codes::Ern;
use super::contact::{Email, Telephone};
use super::fault::Fault;
use super::ids::OfficerId;
use super::serde_fields::{object, objects};

/// An organisation in PICSWeb, such as a learner's employer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "Acme Motors Ltd", "employeeCount": 42, "mainContactId": "O-17",
    "address": {"line1": "1 High Street", "line2": "Oxford", "line3": "Oxfordshire", "postcode": "OX1 4AA"}
}))]
pub struct Organisation {
    /// The organisation's name in PICSWeb.
    #[validate(length(max = 200), custom(function = not_blank))]
    #[schema(min_length = 1, max_length = 200, example = "Acme Motors Ltd")]
    pub name: String,
    /// Employer Reference Number (ERN), nine digits.
    pub ern: Option<Ern>,
    /// Whether it is a small employer (SEM in PICSWeb's Additional Details). Null: not recorded,
    /// which does not mean large.
    pub sem: Option<bool>,
    /// The number of employees (Employee Count in PICSWeb's Additional Details); null when not
    /// recorded.
    #[validate(range(min = 0, max = 10_000_000))]
    #[schema(minimum = 0, maximum = 10_000_000, example = 42)]
    pub employee_count: Option<i64>,
    /// PICSWeb's id of the Main Contact.
    pub main_contact_id: Option<OfficerId>,
    /// The organisation's postal address.
    #[serde(default, deserialize_with = "object")]
    #[validate(nested)]
    pub address: Option<Address>,
    /// The organisation's telephone number.
    pub telephone: Option<Telephone>,
    /// The organisation's e-mail address.
    pub email: Option<Email>,
    /// PICSWeb's Ident, which OneFile stores as the MIS value; null when there is none.
    #[validate(length(max = 64), custom(function = printable))]
    #[schema(max_length = 64, example = "ACME")]
    pub ident: Option<String>,
    /// The organisation's provisions, at most 50. The ACE360 Employer Sector is one of them.
    #[serde(default, deserialize_with = "objects::<50, _, _>")]
    #[validate(nested)]
    #[schema(max_items = 50)]
    pub provisions: Vec<Provision>,
}

/// A provision of an organisation, as PICSWeb records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provision {
    /// The type of the provision.
    #[serde(rename = "type")]
    #[validate(length(max = 100), custom(function = printable))]
    #[schema(max_length = 100, example = "ACE360 Employer Sector")]
    pub kind: Option<String>,
    /// The code of the provision.
    #[validate(length(max = 50), custom(function = printable))]
    #[schema(max_length = 50, example = "1")]
    pub code: Option<String>,
    /// A description of the provision.
    #[validate(length(max = 200), custom(function = printable))]
    #[schema(max_length = 200, example = "Information Technology")]
    pub description: Option<String>,
}

impl Check for Organisation {
    fn check(&self, _today: NaiveDate) -> Vec<Fault> {
        attributes(self.validate())
    }
}
