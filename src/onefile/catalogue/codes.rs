//! The code of a learning aim. OneFile shows it in square brackets after the title. PICSWeb's VQ
//! references are the same codes as people type them.
//!
//! Assumed, because it is not public: a Standard has its code in `NDAQCode`, or else in the last
//! non-empty brackets of its title.

use serde::Serialize;
use utoipa::ToSchema;

/// A code: as it is written, and as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The code as it is written, without surrounding brackets and spaces.
    pub shown: String,
    /// Two codes are equal if their keys are: without spaces, in capitals.
    pub key: String,
}

/// A learning aim of OneFile's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimMatch {
    /// OneFile's id of the centre.
    #[schema(example = "3")]
    pub centre_id: String,
    /// OneFile's id of the learning aim.
    #[schema(example = "901")]
    pub standard_id: String,
    /// The learning aim's title in OneFile.
    #[schema(example = "Sample aim [196AS]")]
    pub title: String,
    /// Its code, as it is written there.
    #[schema(example = "196AS")]
    pub code: String,
    /// Whether it is archived.
    pub archived: bool,
}

/// The four learning aims of an apprenticeship standard. Their codes are the standard's LARS code and two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
pub enum StandardAim {
    /// The main aim: the apprenticeship standard itself.
    #[serde(rename = "AS")]
    Standard,
    /// The aim of on-programme learning.
    #[serde(rename = "OP")]
    OnProgramme,
    /// The aim of the gateway.
    #[serde(rename = "GW")]
    Gateway,
    /// The aim of the end-point assessment.
    #[serde(rename = "EP")]
    EndPoint,
}

impl StandardAim {
    /// All four, in the order in which learners take them.
    pub const ALL: [Self; 4] = [Self::Standard, Self::OnProgramme, Self::Gateway, Self::EndPoint];

    pub const fn letters(self) -> &'static str {
        match self {
            Self::Standard => "AS",
            Self::OnProgramme => "OP",
            Self::Gateway => "GW",
            Self::EndPoint => "EP",
        }
    }

    /// The code of this aim of a standard, for example `196AS`.
    pub fn code(self, lars_code: u32) -> String {
        format!("{lars_code}{}", self.letters())
    }
}

impl Code {
    /// Reads a code that a person wrote, such as a VQ reference. `None`: it is blank.
    pub fn parse(text: &str) -> Option<Self> {
        let bracket = |sign: char| matches!(sign, '[' | ']') || is_blank(sign);
        let shown = text.trim_matches(bracket);
        let key = key(shown);
        (!key.is_empty()).then(|| Self { shown: shown.to_owned(), key })
    }

    /// The code of a Standard: from its code field, or else from the last brackets of its title.
    pub fn of_standard(title: Option<&str>, ndaq_code: Option<&str>) -> Option<Self> {
        ndaq_code
            .and_then(|text| in_brackets(text).or_else(|| Self::parse(text)))
            .or_else(|| title.and_then(in_brackets))
    }

    /// The key without punctuation. Other lists write `603/9001/1` as `60390011`. Codes that are
    /// equal only in this form probably mean the same, but do not match.
    pub fn bare(&self) -> String {
        self.key.chars().filter(|sign| sign.is_alphanumeric()).collect()
    }

    /// The standard and its aim, if the code has that form.
    pub fn of_aim(&self) -> Option<(u32, StandardAim)> {
        StandardAim::ALL.into_iter().find_map(|aim| {
            let digits = self.key.strip_suffix(aim.letters())?;
            let plain = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            let code = digits.parse().ok().filter(|code| plain && *code > 0)?;
            // A leading 0 makes a different code.
            (aim.code(code) == self.key).then_some((code, aim))
        })
    }
}

/// The last brackets that are closed, not empty, and contain no other brackets.
fn in_brackets(title: &str) -> Option<Code> {
    let closed = title.match_indices(']').map(|(end, _)| &title[..end]).rev();
    closed
        .filter_map(|before| before.rsplit_once('[').map(|(_, inside)| inside))
        .filter(|inside| !inside.contains(']'))
        .find_map(Code::parse)
}

fn key(text: &str) -> String {
    text.chars().filter(|sign| !is_blank(*sign)).flat_map(char::to_uppercase).collect()
}

