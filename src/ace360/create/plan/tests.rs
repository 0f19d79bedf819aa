//! Tests of the upload rules, as tables.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::ace360::client::wire::{Sector, Standard};
use crate::domain::parse::parse_value;
use crate::domain::{Check, LearnerId, Officer, OfficerId, OrganisationId, RecordKind};

#[allow(clippy::needless_pass_by_value, reason = "callers build the value in place")]
fn of<T: serde::de::DeserializeOwned + Check>(value: Value) -> T {
    parse_value(&value, NaiveDate::from_ymd_opt(2026, 7, 1).unwrap()).unwrap()
}

fn learner() -> Value {
    json!({
        "firstName": "Lucy", "lastName": "Example", "dateOfBirth": "2006-02-03", "sex": "F", "ethnicity": 31,
        "nationalInsuranceNumber": "AB123456C", "uln": "1000102504", "email": "lucy@example.com",
        "telephone": "01632 960001", "mobile": "07700 900001",
        "address": {"line1": "1 High Street", "line2": "Cowley", "line3": "Oxford", "line4": "Oxfordshire",
            "postcode": "OX1 1AA"},
        "programme": {"type": 25, "standardCode": 54, "startDate": "2025-09-01", "plannedEndDate": "2027-08-31",
            "fundingOrganisation": "SFZZ", "additionalNeeds": false},
        "ace360": {"standardId": 204}, "employerId": "ORG7"
    })
}

fn employer() -> Value {
    json!({
        "name": "Acme Motors Ltd", "ern": "100000001", "sem": true, "employeeCount": 42, "mainContactId": "OFF1",
        "address": {"line1": "2 Low Road", "line3": "Leeds", "postcode": "LS1 1AA"}, "telephone": "01632 960002",
        "email": "office@example.com", "provisions": [{"type": "ACE360 Employer Sector", "code": "1"}]
    })
}

fn contact() -> Value {
    json!({"firstName": "Sam", "lastName": "Okoro", "jobTitle": "Manager"})
}

/// A standard that is valid for the test learner.
fn standard(id: i64) -> Standard {
    Standard {
        standard_id: id,
        st_code: Some("ST0353/02".into()),
        lars_code: Some(54),
        version: Some("2".into()),
        option: None,
        name: Some("Accident Repair Technician".into()),
        sector_id: Some(1),
        sector_name: Some("Engineering".into()),
        valid_from: NaiveDate::from_ymd_opt(2024, 1, 1),
        valid_to: None,
        archived: false,
    }
}

/// The records of a complete upload. Each test breaks one thing.
#[derive(Clone, Debug)]
struct Case {
    learner: Value,
    employer: Option<Value>,
    contact: Option<Value>,
    standards: Vec<Standard>,
}

impl Case {
    fn good() -> Self {
        let (employer, contact) = (Some(employer()), Some(contact()));
        Self { learner: learner(), employer, contact, standards: vec![standard(204)] }
    }

    fn learner(at: &str, value: Value) -> Upload {
        let mut case = Self::good();
        plant(&mut case.learner, at, value);
        case.build()
    }

    fn employer(at: &str, value: Value) -> Upload {
        let mut case = Self::good();
        plant(case.employer.as_mut().unwrap(), at, value);
        case.build()
    }

    fn contact(at: &str, value: Value) -> Upload {
        let mut case = Self::good();
        plant(case.contact.as_mut().unwrap(), at, value);
        case.build()
    }

    fn standards(standards: Vec<Standard>) -> Upload {
        Self { standards, ..Self::good() }.build()
    }

