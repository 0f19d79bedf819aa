//! How two values of a field are compared: each function takes away what makes no difference.

/// Nothing is taken away.
pub(super) fn exact(text: &str) -> String {
    text.to_owned()
}

/// How many blanks stand between words.
pub(super) fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn no_case(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// All but letters and digits: telephone numbers are written in many ways.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).flat_map(char::to_lowercase).collect()
}

/// Case, blanks and punctuation.
pub(super) fn letters(text: &str) -> String {
    let signs = text.chars().filter(|sign| sign.is_alphanumeric() || *sign == '@');
    signs.flat_map(char::to_lowercase).collect()
}

/// Case, and whether lines or commas separate the parts of an address.
pub(super) fn lines(text: &str) -> String {
    let parts = text.split(['\n', '\r', ',']).map(spaced).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n").to_lowercase()
}
