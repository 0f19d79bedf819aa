//! How to reach someone: e-mail addresses and telephone numbers.

use validator::ValidateEmail;

use super::newtype::text;
use super::rule::Broken;

text! {
    /// An e-mail address by the rule of HTML's e-mail input.
    Email,
    pattern: "^[^@\\s]+@[^@\\s]+$", max: 254, example: "lucy@example.com",
    about: "E-mail address.",
    parse: |text| {
        // 254 is what RFC 5321 leaves for an address.
        if text.len() <= 254 && text.validate_email() {
            return Ok(text.to_owned());
        }
        Err(Broken { code: "invalidEmail", message: "Send one e-mail address such as lucy@example.com." })
    }
}

text! {
    /// A telephone number as PICSWeb holds it: not normalised, since upstreams show it to people.
    Telephone,
    pattern: "^[0-9+(][0-9 +().,/xXeEtT#-]*$", max: 40, example: "020 7946 0000",
    about: "Telephone number: digits, blanks and + ( ) - . / , with an extension as ext, x or #.",
    parse: |text| {
        // Telephone books and web pages have no-break and narrow spaces.
        let text: String = text.chars().map(|c| if c.is_whitespace() && !c.is_control() { ' ' } else { c }).collect();
        if is_scientific(&text) {
            return Err(Broken {
                code: "invalidTelephone",
                message: "Send the digits: a spreadsheet wrote this number in scientific notation.",
            });
        }
        let sign = |c: char| c.is_ascii_digit() || " +().,/xXeEtT#-".contains(c);
        let begins = text.starts_with(|c: char| c.is_ascii_digit() || "+(".contains(c));
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        if begins && digits > 0 && text.len() <= 40 && text.chars().all(sign) {
            return Ok(text);
        }
        Err(Broken {
            code: "invalidTelephone",
            message: "Send a telephone number of at most 40 signs: digits, blanks and + ( ) - . / , \
                      with an extension as ext, x or #.",
        })
    }
}

/// Whether a text is a number such as `7.7009E+09`.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let whole = mantissa.replacen(['.', ','], "", 1);
    digits(&whole) && digits(exponent.trim_start_matches(['+', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["lucy@example.com", " o'neil+x@a-b.example.co.uk "] {
            assert_eq!(Email::parse(good).unwrap().as_str(), good.trim());
        }
        for bad in
            ["", "lucy", "lucy@", "@example.com", "a b@example.com", "a@b@example.com", "a@exa mple.com"]
        {
            assert_eq!(Email::parse(bad).unwrap_err().code, "invalidEmail", "{bad}");
        }
    }

    #[test]
    fn numbers() {
        for good in [
            "02079460000",
            "+44 (0)20 7946-0000",
            "01632 960001 ext. 12",
            "01632 960001 x12",
            "(01632) 960 001",
        ] {
            assert_eq!(Telephone::parse(good).unwrap().as_str(), good);
        }
        assert_eq!(Telephone::parse("01632\u{a0}960\u{202f}001\u{200b}").unwrap().as_str(), "01632 960 001");
        for bad in ["", "none", "++", "07700 900 123 (mum)", "7.7009E+09", "7E9", &"0".repeat(41), "-12"] {
            assert_eq!(Telephone::parse(bad).unwrap_err().code, "invalidTelephone", "{bad}");
        }
    }
}