    fn build(self) -> Upload {
        let learner: Learner = of(self.learner);
        let employer: Option<Organisation> = self.employer.map(of);
        let contact: Option<Officer> = self.contact.map(of);
        let ids = (
            LearnerId::parse("L1").unwrap(),
            OrganisationId::parse("ORG7").unwrap(),
            OfficerId::parse("OFF1").unwrap(),
        );
        build(&UploadInput {
            learner_id: &ids.0,
            learner: &learner,
            employer: employer.as_ref().map(|employer| (&ids.1, employer)),
            employer_missing: employer.is_none() && learner.employer_id.is_some(),
            contact: contact.as_ref().map(|contact| (&ids.2, contact)),
            standards: &self.standards,
            sectors: &[Sector { id: 1, name: "Engineering".into() }, Sector { id: 2, name: "Retail".into() }],
        })
    }
}

fn plant(record: &mut Value, at: &str, value: Value) {
    let (parent, key) = at.rsplit_once('/').unwrap();
    record.pointer_mut(parent).unwrap()[key] = value;
}

fn sent(upload: &Upload) -> BTreeMap<&str, &Value> {
    upload.fields.iter().map(|field| (field.name, &field.value)).collect()
}

fn missing(upload: &Upload) -> Vec<(&str, RecordKind, &str)> {
    let place = |missing: &'_ Missing| (missing.field, missing.record.kind);
    upload.missing.iter().map(|m| (place(m).0, place(m).1, m.pointer.as_str())).collect()
}

fn warned(upload: &Upload) -> Vec<&str> {
    upload.warnings.iter().map(|warning| warning.field).collect()
}

fn source<'a>(upload: &'a Upload, name: &str) -> &'a str {
    &upload.fields.iter().find(|field| field.name == name).unwrap().source
}

#[test]
fn a_whole_record_is_sent_whole() {
    let upload = Case::good().build();
    assert!(upload.ready() && upload.missing.is_empty() && upload.warnings.is_empty(), "{upload:?}");
    let expected = json!({
        "firstName": "Lucy", "lastName": "Example", "standardId": 204, "dateOfBirth": "2006-02-03",
        "gender": "Female", "street": "1 High Street, Cowley", "city": "Oxford", "county": "Oxfordshire",
        "postcode": "OX1 1AA", "country": "UK", "telephoneNumber": "01632 960001", "email": "lucy@example.com",
        "estimatedStartDate": "2025-09-01", "estimatedEndDate": "2027-08-31",
        "ethnicGroup": "English/Welsh/Scottish/Northern Irish/British", "nationalInsuranceNumber": "AB123456C",
        "ulnNumber": "1000102504", "funding": true, "additionalNeeds": false, "employerName": "Acme Motors Ltd",
        "employerErn": "100000001", "employerContactFirstName": "Sam", "employerContactLastName": "Okoro",
        "employerContactPosition": "Manager", "employerSectorId": 1, "employerCompanySize": "Small (0-49)",
        "employerStreet": "2 Low Road", "employerCity": "Leeds", "employerPostcode": "LS1 1AA",
        "employerCountry": "UK", "employerTelephoneNumber": "01632 960002", "employerEmail": "office@example.com"
    });
    assert_eq!(serde_json::to_value(upload.payload.as_ref().unwrap()).unwrap(), expected);
    assert_eq!(
        source(&upload, "employerCompanySize"),
        "Organisation (Additional Details) > SEM + Employee Count"
    );
    let preview = serde_json::to_value(upload.into_preview(Vec::new(), None, Vec::new())).unwrap();
    assert_eq!((&preview["ready"], &preview["ineligibleReason"]), (&json!(true), &Value::Null));
    assert_eq!(
        preview["fields"][0],
        json!({"name": "firstName", "value": "Lucy", "source": "Learner > First Name"})
    );
    assert_eq!(preview["candidateStandards"][0]["standardId"], json!(204));
}

/// The outcome of a field: its value, or how it is missing.
fn outcome(case: &Case, name: &str) -> (Option<Value>, Vec<String>) {
    let upload = case.clone().build();
    let missing = upload.missing.iter().map(|own| (own.field, &own.message));
    let words = missing.chain(upload.warnings.iter().map(|own| (own.field, &own.message)));
    let words = words.filter(|(field, _)| *field == name).map(|(_, message)| message.clone()).collect();
    (sent(&upload).get(name).map(|value| (*value).clone()), words)
}

