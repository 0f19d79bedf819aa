//! The guarantees of parsing: all faults at once, each at its place, and none with a value in it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::domain::fault::join;
use crate::domain::*;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 7, 1).unwrap()
}

pub(in crate::domain) fn full() -> Value {
    json!({
        "firstName": "Lucy", "lastName": "Example", "dateOfBirth": "2006-02-03", "sex": "F", "ethnicity": 31,
        "disability": 2, "nationalInsuranceNumber": "AB123456C", "uln": "1000102504", "email": "lucy@example.com",
        "telephone": "01632 960001", "mobile": "07700 900001",
        "address": {"line1": "1 High Street", "line2": null, "line3": "Oxford", "line4": "", "postcode": "OX1 1AA"},
        "status": "live",
        "programme": {"type": 25, "standardCode": 54, "startDate": "2025-09-01", "plannedEndDate": "2027-08-31",
            "actualEndDate": null, "fundingOrganisation": "SFZZ", "additionalNeeds": false},
        "ace360": {"standardId": 204}, "employerId": "ORG7", "mainOfficerId": "OFF12", "mainTag": "Vehicle",
        "officers": [{"role": "IV", "officerId": "OFF13"}],
        "placements": [{"organisationId": "ORG7", "type": "P", "startDate": "2025-09-01", "endDate": null}],
        "qualifications": [{"qualificationId": "Q1", "title": "T", "vqReference": "54AS", "assessorId": "OFF12",
            "startDate": "2025-09-01", "plannedEndDate": "2027-08-31", "registrationNumber": null,
            "registrationDate": null, "certificateAppliedForDate": null, "certificateReceivedDate": null,
            "totalElements": 12, "elementsDone": 3}],
        "reviews": [{"reviewId": "R1", "oneFileId": "70211", "type": "Normal", "scheduledDate": "2026-08-01",
            "startTime": "09:30", "officerId": "OFF12", "attendance": null, "actualDate": null}]
    })
}

fn read<T: Check>(body: &[u8]) -> Result<T, Vec<Fault>> {
    parse(body, today()).map_err(|faults| faults.list(Faults::MOST))
}

fn learner(value: &Value) -> Result<Learner, Vec<Fault>> {
    read(value.to_string().as_bytes())
}

fn item<I: Item>(value: &Value) -> Result<I, (Option<String>, Vec<Fault>)> {
    let json = value.to_string();
    parse_item(json.as_bytes(), 1, today()).map_err(|bad| (bad.id, bad.faults.list(Faults::MOST)))
}

fn found(faults: &[Fault]) -> BTreeSet<(String, String)> {
    faults.iter().map(|f| (f.pointer.clone().unwrap(), f.code.to_string())).collect()
}

fn expect(faults: &[Fault], expected: &[(&str, &str)]) {
    let expected = expected.iter().map(|(at, code)| ((*at).to_owned(), (*code).to_owned())).collect();
    assert_eq!(found(faults), expected, "{faults:#?}");
    assert_eq!(faults.len(), found(faults).len(), "each fault once");
}

#[test]
fn a_full_learner_comes_through_and_out_again() {
    let parsed = learner(&full()).unwrap();
    assert_eq!(serde_json::to_value(&parsed).unwrap(), full());
    assert_eq!(format!("{parsed:?}"), "Learner {…}");
}

