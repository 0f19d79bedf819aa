//! PICSWeb's four address lines in ACE360's three, and the country.
//!
//! The rule: blank lines fall out. Up to three that are left fill street, city and county in their order; of
//! four, the first two are joined by `, ` into the street. No line is ever lost and no word cut. PICSWeb's
//! page says that lines 1 and 2 or 3 and 4 are combined, not when which; the last line is mostly the county,
//! so the first two it is (decided by us).

use super::reading::{Reading, sent};
use crate::domain::{Address, Postcode};

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

/// Where PICSWeb shows what goes into each of the three lines: of an address with four lines, and with fewer.
const FOUR: [&str; 3] = ["Address 1 + Address 2", "Address 3", "Address 4"];
const FEWER: [&str; 3] = [
    "Address, first line that is not blank",
    "Address, second line that is not blank",
    "Address, third line that is not blank",
];

/// One of the three lines. `owner`: the record whose address it is, as PICSWeb calls it.
pub(super) fn line(address: Option<&Address>, index: usize, owner: &str) -> Reading {
    let Some(address) = address else { return Reading::default() };
    let names = if address.lines().count() > 3 { FOUR } else { FEWER };
    sent(three_lines(address)[index].as_ref()).shown_at(format!("{owner} > {}", names[index]))
}

/// The postcode; one that stands for an unknown one is never sent.
pub(super) fn postcode(address: Option<&Address>, owner: &str) -> Reading {
    let postcode = address.and_then(|address| address.postcode.as_ref());
    if postcode.is_some_and(Postcode::is_placeholder) {
        return Reading::fault(format!(
            "The postcode stands for one that is not known: enter the real one in PICSWeb: {owner} > Postcode."
        ));
    }
    sent(postcode)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn four_lines_go_into_three() {
        let lines = |lines: [&str; 4]| {
            let [line1, line2, line3, line4] = lines.map(|line| Some(line.to_owned()));
            three_lines(&Address { line1, line2, line3, line4, postcode: None })
        };
        let three =
            |a: &str, b: &str, c: &str| [a, b, c].map(|line| (!line.is_empty()).then(|| line.to_owned()));
        for (four, expected) in [
            (["a", "b", "c", "d"], three("a, b", "c", "d")),
            ([" a ", "b", "c", ""], three("a", "b", "c")),
            (["a", "", "c", "d"], three("a", "c", "d")),
            (["", "b", "", "d"], three("b", "d", "")),
            (["", " ", "", "d"], three("d", "", "")),
            (["", "", "", ""], three("", "", "")),
        ] {
            assert_eq!(lines(four), expected);
        }
    }

    proptest! {
        #[test]
        fn no_address_line_is_ever_lost_or_cut(lines in prop::collection::vec(prop::option::of("[ a-zé,]{0,12}"), 4)) {
            let [line1, line2, line3, line4] = <[_; 4]>::try_from(lines.clone()).unwrap();
            let three = three_lines(&Address { line1, line2, line3, line4, postcode: None });
            let kept: Vec<&str> = lines.iter().flatten().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
            let sent: Vec<&str> = three.iter().flatten().map(String::as_str).collect();
            prop_assert_eq!(sent.join(", "), kept.join(", "));
            prop_assert!(three.iter().skip_while(|line| line.is_some()).all(Option::is_none), "no gaps");
        }
    }
}
