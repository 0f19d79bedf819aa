//! For the guide's table of fields: what goes to OneFile and comes from it, as the mappings themselves say.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::Value;

use super::enrol::{learner_fields, makings};
use super::exchange::{aim_field, of_officer, of_organisation, user_field};
use super::takeover::{
    ChangedRecord, Pair, RemoteAim, RemoteReview, Side, TakeoverSettings, of_learner, reviews_to_push,
};
use super::wire::{Placement, User};
use crate::domain::{DemographicsMode, Learner, LearnerId, Officer, Organisation, VisitType};
use crate::store::PortfolioUser;

const DOWN: &str = "comes down";
const BY_MODE: &str = "pushed or pulled, if so set";

/// What is sent, by OneFile's names: `User.FirstName`.
pub(crate) type Sent = BTreeMap<String, Value>;

/// What an enrolment sends of a learner.
pub(crate) fn enrolment(learner: &Learner) -> Sent {
    let id = LearnerId::parse("L-1").unwrap();
    let mut sent = Sent::new();
    for field in learner_fields(&id, learner) {
        sent.insert(format!("User.{}", field.name), field.value);
    }
    if let Some(qualification) = learner.qualifications.first() {
        put(&mut sent, "LearningAim", makings::details("1", "2", qualification).as_ref());
    }
    for review in reviews_to_push(learner, &[]).0 {
        let holder = review.officer_id.as_deref();
        let visit = makings::visit("1", "2", holder, &review.from, VisitType::NotSpecified);
        put(&mut sent, "Visit", visit.body.as_ref());
        put(&mut sent, "Review", makings::review("1", holder, &review.from, "3").body.as_ref());
    }
    sent
}

/// What makes an assessor of an officer.
pub(crate) fn officer(officer: &Officer) -> Sent {
    let mut sent = Sent::new();
    put(&mut sent, "User", makings::assessor("O-1", officer, "1").body.as_ref());
    sent
}

/// What makes a placement of an organisation.
pub(crate) fn organisation(organisation: &Organisation) -> Sent {
    let mut sent = Sent::new();
    put(&mut sent, "Placement", makings::placement("E-1", organisation, "1").body.as_ref());
    sent
}

fn put(sent: &mut Sent, noun: &str, body: Option<&Value>) {
    for (name, value) in body.and_then(Value::as_object).into_iter().flatten() {
        sent.insert(format!("{noun}.{name}"), value.clone());
    }
}

/// What the daily exchange does with each field of a learner's, whose record holds a value in all of them.
pub(crate) fn daily(learner: &Learner) -> BTreeMap<String, String> {
    let mut seen: BTreeMap<(ChangedRecord, &'static str), Vec<String>> = BTreeMap::new();
    let mut blank = learner.clone();
    for own in &mut blank.qualifications {
        (own.registration_number, own.registration_date) = (None, None);
        (own.certificate_applied_for_date, own.certificate_received_date) = (None, None);
    }
    let (others, nothing) = (remote(true), remote(false));
    let modes = [DemographicsMode::Ignored, DemographicsMode::Pushed, DemographicsMode::Pulled];
    for (learner, there) in [(learner, &others), (learner, &nothing), (&blank, &others)] {
        for mode in modes {
            for change in differing(learner, there, mode) {
                let what = match (change.1, change.2) {
                    (ChangedRecord::Learner, Side::OneFile) => "pushed",
                    (ChangedRecord::Learner, Side::PicsWeb) => "pulled",
                    (_, Side::OneFile) => "fills a blank there",
                    (_, Side::PicsWeb) => DOWN,
                };
                let all = seen.entry((change.1, change.0)).or_default();
                if !all.iter().any(|own| own == what) {
                    all.push(what.to_owned());
                }
            }
        }
    }
    let mut told = BTreeMap::new();
    for ((record, field), what) in seen {
        let (pointer, name) = match (record, field) {
            (ChangedRecord::Learner, _) => {
                (format!("/{field}"), format!("User.{}", user_field(field).unwrap()))
            }
            (ChangedRecord::Review, _) => (format!("/reviews/0/{field}"), "Review.StartedOn".to_owned()),
            (_, "totalElements") => {
                (format!("/qualifications/0/{field}"), "LearningAim.TotalElements".to_owned())
            }
            (_, "elementsDone") => {
                (format!("/qualifications/0/{field}"), "LearningAim.ElementsDone, else Progress".to_owned())
            }
            (ChangedRecord::Qualification, _) => {
                (format!("/qualifications/0/{field}"), format!("LearningAim.{}", aim_field(field)))
            }
        };
        let what = match (record, what.as_slice()) {
            (ChangedRecord::Learner, [one]) => format!("{one}, if so set"),
            (ChangedRecord::Learner, _) => BY_MODE.to_owned(),
            (_, [one]) if one == DOWN => "comes down".to_owned(),
            _ => "fills a blank side; both filled: OneFile's comes down".to_owned(),
        };
        told.insert(pointer, format!("{name}: {what}"));
    }
    told
}

/// What the daily exchange compares of an officer.
pub(crate) fn daily_of_officer() -> BTreeMap<String, String> {
    by_mode("User", of_officer(&Value::Null, User::default()))
}

/// What the daily exchange compares of an organisation.
pub(crate) fn daily_of_organisation() -> BTreeMap<String, String> {
    by_mode("Placement", of_organisation(&Value::Null, Placement::default()))
}

fn by_mode(noun: &str, fields: Vec<super::exchange::Field>) -> BTreeMap<String, String> {
    fields
        .into_iter()
        .map(|(here, there, ..)| (format!("/{here}"), format!("{noun}.{there}: {BY_MODE}")))
        .collect()
}

type Remote = (PortfolioUser, Vec<RemoteAim>, Vec<RemoteReview>);

/// A learner in OneFile who is other than here in all, or of whom nothing is known there.
fn remote(full: bool) -> Remote {
    let text = || full.then(|| "9".to_owned());
    let day = full.then(|| NaiveDate::from_ymd_opt(2026, 3, 9).unwrap());
    let user = PortfolioUser {
        first_name: text(),
        last_name: text(),
        email: text(),
        telephone: text(),
        mobile: text(),
        date_of_birth: day,
        uln: text(),
        national_insurance_number: text(),
        ethnicity: text(),
        sex: text(),
        home_address: text(),
        ..PortfolioUser::default()
    };
    let aim = RemoteAim {
        id: "501".to_owned(),
        code: Some("196AS".to_owned()),
        unread: false,
        registration_number: text(),
        registration_date: day,
        certificate_applied: day,
        certificate_received: day,
        total_elements: full.then_some(99),
        elements_done: full.then_some(98),
        progress: None,
    };
    (user, vec![aim], vec![RemoteReview { id: "700".to_owned(), scheduled: day, started: day }])
}

fn differing(
    learner: &Learner,
    (user, aims, reviews): &Remote,
    mode: DemographicsMode,
) -> Vec<(&'static str, ChangedRecord, Side)> {
    let id = LearnerId::parse("L-1").unwrap();
    let settings = TakeoverSettings {
        learner_demographics: mode,
        upload_reviews: true,
        download_reviews: true,
        today: NaiveDate::from_ymd_opt(2026, 7, 1).unwrap(),
    };
    let pair = Pair { id: &id, learner, centre_id: "1", user_id: "2", user, aims, reviews, remarks: &[] };
    of_learner(&pair, settings).changes.iter().map(|own| (own.field, own.record, own.side)).collect()
}
