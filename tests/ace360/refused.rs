//! Creations that ACE360 refuses: nothing was created, the reason is shown, and the upload can be
//! repeated.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::ace360::{ready, ready_with, tab, uploaded};

fn status(status: u16, body: impl Into<Value>) -> Value {
    let body = body.into();
    json!({"operation": "createApprentice", "times": 1, "kind": {"status": {"status": status, "body": body}}})
}

async fn credits(app: &TestApp) -> Value {
    app.sandbox_state().await["creditsUsed"].clone()
}

#[tokio::test]
async fn a_no_is_told_in_ace360s_words_and_the_learner_may_be_uploaded_again() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let laravel = json!({"message": "The given data was invalid.", "errors": {"ulnNumber": ["The ULN is taken.", "Really."]}});
    let html = json!({"operation": "createApprentice", "times": 1,
        "kind": {"status": {"status": 422, "body": "<html><h1>Oh</h1></html>", "contentType": "text/html"}}});
    let cases = [
        (status(422, laravel), 422, "upstreamRejected", json!("The given data was invalid.")),
        (
            status(422, json!("The start date is not in the standard.")),
            422,
            "upstreamRejected",
            json!("The start date is not in the standard."),
        ),
        (
            status(422, json!({"error": "No such standard."})),
            422,
            "upstreamRejected",
            json!("No such standard."),
        ),
        (status(422, Value::Null), 422, "upstreamRejected", Value::Null),
        // That it is a page is our observation, not ACE360's message.
        (html, 422, "upstreamRejected", Value::Null),
        (status(400, json!({"message": "Bad."})), 422, "upstreamRejected", json!("Bad.")),
        (status(409, json!({"message": "Conflict."})), 422, "upstreamRejected", json!("Conflict.")),
        (status(404, json!({"message": "Not found."})), 422, "upstreamRejected", json!("Not found.")),
        (
            status(401, json!({"message": "Unauthenticated."})),
            502,
            "upstreamUnauthorised",
            json!("Unauthenticated."),
        ),
        (
            status(403, json!({"message": "Connect is off."})),
            502,
            "upstreamForbidden",
            json!("Connect is off."),
        ),
    ];
    for (rule, expected, code, words) in cases {
        let upstream = rule["kind"]["status"]["status"].clone();
        app.fault(rule).await;
        let problem = app.post(&tab("L1"), &json!({})).await.refused(expected, code);
        assert_eq!(problem["upstream"], json!({"name": "ace360", "status": upstream, "message": words}));
        assert_eq!(problem["retryable"], false);
        let now = app.get(&tab("L1")).await.expect(200);
        assert_eq!((&now["state"], &now["recordId"]), (&json!("rejected"), &Value::Null), "{upstream}");
        assert_eq!(
            (&now["problem"]["code"], &now["problem"]["upstream"]["status"]),
            (&json!(code), &upstream)
        );
        if words == "The given data was invalid." {
            for errors in [&problem["errors"], &now["problem"]["errors"]] {
                let messages: Vec<_> =
                    errors.as_array().unwrap().iter().map(|error| &error["message"]).collect();
                assert_eq!(messages, ["ulnNumber: The ULN is taken.", "ulnNumber: Really."]);
            }
        }
    }
    let listed = app.get("/learners?ace360=rejected").await.expect(200);
    assert_eq!(listed["items"][0]["learnerId"], "L1");
    let attention = app.get("/ace360").await.expect(200)["attention"].clone();
    assert!(attention.to_string().contains("rejectedUploads"), "{attention}");
    assert_eq!(credits(&app).await, 0);
    // Fixed meanwhile: the same call is enough.
    app.post(&tab("L1"), &json!({})).await.expect(201);
    assert_eq!(credits(&app).await, 1);
    assert_eq!(app.get("/learners?ace360=rejected").await.expect(200)["items"], json!([]));
    let attention = app.get("/ace360").await.expect(200)["attention"].clone();
    assert!(!attention.to_string().contains("rejectedUploads"), "{attention}");
}