/// Removes the sources that a row names, one after the other. Each time the outcome must change.
#[test]
fn every_field_comes_from_where_its_row_says() {
    for field in FIELDS {
        let mut case = Case::good();
        let employer = case.employer.as_mut().unwrap();
        employer["address"]["line2"] = json!("Hunslet");
        employer["address"]["line4"] = json!("Yorkshire");
        employer["employeeCount"] = json!(142);
        employer["provisions"][0]["description"] = json!("Retail");
        let mut before = outcome(&case, field.name);
        assert!(before.0.is_some(), "{}", field.name);
        for pointer in field.from {
            let record = match field.read {
                Read::Learner(_) => &mut case.learner,
                Read::Employer(_) => case.employer.as_mut().unwrap(),
                Read::Contact(_) => case.contact.as_mut().unwrap(),
            };
            // A record always has these names.
            let required = ["/firstName", "/lastName", "/name"].contains(pointer);
            plant(record, pointer, if required { json!("Other") } else { Value::Null });
            let after = outcome(&case, field.name);
            assert_ne!(before, after, "{} and {pointer}", field.name);
            before = after;
        }
    }
}

#[test]
fn only_programme_type_25_is_eligible() {
    for (kind, code) in [
        (json!(25), None),
        (json!(20), Some("notAnApprenticeshipStandard")),
        (json!(2), Some("notAnApprenticeshipStandard")),
        (Value::Null, Some("noProgrammeType")),
    ] {
        let upload = Case::learner("/programme/type", kind);
        assert_eq!(upload.eligibility.as_ref().err().map(|reason| reason.code), code);
        assert_eq!(upload.ready(), code.is_none());
        assert!(upload.missing.is_empty() && !upload.fields.is_empty());
    }
}

#[test]
fn what_the_learner_must_have_is_missing_at_its_place() {
    for (at, field) in [
        ("/dateOfBirth", "dateOfBirth"),
        ("/sex", "gender"),
        ("/uln", "ulnNumber"),
        ("/ace360", "standardId"),
        ("/programme/startDate", "estimatedStartDate"),
        ("/programme/plannedEndDate", "estimatedEndDate"),
        ("/address/postcode", "postcode"),
    ] {
        let upload = Case::learner(at, Value::Null);
        let pointer = if field == "standardId" { "/ace360/standardId" } else { at };
        assert_eq!(missing(&upload), [(field, RecordKind::Learner, pointer)]);
        assert!(!upload.ready() && !sent(&upload).contains_key(field));
        assert_eq!(upload.missing[0].record.id, "L1");
    }
    let upload = Case::learner("/address", Value::Null);
    let learner = RecordKind::Learner;
    assert_eq!(
        missing(&upload),
        [("street", learner, "/address/line1"), ("postcode", learner, "/address/postcode")]
    );
}

#[test]
fn placeholders_are_never_sent() {
    let upload = Case::learner("/uln", json!("9999999999"));
    assert_eq!(missing(&upload), [("ulnNumber", RecordKind::Learner, "/uln")]);
    let upload = Case::learner("/address/postcode", json!("ZZ99 9ZZ"));
    assert_eq!(missing(&upload), [("postcode", RecordKind::Learner, "/address/postcode")]);
    let upload = Case::employer("/address/postcode", json!("ZZ99 9ZZ"));
    assert_eq!(missing(&upload), [("employerPostcode", RecordKind::Organisation, "/address/postcode")]);
    for ern in [json!("999999999"), Value::Null] {
        let upload = Case::employer("/ern", ern);
        assert!(upload.ready() && upload.warnings.is_empty() && !sent(&upload).contains_key("employerErn"));
    }
}

