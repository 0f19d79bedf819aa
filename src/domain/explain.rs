//! What serde says when a value does not fit, in words for the sender: a code, and what to do. Never the
//! value, which serde's own words repeat.

use super::rule::unpack;

/// What an error of serde's means.
pub(super) enum Meaning {
    /// A field that we do not know, and what to do about it.
    UnknownField(String),
    /// A field that must be there and is not: its name.
    MissingField(String),
    /// A value that does not fit: code and message.
    Misfit(String, String),
}

/// Reads serde's text; `field` is the key at which it stopped, `null` whether null stands there.
pub(super) fn explain(text: &str, field: &str, null: bool) -> Meaning {
    if let Some((code, message)) = unpack(text) {
        return Meaning::Misfit(code, message);
    }
    let expected = text.rsplit_once(", expected ").map_or("", |(_, expected)| expected);
    if text.starts_with("unknown field ") {
        return Meaning::UnknownField(unknown(field, &quoted(expected)));
    }
    if text.starts_with("missing field ") {
        return Meaning::MissingField(quoted(text).first().copied().unwrap_or_default().to_owned());
    }
    let (code, message) = if null {
        ("required", "Send a value here: it must not be null.".to_owned())
    } else if text.starts_with("unknown variant ") {
        ("invalidValue", format!("Send one of: {}.", quoted(expected).join(", ")))
    } else if text.starts_with("invalid type") {
        ("wrongType", format!("Send {}.", noun(expected)))
    } else {
        ("invalidValue", format!("Correct this value: send {}.", noun(expected)))
    };
    Meaning::Misfit(code.to_owned(), message)
}

fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn noun(expected: &str) -> &'static str {
    match expected {
        "a string" | "string or map" => "a string",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        "i64" | "u64" | "u32" => "a whole number",
        "an object" => "an object",
        _ => "a value of the type that the API's document gives here",
    }
}

fn unknown(field: &str, known: &[&str]) -> String {
    let shown: String = field.chars().take(64).filter(|c| !c.is_control()).collect();
    let near = known
        .iter()
        .map(|known| (distance(&field.to_lowercase(), &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 5)
        .min();
    match near {
        Some((_, known)) => format!("There is no field {shown} here. Did you mean {known}?"),
        None => format!("There is no field {shown} here: take it out."),
    }
}

/// Levenshtein's distance; long words are far from everything.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 64 {
        return usize::MAX;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested() {
        let known = ["firstName", "lastName", "uln"];
        assert!(unknown("firstname", &known).ends_with("Did you mean firstName?"));
        assert!(unknown("fristName", &known).ends_with("Did you mean firstName?"));
        assert!(unknown("shoeSize", &known).ends_with("take it out."));
        assert!(unknown(&"x".repeat(500), &known).len() < 120);
    }
}
