//! Malformed bodies on every path.

use futures_util::stream;
use picsbridge::auth::scope::Scope;
use reqwest::{Body, Method};
use serde_json::{Value, json};

use crate::support::people::officer;
use crate::support::{Call, TestApp, faults};

const MIB: usize = 1024 * 1024;
const NOBODY: &str = "01a20126-7c6e-7b2e-8a53-0c1d2e3f4a5b";

fn put(app: &TestApp) -> Call {
    app.call(Method::PUT, "/officers/O1")
}

#[tokio::test]
async fn a_byte_order_mark_is_no_part_of_a_body() {
    let app = TestApp::start().await;
    let record = "\u{feff}{\"lastName\": \"Okoro\"}";
    put(&app).body("application/json", record).send().await.expect(201);
    let lines = "\u{feff}{\"officerId\": \"O2\", \"lastName\": \"Ash\"}\r\n{\"officerId\": \"O3\", \"lastName\": \"Elm\"}\r\n";
    let call = app.call(Method::POST, "/officers:import").body("application/x-ndjson", lines);
    assert_eq!(call.send().await.expect(200)["succeeded"], 2);
    app.get("/officers/O2").await.expect(200);
}

#[tokio::test]
async fn a_body_that_is_not_json_is_400_with_the_line_and_column() {
    let app = TestApp::start().await;
    for (body, line) in [
        ("{", 1),
        ("{\n\"lastName\": \"A\",\n}", 3),
        ("{\n\"lastName\" \"A\"}", 2),
        ("{\"lastName\": \"A\"} {}", 1),
        ("lastName=A", 1),
    ] {
        let problem = put(&app).body("application/json", body).send().await.refused(400, "malformedJson");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("line {line} ")) && detail.contains("column"), "{body}: {detail}");
    }
    for body in
        [b"{\"lastName\": \"\xff\"}".to_vec(), b"\x1f\x8b\x08\x00".to_vec(), "[".repeat(100_000).into_bytes()]
    {
        put(&app).body("application/json", body).send().await.refused(400, "malformedJson");
    }
}

#[tokio::test]
async fn a_body_that_is_json_but_no_object_is_422() {
    let app = TestApp::start().await;
    for body in [json!([]), json!([officer()]), json!("x"), json!(1), json!(true), json!(null)] {
        let answer = put(&app).body("application/json", body.to_string()).send().await;
        let problem = answer.refused(422, "invalidRequest");
        let code = if body.is_null() { "required" } else { "wrongType" };
        assert_eq!(faults(&problem), [(String::new(), code.to_owned())].into(), "{body}");
    }
}

#[tokio::test]
async fn a_call_that_takes_no_body_refuses_one_and_does_nothing() {
    let app = TestApp::start().await;
    let document = app.document();
    let bare: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, item)| item["post"].is_object() && item["post"]["requestBody"].is_null())
        .map(|(path, _)| path.as_str())
        .collect();
    assert!(bare.contains(&"/ace360/status:sync") && bare.len() > 8, "{bare:?}");
    let post = async |template: &str, body: &'static str| {
        let path =
            template.replace("{learnerId}", "L1").replace("{id}", NOBODY).replace("{deliveryId}", NOBODY);
        app.call(Method::POST, &path).body("application/json", body).send().await
    };
    for template in &bare {
        let answer = post(template, r#"{"learnerIds": ["L1"], "nonsense": 1}"#).await;
        let problem = answer.refused(422, "invalidRequest");
        let wanted = ["/learnerIds", "/nonsense"].map(|at| (at.to_owned(), "unknownField".to_owned()));
        assert_eq!(faults(&problem), wanted.into(), "{template}");
        post(template, "{").await.refused(400, "malformedJson");
    }
    assert_eq!(app.get("/runs").await.expect(200)["items"], json!([]));
    // An empty body is no error. The call continues to the next check.
    for template in &bare {
        for body in ["{}", " \n", ""] {
            assert!(post(template, body).await.status != 422, "{template}: {body:?}");
        }
    }
}

#[tokio::test]
async fn a_field_that_stands_twice_is_a_fault() {
    let app = TestApp::start().await;
    let body = r#"{"lastName": "A", "lastName": "B"}"#;
    let problem = put(&app).body("application/json", body).send().await.refused(422, "invalidRequest");
    assert_eq!(faults(&problem), [("/lastName".to_owned(), "duplicateKey".to_owned())].into());
}