#[test]
fn what_may_be_missing_is_left_out_with_a_warning() {
    for (at, field) in [
        ("/email", "email"),
        ("/ethnicity", "ethnicGroup"),
        ("/nationalInsuranceNumber", "nationalInsuranceNumber"),
    ] {
        let upload = Case::learner(at, Value::Null);
        assert!(upload.ready() && !sent(&upload).contains_key(field));
        assert_eq!(warned(&upload), [field]);
    }
    for (at, field) in [("/telephone", "employerTelephoneNumber"), ("/email", "employerEmail")] {
        let upload = Case::employer(at, Value::Null);
        assert!(upload.ready() && !sent(&upload).contains_key(field));
        assert_eq!(warned(&upload), [field]);
    }
    let upload = Case::learner("/programme/additionalNeeds", Value::Null);
    assert!(upload.ready() && !sent(&upload).contains_key("additionalNeeds"));
}

#[test]
fn the_mobile_number_stands_in_for_the_telephone_and_says_so() {
    let upload = Case::learner("/telephone", Value::Null);
    assert_eq!(sent(&upload)["telephoneNumber"], &json!("07700 900001"));
    assert_eq!(source(&upload, "telephoneNumber"), "Learner > Mobile Number (Telephone is blank)");
    let mut case = Case::good();
    plant(&mut case.learner, "/telephone", Value::Null);
    plant(&mut case.learner, "/mobile", Value::Null);
    let upload = case.build();
    assert!(upload.ready());
    assert_eq!(warned(&upload), ["telephoneNumber"]);
}

#[test]
fn funding_is_true_for_sfzz_only() {
    for (organisation, funding, warnings) in [
        (json!("SFZZ"), true, 0),
        (json!(" SFZZ "), true, 0),
        (json!("sfzz"), false, 0),
        (json!("SFZZ2"), false, 0),
        (json!(" "), false, 1),
        (Value::Null, false, 1),
    ] {
        let upload = Case::learner("/programme/fundingOrganisation", organisation);
        assert_eq!((sent(&upload)["funding"], upload.warnings.len()), (&json!(funding), warnings));
        assert_eq!(upload.payload.unwrap().0["funding"], json!(funding));
    }
}

#[test]
fn genders_and_ethnic_groups_in_their_words() {
    assert_eq!(sent(&Case::learner("/sex", json!("M")))["gender"], &json!("Male"));
    assert_eq!(sent(&Case::learner("/ethnicity", json!(99)))["ethnicGroup"], &json!("Not provided"));
}

#[test]
fn the_employer_must_be_known() {
    let mut case = Case::good();
    case.employer = None;
    let upload = case.build();
    assert_eq!(missing(&upload), [("employerName", RecordKind::Learner, "/employerId")]);
    assert!(upload.missing[0].message.contains("PUT /organisations/ORG7"));
    let mut case = Case::good();
    (case.employer, case.learner["employerId"]) = (None, Value::Null);
    let upload = case.build();
    assert!(upload.missing[0].message.contains("Choose the learner's employer"));
}

#[test]
fn the_main_contact_gives_names_and_perhaps_a_position() {
    let organisation = RecordKind::Organisation;
    for (id, words) in [(json!("OFF1"), "PUT /officers/OFF1"), (Value::Null, "Choose the Main Contact")] {
        let mut case = Case::good();
        case.contact = None;
        plant(case.employer.as_mut().unwrap(), "/mainContactId", id);
        let upload = case.build();
        let at = "/mainContactId";
        let expected =
            [("employerContactFirstName", organisation, at), ("employerContactLastName", organisation, at)];
        assert_eq!(missing(&upload), expected);
        assert!(upload.missing[0].message.contains(words));
    }
    let upload = Case::contact("/firstName", json!(" "));
    assert_eq!(missing(&upload), [("employerContactFirstName", RecordKind::Officer, "/firstName")]);
    let upload = Case::contact("/jobTitle", Value::Null);
    assert!(upload.ready());
    assert_eq!(warned(&upload), ["employerContactPosition"]);
}

