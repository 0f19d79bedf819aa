//! All uploaded learners' statuses, as a run.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::ace360::{counts, later, linked, outcomes, ran, ready, ready_with, tab, uploaded};

const SYNC: &str = "/ace360/status:sync";
/// The sandbox's first id.
const FIRST: i64 = 248;

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("L{at:02}")).collect()
}

/// So many records, and learners linked to the oldest of them, in their order.
async fn seeded(app: &TestApp, records: u32, learners: usize) -> Vec<String> {
    app.sandbox_seed(records).await;
    let ids = ids(learners);
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    linked(app, &names, FIRST..).await;
    ids
}

async fn calls(app: &TestApp) -> i64 {
    let calls = app.sandbox_state().await["calls"].clone();
    calls["listApprentices"].as_i64().unwrap() + calls["getApprentice"].as_i64().unwrap()
}

#[tokio::test]
async fn a_run_reads_the_list_and_singly_only_what_it_must_and_counts_every_learner_once() {
    let app = ready().await;
    let ids = seeded(&app, 250, 30).await;
    // All as before: the pages are all that is read.
    let before = calls(&app).await;
    let waited = app.call(Method::POST, SYNC).header("prefer", "wait=30").send().await;
    let run = waited.expect(200);
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [30, 30, 0, 30, 0, 0]));
    assert_eq!((&run["calls"]["used"], calls(&app).await - before), (&json!(3), 3), "{run:#}");
    assert_eq!(outcomes(&app, &run).await, []);

    for at in [0, 1, 2] {
        app.sandbox_advance(FIRST + at).await;
    }
    app.sandbox_change(FIRST + 3, json!({"archive": true})).await;
    app.sandbox_change(FIRST + 4, json!({"remove": true})).await;
    app.sandbox_change(FIRST + 29, json!({"remove": true})).await;
    let before = calls(&app).await;
    let run = ran(&app, SYNC).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("partial"), [30, 30, 4, 24, 2, 0]), "{run:#}");
    let used = run["calls"]["used"].as_i64().unwrap();
    assert_eq!(used, calls(&app).await - before);
    assert!(used <= 3 + 4 + 2 + 5, "{used} calls");
    let told: Vec<_> = outcomes(&app, &run).await;
    let gone = Some("upstreamMissing".to_owned());
    let expected: Vec<_> = [0, 1, 2, 3]
        .map(|at| (ids[at].clone(), "succeeded".to_owned(), Some("changed".to_owned())))
        .into_iter()
        .chain([4, 29].map(|at| (ids[at].clone(), "failed".to_owned(), gone.clone())))
        .collect();
    assert_eq!(told, expected);
    let failed =
        app.get(&format!("/runs/{}/records?outcome=failed", run["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(failed["items"].as_array().unwrap().len(), 2);
    let gone = app.get(&tab(&ids[4])).await.expect(200);
    assert_eq!((&gone["state"], &gone["status"]["id"]), (&json!("gone"), &json!(1)));

    // One that is gone is not asked for again.
    let run = ran(&app, SYNC).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [28, 28, 0, 28, 0, 0]), "{run:#}");
    let summary = app.get("/ace360").await.expect(200);
    assert_eq!((&summary["counts"]["learners"], &summary["counts"]["uploaded"]), (&json!(30), &json!(30)));
    assert_eq!(
        summary["counts"]["byStatus"],
        json!([
            {"status": {"id": 1, "text": "In Training"}, "learners": 25},
            {"status": {"id": 2, "text": "Gateway in Progress"}, "learners": 3}
        ])
    );
    let attention = summary["attention"].as_array().unwrap();
    assert!(attention.iter().any(|one| one["code"] == "goneRecords" && one["count"] == 2), "{summary:#}");
    assert!(summary["lastSyncAt"].is_string());
}

