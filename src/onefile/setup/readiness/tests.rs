//! Tests of the checklist rules, as tables.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;
use crate::onefile::setup::coverage::{CatalogueRow, Coverage, coverage};

fn named(id: &str) -> Named {
    Named { id: id.to_owned(), name: None }
}

fn linking(unlinked: &[Unlinked]) -> Linking<'_> {
    Linking { looked_up: true, in_use: 30, unlinked, gone: &[] }
}

fn good(coverage: &Coverage) -> ReadinessInput<'_> {
    ReadinessInput {
        token: Token::Tested("Copperfold"),
        desktop: Desktop::Never,
        officers: linking(&[]),
        organisations: linking(&[]),
        shared_mis_values: &[],
        without_email: &[],
        coverage: Some(coverage),
        classrooms: Classrooms { from_main_tag: false, without_default: &[] },
    }
}

/// The coverage of learners with these references and a catalogue with these codes.
fn covered(references: &[&str], codes: &[&str]) -> Coverage {
    let today = chrono::NaiveDate::from_ymd_opt(2026, 7, 1).unwrap();
    let plan: Vec<_> = references.iter().map(|it| serde_json::json!({"vqReference": it})).collect();
    let learner = serde_json::json!({"firstName": "Lucy", "lastName": "Example", "qualifications": plan});
    let learner = crate::domain::parse::parse_value(&learner, today).unwrap();
    let id = crate::domain::LearnerId::parse("L-1").unwrap();
    let rows: Vec<_> = (0..codes.len()).map(|n| n.to_string()).collect();
    let rows: Vec<_> = codes
        .iter()
        .zip(&rows)
        .map(|(code, id)| CatalogueRow { centre_id: "1", id, title: "", code: Some(code), archived: false })
        .collect();
    coverage([(&id, &learner)], &rows)
}

#[test]
fn all_good_is_ready() {
    let coverage = covered(&["A"], &["A"]);
    let found = readiness(&good(&coverage));
    assert!(found.ready);
    assert_eq!(found.checks.len(), 8);
    assert!(found.checks.iter().all(|check| check.verdict == Verdict::Ok && check.count == 0));
}

/// Breaks one thing in the complete input.
type Spoil<'a> = Box<dyn Fn(&mut ReadinessInput<'a>) + 'a>;

