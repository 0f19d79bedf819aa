//! `Idempotency-Key`: a repeated call does nothing the second time.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, TestApp, people};

/// The number of keys. Each is used twenty times at once.
fn keys() -> usize {
    std::env::var("IDEMPOTENCY_KEYS").ok().and_then(|keys| keys.parse().ok()).unwrap_or(40)
}

async fn post(api: &Api, path: &str, key: &str, body: &Value) -> Answer {
    api.call(Method::POST, path).header("idempotency-key", key).json(body).send().await
}

async fn ready() -> TestApp {
    let app = TestApp::builder().no_worker().start().await;
    app.put_ready("L1", 1).await;
    app
}

fn look() -> Value {
    json!({"learnerIds": ["L1"], "validateOnly": true})
}

const UPLOAD: &str = "/ace360/learners:upload";

async fn runs(app: &TestApp) -> usize {
    app.get("/runs?pageSize=500").await.expect(200)["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_call_is_answered_as_it_was_and_does_nothing_again() {
    let app = ready().await;
    let first = post(&app, UPLOAD, "one", &look()).await;
    assert_eq!(first.header("idempotent-replayed"), None);
    let again = post(&app, UPLOAD, "one", &look()).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!((again.status, again.header("location")), (first.status, first.header("location")));
    assert_eq!((again.text.clone(), runs(&app).await), (first.text.clone(), 1));
    // Another key, or no key, is another call.
    post(&app, UPLOAD, "two", &look()).await.expect(202);
    app.post(UPLOAD, &look()).await.expect(202);
    assert_eq!(runs(&app).await, 3);
    // After a day the key is forgotten.
    app.clock_advance(TimeDelta::hours(25)).await;
    assert_eq!(post(&app, UPLOAD, "one", &look()).await.header("idempotent-replayed"), None);
    assert_eq!(runs(&app).await, 4);
}

#[tokio::test]
async fn a_key_belongs_to_one_call_of_one_token() {
    let app = ready().await;
    post(&app, UPLOAD, "one", &look()).await.expect(202);
    let other = json!({"learnerIds": ["L1"], "validateOnly": false});
    post(&app, UPLOAD, "one", &other).await.refused(422, "idempotencyKeyReused");
    post(&app, "/ace360/records:match", "one", &look()).await.refused(422, "idempotencyKeyReused");
    assert_eq!(runs(&app).await, 1);
    let colleague = app.with_scopes(&[picsbridge::auth::scope::Scope::Ace360Write]).await;
    post(&colleague, UPLOAD, "one", &look()).await.expect(202);
    let stranger = app.second_provider().await.api;
    post(&stranger, UPLOAD, "one", &look()).await;
    assert_eq!(runs(&app).await, 2);
    for wrong in ["", &"x".repeat(256)] {
        post(&app, UPLOAD, wrong, &look()).await.refused(400, "invalidParameter");
    }
    // A key is useless without a token, and gives no access.
    post(&app.without_token(), UPLOAD, "one", &look()).await.refused(401, "unauthenticated");
    let reader = app.with_scopes(&[picsbridge::auth::scope::Scope::RecordsRead]).await;
    post(&reader, UPLOAD, "one", &look()).await.refused(403, "scopeMissing");
}

#[tokio::test]
async fn what_did_nothing_is_not_kept_and_may_be_tried_again_with_the_same_key() {
    let app = ready().await;
    let bad = json!({"learnerIds": ["L1"], "nonsense": 1});
    for _ in 0..2 {
        let refused = post(&app, UPLOAD, "one", &bad).await;
        assert_eq!(refused.header("idempotent-replayed"), None);
        refused.refused(422, "invalidRequest");
    }
    let unknown = json!({"kind": "officer", "localId": "O1", "remoteId": 1});
    post(&app, "/onefile/links", "two", &unknown).await.refused(404, "notFound");
}

#[tokio::test]
async fn a_call_that_was_refused_has_not_used_its_key() {
    let app = ready().await;
    let bad = json!({"learnerIds": ["L1"], "nonsense": 1});
    post(&app, UPLOAD, "one", &bad).await.refused(422, "invalidRequest");
    let corrected = post(&app, UPLOAD, "one", &look()).await;
    assert!(corrected.status < 300, "{corrected:?}");
    let again = post(&app, UPLOAD, "one", &look()).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let other = json!({"filter": {}, "validateOnly": true, "allowDuplicate": true});
    post(&app, UPLOAD, "one", &other).await.refused(422, "idempotencyKeyReused");
}

#[tokio::test]
async fn an_answer_that_showed_a_secret_is_not_shown_again() {
    let app = ready().await;
    let body = json!({"name": "Partner", "scopes": ["records:read"]});
    post(&app, "/tokens", "one", &body).await.expect(201);
    let problem = post(&app, "/tokens", "one", &body).await.refused(409, "secretShownOnce");
    assert!(!problem.to_string().contains("eyJ"));
    let tokens = app.get("/tokens").await.expect(200);
    let named = tokens["items"].as_array().unwrap().iter().filter(|token| token["name"] == "Partner").count();
    assert_eq!(named, 1);
}

#[tokio::test]
async fn duplicates_at_the_same_moment_have_one_effect_a_key() {
    let app = ready().await;
    for some in (0..keys()).collect::<Vec<_>>().chunks(20) {
        let calls = some.iter().flat_map(|key| (0..20).map(move |_| format!("key-{key}")));
        let answers = join_all(calls.map(|key| {
            let app = &app;
            async move { (key.clone(), post(app, UPLOAD, &key, &look()).await) }
        }))
        .await;
        let mut made = BTreeSet::new();
        for (key, answer) in answers {
            match answer.status {
                202 => drop(made.insert((key, answer.header("location").unwrap().to_owned()))),
                _ => drop(answer.refused(409, "idempotencyInFlight")),
            }
        }
        assert_eq!(made.len(), some.len(), "one run a key, whoever asked");
    }
    let mut sql = app.sql().await;
    let runs: i64 = sqlx::query_scalar("select count(*) from runs").fetch_one(&mut sql).await.unwrap();
    assert_eq!(runs, i64::try_from(keys()).unwrap());
}

#[tokio::test]
async fn a_call_whose_process_died_before_it_was_kept_is_done_again_and_makes_nothing_again() {
    let app = ready().await;
    let first = post(&app, UPLOAD, "one", &look()).await.expect(202);
    let mut sql = app.sql().await;
    let lost = "update idempotency_keys set status = null, sealed_answer = null, claim = gen_random_uuid(), claimed_until = app_now() + interval '1 minute'";
    sqlx::query(lost).execute(&mut sql).await.unwrap();
    post(&app, UPLOAD, "one", &look()).await.refused(409, "idempotencyInFlight");
    app.clock_advance(TimeDelta::minutes(2)).await;
    let again = post(&app, UPLOAD, "one", &look()).await.expect(202);
    assert_eq!((&again["id"], runs(&app).await), (&first["id"], 1));
}

#[tokio::test]
async fn an_answer_that_may_tell_of_a_learner_goes_with_it() {
    let app = ready().await;
    let records = json!([people::with_id("learnerId", "L2", &people::learner(2))]);
    post(&app, "/learners:import", "one", &records).await.expect(200);
    assert_eq!(
        post(&app, "/learners:import", "one", &records).await.header("idempotent-replayed"),
        Some("true")
    );
    app.delete("/learners/L2").await.expect(204);
    let mut sql = app.sql().await;
    let kept: i64 =
        sqlx::query_scalar("select count(*) from idempotency_keys").fetch_one(&mut sql).await.unwrap();
    assert_eq!(kept, 0);
}
