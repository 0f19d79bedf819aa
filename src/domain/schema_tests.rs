//! utoipa does not read `#[validate]`, so these tests compare the document with the rules.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::*;

/// Whether a body of `base` and `field` gets a fault at that field.
fn faulted<T: Check>(base: &Value, at: &str, field: &str, value: &Value) -> bool {
    let mut body = base.clone();
    body.pointer_mut(at).unwrap()[field] = value.clone();
    let today = NaiveDate::from_ymd_opt(2026, 7, 1).unwrap();
    let pointer = format!("{at}/{field}");
    parse::parse::<T>(body.to_string().as_bytes(), today).err().is_some_and(|faults| {
        faults.list(Faults::MOST).iter().any(|fault| fault.pointer.as_deref() == Some(&pointer))
    })
}

/// Parsing a `T` enforces every limit in the schema of `S` exactly, and every field has a limit.
fn agree<T: Check, S: PartialSchema>(base: &Value, at: &str) {
    let schema = serde_json::to_value(S::schema()).unwrap();
    assert_eq!(schema["additionalProperties"], json!(false));
    for (field, rule) in schema["properties"].as_object().unwrap() {
        let of_type = |name: &str| rule["type"] == name || rule["type"] == json!([name, "null"]);
        let refused = |value: Value| faulted::<T>(base, at, field, &value);
        if of_type("string") && rule["format"] != "date" {
            let max = usize::try_from(rule["maxLength"].as_u64().expect(field)).unwrap();
            assert!(!refused(json!("é".repeat(max))) && refused(json!("é".repeat(max + 1))), "{at}/{field}");
            assert_eq!(rule["minLength"] == 1, refused(json!("")), "{at}/{field}");
        } else if of_type("integer") {
            let (min, max) = (rule["minimum"].as_i64().expect(field), rule["maximum"].as_i64().expect(field));
            assert!(
                !refused(json!(min)) && refused(json!(min - 1)) && refused(json!(max + 1)),
                "{at}/{field}"
            );
        } else if of_type("array") {
            let max = usize::try_from(rule["maxItems"].as_u64().expect(field)).unwrap();
            assert!(!refused(json!(vec![json!({}); max])), "{at}/{field}");
            assert!(refused(json!(vec![json!({}); max + 1])), "{at}/{field}");
        }
    }
}

#[test]
fn the_document_and_the_rules_give_the_same_limits() {
    let learner = json!({
        "firstName": "A", "lastName": "B", "address": {}, "programme": {}, "officers": [{}], "placements": [{}],
        "qualifications": [{}], "reviews": [{}]
    });
    agree::<Learner, Learner>(&learner, "");
    agree::<Learner, Address>(&learner, "/address");
    agree::<Learner, Programme>(&learner, "/programme");
    agree::<Learner, LearnerOfficer>(&learner, "/officers/0");
    agree::<Learner, Placement>(&learner, "/placements/0");
    agree::<Learner, Qualification>(&learner, "/qualifications/0");
    agree::<Learner, Review>(&learner, "/reviews/0");
    agree::<Officer, Officer>(&json!({"lastName": "A"}), "");
    let organisation = json!({"name": "A", "provisions": [{}]});
    agree::<Organisation, Organisation>(&organisation, "");
    agree::<Organisation, Provision>(&organisation, "/provisions/0");
}

#[test]
fn only_names_are_required() {
    let required = |schema| serde_json::to_value(schema).unwrap()["required"].clone();
    assert_eq!(required(Learner::schema()), json!(["firstName", "lastName"]));
    assert_eq!(required(Officer::schema()), json!(["lastName"]));
    assert_eq!(required(Organisation::schema()), json!(["name"]));
    assert_eq!(required(LearnerRecord::schema()), json!(["firstName", "lastName", "learnerId"]));
}

fn example_is_good<T: ToSchema + Serialize>(read: impl Fn(&str) -> Result<T, Broken>) {
    let schema = serde_json::to_value(T::schema()).unwrap();
    let example = schema["examples"][0].as_str().unwrap();
    let parsed = serde_json::to_value(read(example).unwrap()).unwrap();
    assert_eq!(parsed, json!(example), "the example is in its canonical form");
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&parsed), "{schema}");
}

#[test]
fn every_example_keeps_its_own_rule() {
    example_is_good(LearnerId::parse);
    example_is_good(OfficerId::parse);
    example_is_good(OrganisationId::parse);
    example_is_good(ReviewId::parse);
    example_is_good(QualificationId::parse);
    example_is_good(Uln::parse);
    example_is_good(NiNumber::parse);
    example_is_good(Postcode::parse);
    example_is_good(Email::parse);
    example_is_good(Telephone::parse);
    example_is_good(Ern::parse);
    example_is_good(VqReference::parse);
    example_is_good(OneFileId::parse);
    example_is_good(StartTime::parse);
}

/// Compares the output of an all-null record and a full record with the document.
#[test]
fn what_goes_out_is_what_the_document_says() {
    fn hold<T: ToSchema>(records: &[Value]) {
        let mut components = Vec::new();
        T::schemas(&mut components);
        let components: serde_json::Map<String, Value> = components
            .into_iter()
            .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap()))
            .collect();
        let mut schema = serde_json::to_value(T::schema()).unwrap();
        schema["components"] = json!({"schemas": components});
        let validator = jsonschema::validator_for(&schema).unwrap();
        for record in records {
            let faults: Vec<_> = validator.iter_errors(record).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{faults:?}");
        }
        assert!(!validator.is_valid(&json!({"shoeSize": 7})));
    }
    #[allow(clippy::needless_pass_by_value, reason = "it is mapped over values")]
    fn out<I: Item + Serialize>(record: Value) -> Value {
        let today = NaiveDate::from_ymd_opt(2026, 7, 1).unwrap();
        serde_json::to_value(parse::parse_item::<I>(record.to_string().as_bytes(), 1, today).unwrap())
            .unwrap()
    }
    let mut learner = parse::tests::full();
    learner["learnerId"] = json!("L1");
    let bare = json!({"learnerId": "L1", "firstName": "A", "lastName": "B", "address": {}, "programme": {},
        "ace360": {}, "officers": [{}], "placements": [{}], "qualifications": [{}], "reviews": [{}]});
    let none = json!({"learnerId": "L1", "firstName": "A", "lastName": "B"});
    hold::<LearnerRecord>(&[learner, bare, none].map(out::<LearnerRecord>));
    let officer = json!({"officerId": "O1", "lastName": "B"});
    hold::<OfficerRecord>(&[officer].map(out::<OfficerRecord>));
    let organisation =
        json!({"organisationId": "O1", "name": "B", "provisions": [{}], "sem": true, "employeeCount": 3});
    hold::<OrganisationRecord>(&[organisation].map(out::<OrganisationRecord>));
}

/// A missing rule would let the reader accept what serde refuses.
#[test]
fn every_value_that_is_a_type_of_its_own_has_its_rule() {
    let mut components = Vec::new();
    Learner::schemas(&mut components);
    Organisation::schemas(&mut components);
    for (name, schema) in components {
        let schema = serde_json::to_value(schema).unwrap();
        let ruled = value_rules::text(&name).is_some() || value_rules::number(&name).is_some();
        let own = schema["type"] == "integer" || schema["type"] == "string" && schema["enum"].is_null();
        assert_eq!(ruled, own, "{name}: {schema}");
    }
}
