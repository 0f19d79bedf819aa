//! ACE360's labels for ILR ethnicity codes.
//!
//! ACE360's documentation shows one label, that of code 31: the ILR's wording without spaces around
//! the slashes. The other labels follow it (assumed).

use crate::domain::Ethnicity;

/// The value of ACE360's `ethnicGroup` for an ILR code.
pub fn label(code: Ethnicity) -> &'static str {
    match code.get() {
        31 => "English/Welsh/Scottish/Northern Irish/British",
        32 => "Irish",
        33 => "Gypsy or Irish Traveller",
        34 => "Any Other White background",
        35 => "White and Black Caribbean",
        36 => "White and Black African",
        37 => "White and Asian",
        38 => "Any Other Mixed/multiple ethnic background",
        39 => "Indian",
        40 => "Pakistani",
        41 => "Bangladeshi",
        42 => "Chinese",
        43 => "Any other Asian background",
        44 => "African",
        45 => "Caribbean",
        46 => "Any other Black/African/Caribbean background",
        47 => "Arab",
        98 => "Any other ethnic group",
        // Only code 99 is left.
        _ => "Not provided",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_has_its_own_label() {
        let codes = (0..=255).filter_map(|code| Ethnicity::parse(code).ok());
        let labels: HashSet<_> = codes.map(label).collect();
        assert_eq!(labels.len(), 19);
        assert_eq!(label(Ethnicity::parse(31).unwrap()), "English/Welsh/Scottish/Northern Irish/British");
        assert_eq!(label(Ethnicity::parse(99).unwrap()), "Not provided");
    }
}
