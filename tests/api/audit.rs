//! The audit log: who did what to which record, when and from where, and what was refused.

use chrono::TimeDelta;
use picsbridge::auth::scope::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, TestApp, faults, on_runtime, people};

async fn lines(api: &Api, query: &str) -> Vec<Value> {
    api.get(&format!("/audit{query}")).await.expect(200)["items"].as_array().unwrap().clone()
}

fn actor_of(app: &Api) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = URL_SAFE_NO_PAD.decode(app.token().split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    format!("token:{}", claims["jti"].as_str().unwrap())
}

#[tokio::test]
async fn what_is_done_is_told_with_who_whom_when_and_from_where() {
    let app = TestApp::start().await;
    let call = app.call(Method::PUT, "/officers/O1").header("x-request-id", "put-1");
    call.json(&people::officer()).send().await.expect(201);
    let all = lines(&app, "").await;
    let line = &all[0];
    assert_eq!((&line["action"], &line["outcome"]), (&json!("record.put"), &json!("done")));
    assert_eq!(line["subject"], json!({"kind": "officer", "id": "O1"}));
    assert_eq!(line["actor"], actor_of(&app));
    assert_eq!((&line["requestId"], &line["address"]), (&json!("put-1"), &json!("127.0.0.1")));
    assert_eq!(line["calls"], 1);
    // Only the provider itself can read it.
    let other = app.second_provider().await;
    assert!(lines(&other, "").await.iter().all(|line| line["subject"]["id"] != "O1"));
    assert!(lines(&other, "?subjectKind=officer&subjectId=O1").await.is_empty());
}

#[tokio::test]
async fn what_is_begun_is_told_with_who_began_it() {
    let app = TestApp::start().await;
    app.refresh_standards().await;
    app.put_ready("L1", 1).await;
    app.post("/learners/L1/ace360", &json!({})).await.expect(201);
    app.post("/learners/L1/ace360:sync", &Value::Null).await.expect(200);
    let run = app.post("/ace360/status:sync", &Value::Null).await.good();
    let run = app.wait_run(run["id"].as_str().unwrap()).await;
    // A refused call does not appear as done.
    app.put_ready("L2", 2).await;
    app.post("/learners/L2/ace360:sync", &Value::Null).await.refused(409, "notUploaded");
    app.put("/ace360/settings", &json!({"enabled": false, "environment": "sandbox"})).await.good();
    app.post("/learners/L1/ace360:sync", &Value::Null).await.refused(409, "integrationDisabled");
    let told = |action: &'static str| {
        let app = &app;
        async move { lines(app, &format!("?action={action}&actor={}", actor_of(app))).await }
    };
    let synced = told("ace360.sync").await;
    assert_eq!(synced.len(), 1, "{synced:#?}");
    assert_eq!(synced[0]["subject"], json!({"kind": "learner", "id": "L1"}));
    let begun = told("run.ace360.statusSync").await;
    assert_eq!((begun.len(), &begun[0]["subject"]), (1, &json!({"kind": "run", "id": run["id"]})));
    assert!(begun[0]["requestId"].is_string() && begun[0]["address"] == "127.0.0.1", "{begun:#?}");
    assert_eq!(told("run.ace360.standardsRefresh").await.len(), 1);
}

