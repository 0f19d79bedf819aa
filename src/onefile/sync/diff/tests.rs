//! Tests of the rules of the first synchronisation, as tables.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::parse::parse_value;
use crate::domain::{DemographicsMode, LearnerId};
use crate::onefile::client::wire::LearningAim;
use crate::store::{PortfolioAim, PortfolioReview};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn settings() -> TakeoverSettings {
    TakeoverSettings {
        learner_demographics: DemographicsMode::Ignored,
        upload_reviews: true,
        download_reviews: true,
        today: day("2026-07-01"),
    }
}

fn learner(fields: &Value) -> Learner {
    let mut value = json!({
        "firstName": "Lucy", "lastName": "Example", "status": "live", "programme": {"startDate": "2025-09-01"}
    });
    for (name, field) in fields.as_object().unwrap() {
        value[name] = field.clone();
    }
    parse_value(&value, day("2026-07-01")).unwrap()
}

fn of(
    fields: &Value,
    user: &User,
    aims: &[PortfolioAim],
    reviews: &[PortfolioReview],
    settings: TakeoverSettings,
) -> Takeover {
    let (id, learner, user) = (LearnerId::parse("L-1").unwrap(), learner(fields), &PortfolioUser::from(user));
    let mut found = Takeover::default();
    let (centre_id, user_id) = ("1001", "2041");
    let pair = Pair { id: &id, learner: &learner, centre_id, user_id, user, aims, reviews, remarks: &[] };
    found.add(&pair, settings);
    found
}

/// The changes as `field: before > after @side`.
fn changes(found: &Takeover) -> Vec<String> {
    let changes = found.learners.iter().flat_map(|learner| &learner.changes);
    changes
        .map(|it| {
            format!(
                "{}: {} > {} @{:?}",
                it.field.here,
                it.before.as_deref().unwrap_or("-"),
                it.after,
                it.side
            )
        })
        .collect()
}

fn aim() -> LearningAim {
    LearningAim { id: "501".into(), ..LearningAim::default() }
}

/// The learning aim in its stored form.
fn stored(code: Option<&str>, aim: &LearningAim) -> PortfolioAim {
    PortfolioAim {
        learning_aim_id: aim.id.clone(),
        vq_reference: code.map(str::to_owned),
        read: true,
        fields: fields::values(fields::QUALIFICATION, aim),
        ..PortfolioAim::default()
    }
}

#[test]
fn registration_and_certificates_fill_blanks_and_one_file_wins() {
    let date = || Some(day("2026-01-02"));
    for (ours, theirs, expected) in [
        (json!({}), aim(), None),
        (json!({"registrationNumber": "R1"}), aim(), Some("registrationNumber: - > R1 @OneFile")),
        (
            json!({}),
            LearningAim { registration_number: Some("R2".into()), ..aim() },
            Some("registrationNumber: - > R2 @PicsWeb"),
        ),
        (
            json!({"registrationNumber": "R1"}),
            LearningAim { registration_number: Some("R2".into()), ..aim() },
            Some("registrationNumber: R1 > R2 @PicsWeb"),
        ),
        (
            json!({"registrationNumber": "R1"}),
            LearningAim { registration_number: Some(" R1 ".into()), ..aim() },
            None,
        ),
        (
            json!({"registrationNumber": "R1"}),
            LearningAim { registration_number: Some("  ".into()), ..aim() },
            Some("registrationNumber: - > R1 @OneFile"),
        ),
        (
            json!({"registrationDate": "2026-01-01"}),
            LearningAim { registered: date(), ..aim() },
            Some("registrationDate: 2026-01-01 > 2026-01-02 @PicsWeb"),
        ),
        (
            json!({"certificateAppliedForDate": "2026-01-02"}),
            LearningAim { certificate_applied: date(), ..aim() },
            None,
        ),
        (
            json!({}),
            LearningAim { certificate_received: date(), ..aim() },
            Some("certificateReceivedDate: - > 2026-01-02 @PicsWeb"),
        ),
        (
            json!({"totalElements": 12, "elementsDone": 3}),
            LearningAim { total_elements: Some(12), elements_done: Some(5), progress: Some(40.0), ..aim() },
            Some("elementsDone: 3 > 5 @PicsWeb"),
        ),
        (
            json!({"totalElements": 100, "elementsDone": 3}),
            LearningAim { progress: Some(40.0), ..aim() },
            Some("elementsDone: 3 > 40 @PicsWeb"),
        ),
        (json!({"totalElements": 12, "elementsDone": 3}), aim(), None),
    ] {
        let mut qualification = ours.clone();
        qualification["vqReference"] = json!("196AS");
        let found = of(
            &json!({"qualifications": [qualification]}),
            &User::default(),
            &[stored(Some("196 as"), &theirs)],
            &[],
            settings(),
        );
        assert_eq!(changes(&found), Vec::from_iter(expected), "{ours}");
    }
}