#[test]
fn missing_and_null_are_the_same_and_come_out_as_the_full_shape() {
    let bare = learner(&json!({"firstName": "Lucy", "lastName": "Example"})).unwrap();
    let shape = serde_json::to_value(&bare).unwrap();
    assert_eq!(
        shape.as_object().unwrap().keys().collect::<BTreeSet<_>>(),
        full().as_object().unwrap().keys().collect::<BTreeSet<_>>(),
    );
    let mut nulls = full();
    for (key, value) in nulls.as_object_mut().unwrap() {
        if !matches!(key.as_str(), "firstName" | "lastName") {
            *value = Value::Null;
        }
    }
    assert_eq!(learner(&nulls).unwrap(), bare);
    let officer: Officer = parse(br#"{"lastName":"B"}"#, today()).unwrap();
    assert_eq!(serde_json::to_value(officer).unwrap()["jobTitle"], Value::Null);
    let organisation: Organisation = parse(br#"{"name":"B"}"#, today()).unwrap();
    assert_eq!(serde_json::to_value(organisation).unwrap()["provisions"], json!([]));
}

#[test]
fn all_faults_come_at_once_each_at_its_place() {
    let mut body = full();
    body["firstName"] = json!(7);
    body.as_object_mut().unwrap().shift_remove("lastName");
    body["firstname"] = json!("x");
    body["dateOfBirth"] = json!("03/02/2006");
    body["uln"] = json!("3000600342");
    body["sex"] = json!("female");
    body["ethnicity"] = json!(12);
    body["address"]["postcode"] = json!("nowhere");
    body["address"]["line1"] = json!("a".repeat(101));
    body["programme"]["plannedEndDate"] = json!("2024-01-01");
    body["programme"]["additionalNeeds"] = json!("yes");
    body["placements"][0]["startDate"] = json!("2026-13-01");
    body["placements"][0]["kind"] = json!("P");
    body["officers"] = json!("OFF12");
    body["qualifications"][0]["elementsDone"] = json!(13);
    body["reviews"] = json!([1, {"reviewId": "R1"}, {"reviewId": "R1"}]);
    expect(
        &learner(&body).unwrap_err(),
        &[
            ("/firstName", "wrongType"),
            ("/lastName", "required"),
            ("/firstname", "unknownField"),
            ("/dateOfBirth", "invalidDate"),
            ("/uln", "ulnCheckDigit"),
            ("/sex", "invalidValue"),
            ("/ethnicity", "invalidEthnicity"),
            ("/address/postcode", "invalidPostcode"),
            ("/address/line1", "tooLong"),
            ("/programme/plannedEndDate", "endBeforeStart"),
            ("/programme/additionalNeeds", "wrongType"),
            ("/placements/0/startDate", "invalidDate"),
            ("/placements/0/kind", "unknownField"),
            ("/officers", "wrongType"),
            ("/qualifications/0/elementsDone", "moreThanTotal"),
            ("/reviews/0", "wrongType"),
            ("/reviews/2/reviewId", "duplicateId"),
        ],
    );
}

#[test]
fn each_rule_has_its_code_and_place() {
    let long: String = "n".repeat(101);
    for (pointer, value, code) in [
        ("/firstName", json!(" "), "required"),
        ("/firstName", json!(""), "required"),
        ("/firstName", Value::Null, "required"),
        ("/lastName", json!("a\tb"), "controlCharacter"),
        ("/lastName", json!(long), "tooLong"),
        ("/dateOfBirth", json!("2020-01-01"), "ageOutOfRange"),
        ("/dateOfBirth", json!("1920-01-01"), "ageOutOfRange"),
        ("/dateOfBirth", json!("2030-01-01"), "ageOutOfRange"),
        ("/programme/actualEndDate", json!("2025-08-31"), "endBeforeStart"),
        ("/programme/type", json!(0), "outOfRange"),
        ("/programme/type", json!("25"), "wrongType"),
        ("/programme/standardCode", json!("54"), "wrongType"),
        ("/programme/standardCode", json!(-1), "invalidStandardCode"),
        ("/placements/0/endDate", json!("2025-08-31"), "endBeforeStart"),
        ("/qualifications/0/plannedEndDate", json!("2025-08-31"), "endBeforeStart"),
        ("/qualifications/0/totalElements", json!(2.5), "wrongType"),
        ("/qualifications/0/totalElements", json!(-1), "outOfRange"),
        ("/reviews/0/attendance", json!("maybe"), "invalidValue"),
        ("/reviews/0/startTime", json!("25:00"), "invalidTime"),
        ("/reviews/0/oneFileId", json!({}), "invalidOneFileId"),
        ("/employerId", json!("a:b"), "invalidIdentifier"),
        ("/ace360/standardId", json!(0), "invalidStandardId"),
        ("/address", json!([]), "wrongType"),
        ("/address", json!(["1 High Street", "", "", "", "OX1 1AA"]), "wrongType"),
        ("/ace360", json!([204]), "wrongType"),
        ("/officers/0", json!(["IV", "OFF13"]), "wrongType"),
    ] {
        let mut body = full();
        *body.pointer_mut(pointer).unwrap() = value.clone();
        let faults = learner(&body).unwrap_err();
        let hit = faults.iter().any(|f| f.pointer.as_deref() == Some(pointer) && f.code == code);
        assert!(hit, "{pointer} {value}: {faults:?}");
    }
}

#[test]
fn a_number_will_do_as_onefile_id() {
    let mut body = full();
    body["reviews"][0]["oneFileId"] = json!(70211);
    assert_eq!(learner(&body), learner(&full()));
}

#[test]
fn a_cap_on_a_list_and_a_fault_in_it_do_not_hide_each_other_for_ever() {
    let mut body = full();
    body["placements"] = json!(vec![json!({"type": "t".repeat(51)}); 51]);
    let faults = learner(&body).unwrap_err();
    assert!(found(&faults).contains(&("/placements".into(), "tooMany".into())), "{faults:?}");
}

#[test]
fn a_key_that_stands_twice_is_a_fault() {
    let faults = read::<Learner>(br#"{"firstName":"A","firstName":"B","lastName":"C","uln":1}"#).unwrap_err();
    expect(&faults, &[("/firstName", "duplicateKey"), ("/uln", "wrongType")]);
}

#[test]
fn what_is_no_object_and_what_is_no_json() {
    for body in ["[]", "[\"A\",\"B\"]", "1", "null", "\"x\""] {
        let faults = read::<Learner>(body.as_bytes()).unwrap_err();
        assert_eq!((faults.len(), faults[0].pointer.as_deref()), (1, Some("")), "{body} {faults:?}");
    }
    expect(&read::<Learner>(b"{").unwrap_err(), &[("", "malformedJson")]);
}

#[test]
fn a_hostile_body_is_bounded() {
    let many: Map<String, Value> = (0..5000).map(|n| (format!("k{n}"), json!(n))).collect();
    let faults = read::<Learner>(&serde_json::to_vec(&many).unwrap()).unwrap_err();
    assert_eq!(faults.len(), Faults::MOST + 1);
    let last = faults.last().unwrap();
    assert_eq!(last.code, "tooManyFaults");
    // 5000 unknown fields, and two missing names.
    assert!(last.message.contains("4902 more are"), "{}", last.message);
}

#[test]
fn a_list_is_cut_off_at_its_greatest_length_and_the_count_says_so() {
    let mut body = full();
    body["reviews"] = json!(vec![json!({"type": 1, "attendance": 2}); 5000]);
    let faults = parse::<Learner>(body.to_string().as_bytes(), today()).unwrap_err();
    assert_eq!(faults.counted(), "at least 2001 faults");
    assert_eq!(faults.list(1)[0].code, "tooMany");
    // A single list that is too long hides nothing.
    body["reviews"] = json!(vec![json!({}); 1001]);
    expect(&learner(&body).unwrap_err(), &[("/reviews", "tooMany")]);
    body["reviews"] = json!(vec![json!({}); 1000]);
    assert!(learner(&body).is_ok());
}

/// Counts the bytes that are read from it.
struct Counted<'a>(&'a [u8], usize);

impl std::io::Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1 += read;
        Ok(read)
    }
}

