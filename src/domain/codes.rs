//! Codes of the ILR (the providers' return to the Department for Education) and of PICSWeb that stand in
//! records. What they are called upstream is the upstreams' business: `ace360/`, `onefile/`.

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;
use utoipa::ToSchema;

use super::newtype::{number, text};
use super::rule::Broken;

/// Sex, as PICSWeb records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Sex {
    /// PICSWeb's code for female.
    F,
    /// PICSWeb's code for male.
    M,
}

/// PICSWeb's system status of a learner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LearnerStatus {
    /// The record is in use.
    Live,
    /// The record is no longer in use.
    Dormant,
}

/// Whether a learner came to a review. Null: not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Attendance {
    /// The learner attended the review.
    Attended,
    /// The learner did not attend the review.
    NotAttended,
}

number! {
    /// Ethnicity as an ILR code.
    Ethnicity(u8), code: "invalidEthnicity",
    message: "Send the ILR ethnicity code: 31 to 47, 98, or 99 for not provided.",
    allowed: |code| matches!(code, 31..=47 | 98 | 99),
    schema: |schema| schema.description(Some("ILR ethnicity code.")).examples([serde_json::json!(31)])
        .enum_values(Some((31..=47).chain(98..=99)))
}

number! {
    /// ILR LLDD and health problem code: 1 has one, 2 has none, 9 no information.
    Disability(u8), code: "invalidDisability",
    message: "Send the ILR code: 1 has a difficulty, disability or health problem, 2 has none, 9 not known.",
    allowed: |code| matches!(code, 1 | 2 | 9),
    schema: |schema| schema.examples([serde_json::json!(2)]).enum_values(Some([1, 2, 9])).description(Some(
        "ILR code of learning difficulty, disability or health problem: 1 has one, 2 has none, 9 not known.",
    ))
}

number! {
    /// LARS code of an apprenticeship standard. It does not tell version and option.
    StandardCode(u32), code: "invalidStandardCode",
    message: "Send the LARS code of the standard: a whole number from 1 to 99999.",
    allowed: |code| (1..=99_999).contains(&code),
    schema: |schema| schema.minimum(Some(1)).maximum(Some(99_999)).examples([serde_json::json!(54)])
        .description(Some("LARS code of the apprenticeship standard. It does not tell version and option."))
}

text! {
    /// Employer Reference Number (EDRS), or 999999999 for none.
    #[derive(Debug)]
    Ern,
    pattern: "^[0-9]{9}$", max: 9, example: "100000001",
    about: "Employer Reference Number: 9 digits. 999999999 stands for none.",
    parse: |text| {
        if text.len() == 9 && text.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(text.to_owned());
        }
        Err(Broken { code: "invalidErn", message: "Send the ERN as exactly 9 digits; null when there is none." })
    }
}

impl Ern {
    /// The ILR's number for an employer that has none: they are no longer issued.
    pub const PLACEHOLDER: &'static str = "999999999";

    /// Whether it stands for no number.
    pub fn is_placeholder(&self) -> bool {
        self.as_str() == Self::PLACEHOLDER
    }
}

text! {
    /// PICSWeb's VQ Reference of a qualification: what OneFile shows in square brackets.
    #[derive(Debug)]
    VqReference,
    pattern: "^[^\\s\\[\\]]([^\\[\\]]*[^\\s\\[\\]])?$", max: 50, example: "196AS",
    about: "VQ reference: the code that OneFile shows in square brackets after a learning aim's title.",
    parse: |text| {
        // Brackets would never match, since they end OneFile's code.
        let sign = |c: char| !c.is_control() && c != '[' && c != ']';
        if !text.is_empty() && text.chars().count() <= 50 && text.chars().all(sign) {
            return Ok(text.to_owned());
        }
        Err(Broken {
            code: "invalidVqReference",
            message: "Send the VQ reference without its square brackets, at most 50 signs; null when there is none.",
        })
    }
}

text! {
    /// OneFile's id of a review (its OneFile System ID in PICSWeb).
    #[derive(Debug)]
    OneFileId,
    pattern: "^[A-Za-z0-9-]{1,64}$", max: 64, example: "70211",
    about: "OneFile's id.",
    parse: |text| {
        if (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Ok(text.to_owned());
        }
        Err(Broken { code: "invalidOneFileId", message: "Send OneFile's id: 1 to 64 letters, digits or hyphens." })
    }
}

/// OneFile's ids come as numbers too: its own API shows them so.
pub(super) fn one_file_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OneFileId>, D::Error> {
    let text = match Option::<Value>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Value::String(text)) => text,
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => String::new(),
    };
    OneFileId::parse(&text).map(Some).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_outside_their_lists_are_refused() {
        for good in [31, 47, 98, 99] {
            assert_eq!(i64::from(Ethnicity::parse(good).unwrap()), good);
        }
        for bad in [30, 48, 97, 100, -31, 287] {
            assert_eq!(Ethnicity::parse(bad).unwrap_err().code, "invalidEthnicity");
        }
        assert!(Disability::parse(9).is_ok() && Disability::parse(0).is_err());
        assert!(StandardCode::parse(1).is_ok() && StandardCode::parse(0).is_err());
    }

    #[test]
    fn references() {
        assert!(Ern::parse("999999999").unwrap().is_placeholder());
        assert!(Ern::parse("12345678").is_err());
        assert_eq!(VqReference::parse(" 196AS ").unwrap().as_str(), "196AS");
        assert!(VqReference::parse("[196AS]").is_err() && VqReference::parse(" ").is_err());
        assert!(OneFileId::parse("70211").is_ok() && OneFileId::parse("a/b").is_err());
    }
}