#[test]
fn qualifications_that_cannot_be_paired_are_told() {
    let ours = |references: &[&str]| {
        let list: Vec<_> =
            references.iter().map(|it| json!({"vqReference": it, "registrationNumber": "R"})).collect();
        json!({"qualifications": list})
    };
    let theirs = |code: Option<&str>| stored(code, &aim());
    let unread = PortfolioAim { read: false, ..theirs(Some("A")) };
    for (references, aims, words) in [
        (vec!["A"], vec![], "OneFile has no learning aim [A]"),
        (vec![], vec![theirs(Some("A"))], "No qualification with the VQ reference A"),
        (vec!["A", "a"], vec![theirs(Some("A"))], "2 qualifications here, 1 learning aim in OneFile"),
        (vec![], vec![theirs(None)], "501 has no code"),
        (vec!["A"], vec![unread], "[A] is not compared: its learning aim could not be read"),
    ] {
        let found = of(&ours(&references), &User::default(), &aims, &[], settings());
        assert!(found.learners[0].notes[0].contains(words), "{:?}", found.learners[0].notes);
        assert_eq!((changes(&found).len(), found.counts.unchanged), (0, 1));
    }
}

#[test]
fn open_reviews_go_up() {
    let review = |fields: Value| {
        let mut review = json!({"reviewId": "R-1", "type": "Normal", "scheduledDate": "2026-08-01"});
        for (name, field) in fields.as_object().unwrap() {
            review[name] = field.clone();
        }
        json!({"reviews": [review]})
    };
    for (fields, pushed, old) in [
        (json!({}), 1, 0),
        (json!({"type": " normal "}), 1, 0),
        (json!({"scheduledDate": "2025-12-01"}), 1, 1),
        (json!({"scheduledDate": "2026-07-01"}), 1, 0),
        (json!({"scheduledDate": null}), 0, 0),
        (json!({"type": "Exit"}), 0, 0),
        (json!({"type": null}), 0, 0),
        (json!({"attendance": "notAttended"}), 0, 0),
        (json!({"actualDate": "2026-06-01"}), 0, 0),
        (json!({"oneFileId": "70211"}), 0, 0),
    ] {
        let found = of(&review(fields.clone()), &User::default(), &[], &[], settings());
        assert_eq!((found.counts.reviews_pushed, found.counts.old_reviews_pushed), (pushed, old), "{fields}");
        let off = TakeoverSettings { upload_reviews: false, ..settings() };
        let found = of(&review(fields), &User::default(), &[], &[], off);
        assert_eq!(found.counts.reviews_pushed, 0);
    }
}

#[test]
fn reviews_come_down_and_say_who_came() {
    let ours = json!({"reviews": [
        {"reviewId": "R-1", "type": "Normal", "scheduledDate": "2026-06-01"},
        {"reviewId": "R-2", "oneFileId": "2", "attendance": "notAttended"},
        {"reviewId": "R-3", "oneFileId": "3"},
        {"reviewId": "R-4", "oneFileId": "4"},
    ]});
    let noon = |day: &str| format!("{day}T12:00:00Z").parse().ok();
    let review = |id: &str, started: bool| PortfolioReview {
        one_file_id: id.to_owned(),
        scheduled_for: noon("2026-06-01"),
        started_on: noon("2026-06-02").filter(|_| started),
        ..PortfolioReview::default()
    };
    let theirs = [review("1", true), review("2", true), review("3", false)];
    let found = of(&ours, &User::default(), &[], &theirs, settings());
    let [learner] = found.learners.as_slice() else { panic!("{found:?}") };
    assert_eq!(changes(&found), ["attendance: notAttended > attended @PicsWeb"]);
    assert_eq!(learner.reviews_pushed[0].same_day, ["1"]);
    let pulled: Vec<_> =
        learner.reviews_pulled.iter().map(|it| (it.one_file_id.as_str(), it.attended)).collect();
    assert_eq!(pulled, [("1", true)]);
    assert!(learner.notes[0].contains("no review 4"));
    let off = TakeoverSettings { download_reviews: false, ..settings() };
    let found = of(&ours, &User::default(), &[], &theirs, off);
    assert_eq!((changes(&found).len(), found.counts.reviews_pulled, found.counts.reviews_pushed), (0, 0, 1));
}

