//! Identifiers: PICSWeb's ids of learners, officers, organisations, reviews and qualifications, and
//! the upstream ids that a record contains. This service's own UUIDs are elsewhere.

use super::newtype::{number, text};
use super::rule::Broken;

/// Identifiers appear in URL paths, where `:` starts a custom verb. So few characters are allowed,
/// and never `:`.
fn identifier(text: &str) -> Result<String, Broken> {
    let mut letters = text.chars();
    let first = letters.next().is_some_and(|first| first.is_ascii_alphanumeric());
    let rest = letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if first && rest && text.len() <= 64 {
        return Ok(text.to_owned());
    }
    Err(Broken {
        code: "invalidIdentifier",
        message: "Send PICSWeb's identifier: 1 to 64 letters, digits, dots, underscores or hyphens, \
                  the first a letter or digit.",
    })
}

macro_rules! identifier {
    ($name:ident, $example:literal, $what:literal) => {
        text! {
            #[doc = $what]
            #[derive(Debug)]
            $name,
            pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", max: 64, example: $example, about: $what,
            parse: identifier
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

identifier!(LearnerId, "L1001", "PICSWeb's identifier of a learner.");
identifier!(OfficerId, "OFF12", "PICSWeb's identifier of an officer.");
identifier!(OrganisationId, "ORG7", "PICSWeb's identifier of an organisation.");
identifier!(ReviewId, "R-501", "PICSWeb's identifier of a review.");
identifier!(QualificationId, "Q-31", "PICSWeb's identifier of a learner's qualification.");

number! {
    /// ACE360's id of a standard, which identifies a LARS code, version and option together.
    Ace360StandardId(i64), code: "invalidStandardId",
    message: "Send the id of a standard from GET /ace360/standards: a whole number above 0.",
    allowed: |id| id > 0,
    schema: |schema| schema.minimum(Some(1)).examples([serde_json::json!(204)]).description(Some(
        "ACE360's id of a standard (a LARS code, version and option together), from GET /ace360/standards.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_what_can_stand_in_a_path() {
        for good in ["1", "A", "a.b_c-d", "0007", &"x".repeat(64)] {
            assert_eq!(LearnerId::parse(good).unwrap().to_string(), *good);
        }
        for bad in ["", " ", ".a", "-a", "_a", "a:b", "a/b", "a b", "é", "a%3Ab", &"x".repeat(65)] {
            assert_eq!(LearnerId::parse(bad).unwrap_err().code, "invalidIdentifier", "{bad}");
        }
    }
}
