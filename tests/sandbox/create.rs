//! Creating apprentices.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::sandbox::contract::Contract;
use crate::support::sandbox::standards::{BUSINESS_OLD, BUSINESS_OPTIONS};
use crate::support::sandbox::{Running, apprentice, but, contract_keys, keys};

#[tokio::test]
async fn a_create_gives_the_record_and_costs_one_credit() {
    let sandbox = Running::start().await;
    let made = sandbox.create(&apprentice()).await;
    assert_eq!(made.status, 201);
    let id = made.body["id"].as_u64().unwrap();
    assert_eq!(sandbox.get(&format!("/apprentices/{id}")).await.body, made.body);
    let state = sandbox.state().await;
    assert_eq!((&state["creditsUsed"], &state["creditsLeft"]), (&json!(1), &json!(99_999)));
}

#[tokio::test]
async fn a_duplicate_is_accepted_and_costs_another_credit() {
    let sandbox = Running::start().await;
    let first = sandbox.created(&apprentice()).await;
    let second = sandbox.created(&apprentice()).await;
    assert_ne!(first, second);
    let state = sandbox.state().await;
    assert_eq!((&state["records"], &state["creditsUsed"]), (&json!(2), &json!(2)));
    assert_eq!(state["invariants"]["duplicateUlns"], json!(["1000102504"]));
    assert_eq!(state["recordsByUln"], json!({ "1000102504": [first, second] }));
}

#[tokio::test]
async fn what_the_read_model_lacks_is_kept_but_not_given_back() {
    let sandbox = Running::start().await;
    let made = sandbox.create(&apprentice()).await.body;
    let kept = sandbox.control(Method::GET, "/apprentices?uln=1000102504", Value::Null).await.body[0].clone();
    let sent = apprentice();
    for (key, value) in sent.as_object().unwrap() {
        assert_eq!(&kept[key], value, "{key}");
    }
    for key in
        ["email", "nationalInsuranceNumber", "employerErn", "employerCompanySize", "employerTelephoneNumber"]
    {
        assert!(made.get(key).is_none(), "{key}");
    }
    assert_eq!(kept["origin"], "api");
}

/// The only faulty field.
async fn faulty_field(sandbox: &Running, body: &Value) -> String {
    let answer = sandbox.create(body).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    let fields: Vec<&String> = answer.body["errors"].as_object().unwrap().keys().collect();
    assert_eq!(fields.len(), 1, "{}", answer.body);
    fields[0].clone()
}

#[tokio::test]
async fn each_required_field_is_missed() {
    let sandbox = Running::start().await;
    let required = [
        "firstName",
        "lastName",
        "dateOfBirth",
        "gender",
        "ulnNumber",
        "standardId",
        "estimatedStartDate",
        "estimatedEndDate",
        "street",
        "postcode",
        "employerName",
    ];
    for key in required {
        assert_eq!(faulty_field(&sandbox, &but(json!({ key: null }))).await, key);
        if key != "standardId" {
            assert_eq!(faulty_field(&sandbox, &but(json!({ key: " " }))).await, key);
        }
    }
    let all = sandbox.create(&json!({})).await.body;
    assert_eq!(all["errors"].as_object().unwrap().len(), required.len());
    assert_eq!(all["message"], "The first name field is required. (and 10 more errors)");
    let minimal: serde_json::Map<String, Value> =
        required.iter().map(|key| ((*key).to_owned(), apprentice()[key].clone())).collect();
    sandbox.created(&Value::Object(minimal)).await;
}

#[tokio::test]
async fn a_bad_field_is_refused_and_named_and_costs_nothing() {
    let sandbox = Running::start().await;
    for (key, value) in [
        ("ulnNumber", json!("3000600342")),
        ("ulnNumber", json!("9999999999")),
        ("ulnNumber", json!("123")),
        ("ulnNumber", json!(1_000_102_504)),
        ("dateOfBirth", json!("06/05/2004")),
        ("dateOfBirth", json!("2999-01-01")),
        ("gender", json!("F")),
        ("standardId", json!(1)),
        ("standardId", json!("196")),
        ("postcode", json!("nowhere")),
        ("email", json!("nobody")),
        ("funding", json!("true")),
        ("nationalInsuranceNumber", json!("12")),
        ("employerErn", json!("999999999")),
        ("employerCompanySize", json!("Medium")),
        ("employerSector", json!("Education")),
        ("telephoneNumber", json!("none")),
        ("firstName", json!("x".repeat(256))),
        ("larsCode", json!("105")),
        ("id", json!(7)),
    ] {
        assert_eq!(faulty_field(&sandbox, &but(json!({ key: value }))).await, key, "{value}");
    }
    let unknown_sector = but(json!({ "employerSector": null, "employerSectorId": 99 }));
    assert_eq!(faulty_field(&sandbox, &unknown_sector).await, "employerSectorId");
    let state = sandbox.state().await;
    assert_eq!((&state["records"], &state["creditsUsed"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn the_start_must_lie_within_the_standards_days_and_the_end_after_it() {
    let sandbox = Running::start().await;
    let on = |standard: u32, start: &str| but(json!({ "standardId": standard, "estimatedStartDate": start }));
    assert_eq!(faulty_field(&sandbox, &on(BUSINESS_OLD, "2021-08-01")).await, "estimatedStartDate");
    sandbox.created(&on(BUSINESS_OLD, "2021-07-31")).await;
    assert_eq!(faulty_field(&sandbox, &on(BUSINESS_OPTIONS[0], "2024-07-31")).await, "estimatedStartDate");
    sandbox.created(&on(BUSINESS_OPTIONS[0], "2024-08-01")).await;
    let backwards = but(json!({ "estimatedEndDate": "2025-08-31" }));
    assert_eq!(faulty_field(&sandbox, &backwards).await, "estimatedEndDate");
}

#[tokio::test]
async fn an_archived_standard_takes_nobody() {
    let sandbox = Running::start().await;
    let standards = sandbox.standards().await;
    let archived = standards.iter().find(|standard| standard["archived"] == true).unwrap();
    let body = but(json!({ "standardId": archived["id"], "estimatedStartDate": archived["datePublished"] }));
    assert_eq!(faulty_field(&sandbox, &body).await, "standardId");
}

#[tokio::test]
async fn without_a_credit_nothing_is_created() {
    let sandbox = Running::start().await;
    sandbox.control(Method::PUT, "/settings", json!({ "credits": 1 })).await;
    sandbox.created(&apprentice()).await;
    assert_eq!(sandbox.create(&apprentice()).await.status, 402);
    let state = sandbox.state().await;
    assert_eq!(
        (&state["records"], &state["creditsUsed"], &state["creditsLeft"]),
        (&json!(1), &json!(1), &json!(0))
    );
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused() {
    let sandbox = Running::start().await;
    assert_eq!(sandbox.create(&json!([1])).await.status, 400);
}

#[tokio::test]
async fn the_contract_and_the_sandbox_know_the_same_keys_of_a_create() {
    let sandbox = Running::start().await;
    let body = but(json!({ "epaoInternalId": "A-1" }));
    assert_eq!(keys(&body), contract_keys("NewApprentice"));
    Contract::ace360().allows("NewApprentice", &body);
    sandbox.created(&body).await;
}
