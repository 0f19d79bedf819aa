//! An address as PICSWeb stores it: four free lines and a postcode. The upstreams' modules map it
//! to their own fields.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::check::printable;
use super::postcode::Postcode;

/// A postal address. Lines may be blank.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Address {
    /// First line of the address.
    #[validate(length(max = 100), custom(function = printable))]
    #[schema(max_length = 100, example = "1 High Street")]
    pub line1: Option<String>,
    /// Second line of the address.
    #[validate(length(max = 100), custom(function = printable))]
    #[schema(max_length = 100, example = "Cowley")]
    pub line2: Option<String>,
    /// Third line of the address.
    #[validate(length(max = 100), custom(function = printable))]
    #[schema(max_length = 100, example = "Oxford")]
    pub line3: Option<String>,
    /// Fourth line of the address.
    #[validate(length(max = 100), custom(function = printable))]
    #[schema(max_length = 100, example = "Oxfordshire")]
    pub line4: Option<String>,
    /// UK postcode, such as `M1 1AA`.
    pub postcode: Option<Postcode>,
}

impl Address {
    /// The lines that are not blank, trimmed and in order.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        [&self.line1, &self.line2, &self.line3, &self.line4]
            .into_iter()
            .filter_map(|line| line.as_deref().map(str::trim))
            .filter(|line| !line.is_empty())
    }
}