#[tokio::test]
async fn a_token_of_another_organisation_ends_the_run_and_nobody_is_taken_for_gone() {
    let app = ready().await;
    for n in 0..5 {
        uploaded(&app, &format!("L{n}"), n).await;
    }
    let settings = |token: &str| json!({"enabled": true, "environment": "sandbox", "token": token});
    app.put("/ace360/settings", &settings("sandbox-another")).await.good();
    let run = ran(&app, SYNC).await;
    assert_eq!(run["state"], "failed", "{run:#}");
    assert!(run["problem"].to_string().contains("another organisation's"), "{run:#}");
    assert!(app.get("/ace360").await.expect(200)["attention"].to_string().contains("syncFailed"));
    app.put("/ace360/settings", &settings("sandbox")).await.good();
    let run = ran(&app, SYNC).await;
    assert_eq!((&run["state"], &run["unchanged"]), (&json!("succeeded"), &json!(5)), "{run:#}");
    assert!(!app.get("/ace360").await.expect(200)["attention"].to_string().contains("syncFailed"));
    let preview = app.get(&format!("{}/preview", tab("L0"))).await.expect(200);
    assert_eq!(
        (&preview["ready"], &preview["notReady"][0]["code"]),
        (&json!(false), &json!("alreadyUploaded"))
    );
}

#[tokio::test]
async fn a_grade_that_only_the_single_record_tells_is_read_within_a_week() {
    let app = ready().await;
    app.sandbox_seed(20).await;
    // On the way to its assessment when it was linked.
    app.sandbox_change(FIRST, json!({"statusId": 7})).await;
    linked(&app, &["L1", "L2"], FIRST..).await;
    app.sandbox_change(FIRST, json!({"provisionalGrade": "distinction"})).await;
    let run = ran(&app, SYNC).await;
    assert_eq!((counts(&run), &run["calls"]["used"]), ([2, 2, 0, 2, 0, 0], &json!(1)));
    assert_eq!(app.get(&tab("L1")).await.expect(200)["provisionalGrade"], Value::Null);
    app.clock_advance(TimeDelta::days(8)).await;
    let run = ran(&app, SYNC).await;
    assert_eq!((counts(&run), &run["calls"]["used"]), ([2, 2, 1, 1, 0, 0], &json!(2)), "{run:#}");
    assert_eq!(
        outcomes(&app, &run).await,
        [("L1".to_owned(), "succeeded".to_owned(), Some("changed".to_owned()))]
    );
    assert_eq!(app.get(&tab("L1")).await.expect(200)["provisionalGrade"], "distinction");
    // A status that changes brings its grade at once.
    app.sandbox_change(FIRST, json!({"statusId": 9, "overallGrade": "merit"})).await;
    let run = ran(&app, SYNC).await;
    assert_eq!((counts(&run), &run["calls"]["used"]), ([2, 2, 1, 1, 0, 0], &json!(2)), "{run:#}");
    assert_eq!(app.get(&tab("L1")).await.expect(200)["overallGrade"], "merit");
}

#[tokio::test]
async fn archived_records_that_left_the_list_are_read_singly() {
    let app = ready().await;
    seeded(&app, 20, 3).await;
    app.sandbox_settings(json!({"hideArchived": true})).await;
    app.sandbox_change(FIRST + 1, json!({"archive": true, "archivalStatus": "Break in learning"})).await;
    let run = ran(&app, SYNC).await;
    assert_eq!((counts(&run), &run["calls"]["used"]), ([3, 3, 1, 2, 0, 0], &json!(2)), "{run:#}");
    let now = app.get(&tab("L01")).await.expect(200);
    assert_eq!((&now["state"], &now["archivalStatus"]), (&json!("uploaded"), &json!("Break in learning")));
    let run = ran(&app, SYNC).await;
    assert_eq!((counts(&run), &run["calls"]["used"]), ([3, 3, 0, 3, 0, 0], &json!(2)), "{run:#}");
}

