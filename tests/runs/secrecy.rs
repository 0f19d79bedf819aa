//! The job engine's data and the log name no person.

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::people::{self, but};
use crate::support::personal;

#[tokio::test]
async fn jobs_and_logs_hold_no_personal_value() {
    personal::listen();
    let app = TestApp::builder().timings("call=1s,lease=4s").start().await;
    app.refresh_standards().await;
    let planted = [
        "Zzyxquist",
        "Plantedsson",
        "AB918273C",
        "plantedmail",
        "07700 900987",
        "Planted Street",
        "Zq4Ww-token",
    ];
    let uln = people::uln(918_273);
    app.put_ready("L1", 1).await;
    let learner = but(
        people::learner(1),
        json!({
            "firstName": planted[0], "lastName": planted[1], "nationalInsuranceNumber": planted[2], "uln": uln,
            "email": "plantedmail@example.com", "telephone": planted[4],
            "address": {"line1": "7 Planted Street", "postcode": "OX4 1AA"}
        }),
    );
    app.put("/learners/L1", &learner).await.good();
    let settings = json!({"enabled": true, "environment": "sandbox", "token": "sandbox-Zq4Ww-token", "dailySync": {"enabled": false, "at": "05:00"}});
    app.put("/ace360/settings", &settings).await.good();
    // Refused with a message that quotes the values, lost, reconciled while the upstream is down,
    // and found. Then read by a run.
    let words = format!("{} {} with {uln} is unknown.", planted[0], planted[1]);
    let body = json!({"message": words, "errors": {"ulnNumber": [words]}});
    app.fault(json!({"operation": "createApprentice", "times": 1, "kind": {"status": {"status": 422, "body": body}}})).await;
    app.post("/learners/L1/ace360", &json!({})).await.refused(422, "upstreamRejected");
    app.fault(json!({"operation": "createApprentice", "times": 1, "kind": {"commitThenReset": {}}})).await;
    app.post("/learners/L1/ace360", &json!({})).await.expect(202);
    app.fault(json!({"operation": "listApprentices", "times": 3, "kind": {"status": {"status": 500, "body": words}}})).await;
    // One reconciliation meets all three. The next is a minute later.
    let due = |page: &Value| {
        DateTime::parse_from_rfc3339(page["items"][0]["nextLookAt"].as_str().unwrap()).unwrap()
    };
    let first = due(&app.get("/intents?state=unknown").await.expect(200));
    app.clock_advance(TimeDelta::seconds(2)).await;
    app.tick().await;
    app.eventually("/intents?state=unknown", |page| due(page) - first > TimeDelta::seconds(50)).await;
    app.clock_advance(TimeDelta::minutes(2)).await;
    app.tick().await;
    app.eventually("/learners/L1/ace360", |tab| tab["state"] == "uploaded").await;
    app.fault(json!({"operation": "listApprentices", "times": 1, "kind": {"status": {"status": 400, "body": words}}})).await;
    let run = app.post("/ace360/status:sync", &Value::Null).await.expect(202);
    app.wait_run(run["id"].as_str().unwrap()).await;
    app.no_faults().await;
    let run = app.post("/ace360/status:sync", &Value::Null).await.expect(202);
    app.wait_run(run["id"].as_str().unwrap()).await;
    app.put("/learners/L1", &json!({"firstName": planted[0], "lastName": planted[1], "uln": "12"}))
        .await
        .refused(422, "invalidRequest");

    let mut sql = app.sql().await;
    let jobs: Vec<String> =
        sqlx::query_scalar("select river_job::text from river_job").fetch_all(&mut sql).await.unwrap();
    assert!(jobs.len() >= 4, "{jobs:?}");
    let runs: Vec<String> =
        sqlx::query_scalar("select runs::text from runs").fetch_all(&mut sql).await.unwrap();
    let logged = personal::heard();
    assert!(logged.contains("reconciled an intent"), "the log was caught");
    let uln = uln.as_str();
    for value in planted.iter().copied().chain([uln]) {
        assert!(!jobs.iter().any(|job| job.contains(value)), "{value} is in a job: {jobs:#?}");
        let lines: Vec<_> = logged.lines().filter(|line| line.contains(value)).take(5).collect();
        assert!(lines.is_empty(), "{value} is logged: {lines:#?}");
        assert!(!runs.iter().any(|run| run.contains(value)), "{value} is in a run: {runs:#?}");
    }
}