#[test]
fn demographics_go_by_the_mode() {
    let ours = json!({
        "email": "lucy@example.com", "telephone": "01632 960001", "uln": "1000102504", "dateOfBirth": "2005-03-14",
        "address": {"line1": "2 Mill Lane", "line3": "Oxford", "postcode": "OX4 3AB"}, "sex": "F", "ethnicity": 31
    });
    let theirs = User {
        first_name: Some("Lucy ".into()),
        last_name: Some("Old".into()),
        email: Some("LUCY@example.com".into()),
        telephone: Some("01632960001".into()),
        mobile: Some("07700 900001".into()),
        date_of_birth: Some(day("2005-03-14")),
        uln: Some("1000102512".into()),
        ethnicity: Some("31".into()),
        sex: None,
        home_address: Some("2 Mill Lane, Oxford, OX4 3AB".into()),
        national_insurance_number: Some(" ".into()),
        ..User::default()
    };
    for (mode, expected) in [
        (DemographicsMode::Ignored, vec![]),
        (
            DemographicsMode::Pushed,
            vec![
                "lastName: Old > Example @OneFile",
                "uln: 1000102512 > 1000102504 @OneFile",
                "sex: - > F @OneFile",
            ],
        ),
        (
            DemographicsMode::Pulled,
            vec!["lastName: Example > Old @PicsWeb", "mobile: - > 07700 900001 @PicsWeb"],
        ),
    ] {
        let settings = TakeoverSettings { learner_demographics: mode, ..settings() };
        assert_eq!(changes(&of(&ours, &theirs, &[], &[], settings)), expected, "{mode:?}");
    }
}

#[test]
fn only_learners_in_learning_are_touched() {
    for (fields, touched) in [
        (json!({}), true),
        (json!({"status": "dormant"}), false),
        (json!({"status": null}), false),
        (json!({"programme": null}), false),
        (json!({"programme": {"startDate": "2026-07-02"}}), false),
        (json!({"programme": {"startDate": "2025-09-01", "actualEndDate": "2026-06-01"}}), true),
        (json!({"programme": {"startDate": "2025-09-01", "actualEndDate": "2026-05-31"}}), false),
    ] {
        let found = of(&fields, &User::default(), &[], &[], settings());
        assert_eq!(
            (found.counts.learners, found.counts.not_eligible),
            (1, usize::from(!touched)),
            "{fields}"
        );
    }
}

proptest! {
    #[test]
    fn after_it_nothing_differs_and_nothing_is_blanked(
        ours in prop::option::of("[a-c]"), theirs in prop::option::of("[a-c ]"),
        total in prop::option::of(0_i64..9), counted in prop::option::of(0_i64..9),
    ) {
        let aim = LearningAim { registration_number: theirs, total_elements: counted, ..aim() };
        let mut aim = stored(Some("196AS"), &aim);
        let mut qualification = json!({"vqReference": "196AS", "registrationNumber": ours, "totalElements": total});
        let plan = |qualification: &Value| json!({"qualifications": [qualification]});
        let first = of(&plan(&qualification), &User::default(), std::slice::from_ref(&aim), &[], settings());
        for change in first.learners.iter().flat_map(|learner| &learner.changes) {
            prop_assert!(!change.after.trim().is_empty());
            prop_assert_ne!(change.before.as_ref(), Some(&change.after));
            prop_assert_eq!(change.effect == Effect::Fills, change.before.is_none());
            match change.side {
                Side::OneFile => { aim.fields.insert(change.field.there.to_owned(), change.after.clone()); }
                Side::PicsWeb => qualification[change.field.here] = change.field.record_value(&change.after),
            }
        }
        let second = of(&plan(&qualification), &User::default(), &[aim], &[], settings());
        prop_assert_eq!((changes(&second), second.counts.unchanged), (vec![], 1));
    }
}