#[tokio::test]
async fn whoever_asks_for_a_run_that_is_active_gets_that_run() {
    let app = ready().await;
    seeded(&app, 20, 2).await;
    app.fault(json!({"operation": "listApprentices", "times": 1, "kind": {"delay": {"ms": 2500}}})).await;
    let first = app.post(SYNC, &Value::Null).await;
    assert_eq!(
        first.header("location"),
        Some(format!("/runs/{}", first.body["id"].as_str().unwrap()).as_str())
    );
    let first = first.expect(202);
    let (second, third) = tokio::join!(app.post(SYNC, &Value::Null), app.post(SYNC, &Value::Null));
    assert_eq!((&second.expect(202)["id"], &third.expect(202)["id"]), (&first["id"], &first["id"]));
    let active = app.get("/runs").await.expect(200)["items"][0].clone();
    assert_eq!(active["id"], first["id"]);
    assert!(active["budget"]["perMinute"].is_i64(), "{active:#}");
    let run = app.wait_run(first["id"].as_str().unwrap()).await;
    assert_eq!(
        (&run["state"], &run["trigger"], counts(&run)),
        (&json!("succeeded"), &json!("manual"), [2, 2, 0, 2, 0, 0])
    );
    let next = ran(&app, SYNC).await;
    assert_ne!(next["id"], first["id"]);
    let other = app.second_provider().await;
    other.get(&format!("/runs/{}", next["id"].as_str().unwrap())).await.refused(404, "notFound");
    assert_eq!(other.get("/runs").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_token_that_ace360_does_not_accept_fails_the_run_and_no_record() {
    let app = ready().await;
    seeded(&app, 20, 2).await;
    for (status, code, words) in [(401, "upstreamUnauthorised", "token"), (403, "upstreamForbidden", "allow")]
    {
        app.fault(json!({"operation": "listApprentices", "kind": {"status": {"status": status, "body": {"message": "No."}}}})).await;
        let run = ran(&app, SYNC).await;
        assert_eq!((&run["state"], &run["failed"]), (&json!("failed"), &json!(0)), "{run:#}");
        assert!(run["problem"].as_str().unwrap().contains(words), "{run:#}");
        assert_eq!(outcomes(&app, &run).await, []);
        let summary = app.get("/ace360").await.expect(200);
        assert_eq!(summary["connection"]["state"], code);
        assert!(summary["attention"].to_string().contains("\"connection\""), "{summary:#}");
    }
    app.no_faults().await;
    assert_eq!(ran(&app, SYNC).await["state"], "succeeded");
}

#[tokio::test]
async fn an_ace360_that_fails_makes_the_run_wait_and_it_goes_on_where_it_was() {
    // It goes on when the clock says so, and not by itself while the test looks.
    let app = ready_with(TestApp::builder().timings("retry=20s")).await;
    seeded(&app, 250, 30).await;
    app.sandbox_advance(FIRST).await;
    app.fault(json!({"operation": "listApprentices", "skip": 1, "kind": {"status": {"status": 503}}})).await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    let waiting = app.eventually(&path, |run| run["state"] == "waiting").await;
    assert!(waiting["problem"].as_str().unwrap().contains("no usable answer"), "{waiting:#}");
    assert_eq!(waiting["finishedAt"], Value::Null);
    app.no_faults().await;
    let lists = app.sandbox_state().await["calls"]["listApprentices"].as_i64().unwrap();
    later(&app, TimeDelta::seconds(30)).await;
    let run = app.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!(
        (&run["state"], &run["problem"], counts(&run)),
        (&json!("succeeded"), &Value::Null, [30, 30, 1, 29, 0, 0])
    );
    let after = app.sandbox_state().await["calls"]["listApprentices"].as_i64().unwrap();
    assert_eq!(after - lists, 2, "the first page is not read again");
}

#[tokio::test]
async fn too_many_requests_make_the_run_wait_and_fail_no_record() {
    let app = ready().await;
    seeded(&app, 250, 30).await;
    app.fault(json!({"operation": "listApprentices", "skip": 1, "times": 1, "kind": {"status": {"status": 429, "retryAfter": 300}}})).await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    let waiting = app.eventually(&path, |run| run["state"] == "waiting").await;
    assert_eq!((&waiting["failed"], &waiting["budget"]["remaining"]), (&json!(0), &json!(0)), "{waiting:#}");
    let before = calls(&app).await;
    later(&app, TimeDelta::seconds(60)).await;
    assert_eq!(calls(&app).await, before);
    later(&app, TimeDelta::seconds(300)).await;
    let run = app.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [30, 30, 0, 30, 0, 0]));
}