#[tokio::test]
async fn a_hostile_body_has_at_most_a_hundred_faults_told_and_one_that_says_there_are_more() {
    let app = TestApp::start().await;
    let mut many: serde_json::Map<String, Value> = (0..20_000).map(|n| (format!("k{n}"), json!(n))).collect();
    many.insert("lastName".to_owned(), json!("A"));
    let problem = put(&app).json(&many.into()).send().await.refused(422, "invalidRequest");
    let errors = problem["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 101);
    assert_eq!(errors[100]["code"], "tooManyFaults");
    assert!(errors[100]["message"].as_str().unwrap().contains("19900 more"), "{}", errors[100]);
    assert_eq!(problem["detail"], "20000 faults: see errors");
}

#[tokio::test]
async fn a_list_is_read_up_to_its_greatest_length_and_the_faults_after_that_are_not_counted() {
    let app = TestApp::start().await;
    let body = |reviews: usize| {
        let reviews = vec![json!({"type": 1, "attendance": "maybe"}); reviews];
        json!({"firstName": "A", "lastName": "B", "reviews": reviews})
    };
    let problem = app.put("/learners/L1", &body(1000)).await.refused(422, "invalidRequest");
    assert_eq!(problem["detail"], "2000 faults: see errors");
    let problem = app.put("/learners/L1", &body(20_000)).await.refused(422, "invalidRequest");
    assert_eq!(problem["detail"], "at least 2001 faults: see errors");
    let errors = problem["errors"].as_array().unwrap();
    assert_eq!((&errors[0]["pointer"], &errors[0]["code"]), (&json!("/reviews"), &json!("tooMany")));
    assert_eq!(errors.len(), 101);
    assert!(errors[100]["message"].as_str().unwrap().contains("at least 1901 more"), "{}", errors[100]);
    // The longest list that a mebibyte can hold.
    let entries = vec!["{}"; 340_000].join(",");
    let body = format!(r#"{{"firstName": "A", "lastName": "B", "reviews": [{entries}]}}"#);
    let answer = app.call(Method::PUT, "/learners/L1").body("application/json", body).send().await;
    let problem = answer.refused(422, "invalidRequest");
    assert_eq!(faults(&problem), [("/reviews".to_owned(), "tooMany".to_owned())].into());
}

#[tokio::test]
async fn lists_of_every_call_have_a_greatest_length() {
    let app = TestApp::start().await;
    let ids: Vec<String> = (0..10_001).map(|n| format!("L{n}")).collect();
    for (path, body, place) in [
        ("/ace360/learners:upload", json!({"learnerIds": ids}), "/learnerIds"),
        ("/onefile/learners:enrol", json!({"learnerIds": ids}), "/learnerIds"),
        ("/onefile/learners:sync", json!({"learnerIds": ids}), "/learnerIds"),
        ("/tokens", json!({"name": "x", "scopes": vec!["records:read"; 101]}), "/scopes"),
        ("/webhooks", json!({"url": "https://r.example/x", "types": vec!["run.finished"; 101]}), "/types"),
    ] {
        let problem = app.post(path, &body).await.refused(422, "invalidRequest");
        assert_eq!(faults(&problem), [(place.to_owned(), "tooMany".to_owned())].into(), "{path}");
    }
    let body = json!({"enabled": false, "additionalAssessors": vec!["IQA"; 51]});
    let problem = app.put("/onefile/settings", &body).await.refused(422, "invalidRequest");
    assert_eq!(problem["errors"][0]["code"], "tooMany", "{problem:#}");
}

#[tokio::test]
async fn a_body_of_another_content_type_is_415_and_says_which_to_send() {
    let app = TestApp::start().await;
    for kind in
        ["", "text/plain", "application/x-ndjson", "application/x-www-form-urlencoded", "multipart/form-data"]
    {
        let answer = put(&app).body(kind, officer().to_string()).send().await;
        let problem = answer.refused(415, "unsupportedMediaType");
        assert!(problem["detail"].as_str().unwrap().contains("application/json"), "{kind}: {problem}");
    }
    for kind in ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON;charset=UTF-8"] {
        put(&app).body(kind, officer().to_string()).send().await.good();
    }
}

#[tokio::test]
async fn a_record_of_a_mebibyte_is_read_and_a_byte_more_is_413() {
    let app = TestApp::start().await;
    let whole = |size: usize| {
        let bare = r#"{"lastName":"A"}"#;
        format!("{bare}{}", " ".repeat(size - bare.len()))
    };
    put(&app).body("application/json", whole(MIB)).send().await.expect(201);
    let problem =
        put(&app).body("application/json", whole(MIB + 1)).send().await.refused(413, "payloadTooLarge");
    assert!(problem["detail"].as_str().unwrap().contains("1 MiB"), "{problem}");
}

#[tokio::test]
async fn a_body_of_a_hundred_megabytes_is_413_whether_it_says_its_length_or_not() {
    let app = TestApp::start().await;
    let large = vec![b' '; 100 * MIB];
    for (method, path) in
        [(Method::PUT, "/officers/O1"), (Method::POST, "/learners:import"), (Method::POST, "/tokens")]
    {
        let call = app.call(method.clone(), path).body("application/json", large.clone());
        call.send().await.refused(413, "payloadTooLarge");
        let chunks = (0..100).map(|_| Ok::<_, std::io::Error>(vec![b' '; MIB]));
        let chunked = Body::wrap_stream(stream::iter(chunks));
        let call = app.call(method, path).body("application/json", chunked);
        call.send().await.refused(413, "payloadTooLarge");
    }
    // The service continues to work.
    app.get("/officers").await.expect(200);
}

#[tokio::test]
async fn who_may_not_write_is_told_so_before_anything_else_is_looked_at() {
    let app = TestApp::start().await;
    // The first look-up of a token takes a while. Other errors must wait for it.
    let unknown = TestApp::start().await;
    for stranger in [app.without_token(), app.as_token(unknown.token()), app.as_token("x.y.z")] {
        for path in ["/officers/O1", "/officers/a:b"] {
            let large = vec![b' '; 2 * MIB];
            let call = stranger.call(Method::PUT, path).body("text/plain", large);
            call.send().await.refused(401, "unauthenticated");
            stranger.get(path).await.refused(401, "unauthenticated");
        }
    }
    for path in ["/officers/O1", "/officers/a:b"] {
        let reader = app.with_scopes(&[Scope::RecordsRead]).await;
        let call = reader.call(Method::PUT, path).body("text/plain", vec![b' '; 2 * MIB]);
        call.send().await.refused(403, "scopeMissing");
    }
}
