//! The status of one learner, read now.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::ace360::{ready, tab, uploaded};

const SYNC: &str = "/learners/L1/ace360:sync";

async fn synced(app: &TestApp) -> Value {
    app.post(SYNC, &Value::Null).await.expect(200)
}

async fn history(app: &TestApp) -> Vec<Value> {
    let history = app.get("/learners/L1/ace360/history").await.expect(200);
    history["items"].as_array().unwrap().iter().map(|item| item["status"]["id"].clone()).collect()
}

#[tokio::test]
async fn the_whole_way_of_a_record_is_read_and_its_history_has_each_status_once() {
    let app = ready().await;
    let record = uploaded(&app, "L1", 1).await;
    assert_eq!(history(&app).await, [1]);
    let unchanged = synced(&app).await;
    assert_eq!(unchanged["status"]["id"], 1);
    for status in [2, 3, 4, 5, 7, 8] {
        app.sandbox_advance(record).await;
        for _ in 0..2 {
            assert_eq!(synced(&app).await["status"]["id"], status);
        }
    }
    let before = synced(&app).await;
    assert_eq!((&before["provisionalGrade"], &before["overallGrade"]), (&json!("merit"), &Value::Null));
    app.sandbox_change(record, json!({"statusId": 9, "overallGrade": "distinction"})).await;
    let passed = synced(&app).await;
    assert_eq!(passed["status"], json!({"id": 9, "text": "EPA Passed"}));
    assert_eq!(passed["overallGrade"], "distinction");
    assert!(passed["gradeDate"].is_string() && passed["certificateClaimedAt"].is_null());
    app.sandbox_advance(record).await;
    let certified = synced(&app).await;
    assert!(certified["certificateClaimedAt"].as_str().unwrap().ends_with('Z'), "{certified:#}");
    app.sandbox_change(record, json!({"archive": true, "archivalStatus": "Completed"})).await;
    let archived = synced(&app).await;
    assert!(archived["archivedAt"].is_string());
    assert_eq!((&archived["archivalStatus"], &archived["state"]), (&json!("Completed"), &json!("uploaded")));
    app.sandbox_change(record, json!({"archive": false})).await;
    let back = synced(&app).await;
    assert_eq!((&back["archivedAt"], &back["archivalStatus"]), (&Value::Null, &Value::Null));
    assert_eq!(history(&app).await, [1, 2, 3, 4, 5, 7, 8, 9]);
    let times = app.get("/learners/L1/ace360/history").await.expect(200);
    let times: Vec<_> = times["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["readAt"].as_str().unwrap().to_owned())
        .collect();
    assert!(times.is_sorted());
    let changes = app.get("/changes?pageSize=500").await.expect(200);
    let count = |wanted: &str| {
        changes["items"].as_array().unwrap().iter().filter(|one| one["type"] == wanted).count()
    };
    assert_eq!(count("ace360.statusChanged"), 7);
    assert_eq!(
        (count("ace360.gradeChanged"), count("ace360.certificateClaimed"), count("ace360.archived")),
        (2, 1, 2)
    );
}

#[tokio::test]
async fn a_status_that_nobody_knows_is_kept_as_it_comes() {
    let app = ready().await;
    let record = uploaded(&app, "L1", 1).await;
    for (status, shown) in [
        (json!({"id": 99, "text": "EPA Postponed"}), json!({"id": 99, "text": "EPA Postponed"})),
        (json!("Somewhere else"), json!({"id": null, "text": "Somewhere else"})),
        (json!(12), json!({"id": 12, "text": null})),
    ] {
        app.fault(json!({"operation": "getApprentice", "kind": {"replaceBody": {"body": {"id": record, "status": status}}}})).await;
        assert_eq!(synced(&app).await["status"], shown);
    }
    // A record without a status changes nothing.
    app.fault(json!({"operation": "getApprentice", "kind": {"replaceBody": {"body": {"id": record}}}})).await;
    assert_eq!(synced(&app).await["status"], json!({"id": 12, "text": null}));
    assert_eq!(history(&app).await.len(), 4);
}

#[tokio::test]
async fn a_record_that_is_gone_keeps_its_last_status_and_comes_back_when_it_does() {
    let app = ready().await;
    let record = uploaded(&app, "L1", 1).await;
    app.sandbox_advance(record).await;
    let before = synced(&app).await;
    app.fault(json!({"operation": "getApprentice", "times": 1, "kind": {"status": {"status": 404}}})).await;
    let gone = synced(&app).await;
    assert_eq!((&gone["state"], &gone["status"]), (&json!("gone"), &before["status"]));
    assert_eq!(gone["recordId"], record);
    assert_eq!(app.get("/learners?ace360=gone").await.expect(200)["items"][0]["learnerId"], "L1");
    assert!(app.get("/ace360").await.expect(200)["attention"].to_string().contains("goneRecords"));
    // It is not uploaded again either: a person decides.
    app.post(&tab("L1"), &json!({"allowDuplicate": true})).await.refused(409, "alreadyUploaded");
    let back = synced(&app).await;
    assert_eq!((&back["state"], &back["status"]), (&json!("uploaded"), &before["status"]));
    app.sandbox_change(record, json!({"remove": true})).await;
    for _ in 0..2 {
        assert_eq!(synced(&app).await["state"], "gone");
    }
    let changes = app.get("/changes").await.expect(200);
    let gone = changes["items"].as_array().unwrap().iter().filter(|change| change["type"] == "ace360.gone");
    assert_eq!(gone.count(), 2, "{changes:#}");
    let back =
        changes["items"].as_array().unwrap().iter().filter(|change| change["type"] == "ace360.returned");
    assert_eq!(back.count(), 1, "{changes:#}");
}

#[tokio::test]
async fn what_keeps_a_status_from_being_read_is_told_and_the_tab_stays() {
    let app = ready().await;
    uploaded(&app, "L1", 1).await;
    let before = app.get(&tab("L1")).await.expect(200);
    for (kind, status, code) in [
        (
            json!({"status": {"status": 401, "body": {"message": "Unauthenticated."}}}),
            502,
            "upstreamUnauthorised",
        ),
        (json!({"status": {"status": 403, "body": {"message": "Off."}}}), 502, "upstreamForbidden"),
        (json!({"status": {"status": 500}}), 502, "upstreamFailed"),
        (json!({"html": {}}), 502, "upstreamFailed"),
        (json!({"wrongTypes": {}}), 502, "upstreamFailed"),
    ] {
        app.fault(json!({"operation": "getApprentice", "kind": kind})).await;
        let problem = app.post(SYNC, &Value::Null).await.refused(status, code);
        assert_eq!(problem["upstream"]["name"], "ace360");
        let connection = app.get("/ace360").await.expect(200)["connection"]["state"].clone();
        assert_eq!(connection, code, "{kind}");
    }
    assert_eq!(app.get(&tab("L1")).await.expect(200), before);
    app.no_faults().await;
    synced(&app).await;
    assert_eq!(app.get("/ace360").await.expect(200)["connection"]["state"], "ok");
}

#[tokio::test]
async fn a_read_is_tried_again_before_it_is_given_up() {
    let app = ready().await;
    let record = uploaded(&app, "L1", 1).await;
    app.sandbox_advance(record).await;
    for kind in [json!({"reset": {}}), json!({"status": {"status": 502}})] {
        app.fault(json!({"operation": "getApprentice", "times": 2, "kind": kind})).await;
        assert_eq!(synced(&app).await["status"]["id"], 2);
    }
}

#[tokio::test]
async fn without_a_record_there_is_no_status() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    app.post(SYNC, &Value::Null).await.refused(409, "notUploaded");
    app.post("/learners/nobody/ace360:sync", &Value::Null).await.refused(404, "notFound");
    assert_eq!(history(&app).await, Vec::<Value>::new());
    assert_eq!(app.sandbox_state().await["calls"]["getApprentice"], 0);
}
