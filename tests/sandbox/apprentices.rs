//! Reading apprentices.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::sandbox::{Running, apprentice, but, contract_keys, keys};

#[tokio::test]
async fn without_a_good_token_nothing_is_answered() {
    let sandbox = Running::start().await;
    for token in ["", "wrong", "sandbox-", "Sandbox"] {
        let answer = sandbox.get_as(token, "/apprentices").await;
        assert_eq!((answer.status, answer.body), (401, json!({ "message": "Unauthenticated." })));
    }
    assert_eq!(sandbox.get_as("disabled", "/standards").await.status, 403);
    assert_eq!(sandbox.state().await["unauthorised"], 4);
}

#[tokio::test]
async fn a_record_has_all_documented_keys_and_no_other() {
    let sandbox = Running::start().await;
    let id = sandbox.created(&apprentice()).await;
    let record = sandbox.get(&format!("/apprentices/{id}")).await.body;
    assert_eq!(keys(&record).len(), 52);
    assert_eq!(keys(&record), contract_keys("Apprentice"));
    assert_eq!(record["ulnNumber"], "1000102504");
    assert_eq!(record["status"], json!({ "id": 1, "text": "In Training" }));
}

#[tokio::test]
async fn a_row_of_the_list_has_eleven_keys_and_no_uln() {
    let sandbox = Running::start().await;
    sandbox.created(&apprentice()).await;
    let row = sandbox.get("/apprentices").await.body["data"][0].clone();
    assert_eq!(keys(&row).len(), 11);
    assert_eq!(keys(&row), contract_keys("ApprenticeRow"));
}

#[tokio::test]
async fn the_list_comes_newest_first_in_pages_of_ten_or_as_asked_up_to_a_hundred() {
    let sandbox = Running::start().await;
    sandbox.control(Method::POST, "/reset", json!({ "seedApprentices": 123 })).await;
    let mut ids = Vec::new();
    for page in 1..=3 {
        let body = sandbox.get(&format!("/apprentices?page={page}&perPage=50")).await.body;
        assert_eq!(body["total"], 123);
        assert_eq!(
            (&body["currentPage"], &body["perPage"], &body["totalPages"]),
            (&json!(page), &json!(50), &json!(3))
        );
        ids.extend(body["data"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()));
    }
    assert_eq!(ids.len(), 123);
    assert!(ids.is_sorted_by(|a, b| a > b));

    let usual = sandbox.get("/apprentices").await.body;
    assert_eq!((usual["data"].as_array().unwrap().len(), &usual["totalPages"]), (10, &json!(13)));
    assert_eq!(sandbox.get("/apprentices?perPage=1000").await.body["perPage"], 100);
    assert_eq!(sandbox.get("/apprentices?page=99").await.body["data"], json!([]));
    assert_eq!(sandbox.get("/apprentices?page=no&perPage=-1").await.body["currentPage"], 1);
}

#[tokio::test]
async fn an_empty_list_is_one_empty_page() {
    let sandbox = Running::start().await;
    let body = sandbox.get("/apprentices").await.body;
    assert_eq!(body, json!({ "total": 0, "currentPage": 1, "perPage": 10, "totalPages": 1, "data": [] }));
}

#[tokio::test]
async fn organisations_see_their_own_records_and_spend_their_own_credits() {
    let sandbox = Running::start().await;
    let ours = sandbox.created(&apprentice()).await;
    let theirs = sandbox.create_as("sandbox-two", &apprentice()).await.body["id"].as_u64().unwrap();
    assert_eq!(sandbox.get(&format!("/apprentices/{theirs}")).await.status, 404);
    assert_eq!(sandbox.get_as("sandbox-two", &format!("/apprentices/{ours}")).await.status, 404);
    assert_eq!(sandbox.get_as("sandbox-two", "/apprentices").await.body["total"], 1);
    let state = sandbox.state().await;
    assert_eq!(state["organisations"]["sandbox-two"]["creditsUsed"], 1);
    assert_eq!(state["creditsUsed"], 2);
    assert_eq!(state["invariants"]["duplicateUlns"], json!([]), "one learner may be with two providers");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let sandbox = Running::start().await;
    for path in ["/apprentices/1", "/apprentices/x", "/standards/1", "/standards/999999"] {
        assert_eq!(sandbox.get(path).await.status, 404, "{path}");
    }
    let unknown = sandbox.request(Method::GET, "/tpos", "sandbox").send().await.unwrap();
    assert_eq!(unknown.status(), 404);
}

#[tokio::test]
async fn archived_records_stay_in_the_list_until_they_are_hidden() {
    let sandbox = Running::start().await;
    let archived = sandbox.created(&apprentice()).await;
    let live = sandbox.created(&but(json!({ "firstName": "Orla" }))).await;
    sandbox.advance(archived, json!({ "archive": true, "archivalStatus": "Break in Learning" })).await;
    let rows = sandbox.get("/apprentices").await.body;
    assert_eq!(rows["total"], 2);
    assert!(rows["data"][1]["archivedAt"].is_string());

    sandbox.control(Method::PUT, "/settings", json!({ "hideArchived": true })).await;
    let rows = sandbox.get("/apprentices").await.body;
    assert_eq!((&rows["total"], &rows["data"][0]["id"]), (&json!(1), &json!(live)));
    let record = sandbox.get(&format!("/apprentices/{archived}")).await.body;
    assert_eq!(record["archivalStatus"], "Break in Learning");

    sandbox.advance(archived, json!({ "archive": false })).await;
    let rows = sandbox.get("/apprentices").await.body;
    assert_eq!((&rows["total"], &rows["data"][1]["archivedAt"]), (&json!(2), &Value::Null));
}
