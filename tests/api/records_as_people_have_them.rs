//! Values as people and their tools write them: invisible characters, odd blanks, numbers with a point, page tokens of
//! another list.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::people::{self, but};

async fn put(app: &TestApp, changes: Value) -> crate::support::answer::Answer {
    app.put("/learners/L1", &but(people::learner(1), changes)).await
}

#[tokio::test]
async fn invisible_characters_are_trimmed_from_values_and_refused_in_names() {
    let app = TestApp::start().await;
    put(&app, json!({"email": "lucy@example.com\u{200b}", "uln": format!("\u{feff}{}", people::uln(1))}))
        .await
        .good();
    let record = app.get("/learners/L1").await.expect(200);
    assert_eq!((&record["email"], &record["uln"]), (&json!("lucy@example.com"), &json!(people::uln(1))));
    for name in ["\u{200b}", "Marl\u{200b}pit", "12", "-"] {
        let problem = put(&app, json!({"lastName": name})).await.refused(422, "invalidRequest");
        assert_eq!(problem["errors"][0]["pointer"], "/lastName", "{name:?}");
        let message = problem["errors"][0]["message"].as_str().unwrap();
        assert_eq!(name.contains('\u{200b}'), message.contains("U+200B"), "{message}");
    }
}

#[tokio::test]
async fn every_blank_is_a_blank_and_a_spreadsheets_number_is_no_telephone_number() {
    let app = TestApp::start().await;
    put(&app, json!({"telephone": "01632\u{a0}960\u{2009}001"})).await.good();
    assert_eq!(app.get("/learners/L1").await.expect(200)["telephone"], "01632 960 001");
    let problem = put(&app, json!({"telephone": "7.7009E+09"})).await.refused(422, "invalidRequest");
    assert!(problem["errors"][0]["message"].as_str().unwrap().contains("scientific"), "{problem:#}");
}

#[tokio::test]
async fn a_national_insurance_number_may_lack_its_last_letter() {
    let app = TestApp::start().await;
    put(&app, json!({"nationalInsuranceNumber": "ab 12 34 56"})).await.good();
    assert_eq!(app.get("/learners/L1").await.expect(200)["nationalInsuranceNumber"], "AB123456");
}

#[tokio::test]
async fn a_whole_number_may_be_written_with_a_point_or_an_exponent() {
    let app = TestApp::start().await;
    let text = people::learner(1)
        .to_string()
        .replace("\"ethnicity\":31", "\"ethnicity\":3.1e1")
        .replace("\"standardId\":800", "\"standardId\":800.0");
    let call = app.call(reqwest::Method::PUT, "/learners/L1").body("application/json", text);
    call.send().await.expect(201);
    let record = app.get("/learners/L1").await.expect(200);
    assert_eq!((&record["ethnicity"], &record["ace360"]["standardId"]), (&json!(31), &json!(800)));
    let text = people::learner(1).to_string().replace("\"ethnicity\":31", "\"ethnicity\":31.5");
    let call = app.call(reqwest::Method::PUT, "/learners/L1").body("application/json", text);
    call.send().await.refused(422, "invalidRequest");
}

#[tokio::test]
async fn a_page_token_is_good_for_its_own_list_only() {
    let app = TestApp::start().await;
    for n in 1..=3 {
        app.put(&format!("/learners/L{n}"), &people::learner(n)).await.good();
        app.put(&format!("/officers/O{n}"), &people::officer()).await.good();
    }
    let page = app.get("/learners?pageSize=1").await.expect(200);
    let token = page["nextPageToken"].as_str().unwrap();
    assert_eq!(
        app.get(&format!("/learners?pageSize=2&pageToken={token}")).await.expect(200)["items"][0]["learnerId"],
        "L2"
    );
    let lists = [
        "/officers",
        "/organisations",
        "/runs",
        "/tokens",
        "/intents",
        "/audit",
        "/webhooks",
        "/ace360/standards",
        "/onefile/links",
        "/onefile/qualifications",
    ];
    for path in lists.into_iter().map(str::to_owned).chain(["/learners?ace360=uploaded".to_owned()]) {
        for token in [token, "AA", "AAAAAAAA", "eA"] {
            let sign = if path.contains('?') { '&' } else { '?' };
            let problem =
                app.get(&format!("{path}{sign}pageToken={token}")).await.refused(400, "invalidParameter");
            assert_eq!(problem["errors"][0]["code"], "invalidPageToken", "{path}: {problem:#}");
        }
    }
}

#[tokio::test]
async fn control_characters_in_a_query_are_refused() {
    let app = TestApp::start().await;
    for path in [
        "/onefile/centres?query=%00",
        "/onefile/classrooms?centreId=%00",
        "/learners/L1/onefile/preview?centreId=%00",
        "/intents?learnerId=%00",
        "/audit?action=%00",
    ] {
        app.get(path).await.refused(400, "invalidParameter");
    }
    let body = json!({"filter": {}, "centreId": "\u{0}", "pathways": {"\u{0}": "1"}});
    let problem = app.post("/onefile/learners:enrol", &body).await.refused(422, "invalidRequest");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem:#}");
}