#[tokio::test]
async fn ace360s_own_rules_refuse_what_ours_let_through() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    // A sector that the stored catalogue has, but ACE360 no longer has.
    let mut sql = app.sql().await;
    sqlx::query("update ace360_standards set sector_id = 4711").execute(&mut sql).await.unwrap();
    let mut organisation = crate::support::people::organisation();
    organisation["provisions"][0]["code"] = json!("4711");
    app.put("/organisations/ORG7", &organisation).await.good();
    let problem = app.post(&tab("L1"), &json!({})).await.refused(422, "upstreamRejected");
    assert_eq!(
        problem["errors"][0]["message"],
        "employerSectorId: The selected employer sector id is invalid."
    );
    assert_eq!(credits(&app).await, 0);
}

#[tokio::test]
async fn without_a_credit_nothing_is_made_until_there_is_one() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    app.sandbox_settings(json!({"credits": 0})).await;
    let problem = app.post(&tab("L1"), &json!({})).await.refused(422, "upstreamRejected");
    assert_eq!(problem["upstream"]["status"], 402);
    assert!(problem["upstream"]["message"].as_str().unwrap().contains("credits"), "{problem:#}");
    assert_eq!(app.get(&tab("L1")).await.expect(200)["state"], "rejected");
    app.sandbox_settings(json!({"credits": 1})).await;
    app.post(&tab("L1"), &json!({})).await.expect(201);
    assert_eq!(app.sandbox_state().await["creditsLeft"], 0);
}

#[tokio::test]
async fn too_many_requests_means_not_sent_and_keeps_everybody_away_as_long_as_asked() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    app.put_ready("L2", 2).await;
    app.fault(json!({"operation": "createApprentice", "times": 1,
        "kind": {"status": {"status": 429, "retryAfter": 120}}}))
        .await;
    let answer = app.post(&tab("L1"), &json!({})).await;
    assert_eq!(answer.header("retry-after"), Some("120"));
    assert_eq!(answer.refused(503, "upstreamLimited")["retryable"], true);
    assert_eq!(app.get(&tab("L1")).await.expect(200)["state"], "notUploaded");
    let calls = app.sandbox_state().await["calls"].clone();
    for path in [tab("L1"), tab("L2")] {
        let answer = app.post(&path, &json!({})).await;
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((100..=120).contains(&wait), "{wait}");
        answer.refused(503, "upstreamLimited");
    }
    assert_eq!(app.sandbox_state().await["calls"], calls, "ACE360 was asked while it asked not to be");
    app.clock_advance(TimeDelta::seconds(121)).await;
    app.post(&tab("L1"), &json!({})).await.expect(201);
    assert_eq!(credits(&app).await, 1);
}

#[tokio::test]
async fn an_ace360_that_cannot_be_reached_gets_nothing_and_the_learner_stays_not_uploaded() {
    let app = TestApp::builder().setting(|raw| {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        raw.ace360_live_url = Some(format!("http://{free}/connect-api/beta"));
    });
    let app = ready_with(app).await;
    app.put_ready("L1", 1).await;
    let live =
        json!({"enabled": true, "environment": "live", "dailySync": {"enabled": false, "at": "05:00"}});
    app.put("/ace360/settings", &live).await.good();
    let mut sql = app.sql().await;
    sqlx::query("update ace360_standards set environment = 'live'").execute(&mut sql).await.unwrap();
    let problem = app.post(&tab("L1"), &json!({})).await.refused(503, "upstreamUnavailable");
    assert_eq!((&problem["retryable"], &problem["upstream"]["status"]), (&json!(true), &Value::Null));
    assert_eq!(app.get(&tab("L1")).await.expect(200)["state"], "notUploaded");
    assert_eq!(app.get("/intents").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_search_for_duplicates_that_failed_half_way_lets_nothing_through() {
    let app = ready().await;
    uploaded(&app, "L1", 1).await;
    app.put("/learners/L2", &crate::support::people::learner(1)).await.good();
    for operation in ["listApprentices", "getApprentice"] {
        app.fault(json!({"operation": operation, "kind": {"status": {"status": 500}}})).await;
        app.post(&tab("L2"), &json!({})).await.refused(502, "upstreamFailed");
    }
    assert_eq!(credits(&app).await, 1);
}