/// Includes invisible characters, because texts are pasted from spreadsheets.
fn is_blank(sign: char) -> bool {
    sign.is_whitespace()
        || sign.is_control()
        || matches!(sign, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_field_then_the_last_brackets() {
        for (title, field, shown) in [
            ("Sample aim [105AS]", None, Some("105AS")),
            ("Sample aim [105AS]", Some("119AS"), Some("119AS")),
            ("Sample aim [105AS]", Some("  "), Some("105AS")),
            ("Sample aim", Some(" [119AS] "), Some("119AS")),
            ("[Sample] Sample aim [Level 3] [105AS]", None, Some("105AS")),
            ("Sample aim  [ 105as ] ", None, Some("105as")),
            ("Sample aim [105AS] (old)", None, Some("105AS")),
            ("Sample aim [105AS] [ ]", None, Some("105AS")),
            ("Sample aim [[105AS]]", None, Some("105AS")),
            ("Sample aim 105AS]", None, None),
            ("Sample aim [105AS", None, None),
            ("Sample [1] aim [105AS", None, Some("1")),
            ("Sample aim []", None, None),
            ("Sample aim", None, None),
            ("", None, None),
            ("Sample aim", Some("Level 3 [119AS]"), Some("119AS")),
        ] {
            let code = Code::of_standard(Some(title), field);
            assert_eq!(code.as_ref().map(|code| code.shown.as_str()), shown, "{title} {field:?}");
        }
        assert_eq!(Code::of_standard(None, Some("1")).unwrap().key, "1");
    }

    #[test]
    fn codes_that_are_the_same() {
        for (one, other, same) in [
            ("105AS", " 105 as ", true),
            ("105AS", "1 0 5\u{a0}A S", true),
            ("105AS", "105\u{200b}AS", true),
            ("603/9001/1", "603 / 9001 / 1", true),
            ("603/9001/x", "603/9001/X", true),
            ("603/9001/1", "60390011", false),
            ("105AS", "0105AS", false),
            ("105AS", "105-AS", false),
        ] {
            let (one, other) = (Code::parse(one).unwrap(), Code::parse(other).unwrap());
            assert_eq!(one.key == other.key, same, "{one:?} {other:?}");
        }
        assert_eq!(Code::parse("603/9001/1").unwrap().bare(), "60390011");
        assert_eq!(Code::parse(" [] "), None);
    }

    #[test]
    fn the_aims_of_a_standard() {
        for (text, aim) in [
            ("196AS", Some((196, StandardAim::Standard))),
            ("2 op", Some((2, StandardAim::OnProgramme))),
            ("1029GW", Some((1029, StandardAim::Gateway))),
            ("196EP", Some((196, StandardAim::EndPoint))),
            ("0196EP", None),
            ("0EP", None),
            ("EP", None),
            ("196", None),
            ("196XX", None),
            ("1234567AS", None),
            ("603/9001/1", None),
        ] {
            assert_eq!(Code::parse(text).unwrap().of_aim(), aim, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fall_over(title in "\\PC{0,60}", field in prop::option::of("\\PC{0,20}")) {
            if let Some(code) = Code::of_standard(Some(&title), field.as_deref()) {
                prop_assert!(!code.key.is_empty() && !code.shown.is_empty());
                prop_assert!(!code.key.contains(char::is_whitespace));
            }
        }

        #[test]
        fn what_stands_in_the_last_brackets_comes_out(
            title in "[A-Za-z \\[\\]]{0,30}", code in "[A-Za-z0-9/]{1,5}( [A-Za-z0-9/]{1,5})?", after in "[A-Za-z ]{0,9}",
        ) {
            let found = Code::of_standard(Some(&format!("{title}[ {code}  ]{after}")), None).unwrap();
            prop_assert_eq!(&found.shown, &code);
            prop_assert_eq!(found.key, Code::parse(&code.to_lowercase()).unwrap().key);
        }

        #[test]
        fn aims_are_read_as_they_are_formed(lars in 1_u32..=99_999) {
            for aim in StandardAim::ALL {
                prop_assert_eq!(Code::parse(&aim.code(lars)).unwrap().of_aim(), Some((lars, aim)));
            }
        }
    }
}