#[test]
fn every_fault_is_found_in_one_pass_however_many_there_are() {
    let shape = Shape::of::<Learner>();
    let bad = json!({"type": 1, "attendance": 2, "startTime": "x", "shoeSize": 7});
    for reviews in [1, 10, 1000] {
        let mut body = full();
        body["reviews"] = json!(vec![bad.clone(); reviews]);
        let json = body.to_string();
        let mut bytes = Counted(json.as_bytes(), 0);
        let reading = Reading::of(&mut serde_json::Deserializer::from_reader(&mut bytes), &shape).unwrap();
        assert_eq!(bytes.1, json.len(), "each byte is read once");
        assert_eq!(reading.faults.counted(), format!("{} faults", 4 * reviews));
        assert!(reading.faults.list(usize::MAX).len() <= Faults::MOST + 1);
        assert!(
            reading.value["reviews"]
                .as_array()
                .unwrap()
                .iter()
                .all(|review| review.get("shoeSize").is_none())
        );
    }
}

#[test]
fn a_message_names_the_field_and_the_rule_and_never_the_value() {
    let body = json!({
        "firstName": {"Secretname": "Secretname"}, "lastName": "Secretname\u{1}", "uln": "Secretname",
        "nationalInsuranceNumber": "Secretname", "email": "Secretname", "sex": "Secretname",
        "dateOfBirth": "Secretname", "address": "Secretname", "ethnicity": "Secretname", "status": "Secretname"
    });
    let faults = learner(&body).unwrap_err();
    assert_eq!(faults.len(), 10, "{faults:?}");
    assert!(!serde_json::to_string(&faults).unwrap().contains("Secretname"));
    assert!(!format!("{faults:?}").contains('\u{1f}'));
}

