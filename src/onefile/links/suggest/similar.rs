//! The similarity of two names, from 0 to 1: by their words in any order, and by their letters as a
//! whole.

use strsim::{jaro_winkler, osa_distance};

use super::normal::Name;

/// Names with a lower similarity are not similar.
pub const NEAR: f64 = 0.82;
/// Words with a lower similarity are different words: `Smith` and `Smyth` are above it, `Smith` and
/// `Smart` below.
const SAME_WORD: f64 = 0.85;

/// The similarity; 0 if one name has a number that the other lacks.
pub fn similarity(one: &Name, other: &Name) -> f64 {
    if one.numbered != other.numbered || one.key.is_empty() || other.key.is_empty() {
        return 0.0;
    }
    by_letters(&one.key, &other.key).max(by_words(&one.tokens, &other.tokens))
}

fn by_letters(one: &str, other: &str) -> f64 {
    let (ours, theirs) = (one.chars().count(), other.chars().count());
    let longer = ours.max(theirs);
    // The number of edits is at least the difference in length, so do not count them in this case.
    if ratio(ours.min(theirs), longer) < NEAR {
        return 0.0;
    }
    1.0 - ratio(osa_distance(one, other), longer)
}

/// Pairs each word with the most similar one. A word that only one name has (a middle name, a town)
/// counts half.
fn by_words(one: &[String], other: &[String]) -> f64 {
    let (fewer, more) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let mut used = vec![false; more.len()];
    let (mut alike, mut all, mut lonely) = (0.0, 0.0, 0.0);
    for word in fewer {
        let best = more
            .iter()
            .enumerate()
            .filter(|(index, _)| !used[*index])
            .map(|(index, candidate)| (index, word_similarity(word, candidate)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        match best {
            Some((index, likeness)) if likeness >= SAME_WORD => {
                used[index] = true;
                let weight = length(word) + length(&more[index]);
                alike += weight * likeness;
                all += weight;
            }
            _ => lonely += length(word),
        }
    }
    let rest: f64 = more.iter().zip(&used).filter(|(_, used)| !**used).map(|(word, _)| length(word)).sum();
    let share = if lonely > 0.0 { 1.0 } else { 0.5 };
    let whole = all + lonely + share * rest;
    if whole > 0.0 { alike / whole } else { 0.0 }
}

fn word_similarity(one: &str, other: &str) -> f64 {
    let initial = |short: &str, long: &str| short.chars().count() == 1 && long.starts_with(short);
    if one != other && (initial(one, other) || initial(other, one)) {
        return SAME_WORD;
    }
    jaro_winkler(one, other)
}

fn length(word: &str) -> f64 {
    ratio(word.chars().count(), 1)
}

/// Names are short, so no precision is lost.
fn ratio(part: usize, whole: usize) -> f64 {
    let float = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    float(part) / float(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn near_and_not_near() {
        for (one, other, near) in [
            ("John Smith", "Jon Smith", true),
            ("John Smith", "John Smyth", true),
            ("John Smith", "J Smith", true),
            ("John Smith", "John Paul Smith", true),
            ("Sam Okoro", "Samuel Okoro", true),
            ("Jessop-Vale Keziah", "Keziah Jessopvale", true),
            ("John Smith", "John Smart", false),
            ("Amara Ashdown", "Amara Brockwell", false),
            ("Amara Ashdown", "Bertil Ashdown", false),
            ("John", "John Smith", false),
        ] {
            let likeness = similarity(&Name::person(one), &Name::person(other));
            assert_eq!(likeness >= NEAR, near, "{one} / {other}: {likeness}");
        }
        for (one, other, near) in [
            ("Larkrise Services Ltd", "Larkrise Services (Oxford)", true),
            ("Tideway Group", "Tidewy Group", true),
            ("Tideway", "Tideway Construction Services", false),
            ("Brindle & Sons 12", "Brindle & Sons 13", false),
            ("Brindle & Sons 12", "Brindle & Sons", false),
            ("Halcyon Works", "Halcyon Care", false),
        ] {
            let likeness = similarity(&Name::organisation(one), &Name::organisation(other));
            assert_eq!(likeness >= NEAR, near, "{one} / {other}: {likeness}");
        }
    }

    proptest! {
        #[test]
        fn between_0_and_1_and_1_with_itself(one in "\\PC{0,30}", other in "\\PC{0,30}") {
            let (one, other) = (Name::organisation(&one), Name::organisation(&other));
            let likeness = similarity(&one, &other);
            prop_assert!((0.0..=1.0).contains(&likeness), "{}", likeness);
            if !one.key.is_empty() {
                prop_assert!(similarity(&one, &one) > 0.999);
            }
        }
    }
}
