//! The JSON in a run's row. If it is unreadable, the run fails. It never means "everyone".

use picsbridge::domain::RunKind;
use picsbridge::sandbox::SandboxOptions;
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::support::TestApp;
use crate::support::runs::{SYNC, id, seeded};

/// The calls to both upstreams.
async fn calls(app: &TestApp) -> Value {
    let state = app.sandbox_state().await;
    json!([state["calls"], state["onefile"]["calls"]])
}

/// Both integrations are on, and each has one linked learner.
async fn stage() -> TestApp {
    let app = TestApp::builder()
        .sandbox(SandboxOptions { onefile_calls_per_minute: None, ..SandboxOptions::default() })
        .start()
        .await;
    seeded(&app, 1, 1).await;
    let settings = json!({"enabled": false, "environment": "sandbox", "customerToken": "sandbox"});
    app.put("/onefile/settings", &settings).await.good();
    let forced = json!({"force": true, "reason": "A test", "actor": "jane.roe"});
    app.post("/onefile:enable", &forced).await.good();
    app
}

/// Inserts a run of this kind as another version of this service may have left it, and waits for
/// its end.
async fn ended(app: &TestApp, kind: RunKind, params: &Value, cursor: &Value) -> Value {
    let mut sql = app.sql().await;
    let row = sqlx::query(
        "insert into runs (id, provider_id, upstream, environment, kind, trigger, state, shared, params, cursor, requested_by, created_at, due_at)
         select gen_random_uuid(), id, $1, 'sandbox', $2, 'manual', 'queued', false, $3, $4, 'a test', app_now(), app_now() - interval '1 hour'
         from providers returning id::text",
    )
    .bind(kind.upstream().as_str())
    .bind(kind.as_str())
    .bind(params)
    .bind(cursor)
    .fetch_one(&mut sql)
    .await
    .unwrap();
    app.tick().await;
    app.wait_run(row.get(0)).await
}

#[tokio::test]
async fn parameters_that_cannot_be_read_fail_a_run_of_any_kind_and_call_nothing() {
    let app = stage().await;
    let before = calls(&app).await;
    for kind in RunKind::ALL {
        let (odd, place) = match kind {
            RunKind::Upload | RunKind::Enrol => (json!({"filter": null, "options": 5}), " at `options`"),
            RunKind::Exchange => (json!({"full": "yes"}), " at `full`"),
            RunKind::StandardsRefresh
            | RunKind::StatusSync
            | RunKind::Match
            | RunKind::QualificationsRefresh => (json!({"full": true}), ""),
        };
        for (params, place) in [
            (json!(["L00"]), ""),
            (json!("everyone"), ""),
            (json!({"learnerIds": ["L00"]}), ""),
            (odd, place),
        ] {
            let run = ended(&app, *kind, &params, &json!({})).await;
            let told = (&run["state"], &run["done"], &run["total"], &run["calls"]["used"]);
            assert_eq!(told, (&json!("failed"), &json!(0), &Value::Null, &json!(0)), "{params} {run:#}");
            let problem = run["problem"].as_str().unwrap();
            let expected = format!("The run's parameters cannot be read{place}");
            assert!(problem.starts_with(&expected), "{} {params}: {problem}", kind.as_str());
            assert!(problem.contains("Begin a new run"), "{problem}");
        }
    }
    assert_eq!(calls(&app).await, before);
    assert_eq!(app.get("/intents").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_batch_that_names_neither_learners_nor_a_filter_fails_and_calls_nothing() {
    let app = stage().await;
    let before = calls(&app).await;
    for (kind, options) in [
        (RunKind::Upload, json!({"overrule": []})),
        (RunKind::Enrol, json!({"centreId": null, "pathways": {}, "allowDuplicate": false})),
    ] {
        let run = ended(&app, kind, &json!({ "options": options }), &json!({})).await;
        assert_eq!((&run["state"], &run["done"]), (&json!("failed"), &json!(0)), "{run:#}");
        assert!(run["problem"].as_str().unwrap().contains("neither learners nor a filter"), "{run:#}");
    }
    assert_eq!(calls(&app).await, before);
}

#[tokio::test]
async fn a_cursor_that_cannot_be_read_fails_a_run_and_does_not_begin_it_again() {
    let app = stage().await;
    let before = calls(&app).await;
    for kind in RunKind::ALL {
        let params = match kind {
            RunKind::Upload => json!({"filter": null, "options": {"overrule": []}}),
            RunKind::Enrol => {
                json!({"filter": null, "options": {"centreId": null, "pathways": {}, "allowDuplicate": false}})
            }
            _ => json!({}),
        };
        let run = ended(&app, *kind, &params, &json!({"page": "many"})).await;
        assert_eq!((&run["state"], &run["calls"]["used"]), (&json!("failed"), &json!(0)), "{run:#}");
        let problem = run["problem"].as_str().unwrap();
        assert!(problem.starts_with("The run's cursor cannot be read"), "{}: {problem}", kind.as_str());
    }
    assert_eq!(calls(&app).await, before);
    // It does not block the next run of its kind.
    let run = app.post(SYNC, &Value::Null).await.good();
    assert_eq!(app.wait_run(&id(&run)).await["state"], "succeeded");
}
