//! How two values of a field are compared. Each function removes differences that do not matter.

pub(super) fn exact(text: &str) -> String {
    text.to_owned()
}

/// Ignores how many spaces separate words.
pub(super) fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn no_case(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// Keeps only letters and digits, because telephone numbers are written in many ways.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).flat_map(char::to_lowercase).collect()
}

/// Ignores case, spaces and punctuation.
pub(super) fn letters(text: &str) -> String {
    let signs = text.chars().filter(|sign| sign.is_alphanumeric() || *sign == '@');
    signs.flat_map(char::to_lowercase).collect()
}

/// Ignores case, and whether lines or commas separate the parts of an address.
pub(super) fn lines(text: &str) -> String {
    let parts = text.split(['\n', '\r', ',']).map(spaced).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n").to_lowercase()
}