#[test]
fn one_sector_is_sent_and_doubt_stops_the_upload() {
    let sector = |code: &str| json!({"type": "ACE360 Employer Sector", "code": code});
    for (provisions, id, misses, warns) in [
        (json!([sector("2")]), Some(2), None, false),
        (json!([]), None, None, true),
        (json!([sector("77")]), None, Some("/provisions/0"), false),
        (json!([sector("1"), sector("2")]), None, Some("/provisions/1"), false),
    ] {
        let upload = Case::employer("/provisions", provisions);
        assert_eq!(sent(&upload).get("employerSectorId").copied().cloned(), id.map(|id: i64| json!(id)));
        assert_eq!(missing(&upload).first().map(|missing| missing.2), misses);
        assert_eq!(upload.warnings.len() == 1, warns);
        assert_eq!(upload.ready(), misses.is_none());
    }
}

#[test]
fn the_company_size_is_sent_when_it_can_be_known() {
    let mut case = Case::good();
    let employer = case.employer.as_mut().unwrap();
    (employer["sem"], employer["employeeCount"]) = (Value::Null, Value::Null);
    let upload = case.build();
    assert!(upload.ready() && !sent(&upload).contains_key("employerCompanySize"));
    assert_eq!(warned(&upload), ["employerCompanySize"]);
    let upload = Case::employer("/employeeCount", json!(250));
    assert_eq!(sent(&upload)["employerCompanySize"], &json!("Large (250+)"));
    assert_eq!(warned(&upload), ["employerCompanySize"]);
}

#[test]
fn the_standard_is_chosen_and_never_guessed() {
    let upload = Case::learner("/ace360", Value::Null);
    assert_eq!(upload.candidate_standards.len(), 1, "one fits, and it is not taken");
    assert!(upload.missing[0].message.contains("PUT /learners/L1 with ace360.standardId"));
    let mut case = Case::good();
    (case.learner["ace360"], case.standards) = (Value::Null, Vec::new());
    assert!(case.build().missing[0].message.contains("standards:refresh"));
}

#[test]
fn the_chosen_standard_must_fit() {
    let changed = |change: fn(&mut Standard)| {
        let mut standard = standard(204);
        change(&mut standard);
        vec![standard]
    };
    for (standards, words) in [
        (vec![standard(205)], "no standard 204"),
        (changed(|s| s.archived = true), "archived"),
        (changed(|s| s.lars_code = Some(55)), "LARS code 55"),
        (changed(|s| s.valid_from = NaiveDate::from_ymd_opt(2025, 9, 2)), "from 2025-09-02 to open"),
        (changed(|s| s.valid_to = NaiveDate::from_ymd_opt(2025, 8, 31)), "to 2025-08-31"),
    ] {
        let upload = Case::standards(standards);
        assert_eq!(missing(&upload), [("standardId", RecordKind::Learner, "/ace360/standardId")]);
        assert!(upload.missing[0].message.contains(words), "{:?}", upload.missing);
        assert!(!sent(&upload).contains_key("standardId"));
    }
    let upload = Case::standards(changed(|s| s.lars_code = None));
    assert!(upload.ready());
    assert_eq!(warned(&upload), ["standardId"]);
    let upload = Case::learner("/programme/standardCode", Value::Null);
    assert!(upload.ready() && upload.candidate_standards.is_empty());
    assert_eq!(warned(&upload), ["standardId"]);
}

#[test]
fn candidates_fit_the_code_and_the_start_newest_first() {
    let mut standards: Vec<Standard> = (1..=6).map(standard).collect();
    standards[1].lars_code = Some(55);
    standards[2].archived = true;
    standards[3].valid_to = NaiveDate::from_ymd_opt(2025, 8, 31);
    standards[5].valid_from = NaiveDate::from_ymd_opt(2025, 1, 1);
    let upload = Case::standards(standards);
    let ids: Vec<_> = upload.candidate_standards.iter().map(|candidate| candidate.standard_id).collect();
    assert_eq!(ids, [6, 1, 5]);
}

