//! PICSWeb's four address lines in ACE360's three, and the country.
//!
//! The rule: blank lines fall out. Up to three that are left fill street, city and county in their order; of
//! four, the first two are joined by `, ` into the street. No line is ever lost and no word cut. PICSWeb's
//! page says that lines 1 and 2 or 3 and 4 are combined, not when which; the last line is mostly the county,
//! so the first two it is (decided by us).

use super::draft::Draft;
use crate::domain::RecordRef;
use crate::domain::{Address, Postcode};

/// PICSWeb sends it for every learner and every employer.
pub(super) const COUNTRY: &str = "UK";

/// An address in ACE360's fields.
pub(super) struct Part {
    pub(super) street: String,
    pub(super) city: Option<String>,
    pub(super) county: Option<String>,
    pub(super) postcode: Postcode,
    pub(super) country: &'static str,
}

/// Whose address it is, and how its fields are called.
pub(super) struct Names {
    pub(super) owner: &'static str,
    pub(super) street: &'static str,
    pub(super) city: &'static str,
    pub(super) county: &'static str,
    pub(super) postcode: &'static str,
    pub(super) country: &'static str,
}

/// Squeezes the lines into three.
pub(super) fn three_lines(address: &Address) -> [Option<String>; 3] {
    let mut lines: Vec<String> = address.lines().map(str::to_owned).collect();
    if lines.len() > 3 {
        let first = lines.remove(0);
        lines[0] = format!("{first}, {}", lines[0]);
    }
    let mut lines = lines.into_iter();
    [lines.next(), lines.next(), lines.next()]
}

pub(super) fn fill(
    names: &Names,
    address: Option<&Address>,
    record: &RecordRef,
    draft: &mut Draft,
) -> Option<Part> {
    let owner = names.owner;
    let four = address.is_some_and(|address| address.lines().count() > 3);
    let [street, city, county] = address.map(three_lines).unwrap_or_default();
    let source = |four_lines: &str, line: &str| {
        if four { format!("{owner} > {four_lines}") } else { format!("{owner} > {line}") }
    };
    let street = draft.require(
        names.street,
        &source("Address 1 + Address 2", "Address, first line that is not blank"),
        street,
        record,
        "/address/line1",
        &format!("Enter the address in PICSWeb: {owner} > Address 1."),
    );
    let city = draft.send(names.city, source("Address 3", "Address, second line that is not blank"), city);
    let county =
        draft.send(names.county, source("Address 4", "Address, third line that is not blank"), county);
    let postcode = address.and_then(|address| address.postcode.clone());
    let placeholder = postcode.as_ref().is_some_and(Postcode::is_placeholder);
    let message = if placeholder {
        format!(
            "The postcode stands for one that is not known: enter the real one in PICSWeb: {owner} > Postcode."
        )
    } else {
        format!("Enter the postcode in PICSWeb: {owner} > Postcode.")
    };
    let postcode = postcode.filter(|postcode| !postcode.is_placeholder());
    let source = format!("{owner} > Postcode");
    let postcode = draft.require(names.postcode, &source, postcode, record, "/address/postcode", &message);
    let country = draft.send(names.country, format!("Always {COUNTRY}"), Some(COUNTRY));
    Some(Part { street: street?, city, county, postcode: postcode?, country: country? })
}
