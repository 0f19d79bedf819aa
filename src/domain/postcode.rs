//! UK postcodes.

use super::newtype::text;
use super::rule::Broken;

text! {
    /// A UK postcode in capitals with its one blank.
    Postcode,
    pattern: "^([A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}|GIR 0AA)$", max: 8, example: "SW1A 1AA",
    about: "UK postcode. Blanks and small letters are put right. ZZ99 9ZZ stands for one that is not known.",
    parse: parse
}

impl Postcode {
    /// The ILR's "not known".
    pub const PLACEHOLDER: &'static str = "ZZ99 9ZZ";

    /// Whether it stands for an address that is not known.
    pub fn is_placeholder(&self) -> bool {
        self.as_str() == Self::PLACEHOLDER
    }
}

fn parse(text: &str) -> Result<String, Broken> {
    let code: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
    let broken = Broken {
        code: "invalidPostcode",
        message: "Send a UK postcode such as SW1A 1AA; ZZ99 9ZZ or null when it is not known.",
    };
    let Some((outward, inward)) = code.len().checked_sub(3).and_then(|at| code.split_at_checked(at)) else {
        return Err(broken);
    };
    let normal = format!("{outward} {inward}");
    let special = normal == "GIR 0AA" || normal == Postcode::PLACEHOLDER;
    if special || (is_outward(outward.as_bytes()) && is_inward(inward.as_bytes())) {
        return Ok(normal);
    }
    Err(broken)
}

/// BS 7666 and the ILR's Postcode rule: which letters may stand in which place.
fn is_outward(code: &[u8]) -> bool {
    let first = |c: u8| c.is_ascii_uppercase() && !matches!(c, b'Q' | b'V' | b'X');
    let second = |c: u8| c.is_ascii_uppercase() && !matches!(c, b'I' | b'J' | b'Z');
    let digit = |c: u8| c.is_ascii_digit();
    // The last letter's list has grown over the years; the five left out are never used there.
    let last = |c: u8| c.is_ascii_uppercase() && !matches!(c, b'I' | b'L' | b'O' | b'Q' | b'Z');
    match *code {
        [a, n] => first(a) && digit(n),
        [a, b, n] if digit(n) => first(a) && (digit(b) || second(b)),
        [a, n, x] => first(a) && digit(n) && last(x),
        [a, b, n, x] => first(a) && second(b) && digit(n) && (digit(x) || last(x)),
        _ => false,
    }
}

fn is_inward(code: &[u8]) -> bool {
    let letter = |c: u8| c.is_ascii_uppercase() && !matches!(c, b'C' | b'I' | b'K' | b'M' | b'O' | b'V');
    matches!(*code, [n, a, b] if n.is_ascii_digit() && letter(a) && letter(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_normalised() {
        for (sent, kept) in [
            ("m11ae", "M1 1AE"),
            ("B33 8TH", "B33 8TH"),
            ("cr2  6xh", "CR2 6XH"),
            ("DN551PT", "DN55 1PT"),
            ("W1A 0AX", "W1A 0AX"),
            ("ec1a1bb", "EC1A 1BB"),
            ("gir0aa", "GIR 0AA"),
            ("BF1 2AU", "BF1 2AU"),
            ("zz999zz", "ZZ99 9ZZ"),
        ] {
            assert_eq!(Postcode::parse(sent).unwrap().as_str(), kept);
        }
        assert!(Postcode::parse("ZZ99 9ZZ").unwrap().is_placeholder());
    }

    #[test]
    fn what_is_no_postcode_is_refused() {
        for bad in [
            "",
            "A",
            "1AA",
            "M1",
            "QA1 1AA",
            "AI1 1AA",
            "M1 1CE",
            "M111 1AE",
            "ABC 1AA",
            "W1Z 0AX",
            "EC1L 1BB",
            "M1 AAE",
            "12345",
            "ÉC1A 1BB",
            "€1AA",
        ] {
            assert_eq!(Postcode::parse(bad).unwrap_err().code, "invalidPostcode", "{bad}");
        }
    }
}
