//! Creating, changing and deleting webhooks.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::dump::dump;
use crate::support::webhook_receiver::path;
use crate::support::{TestApp, faults};

async fn create(app: &TestApp) -> Value {
    let body =
        json!({"url": "https://receiver.example/a?token=planted-token", "description": "planted words"});
    app.post("/webhooks", &body).await.expect(201)
}

#[tokio::test]
async fn a_webhook_is_made_read_changed_listed_and_deleted() {
    let app = TestApp::start().await;
    let made = create(&app).await;
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!((&made["types"], &made["enabled"]), (&json!([]), &json!(true)));
    let read = app.get(&path(&made)).await.expect(200);
    assert_eq!(read["url"], made["url"]);
    assert!(read.get("secret").is_none());

    let body = json!({"url": "https://other.example/", "types": ["run.finished", "ace360.uploaded", "run.finished"], "enabled": false});
    let changed = app.put(&path(&made), &body).await.expect(200);
    assert_eq!(changed["types"], json!(["ace360.uploaded", "run.finished"]));
    assert_eq!((&changed["enabled"], &changed["description"]), (&json!(false), &Value::Null));
    let second = create(&app).await;
    let page = app.get("/webhooks?pageSize=1").await.expect(200);
    assert_eq!(page["items"], json!([changed]));
    let rest = app
        .get(&format!("/webhooks?pageToken={}", page["nextPageToken"].as_str().unwrap()))
        .await
        .expect(200);
    assert_eq!(rest["items"][0]["id"], second["id"]);

    app.delete(&path(&made)).await.expect(204);
    app.delete(&path(&made)).await.refused(404, "notFound");
    app.get(&path(&made)).await.refused(404, "notFound");
    app.put(&path(&made), &body).await.refused(404, "notFound");
    app.get(&format!("{}/deliveries", path(&made))).await.refused(404, "notFound");
    for verb in [":test", ":rotateSecret"] {
        app.post(&format!("{}{verb}", path(&made)), &Value::Null).await.refused(404, "notFound");
    }
    assert_eq!(app.get("/webhooks").await.expect(200)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_body_is_told_at_once() {
    let app = TestApp::start().await;
    let made = create(&app).await;
    let table = [
        (json!({}), vec![("/url", "required")]),
        (
            json!({"url": "http://10.0.0.1/", "types": ["ace360.uploaded", "nonsense"], "enabled": "yes", "x": 1}),
            vec![
                ("/enabled", "wrongType"),
                ("/types/1", "invalidValue"),
                ("/url", "notHttps"),
                ("/x", "unknownField"),
            ],
        ),
        (json!({"url": 7}), vec![("/url", "wrongType")]),
        (
            json!({"url": "nowhere", "description": "a\nb".repeat(101)}),
            vec![("/description", "controlCharacter"), ("/description", "tooLong"), ("/url", "invalidUrl")],
        ),
        (
            json!({"url": format!("https://me:pass@receiver.example/{}", "x".repeat(2048))}),
            vec![("/url", "credentialsInUrl"), ("/url", "tooLong")],
        ),
    ];
    for (body, wanted) in table {
        for call in [app.call(Method::POST, "/webhooks"), app.call(Method::PUT, &path(&made))] {
            let problem = call.json(&body).send().await.refused(422, "invalidRequest");
            let found = faults(&problem);
            let found: Vec<_> = found.iter().map(|(place, code)| (place.as_str(), code.as_str())).collect();
            assert_eq!(found, wanted, "{body}");
        }
    }
    app.call(Method::POST, "/webhooks")
        .body("application/json", "{")
        .send()
        .await
        .refused(400, "malformedJson");
    app.call(Method::POST, "/webhooks")
        .body("text/plain", "{}")
        .send()
        .await
        .refused(415, "unsupportedMediaType");
    assert_eq!(app.get("/webhooks").await.expect(200)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_provider_has_at_most_twenty_webhooks_whoever_makes_them_at_once() {
    let app = TestApp::start().await;
    let body = json!({"url": "https://receiver.example/"});
    let answers = join_all((0..24).map(|_| app.post("/webhooks", &body))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 20);
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        answer.refused(409, "tooManyWebhooks");
    }
    let all = app.get("/webhooks").await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 20);
    // Others have their own twenty, and a deleted webhook frees a place.
    app.second_provider().await.post("/webhooks", &body).await.expect(201);
    app.delete(&path(&all["items"][3])).await.expect(204);
    app.post("/webhooks", &body).await.expect(201);
}

#[tokio::test]
async fn the_same_call_made_again_makes_one_webhook_and_shows_no_secret() {
    let app = TestApp::start().await;
    let body = json!({"url": "https://receiver.example/"});
    let post = async || {
        app.call(Method::POST, "/webhooks").header("idempotency-key", "one").json(&body).send().await
    };
    let made = post().await.expect(201);
    let problem = post().await.refused(409, "secretShownOnce");
    assert!(!problem.to_string().contains("whsec_"));
    assert_eq!(app.get("/webhooks").await.expect(200)["items"].as_array().unwrap().len(), 1);
    let rotate = format!("{}:rotateSecret", path(&made));
    let rotate = async || app.call(Method::POST, &rotate).header("idempotency-key", "two").send().await;
    rotate().await.expect(200);
    rotate().await.refused(409, "secretShownOnce");
}

#[tokio::test]
async fn who_dies_before_it_answers_makes_the_same_webhook_when_asked_again() {
    let app = TestApp::start().await;
    let body = json!({"url": "https://receiver.example/"});
    let post = async || {
        app.call(Method::POST, "/webhooks").header("idempotency-key", "one").json(&body).send().await
    };
    let made = post().await.expect(201);
    // As if the process had died after the webhook was stored and before its response was.
    let forget = "update idempotency_keys set status = null, sealed_answer = null";
    sqlx::query(forget).execute(&mut app.sql().await).await.unwrap();
    let again = post().await.expect(201);
    assert_eq!((&again["id"], &again["secret"]), (&made["id"], &made["secret"]));
}

#[tokio::test]
async fn whatever_is_done_to_a_webhook_is_in_the_audit() {
    let app = TestApp::start().await;
    let made = create(&app).await;
    app.put(&path(&made), &json!({"url": "https://other.example/"})).await.expect(200);
    app.post(&format!("{}:rotateSecret", path(&made)), &Value::Null).await.expect(200);
    app.delete(&path(&made)).await.expect(204);
    let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(
        "select action, actor, request_id from audit where subject_kind = 'webhook' and subject_id = $1 order by id",
    )
    .bind(made["id"].as_str().unwrap())
    .fetch_all(&mut app.sql().await)
    .await
    .unwrap();
    let actions: Vec<_> = rows.iter().map(|(action, _, _)| action.as_str()).collect();
    assert_eq!(actions, ["webhook.create", "webhook.change", "webhook.rotateSecret", "webhook.delete"]);
    for (_, actor, request) in &rows {
        assert!(actor.starts_with("token:") && request.is_some());
    }
}

#[tokio::test]
async fn a_dump_shows_neither_address_nor_secret() {
    let app = TestApp::start().await;
    let made = create(&app).await;
    let rotated = app.post(&format!("{}:rotateSecret", path(&made)), &Value::Null).await.expect(200);
    let (one, other) = (made["secret"].as_str().unwrap(), rotated["secret"].as_str().unwrap());
    assert_ne!(one, other);
    for (table, row) in dump(&app).await {
        for value in ["planted", "receiver.example", &one[6..], &other[6..]] {
            assert!(!row.contains(value), "{value} stands in {table}: {row}");
        }
    }
}

#[tokio::test]
async fn a_webhook_of_another_provider_is_not_there() {
    let app = TestApp::start().await;
    let made = create(&app).await;
    let other = app.second_provider().await;
    let (own, nobodys) = (path(&made), format!("/webhooks/{}", Uuid::now_v7()));
    for at in [own, nobodys] {
        other.get(&at).await.refused(404, "notFound");
        other.put(&at, &json!({"url": "https://receiver.example/"})).await.refused(404, "notFound");
        other.delete(&at).await.refused(404, "notFound");
        other.get(&format!("{at}/deliveries")).await.refused(404, "notFound");
        let resend = format!("{at}/deliveries/{}:resend", Uuid::now_v7());
        other.post(&resend, &Value::Null).await.refused(404, "notFound");
    }
    assert_eq!(other.get("/webhooks").await.expect(200)["items"], json!([]));
    app.get(&path(&made)).await.expect(200);
}
