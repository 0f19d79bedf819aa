//! The rule for Unique Learner Numbers that ACE360's makers publish: multiply the first nine digits
//! by 10 to 2 and take the sum modulo 11. The tenth digit is 10 minus the remainder. Remainder 0
//! has no check digit.

/// The usual placeholder for "no ULN yet" in learner records. It belongs to no person.
const NOT_KNOWN: &str = "9999999999";

/// The error of a ULN in words. `None`: it is valid.
pub fn fault(uln: &str) -> Option<&'static str> {
    if uln.is_empty() || !uln.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some("The uln number must be numeric.");
    }
    if uln.len() != 10 {
        return Some("The uln number must be exactly 10 digits.");
    }
    if uln == NOT_KNOWN || uln.starts_with('0') {
        return Some("The uln number is not a learner's number.");
    }
    let (nine, last) = uln.split_at(9);
    let right = nine.parse().ok().and_then(check_digit).is_some_and(|digit| digit.to_string() == last);
    if right { None } else { Some("The uln number has an invalid checksum.") }
}

/// The check digit for these nine digits. `None`: the number cannot be used.
pub fn check_digit(nine: u64) -> Option<u64> {
    let mut rest = nine;
    let mut sum = 0;
    for weight in 2..=10 {
        sum += (rest % 10) * weight;
        rest /= 10;
    }
    match sum % 11 {
        0 => None,
        remainder => Some(10 - remainder),
    }
}

/// A ULN that differs for each `number`. The steps leave out the numbers without a check digit.
pub fn invented(number: u64) -> String {
    // Of any eleven consecutive nine-digit numbers two may be unusable, but never two in a row. So
    // use every second number, or its neighbour.
    let nine = 300_000_000 + (number % 300_000_000) * 2;
    let usable = [nine, nine + 1].into_iter().find_map(|nine| check_digit(nine).map(|digit| (nine, digit)));
    usable.map_or_else(String::new, |(nine, digit)| format!("{nine}{digit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_follows_the_published_rule() {
        assert_eq!(fault("1000102504"), None);
        assert!(fault("3000600342").is_some_and(|fault| fault.contains("checksum")));
        assert!(fault("9999999999").is_some());
        assert!(fault("100010250").is_some_and(|fault| fault.contains("10 digits")));
        assert!(fault("10001O2504").is_some_and(|fault| fault.contains("numeric")));
    }

    #[test]
    fn invented_numbers_are_valid_and_all_different() {
        let numbers: std::collections::HashSet<String> = (0..20_000).map(invented).collect();
        assert_eq!(numbers.len(), 20_000);
        assert!(numbers.iter().all(|uln| fault(uln).is_none()));
    }
}
