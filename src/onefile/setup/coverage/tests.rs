//! Tests of the coverage rules, as tables.

use chrono::NaiveDate;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::parse::parse_value;

fn learner(id: &str, standard: Option<u32>, references: &[&str]) -> (LearnerId, Learner) {
    let today = NaiveDate::from_ymd_opt(2026, 7, 1).unwrap();
    let qualifications: Vec<_> =
        references.iter().map(|it| json!({"vqReference": (!it.is_empty()).then_some(it)})).collect();
    let value = json!({
        "firstName": "Lucy", "lastName": "Example", "qualifications": qualifications,
        "programme": {"type": 25, "standardCode": standard},
    });
    (LearnerId::parse(id).unwrap(), parse_value(&value, today).unwrap())
}

fn row<'a>(centre_id: &'a str, id: &'a str, code: &'a str) -> CatalogueRow<'a> {
    CatalogueRow { centre_id, id, title: "Sample aim", code: Some(code), archived: false }
}

fn of(learners: &[(LearnerId, Learner)], rows: &[CatalogueRow<'_>]) -> Coverage {
    coverage(learners.iter().map(|(id, learner)| (id, learner)), rows)
}

#[test]
fn each_reference_is_matched_ambiguous_or_missing() {
    use Choose::{Centre, Pathway};
    use CoverageState::{Ambiguous, Matched, Missing};
    let learners = [learner("L-1", None, &["603/9001/1"])];
    let old = CatalogueRow { archived: true, ..row("1", "9", "603/9001/1") };
    for (rows, state, choose, matches, words) in [
        (vec![row("1", "7", "603 / 9001 / 1")], Matched, vec![], 1, "nothing to do"),
        (vec![row("1", "7", "603/9001/1"), row("1", "7", "603/9001/1")], Matched, vec![], 1, "nothing to do"),
        (vec![row("1", "7", "603/9001/1"), old], Matched, vec![], 1, "nothing to do"),
        (
            vec![row("1", "7", "603/9001/1"), row("2", "8", "603/9001/1")],
            Ambiguous,
            vec![Centre],
            2,
            "(1, 2)",
        ),
        (
            vec![row("1", "7", "603/9001/1"), row("1", "8", "603/9001/1")],
            Ambiguous,
            vec![Pathway],
            2,
            "2 pathways",
        ),
        (
            vec![row("1", "6", "603/9001/1"), row("1", "7", "603/9001/1"), row("2", "8", "603/9001/1")],
            Ambiguous,
            vec![Centre, Pathway],
            3,
            "both",
        ),
        (vec![old], Missing, vec![], 1, "archive"),
        (vec![row("1", "7", "60390011")], Missing, vec![], 0, "OneFile has 60390011"),
        (vec![CatalogueRow { code: None, ..row("1", "7", "") }], Missing, vec![], 0, "[603/9001/1]"),
        (vec![], Missing, vec![], 0, "leave it out"),
    ] {
        let found = of(&learners, &rows);
        let [item] = found.items.as_slice() else { panic!("{found:?}") };
        assert_eq!((item.state, &item.choose, item.matches.len()), (state, &choose, matches), "{item:?}");
        assert!(item.message.contains(words), "{}", item.message);
        assert_eq!(item.learners, LearnersMet { count: 1, ids: vec!["L-1".to_owned()] });
    }
}

#[test]
fn spellings_of_one_reference_are_one_item() {
    let learners = [
        learner("L-1", None, &["196AS"]),
        learner("L-2", None, &["196 as", "196AS", ""]),
        learner("L-3", None, &["196AS"]),
    ];
    let found = of(&learners, &[row("1", "7", "196As")]);
    let [item] = found.items.as_slice() else { panic!("{found:?}") };
    assert_eq!((item.vq_reference.as_str(), item.learners.count), ("196AS", 3));
    assert_eq!(item.spellings, ["196 as", "196AS"]);
    assert_eq!(item.matches[0].code, "196As");
    assert_eq!(found.without_reference.ids, ["L-2"]);
}

#[test]
fn the_four_aims_of_a_standard() {
    use StandardAim::{EndPoint, Gateway, OnProgramme, Standard};
    let learners = [learner("L-1", Some(196), &["196AS", "196OP"]), learner("L-2", Some(196), &["196AS"])];
    let found = of(&learners, &[row("1", "1", "196AS"), row("1", "2", "196EP"), row("2", "3", "196EP")]);
    let aims = found.items.iter().find(|it| it.vq_reference == "196AS").unwrap().standard.as_ref().unwrap();
    assert_eq!((&aims.present, &aims.absent), (&vec![Standard, EndPoint], &vec![OnProgramme, Gateway]));
    let [standard] = found.standards.as_slice() else { panic!("{found:?}") };
    assert_eq!((standard.lars_code, standard.learners.count), (196, 2));
    let lacking: Vec<_> = standard.aims.iter().map(|aim| aim.not_in_plan.count).collect();
    assert_eq!(lacking, [0, 1, 2, 2]);
    assert!(standard.message.contains("Not in OneFile: 196OP, 196GW."), "{}", standard.message);
    assert!(standard.message.contains("In several places: 196EP."), "{}", standard.message);
    assert_eq!(found.counts, CoverageCounts { matched: 1, ambiguous: 0, missing: 1 });
    // The learner is on the standard, but the plan is empty.
    let found = of(&[learner("L-1", Some(2), &[])], &[]);
    assert_eq!((found.items.len(), found.standards[0].aims[0].not_in_plan.count), (0, 1));
    let whole = StandardAim::ALL.map(|aim| aim.code(2));
    let plan: Vec<&str> = whole.iter().map(String::as_str).collect();
    let rows: Vec<_> = whole.iter().map(|code| row("1", code, code)).collect();
    let found = of(&[learner("L-1", Some(2), &plan)], &rows);
    assert!(found.standards[0].message.contains("nothing to do"));
}

#[test]
fn the_first_twenty_learners_are_named() {
    let learners: Vec<_> = (0..25).map(|n| learner(&format!("L-{n:02}"), None, &["A"])).collect();
    let found = of(&learners, &[]);
    assert_eq!((found.items[0].learners.count, found.items[0].learners.ids.len()), (25, 20));
    assert_eq!(found.items[0].learners.ids[19], "L-19");
}

proptest! {
    #[test]
    fn every_reference_is_in_the_answer_once(
        plans in prop::collection::vec(prop::collection::vec("[abAB1]{1,2}", 0..4), 0..6),
        codes in prop::collection::vec(("[12]", "[AB1]{1,2}", any::<bool>()), 0..8),
    ) {
        let learners: Vec<_> = plans.iter().enumerate().map(|(n, plan)| {
            learner(&format!("L-{n}"), None, &plan.iter().map(String::as_str).collect::<Vec<_>>())
        }).collect();
        let ids: Vec<String> = (0..codes.len()).map(|n| n.to_string()).collect();
        let rows: Vec<_> = codes.iter().zip(&ids).map(|((centre, code, archived), id)| {
            CatalogueRow { archived: *archived, ..row(centre, id, code) }
        }).collect();
        let found = of(&learners, &rows);
        let keys: BTreeSet<String> = plans.iter().flatten().map(|it| it.to_uppercase()).collect();
        let items: Vec<String> = found.items.iter().map(|it| it.vq_reference.to_uppercase()).collect();
        prop_assert_eq!(items.iter().cloned().collect::<BTreeSet<_>>(), keys);
        prop_assert_eq!(items.len(), found.counts.matched + found.counts.ambiguous + found.counts.missing);
        for item in &found.items {
            let live = rows.iter().filter(|row| !row.archived && row.code == Some(&item.vq_reference.to_uppercase())).count();
            prop_assert_eq!(item.state == CoverageState::Missing, live == 0);
            prop_assert_eq!(item.state == CoverageState::Matched, live == 1);
            prop_assert_eq!(item.choose.is_empty(), live < 2);
        }
    }
}