#[test]
fn all_that_is_missing_shows_at_once() {
    let upload = Case {
        learner: json!({"firstName": "A", "lastName": "B", "employerId": "ORG7"}),
        employer: Some(json!({"name": "C"})),
        contact: None,
        standards: Vec::new(),
    }
    .build();
    let fields: Vec<_> = upload.missing.iter().map(|missing| missing.field).collect();
    assert_eq!(
        fields,
        [
            "standardId",
            "dateOfBirth",
            "gender",
            "street",
            "postcode",
            "estimatedStartDate",
            "estimatedEndDate",
            "ulnNumber",
            "employerContactFirstName",
            "employerContactLastName",
            "employerStreet",
            "employerPostcode",
        ]
    );
    assert!(upload.eligibility.is_err() && !upload.ready());
}

fn some(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::option::weighted(0.9, prop::sample::select(values)).prop_map(|value| json!(value))
}

prop_compose! {
    /// Records of every state between empty and complete.
    fn any_case()(
        (birth, sex, uln) in
            (some(&["2006-02-03"]), some(&["F", "M"]), some(&["1000102504", "9999999999"])),
        (telephone, mobile) in (some(&["01632 960001"]), some(&["07700 900001"])),
        lines in prop::collection::vec(some(&["", " ", "1 High Street", "Oxford"]), 4),
        postcode in some(&["OX1 1AA", "ZZ99 9ZZ"]),
        kind in prop::option::weighted(0.9, prop::sample::select(vec![25, 25, 25, 20])),
        (start, end, funder) in
            (some(&["2025-09-01", "2023-01-01"]), some(&["2027-08-31"]), some(&["SFZZ", "X"])),
        chosen in prop::option::weighted(0.9, prop::sample::select(vec![204, 205, 7])),
        (employed, contacted, bare) in (prop::bool::weighted(0.9), prop::bool::weighted(0.9), prop::bool::weighted(0.3)),
        (sem, count, code) in (any::<Option<bool>>(), prop::option::of(0..1000_i64), some(&["1", "77"])),
    ) -> Case {
        let mut case = Case::good();
        if bare {
            case.learner["address"] = json!({
                "line1": lines[0], "line2": lines[1], "line3": lines[2], "line4": lines[3], "postcode": postcode
            });
            for (at, value) in [("/dateOfBirth", birth), ("/sex", sex), ("/uln", uln)] {
                plant(&mut case.learner, at, value);
            }
        }
        plant(&mut case.learner, "/telephone", telephone);
        plant(&mut case.learner, "/mobile", mobile);
        plant(&mut case.learner, "/programme", json!({"type": kind, "standardCode": 54, "startDate": start,
            "plannedEndDate": end, "fundingOrganisation": funder}));
        plant(&mut case.learner, "/ace360", json!({"standardId": chosen}));
        if employed {
            let employer = case.employer.as_mut().unwrap();
            (employer["sem"], employer["employeeCount"]) = (json!(sem), json!(count));
            employer["provisions"] = json!([{"type": "ACE360 Employer Sector", "code": code}]);
        } else {
            case.employer = None;
        }
        if !contacted {
            case.contact = None;
        }
        case.standards.push(standard(205));
        case
    }
}

proptest! {
    #[test]
    fn there_is_a_payload_if_and_only_if_nothing_stands_against_it(case in any_case()) {
        let upload = case.build();
        let clear = upload.eligibility.is_ok() && upload.missing.is_empty();
        prop_assert_eq!(upload.payload.is_some(), clear);
        if let Some(payload) = &upload.payload {
            let payload = serde_json::to_value(payload).unwrap();
            let shown: serde_json::Map<String, Value> =
                upload.fields.iter().map(|field| (field.name.to_owned(), field.value.clone())).collect();
            prop_assert_eq!(payload, Value::Object(shown), "the preview shows what is sent");
        }
        let text = serde_json::to_string(&upload.fields).unwrap();
        prop_assert!(!text.contains("9999999999") && !text.contains("ZZ99 9ZZ"));
    }
}
