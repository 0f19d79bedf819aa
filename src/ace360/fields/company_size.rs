//! The employer's company size, from SEM (small employer) and Employee Count.
//!
//! PICSWeb says "using" both, not how; ACE360's words are not public (assumed). SEM is recorded only where
//! funding rules ask for it, so its absence says nothing about the size; fewer than 50 is the Department for
//! Education's bound of a small employer.

use super::reading::{Reading, sent};
use crate::domain::Organisation;

const SMALL: &str = "Small (0-49)";
const MEDIUM: &str = "Medium (50-249)";
const LARGE: &str = "Large (250+)";

pub(super) fn read(employer: &Organisation) -> Reading {
    let (band, warning) = of(employer.sem, employer.employee_count);
    let reading = sent(band);
    let reading = match (employer.sem, employer.employee_count) {
        (Some(true), None) => reading.shown_at("Organisation (Additional Details) > SEM".to_owned()),
        (None, Some(_)) => reading.shown_at("Organisation (Additional Details) > Employee Count".to_owned()),
        _ => reading,
    };
    match warning {
        Some(warning) => reading.warn(warning),
        None => reading,
    }
}

/// The size and a warning. The count decides where there is one; SEM alone can only say small.
fn of(sem: Option<bool>, employee_count: Option<i64>) -> (Option<&'static str>, Option<&'static str>) {
    let Some(count) = employee_count.filter(|count| *count >= 0) else {
        return match sem {
            Some(true) => (Some(SMALL), None),
            Some(false) | None => (
                None,
                Some(
                    "Not sent, since the size is not known: enter Organisation > Additional Details > Employee Count.",
                ),
            ),
        };
    };
    let band = match count {
        ..50 => SMALL,
        50..250 => MEDIUM,
        _ => LARGE,
    };
    let warning = match sem {
        Some(true) if count >= 50 => Some(
            "SEM says small employer, Employee Count says 50 or more: the count is sent. \
             Compare both in Organisation > Additional Details.",
        ),
        Some(false) if count < 50 => Some(
            "SEM says no small employer, Employee Count says fewer than 50: the count is sent. \
             Compare both in Organisation > Additional Details.",
        ),
        _ => None,
    };
    (Some(band), warning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_decides_and_sem_alone_can_only_say_small() {
        for (sem, count, band, warned) in [
            (None, Some(0), Some(SMALL), false),
            (None, Some(49), Some(SMALL), false),
            (None, Some(50), Some(MEDIUM), false),
            (None, Some(249), Some(MEDIUM), false),
            (None, Some(250), Some(LARGE), false),
            (Some(true), Some(49), Some(SMALL), false),
            (Some(true), Some(50), Some(MEDIUM), true),
            (Some(false), Some(49), Some(SMALL), true),
            (Some(false), Some(250), Some(LARGE), false),
            (Some(true), None, Some(SMALL), false),
            (Some(false), None, None, true),
            (None, None, None, true),
            (Some(true), Some(-1), Some(SMALL), false),
        ] {
            let (size, warning) = of(sem, count);
            assert_eq!((size, warning.is_some()), (band, warned), "{sem:?} {count:?}");
        }
    }
}