#[test]
fn each_line_has_its_verdict() {
    use CheckId::*;
    use Verdict::{Attention, Blocked, Ok};
    let whole = covered(&["A"], &["A"]);
    let (none, part) = (covered(&["A", "B"], &[]), covered(&["A", "B"], &["A"]));
    let forked = covered(&["A"], &["A", "A"]);
    let unlinked = |likely_there| [Unlinked { record: named("O-1"), likely_there }];
    let (likely, new) = (unlinked(true), unlinked(false));
    let no_email = |linked| [WithoutEmail { record: named("O-1"), linked }];
    let (to_create, linked) = (no_email(false), no_email(true));
    let gone = [named("O-1")];
    let shared = [SharedMisValue {
        centre_id: "1".into(),
        mis_value: "O-05".into(),
        assessors: vec!["5".into(), "6".into()],
    }];
    let centres = [named("1")];
    let cases: Vec<(CheckId, Verdict, usize, &str, Spoil<'_>)> = vec![
        (TokenTested, Blocked, 0, "/onefile/settings", Box::new(|it| it.token = Token::Missing)),
        (TokenTested, Blocked, 0, "/onefile/connection:test", Box::new(|it| it.token = Token::NotTested)),
        (
            TokenTested,
            Blocked,
            0,
            "/onefile/connection:test",
            Box::new(|it| it.token = Token::Failed("401.")),
        ),
        (
            DesktopIntegrationOff,
            Blocked,
            0,
            "/onefile/settings",
            Box::new(|it| it.desktop = Desktop::NotSaid),
        ),
        (DesktopIntegrationOff, Blocked, 0, "/onefile/settings", Box::new(|it| it.desktop = Desktop::Active)),
        (DesktopIntegrationOff, Ok, 0, "/onefile/migration", Box::new(|it| it.desktop = Desktop::Off)),
        (OfficersLinked, Blocked, 1, "/onefile/links:suggest", Box::new(|it| it.officers = linking(&likely))),
        (OfficersLinked, Attention, 1, "/onefile/links:suggest", Box::new(|it| it.officers = linking(&new))),
        (OfficersLinked, Blocked, 0, "/onefile/assessors", Box::new(|it| it.officers.looked_up = false)),
        (OfficersLinked, Blocked, 1, "/onefile/links", Box::new(|it| it.officers.gone = &gone)),
        (
            OrganisationsLinked,
            Blocked,
            1,
            "/onefile/links:suggest",
            Box::new(|it| it.organisations = linking(&likely)),
        ),
        (
            OrganisationsLinked,
            Blocked,
            0,
            "/onefile/placements",
            Box::new(|it| it.organisations.looked_up = false),
        ),
        (MisValuesUnique, Blocked, 1, "/onefile/assessors", Box::new(|it| it.shared_mis_values = &shared)),
        (OfficersHaveEmail, Blocked, 1, "/officers/{id}", Box::new(|it| it.without_email = &to_create)),
        (OfficersHaveEmail, Attention, 1, "/officers/{id}", Box::new(|it| it.without_email = &linked)),
        (
            QualificationsCovered,
            Blocked,
            0,
            "/onefile/qualifications:refresh",
            Box::new(|it| it.coverage = None),
        ),
        (
            QualificationsCovered,
            Blocked,
            2,
            "/onefile/qualifications/coverage",
            Box::new(|it| it.coverage = Some(&none)),
        ),
        (
            QualificationsCovered,
            Attention,
            1,
            "/onefile/qualifications/coverage",
            Box::new(|it| it.coverage = Some(&part)),
        ),
        (
            QualificationsCovered,
            Attention,
            1,
            "/onefile/qualifications/coverage",
            Box::new(|it| it.coverage = Some(&forked)),
        ),
        (
            DefaultClassroom,
            Blocked,
            1,
            "/onefile/settings",
            Box::new(|it| it.classrooms.without_default = &centres),
        ),
        (
            DefaultClassroom,
            Attention,
            1,
            "/onefile/settings",
            Box::new(|it| it.classrooms = Classrooms { from_main_tag: true, without_default: &centres }),
        ),
    ];
    for (id, verdict, count, path, spoil) in cases {
        let mut input = good(&whole);
        spoil(&mut input);
        let found = readiness(&input);
        let check = found.checks.iter().find(|check| check.id == id).unwrap();
        assert_eq!((check.verdict, check.count), (verdict, count), "{check:?}");
        assert_eq!(check.fix.unwrap().path, path, "{check:?}");
        assert_eq!(found.ready, verdict != Blocked, "{check:?}");
        assert_eq!(found.blocked().count(), usize::from(verdict == Blocked));
    }
}

#[test]
fn mis_values_that_two_of_one_centre_share() {
    let remote = |id, centre_id, mis_id, archived| Remote {
        id,
        centre_id,
        name: Cow::Borrowed(""),
        mis_id,
        email: None,
        uln: None,
        born: None,
        archived,
    };
    let found = shared_mis_values(&[
        remote("1", "1", Some("O-05"), false),
        remote("2", "1", Some(" o-05 "), true),
        remote("2", "1", Some(" o-05 "), true),
        remote("3", "2", Some("O-05"), false),
        remote("4", "1", Some(" "), false),
        remote("5", "1", Some(""), false),
        remote("6", "1", None, false),
    ]);
    let [shared] = found.as_slice() else { panic!("{}", found.len()) };
    assert_eq!((shared.centre_id.as_str(), shared.mis_value.as_str()), ("1", "O-05"));
    assert_eq!(shared.assessors, ["1", "2 (archived)"]);
}

proptest! {
    #[test]
    fn at_most_twenty_are_named_and_all_are_counted(likely in 0_usize..60, new in 0_usize..60) {
        let unlinked: Vec<_> = (0..likely + new)
            .map(|n| Unlinked { record: named(&format!("O-{n}")), likely_there: n < likely }).collect();
        let coverage = covered(&["A"], &["A"]);
        let found = readiness(&ReadinessInput { officers: linking(&unlinked), ..good(&coverage) });
        let check = &found.checks[2];
        prop_assert_eq!(check.count, if likely > 0 { likely } else { new });
        prop_assert_eq!(check.examples.len(), check.count.min(20));
        prop_assert_eq!(found.ready, likely == 0);
    }
}
