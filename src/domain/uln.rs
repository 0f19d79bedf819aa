//! The Unique Learner Number and its check digit.

use super::newtype::text;
use super::rule::Broken;

text! {
    /// A Unique Learner Number with a correct check digit, or the placeholder 9999999999.
    Uln,
    pattern: "^[0-9]{10}$", max: 10, example: "1000102504",
    about: "Unique Learner Number: 10 digits, the last one its check digit. 9999999999 stands for none.",
    parse: parse
}

impl Uln {
    /// The ILR's placeholder for no number. It is stored in a record, but never sent, matched or
    /// indexed.
    pub const PLACEHOLDER: &'static str = "9999999999";

    /// Whether this is the ILR's placeholder for no number.
    pub fn is_placeholder(&self) -> bool {
        self.as_str() == Self::PLACEHOLDER
    }
}

fn parse(text: &str) -> Result<String, Broken> {
    if text.len() != 10 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Broken { code: "invalidUln", message: "Send the ULN as exactly 10 digits." });
    }
    if text != Uln::PLACEHOLDER && !check_digit_is_right(text) {
        return Err(Broken {
            code: "ulnCheckDigit",
            message: "The ULN's check digit is wrong: compare the number with the learner's record in the LRS.",
        });
    }
    Ok(text.to_owned())
}

/// Weights the first nine digits 10 to 2 and takes the sum mod 11. The check digit is 10 minus the
/// remainder; a remainder of 0 is invalid. Source: the rule that ACE360's makers publish
/// (FISSS-Apprentice/ulnTools).
fn check_digit_is_right(digits: &str) -> bool {
    let digit = |b: u8| u32::from(b - b'0');
    let sum: u32 = digits.bytes().zip((2..=10).rev()).map(|(b, weight)| digit(b) * weight).sum();
    let remainder = sum % 11;
    remainder != 0 && digits.bytes().last().is_some_and(|last| digit(last) == 10 - remainder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_published_examples() {
        for (uln, code) in [
            ("1000102504", None),
            (" 1000102504 ", None),
            ("9999999999", None),
            ("3000600342", Some("ulnCheckDigit")), // the Connect documentation's own sample
            ("0000000000", Some("ulnCheckDigit")), // remainder 0
            ("123456789", Some("invalidUln")),
            ("12345678901", Some("invalidUln")),
            ("10001O2504", Some("invalidUln")),
            ("١٠٠٠١٠٢٥٠٤", Some("invalidUln")),
            ("", Some("invalidUln")),
        ] {
            assert_eq!(Uln::parse(uln).err().map(|broken| broken.code), code, "{uln}");
        }
        assert!(Uln::parse("9999999999").unwrap().is_placeholder());
        assert!(!Uln::parse("1000102504").unwrap().is_placeholder());
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_found(body in 100_000_000_u64..999_999_999, place in 0_usize..10, shift in 1_u8..10) {
            let sum: u64 = body.to_string().bytes().zip((2..=10).rev()).map(|(b, w)| u64::from(b - b'0') * w).sum();
            prop_assume!(!sum.is_multiple_of(11));
            let uln = format!("{body}{}", 10 - sum % 11);
            prop_assume!(uln != Uln::PLACEHOLDER);
            let parsed = Uln::parse(&uln).unwrap();
            prop_assert_eq!(parsed.as_str(), &uln);
            let mut digits = uln.into_bytes();
            digits[place] = b'0' + (digits[place] - b'0' + shift) % 10;
            let wrong = String::from_utf8(digits).unwrap();
            prop_assume!(wrong != Uln::PLACEHOLDER);
            prop_assert!(Uln::parse(&wrong).is_err());
        }
    }
}
