//! An officer: a member of the provider's or an employer's staff who is named in PICSWeb.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::check::{Check, attributes, not_blank, printable};
use super::contact::{Email, Telephone};
use super::fault::Fault;

/// An officer in PICSWeb: an assessor, a reviewer, or an employer's contact.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "firstName": "Sam", "lastName": "Okoro", "email": "sam.okoro@acme.example", "telephone": "01865 496001", "jobTitle": "Workshop Manager"
}))]
pub struct Officer {
    /// The officer's first name.
    #[validate(length(max = 100), custom(function = printable))]
    #[schema(max_length = 100, example = "Sam")]
    pub first_name: Option<String>,
    /// The officer's last name.
    #[validate(length(max = 100), custom(function = not_blank))]
    #[schema(min_length = 1, max_length = 100, example = "Okoro")]
    pub last_name: String,
    /// The officer's e-mail address.
    pub email: Option<Email>,
    /// The officer's job title.
    #[validate(length(max = 100), custom(function = printable))]
    #[schema(max_length = 100, example = "Training Manager")]
    pub job_title: Option<String>,
    /// The officer's telephone number.
    pub telephone: Option<Telephone>,
    /// PICSWeb's Ident, which OneFile stores as the MIS value; null when there is none.
    #[validate(length(max = 64), custom(function = printable))]
    #[schema(max_length = 64, example = "SOK")]
    pub ident: Option<String>,
}

impl Check for Officer {
    fn check(&self, _today: NaiveDate) -> Vec<Fault> {
        attributes(self.validate())
    }
}
