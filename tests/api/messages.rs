//! Error messages say what is wrong, where, and what to do.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::MASTER_KEY;
use crate::support::people::{learner, with_id};
use crate::support::{TestApp, faults};

fn detail(problem: &Value) -> &str {
    problem["detail"].as_str().unwrap()
}

#[tokio::test]
async fn an_empty_body_is_told_as_one() {
    let app = TestApp::start().await;
    for (method, path, wanted) in [
        (Method::PUT, "/learners/L1", "JSON object"),
        (Method::POST, "/tokens", "JSON object"),
        (Method::POST, "/learners:import", "JSON array"),
    ] {
        for body in ["", " \n"] {
            let call = app.call(method.clone(), path).body("application/json", body);
            let problem = call.send().await.refused(400, "malformedJson");
            assert!(detail(&problem).contains("empty") && detail(&problem).contains(wanted), "{problem:#}");
        }
    }
}

#[tokio::test]
async fn a_fault_of_an_import_names_the_line_of_the_whole_body() {
    let app = TestApp::start().await;
    let good = with_id("learnerId", "L1", &learner(1)).to_string();
    let body = format!("{good}\n\n{{\"learnerId\": \"L2\"\n{{\"learnerId\": \"L3\"}}\n");
    let call = app.call(Method::POST, "/learners:import").body("application/x-ndjson", body);
    let answer = call.send().await.expect(200);
    let lines: Vec<_> =
        answer["items"].as_array().unwrap().iter().map(|item| &item["problem"]["line"]).collect();
    assert_eq!(lines, [&Value::Null, &json!(3), &json!(4)], "{answer:#}");
    let broken = answer["items"][1]["problem"]["errors"][0]["message"].as_str().unwrap();
    assert!(broken.contains("line 3 "), "{broken}");

    let body = format!("[\n{good},\n{{\n  \"learnerId\": \"L2\"}},\n\n{{\"learnerId\": \"L3\"}}\n]");
    let call = app.call(Method::POST, "/learners:import").body("application/json", body);
    let answer = call.send().await.expect(200);
    let lines: Vec<_> =
        answer["items"].as_array().unwrap().iter().map(|item| &item["problem"]["line"]).collect();
    assert_eq!(lines, [&Value::Null, &json!(3), &json!(6)], "{answer:#}");
}

#[tokio::test]
async fn wrong_types_are_all_told_at_once_also_where_true_or_a_certain_word_must_stand() {
    let app = TestApp::start().await;
    let body = json!({"enabled": "yes", "environment": 7, "token": 5, "dailySync": {"enabled": "no", "at": 5}, "x": 1});
    let problem = app.put("/ace360/settings", &body).await.refused(422, "invalidRequest");
    let places: Vec<String> = faults(&problem).into_iter().map(|(place, _)| place).collect();
    assert_eq!(
        places,
        ["/dailySync/at", "/dailySync/enabled", "/enabled", "/environment", "/token", "/x"],
        "{problem:#}"
    );
    let id = uuid::Uuid::now_v7();
    let body = json!({"outcome": "maybe", "remoteId": "x", "allowOtherPerson": 1});
    let problem = app.post(&format!("/intents/{id}:resolve"), &body).await.refused(422, "invalidRequest");
    let places: Vec<String> = faults(&problem).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["/allowOtherPerson", "/outcome", "/remoteId"], "{problem:#}");
}

#[tokio::test]
async fn a_number_that_is_too_small_is_told_its_bounds_whatever_its_sign() {
    let app = TestApp::start().await;
    for days in [-1, 0, 3661, 99_999_999_999_i64] {
        let body = json!({"name": "x", "scopes": ["records:read"], "days": days});
        let problem = app.post("/tokens", &body).await.refused(422, "invalidRequest");
        assert_eq!(problem["errors"][0]["code"], "outOfRange", "{days}: {problem:#}");
        assert!(detail(&problem).contains("1 to 3660"), "{days}: {problem:#}");
    }
}

#[tokio::test]
async fn a_parameter_that_a_read_does_not_take_is_refused_on_every_read() {
    let app = TestApp::start().await;
    app.put("/learners/L1", &learner(1)).await.expect(201);
    for path in [
        "/learners/L1",
        "/learners/L1/ace360",
        "/learners/L1/ace360/preview",
        "/learners/L1/ace360/history",
        "/ace360",
        "/ace360/settings",
        "/ace360/sectors",
        "/learners",
        "/runs",
        "/intents",
        "/changes",
        "/tokens",
    ] {
        let problem = app.get(&format!("{path}?verbose=1")).await.refused(400, "invalidParameter");
        assert_eq!(
            faults(&problem),
            [("verbose".to_owned(), "unknownParameter".to_owned())].into(),
            "{path}"
        );
    }
    // A caller without read access gets that error first.
    app.without_token().get("/learners/L1?verbose=1").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn doctor_names_the_address_that_it_checks_and_what_helps_when_the_port_is_anothers() {
    let app = TestApp::start().await;
    let doctor = |sandbox: &str| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_picsbridge"))
            .arg("doctor")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DATABASE_URL", app.database_url())
            .env("PICSBRIDGE_MASTER_KEY", MASTER_KEY)
            .env("PICSBRIDGE_SANDBOX_URL", sandbox)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let said = doctor(&app.sandbox_url());
    let line = format!("ok      ACE360 of provider first at {}/ace360/connect-api/beta: ", app.sandbox_url());
    assert!(said.contains(&line), "{said}");
    assert!(!said.contains("OneFile"), "whose OneFile was never set up is not asked: {said}");
    // OneFile before it is switched on: without a token, with a valid one, with an invalid one.
    for (token, line) in [
        (None, "not set up (The OneFile settings have no customer token"),
        (Some("sandbox"), "OneFile (sandbox, API v2.1) answers: the customer is "),
        (Some("nobody's"), "switched off ("),
    ] {
        let settings = json!({"enabled": false, "environment": "sandbox", "customerToken": token});
        app.put("/onefile/settings", &settings).await.expect(200);
        let said = doctor(&app.sandbox_url());
        let line =
            format!("ok      OneFile of provider first at {}/onefile/api/v2.1: {line}", app.sandbox_url());
        assert!(said.contains(&line), "{said}");
    }
    let on = json!({"force": true, "reason": "To see what doctor says.", "actor": "a test"});
    app.post("/onefile:enable", &on).await.expect(200);
    let said = doctor(&app.sandbox_url());
    let line = format!("WRONG   OneFile of provider first at {}/onefile/api/v2.1: ", app.sandbox_url());
    assert!(said.contains(&line) && said.contains("did not open a session"), "{said}");
    // The service itself is no sandbox.
    let said = doctor(app.base());
    let line = format!("WRONG   ACE360 of provider first at {}/ace360/connect-api/beta: ", app.base());
    assert!(said.contains(&line) && said.contains("--sandbox-listen"), "{said}");
}