#[tokio::test]
async fn rows_that_cannot_be_read_do_not_stop_the_others() {
    let app = ready().await;
    seeded(&app, 5, 5).await;
    app.sandbox_advance(FIRST + 2).await;
    let row = |at: i64, status: i64| json!({"id": FIRST + at, "status": {"id": status, "text": "So"}, "archivedAt": null, "esfaCertificateClaimedAt": null});
    let body = json!({
        "total": "five", "currentPage": 1, "perPage": 100, "totalPages": 1,
        "data": [
            row(0, 1), {"id": "many"}, 17, null, {"status": {"id": 9}},
            {"id": FIRST + 1, "status": [], "firstName": 7, "dateOfBirth": "soon", "archivedAt": null}, row(4711, 3), row(3, 4),
        ]
    });
    app.fault(json!({"operation": "listApprentices", "kind": {"replaceBody": {"body": body}}})).await;
    let run = ran(&app, SYNC).await;
    // The third and the fifth were not shown and are read singly; the fourth's single record says otherwise than the list.
    assert_eq!(run["state"], "succeeded", "{run:#}");
    assert_eq!((&run["total"], &run["done"], &run["failed"]), (&json!(5), &json!(5), &json!(0)), "{run:#}");
    assert_eq!(app.get(&tab("L02")).await.expect(200)["status"]["id"], 2);
    assert_eq!(app.get(&tab("L01")).await.expect(200)["status"]["id"], 1);
    for kind in
        [json!({"replaceBody": {"body": {"data": {}}}}), json!({"html": {}}), json!({"truncated": {}})]
    {
        app.fault(json!({"operation": "listApprentices", "times": 1, "kind": kind})).await;
        assert_eq!(ran(&app, SYNC).await["state"], "succeeded", "{kind}: it is asked again");
    }
}

#[tokio::test]
async fn a_page_that_comes_twice_is_counted_once() {
    let app = ready().await;
    seeded(&app, 5, 3).await;
    let row = |at: i64, status: i64, text: &str| json!({"id": FIRST + at, "status": {"id": status, "text": text}, "archivedAt": null, "esfaCertificateClaimedAt": null});
    app.sandbox_advance(FIRST).await;
    let body = json!({"total": 200, "currentPage": 1, "perPage": 100, "totalPages": 2,
        "data": [row(0, 2, "Gateway in Progress"), row(1, 1, "In Training"), row(2, 1, "In Training")]});
    app.fault(json!({"operation": "listApprentices", "kind": {"replaceBody": {"body": body}}})).await;
    let run = ran(&app, SYNC).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [3, 3, 1, 2, 0, 0]), "{run:#}");
}

#[tokio::test]
async fn a_single_record_that_cannot_be_read_fails_alone_and_says_why() {
    let app = ready().await;
    seeded(&app, 5, 3).await;
    app.sandbox_change(FIRST, json!({"archive": true})).await;
    app.sandbox_settings(json!({"hideArchived": true})).await;
    app.fault(json!({"operation": "getApprentice", "kind": {"status": {"status": 500}}})).await;
    let run = ran(&app, SYNC).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("partial"), [3, 3, 0, 2, 1, 0]), "{run:#}");
    assert_eq!(
        outcomes(&app, &run).await,
        [("L00".to_owned(), "failed".to_owned(), Some("upstreamFailed".to_owned()))]
    );
    let now = app.get(&tab("L00")).await.expect(200);
    assert_eq!((&now["state"], &now["problem"]["code"]), (&json!("uploaded"), &json!("upstreamFailed")));
    assert!(app.get("/ace360").await.expect(200)["attention"].to_string().contains("unreadableRecords"));
    app.no_faults().await;
    let run = ran(&app, SYNC).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [3, 3, 1, 2, 0, 0]), "{run:#}");
    assert_eq!(app.get(&tab("L00")).await.expect(200)["problem"], Value::Null);
}