#[test]
fn an_import_item_is_the_record_with_its_id() {
    let mut body = full();
    body["learnerId"] = json!("L1");
    let read: LearnerRecord = item(&body).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), body);

    let (_, faults) = item::<OfficerRecord>(&json!({"firstName": "A"})).unwrap_err();
    expect(&faults, &[("/officerId", "required"), ("/lastName", "required")]);
    let (_, faults) = item::<OrganisationRecord>(&json!({"organisationId": 7, "name": "A"})).unwrap_err();
    expect(&faults, &[("/organisationId", "wrongType")]);
    let (id, faults) = item::<OfficerRecord>(&json!({"officerId": "a:b", "lastName": "A"})).unwrap_err();
    expect(&faults, &[("/officerId", "invalidIdentifier")]);
    assert_eq!(id, None);
    expect(&item::<OfficerRecord>(&json!([])).unwrap_err().1, &[("", "wrongType")]);
    // The id is reported for every kind of fault.
    for body in [json!({"officerId": "O1", "lastName": " "}), json!({"officerId": "O1", "lastName": 1})] {
        assert_eq!(item::<OfficerRecord>(&body).unwrap_err().0.as_deref(), Some("O1"));
    }
    let faults = parse_item::<OfficerRecord>(b"\nx", 7, today()).unwrap_err().faults.list(1);
    assert!(faults[0].message.contains("at line 8 "), "{}", faults[0].message);
}

#[test]
fn a_record_may_carry_the_id_that_its_path_says() {
    let read = |body: Value| {
        let json = body.to_string();
        parse_with_own_id::<OfficerRecord>(json.as_bytes(), "O1", today()).map_err(|faults| faults.list(9))
    };
    assert!(read(json!({"lastName": "A"})).is_ok());
    assert!(read(json!({"lastName": "A", "officerId": "O1"})).is_ok());
    for id in [json!("O2"), json!(1), Value::Null, json!({"a": 1})] {
        let faults = read(json!({"officerId": id, "shoeSize": 1})).unwrap_err();
        expect(
            &faults,
            &[("/officerId", "idMismatch"), ("/shoeSize", "unknownField"), ("/lastName", "required")],
        );
    }
}

/// The reader finds no fault exactly when serde reads the value, and serde can read every stand-in.
pub(crate) fn agree<T: Check>(body: &Value) {
    let reading = Reading::of(body, &Shape::of::<T>()).unwrap();
    let read = Object::<T>::deserialize(body);
    // The reader takes 25.0 for 25, which serde alone does not.
    let read = read.or_else(|_| Object::<T>::deserialize(&without_points(body)));
    let error = read.err().map(|error| error.to_string());
    assert_eq!(reading.faults.is_empty(), error.is_none(), "{body}: {error:?} {:?}", reading.faults);
    let put_right = Object::<T>::deserialize(&reading.value).err();
    assert!(put_right.is_none(), "{body}: {} {put_right:?}", reading.value);
}

/// The value with whole floats as integers.
#[expect(clippy::cast_possible_truncation, reason = "the floats are whole and small")]
fn without_points(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_points).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), without_points(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Number(number) => match number.as_f64() {
            Some(float)
                if number.is_f64() && float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 =>
            {
                Value::from(float as i64)
            }
            _ => value.clone(),
        },
        other => other.clone(),
    }
}

pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-z/~]{0,6}", inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

/// The places in a value where a test can plant another value.
pub(crate) fn places(of: &Value) -> Vec<String> {
    fn walk(at: &str, value: &Value, places: &mut Vec<String>) {
        places.push(at.to_owned());
        match value {
            Value::Object(object) => {
                object.iter().for_each(|(key, value)| walk(&join(at, key), value, places));
            }
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(n, value)| walk(&format!("{at}/{n}"), value, places));
            }
            _ => {}
        }
    }
    let mut places = Vec::new();
    walk("", of, &mut places);
    places
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn anything_planted_anywhere_is_taken_or_faulted_and_what_is_taken_comes_out_the_same(
        plants in prop::collection::vec((prop::sample::select(places(&full())), any_json()), 1..5),
    ) {
        let mut body = full();
        for (place, value) in plants {
            if let Some(slot) = body.pointer_mut(&place) {
                *slot = value;
            }
        }
        match learner(&body) {
            Ok(record) => {
                let again = serde_json::to_vec(&record).unwrap();
                prop_assert_eq!(parse::<Learner>(&again, today()).unwrap(), record);
            }
            Err(faults) => prop_assert!(!faults.is_empty()),
        }
        agree::<Learner>(&body);
        agree::<Organisation>(&body);
    }

    #[test]
    fn bytes_of_any_kind_never_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(parse::<Learner>(&body, today()).is_err());
    }
}
