//! Normalises names. It removes differences of case, spaces, diacritics, punctuation and legal
//! forms.

use unicode_normalization::UnicodeNormalization as _;

use crate::domain::folding::tokens;

/// Legal forms of companies. The same name is written with and without them.
const COMPANY: [&str; 6] = ["ltd", "limited", "plc", "llp", "cic", "inc"];
/// Titles that may stand before a name.
const ADDRESSED: [&str; 6] = ["mr", "mrs", "ms", "miss", "mx", "dr"];

#[derive(Clone, Default, PartialEq, Eq)]
pub struct Name {
    pub tokens: Vec<String>,
    /// Equal names have equal keys. Empty: there is no name.
    pub key: String,
    /// The words with a digit, sorted. House 12 never matches house 13, however similar the rest
    /// is.
    pub numbered: Vec<String>,
}

impl Name {
    /// A person's name. The order of first name and surname does not matter.
    pub fn person(text: &str) -> Self {
        let mut tokens = tokens(text);
        if tokens.len() > 2 && ADDRESSED.contains(&tokens[0].as_str()) {
            tokens.remove(0);
        }
        tokens.sort_unstable();
        let key = tokens.join(" ");
        Self::of(tokens, key)
    }

    /// An organisation's name. `Acme Motors Ltd.`, `ACME Motors Limited` and `The Acme-Motors` are
    /// equal.
    pub fn organisation(text: &str) -> Self {
        let mut tokens = spelt_out(tokens(text));
        tokens.retain(|token| token != "and");
        if tokens.len() > 1 && tokens[0] == "the" {
            tokens.remove(0);
        }
        let mut first = true;
        // Keep the first word: a company may be called Limited Editions.
        tokens.retain(|token| std::mem::take(&mut first) || !COMPANY.contains(&token.as_str()));
        let key = tokens.concat();
        Self::of(tokens, key)
    }

    fn of(tokens: Vec<String>, key: String) -> Self {
        let has_digit = |token: &&String| token.chars().any(char::is_numeric);
        let mut numbered: Vec<String> = tokens.iter().filter(has_digit).cloned().collect();
        numbered.sort_unstable();
        Self { tokens, key, numbered }
    }
}

/// An e-mail address or MIS value to compare. `None` if it is blank.
pub fn plain(text: Option<&str>) -> Option<String> {
    let folded: String = text?.trim().nfkc().flat_map(char::to_lowercase).collect();
    let spaced = folded.split_whitespace().collect::<Vec<_>>().join(" ");
    (!spaced.is_empty()).then_some(spaced)
}

/// Letters that stand alone make one word: `L.L.P.` is `LLP`, `A B C Motors` is `ABC Motors`.
fn spelt_out(tokens: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::with_capacity(tokens.len());
    let mut alone = false;
    for token in tokens {
        let single = token.chars().count() == 1 && token.chars().all(char::is_alphabetic);
        match joined.last_mut() {
            Some(last) if single && alone => last.push_str(&token),
            _ => joined.push(token),
        }
        alone = single;
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_organisation() {
        for (one, other) in [
            ("Acme Motors Ltd", "ACME  motors limited"),
            ("Acme Motors Ltd.", "The Acme-Motors"),
            (" Larkrise  Services Ltd. ", "LARKRISE SERVICES LTD"),
            ("Café Zoë & Søn (sample)", "CAFE ZOE AND SON SAMPLE"),
            ("Brindle & Sons", "Brindle and Sons L.L.P."),
            ("Tideway p.l.c.", "Tideway"),
            ("A.B.C. Motors", "ABC Motors"),
            ("O’Neil's Garage", "ONeils Garage"),
            ("Copperfold Ltd (sample) 7", "Copperfold (Sample) 7"),
        ] {
            assert_eq!(Name::organisation(one).key, Name::organisation(other).key, "{one} / {other}");
        }
        for (one, other) in
            [("Limited Editions", "Editions"), ("The", "Ltd"), ("Larkrise", "Larkrise (Oxford)")]
        {
            assert_ne!(Name::organisation(one).key, Name::organisation(other).key, "{one} / {other}");
        }
        assert_eq!(Name::organisation(" -- ").key, "");
        assert_eq!(Name::organisation("Unit 12 A1").numbered, ["12", "a1"]);
    }

    #[test]
    fn spellings_of_one_person() {
        for (one, other) in [
            ("Amara Ashdown", "ASHDOWN, Amara"),
            ("Zoë O'Neil", "zoe oneil"),
            ("Dr Amara Ashdown", "Amara Ashdown"),
            ("Keziah Jessop-Vale", "Keziah  Jessop Vale"),
            ("Łucja Żak", "Lucja Zak"),
        ] {
            assert_eq!(Name::person(one).key, Name::person(other).key, "{one} / {other}");
        }
        assert_ne!(Name::person("Amara Ashdown").key, Name::person("Amara J Ashdown").key);
    }

    #[test]
    fn values_without_case_and_spaces() {
        assert_eq!(plain(Some(" O-17 ")).as_deref(), Some("o-17"));
        assert_eq!(plain(Some("Sam@Acme.Example")), plain(Some("sam@acme.example ")));
        assert_eq!((plain(Some("  ")), plain(None)), (None, None));
    }

    proptest! {
        #[test]
        fn what_is_normal_stays_so(text in "\\PC{0,40}") {
            for read in [Name::person, Name::organisation] {
                let once = read(&text);
                let again = read(&once.tokens.join(" "));
                // Removing one word may expose another, once.
                prop_assert!(again.tokens.len() <= once.tokens.len());
            }
            prop_assert_eq!(plain(plain(Some(&text)).as_deref()), plain(Some(&text)));
        }

        #[test]
        fn case_and_spaces_never_matter(text in "[A-Za-zÀ-ÿ ]{1,30}") {
            let shouted = format!("  {} ", text.to_uppercase().replace(' ', "   "));
            prop_assert_eq!(Name::person(&text).key, Name::person(&shouted).key);
            prop_assert_eq!(Name::organisation(&text).key, Name::organisation(&shouted).key);
        }
    }
}
