//! Tests of the client's own check of every response. If the check accepted everything, the other
//! tests would prove nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::support::contract::Contract;
use crate::support::people::{officer, with_id};
use crate::support::{Answer, TestApp};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

fn answer(status: u16, content_type: &str, body: &Value) -> Answer {
    let mut headers = HeaderMap::new();
    for (name, value) in [("x-request-id", "r1"), ("content-type", content_type)] {
        if !value.is_empty() {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
    }
    let text = if body.is_null() { String::new() } else { body.to_string() };
    Answer { at: "a test".to_owned(), status, headers, text, body: body.clone() }
}

fn allows(contract: &Contract, method: &str, path: &str, answer: &Answer) -> bool {
    catch_unwind(AssertUnwindSafe(|| contract.check(method, path, answer))).is_ok()
}

fn problem() -> Value {
    json!({"type": "http://x/problems/notFound", "title": "t", "status": 404, "detail": "d", "instance": "/officers/A",
           "code": "notFound", "errors": [], "requestId": "r1", "retryable": false, "upstream": null})
}

#[tokio::test]
async fn an_answer_that_the_document_does_not_allow_is_a_failure() {
    let app = TestApp::builder().no_worker().start().await;
    let contract = app.contract();
    let good = with_id("officerId", "A", &officer());
    let get = |answer: &Answer| allows(contract, "GET", "/officers/A", answer);
    assert!(get(&answer(200, JSON, &good)));
    assert!(get(&answer(200, "application/json; charset=utf-8", &good)));
    assert!(get(&answer(404, PROBLEM, &problem())));

    let changed = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    for (what, wrong) in [
        ("an undeclared status", answer(202, JSON, &good)),
        ("another content type", answer(200, "text/plain", &good)),
        ("no content type", answer(200, "", &good)),
        ("an undeclared field", answer(200, JSON, &changed("shoeSize", json!(42)))),
        ("a wrong type", answer(200, JSON, &changed("lastName", json!(1)))),
        ("a missing field", answer(200, JSON, &officer())),
        ("no body", answer(200, JSON, &Value::Null)),
        ("JSON for a problem", answer(404, JSON, &problem())),
    ] {
        assert!(!get(&wrong), "{what} was let through");
    }
    let mut bare = answer(200, JSON, &good);
    bare.headers.remove("x-request-id");
    assert!(!get(&bare), "an answer without X-Request-Id was let through");

    for (field, value) in [
        ("status", json!(400)),
        ("requestId", json!("r2")),
        ("instance", json!("/officers/B")),
        ("type", json!("about:blank")),
        ("code", json!("notThere")),
        ("detail", json!("")),
        ("trace", json!("at src/main.rs")),
    ] {
        let mut body = problem();
        body[field] = value;
        assert!(!get(&answer(404, PROBLEM, &body)), "{field} was let through");
    }

    assert!(allows(contract, "DELETE", "/officers/A", &answer(204, "", &Value::Null)));
    assert!(
        !allows(contract, "DELETE", "/officers/A", &answer(204, JSON, &json!({}))),
        "a body that is none"
    );
    assert!(
        !allows(contract, "GET", "/nowhere", &answer(200, JSON, &json!({}))),
        "a path that is not declared"
    );
    assert!(
        !allows(contract, "PATCH", "/officers/A", &answer(200, JSON, &good)),
        "a method that is not declared"
    );
    let page = json!({"items": [], "nextPageToken": null});
    assert!(allows(contract, "GET", "/tokens", &answer(200, JSON, &page)));
    let page = json!({"items": [], "nextPageToken": null, "total": 1});
    assert!(!allows(contract, "GET", "/tokens", &answer(200, JSON, &page)), "an undeclared field of a page");
}
