//! Names as they are compared. Two systems seldom write a name alike: accents, apostrophes, hyphens, case, spaces and
//! invisible signs differ, and some keep HTML entities.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Below this likeness (Jaro-Winkler, from 0 to 1) two folded names are not near.
const NEAR: f64 = 0.88;

/// A name for comparison: letters and digits alone. Equal for `Sinéad O’Brien` and `SINEAD OBRIEN`.
pub fn name_key(text: &str) -> String {
    tokens(text).concat()
}

/// Whether two people's names are near enough that one person may have both. Which of the names comes first does not
/// matter, and of several first names one is enough.
pub fn near_names(one: (&str, &str), other: (&str, &str)) -> bool {
    let near = |a: &str, b: &str| {
        let (a, b) = (name_key(a), name_key(b));
        !a.is_empty() && !b.is_empty() && (a == b || strsim::jaro_winkler(&a, &b) >= NEAR)
    };
    let first = |a: &str, b: &str| {
        near(a, b) || tokens(a).iter().any(|a| tokens(b).iter().any(|b| a == b && a.chars().count() > 1))
    };
    first(one.0, other.0) && near(one.1, other.1) || near(one.0, other.1) && near(one.1, other.0)
}

/// The words of a text: lower case, without accents, apostrophes and punctuation.
pub fn tokens(text: &str) -> Vec<String> {
    let text = without_entities(text);
    let mut plain = String::with_capacity(text.len());
    for sign in text.nfkd().filter(|sign| !is_combining_mark(*sign)).flat_map(char::to_lowercase) {
        match sign {
            '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | 'ʹ' | '′' => {}
            _ if is_invisible(sign) => {}
            '&' | '+' => plain.push_str(" and "),
            _ if sign.is_ascii_alphanumeric() => plain.push(sign),
            _ => match without_stroke(sign) {
                Some(letters) => plain.push_str(letters),
                None if sign.is_alphanumeric() => plain.push(sign),
                None => plain.push(' '),
            },
        }
    }
    plain.split_whitespace().map(str::to_owned).collect()
}

/// Whether a sign takes no room: zero-width spaces and joiners, byte order marks, soft hyphens, marks of direction.
pub fn is_invisible(sign: char) -> bool {
    matches!(sign,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

/// The text without blanks and invisible signs around it.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|sign: char| sign.is_whitespace() || is_invisible(sign))
}

/// The text without HTML entities, which some systems keep: `O&#039;Brien`.
fn without_entities(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut left = text;
    while let Some(at) = left.find('&') {
        plain.push_str(&left[..at]);
        left = &left[at..];
        let end = left.char_indices().take(10).find(|(_, sign)| *sign == ';').map(|(end, _)| end);
        if let Some((end, sign)) = end.and_then(|end| Some((end, entity(&left[1..end])?))) {
            plain.push(sign);
            left = &left[end + 1..];
        } else {
            plain.push('&');
            left = &left[1..];
        }
    }
    plain.push_str(left);
    Cow::Owned(plain)
}

/// The sign of an entity, whose name stands between `&` and `;`.
fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "apos" | "rsquo" | "lsquo" => '\'',
        "quot" => '"',
        "lt" => '<',
        "gt" => '>',
        "nbsp" => ' ',
        _ => return None,
    })
}

/// Letters that Unicode does not take apart.
fn without_stroke(sign: char) -> Option<&'static str> {
    Some(match sign {
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ı' => "i",
        'ħ' => "h",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_name_have_one_key() {
        for (one, other) in [
            ("Sinéad", "Sine\u{301}ad"),
            ("O’Brien", "O'Brien"),
            ("O&#039;Brien", "O'Brien"),
            ("O&#x27;Brien", "OBrien"),
            ("Smith-Jones", "Smith Jones"),
            ("Smith\u{200b}", "SMITH"),
            ("Zoë", "Zoe"),
            ("Łucja", "lucja"),
            ("Straße", "STRASSE"),
            ("\u{feff}Anne  Marie", "annemarie"),
        ] {
            assert_eq!(name_key(one), name_key(other), "{one} / {other}");
        }
        assert_ne!(name_key("Smith"), name_key("Smyth"));
        assert_eq!(name_key("A & B &nonsense; &"), "aandbandnonsenseand");
    }

    #[test]
    fn near_names_may_be_one_person() {
        for (one, other) in [
            (("Catherine", "Smith"), ("Katherine", "Smith")),
            (("Jon", "Smyth"), ("Jon", "Smith")),
            (("Amara Jane", "Ashdown"), ("Amara", "Ashdown")),
            (("Ashdown", "Amara"), ("Amara", "Ashdown")),
            (("Siân", "O’Neill"), ("Sian", "O'Neil")),
        ] {
            assert!(near_names(one, other), "{one:?} / {other:?}");
        }
        for (one, other) in [
            (("Amara", "Ashdown"), ("Bertil", "Ashdown")),
            (("Amara", "Ashdown"), ("Amara", "Penhallow")),
            (("", "Ashdown"), ("", "Ashdown")),
        ] {
            assert!(!near_names(one, other), "{one:?} / {other:?}");
        }
    }

    proptest! {
        #[test]
        fn a_key_has_letters_and_digits_only_and_stays(text in "\\PC{0,40}") {
            let key = name_key(&text);
            prop_assert!(key.chars().all(char::is_alphanumeric), "{key:?}");
        }
    }
}