#[tokio::test]
async fn the_newest_comes_first_page_by_page_and_each_filter_keeps_its_own() {
    let app = TestApp::start().await;
    app.put("/officers/O1", &people::officer()).await.expect(201);
    app.put("/organisations/E1", &people::organisation()).await.expect(201);
    app.clock_advance(TimeDelta::days(1)).await;
    let since = app.parts.auth.clock().now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    app.clock_advance(TimeDelta::days(1)).await;
    let imported = json!([{"officerId": "O1", "lastName": "A"}, {"officerId": "O2", "lastName": "B"}]);
    app.post("/officers:import", &imported).await.expect(200);
    app.delete("/officers/O2").await.expect(204);

    let all = lines(&app, "").await;
    let actions = |lines: &[Value]| -> Vec<String> {
        lines.iter().map(|line| line["action"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(actions(&all)[..4], ["record.delete", "record.import", "record.put", "record.put"]);
    let mut paged = Vec::new();
    let mut query = "?pageSize=2".to_owned();
    loop {
        let page = app.get(&format!("/audit{query}")).await.expect(200);
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["nextPageToken"].as_str() else { break };
        query = format!("?pageSize=2&pageToken={next}");
    }
    assert_eq!(paged, all);

    let import = &all[1];
    assert_eq!((&import["subjectIds"], &import["subjectCount"]), (&json!(["O1", "O2"]), &json!(2)));
    assert_eq!(import["subject"], json!({"kind": "officer", "id": null}));
    let of_one = lines(&app, "?subjectKind=officer&subjectId=O1").await;
    assert_eq!(actions(&of_one), ["record.import", "record.put"]);
    assert_eq!(actions(&lines(&app, "?action=record.put").await), ["record.put", "record.put"]);
    assert_eq!(lines(&app, &format!("?actor={}", actor_of(&app))).await.len(), 4);
    assert!(lines(&app, "?actor=token:nobody").await.is_empty());
    assert_eq!(actions(&lines(&app, &format!("?after={since}")).await), ["record.delete", "record.import"]);
    let before = lines(&app, &format!("?before={since}")).await;
    assert_eq!(before.len(), all.len() - 2);
    let all_at_once = format!("?after={since}&action=record.delete&subjectKind=officer&subjectId=O2");
    assert_eq!(actions(&lines(&app, &all_at_once).await), ["record.delete"]);
}

#[tokio::test]
async fn everything_wrong_with_what_is_asked_is_told_at_once() {
    let app = TestApp::start().await;
    let problem = app.get("/audit?subjectKind=learner&after=yesterday&who=me&pageSize=0").await;
    let found = faults(&problem.refused(400, "invalidParameter"));
    let expected = [
        ("after", "wrongType"),
        ("pageSize", "outOfRange"),
        ("subjectId", "required"),
        ("who", "unknownParameter"),
    ];
    assert_eq!(found, expected.map(|(name, code)| (name.to_owned(), code.to_owned())).into());
}

#[tokio::test]
async fn what_is_refused_is_told_too() {
    let app = TestApp::start().await;
    app.put("/officers/O1", &people::officer()).await.expect(201);
    let reader = app.with_scopes(&[Scope::RecordsRead]).await;
    reader.put("/officers/O1", &people::officer()).await.refused(403, "scopeMissing");
    reader.get("/tokens").await.refused(403, "scopeMissing");
    // A read of a missing record is no change, and neither is a normal read.
    reader.get("/officers/O9").await.refused(404, "notFound");
    let tried = lines(&app, &format!("?actor={}", actor_of(&reader))).await;
    let told: Vec<(&str, &str)> = tried
        .iter()
        .map(|line| (line["action"].as_str().unwrap(), line["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("GET /tokens", "scopeMissing"), ("PUT /officers/{officerId}", "scopeMissing")]);
    assert_eq!(tried[1]["subject"], json!({"kind": "officer", "id": "O1"}));
    assert_eq!(tried[1]["address"], "127.0.0.1");

    let other = app.second_provider().await;
    other.delete("/officers/O1").await.refused(404, "notFound");
    other.put("/officers/O1", &json!({"lastName": 1})).await.refused(422, "invalidRequest");
    let answer = other.call(Method::PUT, "/officers/O1").header("if-match", "*").json(&people::officer());
    answer.send().await.refused(412, "preconditionFailed");
    let run = "0190b0a0-0000-7000-8000-000000000000";
    other.post(&format!("/runs/{run}:cancel"), &Value::Null).await.refused(404, "notFound");
    let refused = lines(&other, "").await;
    let outcomes: Vec<&str> = refused[..4].iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["notFound", "preconditionFailed", "invalidRequest", "notFound"]);
    assert_eq!(refused[0]["subject"], json!({"kind": "run", "id": run}));
    // The line belongs to the caller's provider, not to the owner of the record.
    let own = lines(&app, "?subjectKind=officer&subjectId=O1").await;
    assert!(own.iter().all(|line| line["outcome"] != "notFound"), "{own:#?}");
}

#[tokio::test]
async fn the_use_of_a_token_that_was_revoked_is_told() {
    let app = TestApp::start().await;
    let gone = app.with_scopes(&[Scope::RecordsRead]).await;
    let actor = actor_of(&gone);
    app.delete(&format!("/tokens/{}", &actor["token:".len()..])).await.expect(204);
    gone.get("/officers").await.refused(401, "unauthenticated");
    let told = lines(&app, &format!("?actor={actor}")).await;
    assert_eq!(
        (&told[0]["action"], &told[0]["outcome"]),
        (&json!("GET /officers"), &json!("unauthenticated"))
    );
}

#[tokio::test]
async fn a_flood_of_refusals_is_counted_and_does_not_fill_the_audit() {
    let app = TestApp::start().await;
    let reader = app.with_scopes(&[Scope::RecordsRead]).await;
    for _ in 0..60 {
        reader.delete("/officers/O1").await.refused(403, "scopeMissing");
    }
    let query = format!("?actor={}", actor_of(&reader));
    // Sixty calls may begin in one minute and end in the next.
    assert!((10..=21).contains(&lines(&app, &query).await.len()));
    let parts = app.parts.clone();
    on_runtime(async move { parts.flush_refusals().await }).await;
    let told = lines(&app, &query).await;
    let calls: i64 = told.iter().map(|line| line["calls"].as_i64().unwrap()).sum();
    assert_eq!(calls, 60);
    assert_eq!((&told[0]["action"], &told[0]["outcome"]), (&json!("refused"), &json!("several")));
}

#[tokio::test]
async fn nobody_changes_or_removes_a_line_but_retention() {
    let app = TestApp::start().await;
    app.put("/learners/L1", &people::learner(1)).await.expect(201);
    app.delete("/learners/L1").await.expect(204);
    let mut sql = app.sql().await;
    for change in ["update audit set actor = 'nobody'", "delete from audit", "truncate audit"] {
        let error = sqlx::query(change).execute(&mut sql).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    // The line survives the erasure, and keeps the id.
    let told = lines(&app, "?subjectKind=learner&subjectId=L1").await;
    assert_eq!(told.len(), 2, "{told:#?}");
    app.clock_advance(TimeDelta::days(2191)).await;
    let (store, keep) = (app.parts.store.clone(), app.parts.config.retention);
    on_runtime(async move { store.sweep(&keep).await.unwrap() }).await;
    // The lines are deleted, by this sweep or by the app's own, which may have come first.
    let left: i64 = sqlx::query_scalar("select count(*) from audit where subject_id = 'L1'")
        .fetch_one(&mut sql)
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn behind_the_operators_proxies_the_address_is_what_they_say() {
    let forwarded = async |app: &TestApp, value: &str| {
        let call = app.call(Method::PUT, "/officers/O1").header("x-forwarded-for", value);
        call.json(&people::officer()).send().await.good();
        lines(app, "").await[0]["address"].clone()
    };
    let direct = TestApp::start().await;
    assert_eq!(forwarded(&direct, "203.0.113.7").await, "127.0.0.1");
    let settings = |raw: &mut picsbridge::config::RawConfig| {
        raw.trusted_proxies = Some("127.0.0.1, 10.0.0.0/8".to_owned());
    };
    let behind = TestApp::builder().setting(settings).start().await;
    assert_eq!(forwarded(&behind, "203.0.113.7").await, "203.0.113.7");
    assert_eq!(forwarded(&behind, "192.0.2.1, 203.0.113.7, 10.1.1.1").await, "203.0.113.7");
    assert_eq!(forwarded(&behind, "nonsense").await, Value::Null);
}
