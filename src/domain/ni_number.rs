//! The National Insurance number.

use super::newtype::text;
use super::rule::Broken;

text! {
    /// A National Insurance number, in capitals and without spaces.
    NiNumber,
    pattern: "^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]?$", max: 9, example: "AB123456C",
    about: "National Insurance number: two letters, six digits and, where it is known, a letter from A to D. \
            Blanks and small letters are put right.",
    parse: parse
}

/// Follows HMRC's rule (NIM39110), as the ILR does. The prefix never has D, F, I, Q, U or V, its
/// second letter is never O, and some prefixes are never issued.
fn parse(text: &str) -> Result<String, Broken> {
    let number: String =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
    let good = match number.as_bytes() {
        [first, second, rest @ ..] if matches!(rest.len(), 6 | 7) => {
            let (digits, suffix) = rest.split_at(6);
            prefix_letter(*first)
                && prefix_letter(*second)
                && *second != b'O'
                && !matches!(&[*first, *second], b"BG" | b"GB" | b"KN" | b"NK" | b"NT" | b"TN" | b"ZZ")
                && digits.iter().all(u8::is_ascii_digit)
                && suffix.iter().all(|suffix| matches!(suffix, b'A'..=b'D'))
        }
        _ => false,
    };
    if good {
        return Ok(number);
    }
    Err(Broken {
        code: "invalidNiNumber",
        message: "Send a National Insurance number: two letters, six digits and a letter from A to D if it is known, \
                  with a prefix that HMRC issues; null when there is none.",
    })
}

fn prefix_letter(letter: u8) -> bool {
    letter.is_ascii_uppercase() && !matches!(letter, b'D' | b'F' | b'I' | b'Q' | b'U' | b'V')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_of_hmrc() {
        for good in ["AB123456C", "ab 12 34 56 c", "OA000000A", "JK999999D"] {
            assert_eq!(NiNumber::parse(good).unwrap().as_str().len(), 9, "{good}");
        }
        // The ILR takes a number whose suffix is not known.
        assert_eq!(NiNumber::parse("ab 12 34 56 ").unwrap().as_str(), "AB123456");
        for bad in [
            "",
            "AB123456E",
            "AB12345C",
            "DA123456A",
            "AD123456A",
            "AO123456A",
            "BG123456A",
            "GB123456A",
            "KN123456A",
            "NK123456A",
            "NT123456A",
            "TN123456A",
            "ZZ123456A",
            "QQ123456C",
            "AB12E456C",
            "ÀB123456C",
        ] {
            assert_eq!(NiNumber::parse(bad).unwrap_err().code, "invalidNiNumber", "{bad}");
        }
    }
}
