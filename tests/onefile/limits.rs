//! The service never exceeds OneFile's limit. A 429 blocks all callers.

use std::time::Instant;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::onefile::exchange::{SYNC, counts, many};
use crate::support::onefile::exchange::{exchanging, sync};
use crate::support::onefile::{TEST, all_calls, builder, calls, connected, connected_with, entries, state};

#[tokio::test]
async fn a_429_keeps_all_processes_away_until_it_is_over() {
    let app = connected().await;
    let second = app.second().await;
    app.post(TEST, &Value::Null).await.expect(200);
    let kind = json!({"status": {"status": 429, "retryAfter": 40}});
    app.fault(json!({"upstream": "onefile", "operation": "*", "kind": kind})).await;
    let before = all_calls(&app).await;
    let answer = app.get("/onefile/centres").await;
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((38..=40).contains(&wait), "{wait}");
    answer.refused(503, "upstreamLimited");
    // Calls are refused now, and OneFile receives none of them.
    for _ in 0..5 {
        second.get("/onefile/placements").await.refused(503, "upstreamLimited");
        let test = app.post(TEST, &Value::Null).await.expect(200);
        assert_eq!(test["problem"]["code"], "upstreamLimited", "{test:#}");
    }
    assert_eq!(all_calls(&app).await, before + 1);
    app.no_faults().await;
    app.clock_advance(TimeDelta::seconds(41)).await;
    assert_eq!(entries(&second, "/onefile/centres").await.len(), 3);
}

#[tokio::test]
async fn a_429_without_a_time_keeps_us_away_for_a_minute() {
    let app = connected().await;
    app.fault(json!({"operation": "authenticate", "times": 1, "kind": {"status": {"status": 429}}})).await;
    let answer = app.get("/onefile/centres").await;
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((58..=60).contains(&wait), "{wait}");
    app.clock_advance(TimeDelta::seconds(61)).await;
    assert_eq!(entries(&app, "/onefile/centres").await.len(), 3);
}

#[tokio::test]
async fn all_processes_together_keep_the_pace_authentication_included() {
    let app =
        connected_with(builder().setting(|raw| raw.onefile_calls_per_minute = Some("600".to_owned()))).await;
    let second = app.second().await;
    let begun = Instant::now();
    let (a, b) = tokio::join!(app.get("/onefile/placements"), second.get("/onefile/assessors"));
    a.expect(200);
    b.expect(200);
    let elapsed = begun.elapsed().as_secs_f64();
    let calls = all_calls(&app).await;
    assert_eq!(state(&app).await["limited"], 0);
    // Ten at once, then one each tenth of a second.
    let least = f64::from(u32::try_from(calls).unwrap().saturating_sub(11)) / 10.0;
    assert!(calls > 20 && elapsed >= least, "{calls} calls in {elapsed} s");
}

#[tokio::test]
async fn a_persons_exchange_goes_before_what_is_left_of_a_run_and_the_run_pays() {
    let quick = exchanging(json!({"downloadReviews": false})).await;
    many(&quick, 8, 2, 0).await;
    // One call a minute. Only the clock's minutes bring calls, however long the test takes.
    let app = quick.second_at(1).await;
    quick.stop().await;
    let before = all_calls(&app).await;
    let run = app.post(SYNC, &Value::Null).await.good();
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    let first = app.eventually(&path, |run| run["state"] == "waiting").await;
    assert_eq!(all_calls(&app).await - before, 5, "as many as a run may make at once");
    // A user is read for a person only, because the run's lists contain the users.
    let (before, users) = (all_calls(&app).await, calls(&app, "getUser").await);
    let tab = sync(&app, "M-000").await;
    assert!(tab["lastExchangedAt"].is_string(), "{tab:#}");
    assert_eq!((all_calls(&app).await - before, calls(&app, "getUser").await - users), (4, 1));
    // Three minutes later, more than the requested wait, the run is postponed again, but another
    // person's call is not.
    app.clock_advance(TimeDelta::minutes(3)).await;
    app.tick().await;
    app.eventually(&path, |run| run["state"] == "waiting" && run["problem"] != first["problem"]).await;
    sync(&app, "M-001").await;
    assert_eq!((all_calls(&app).await - before, calls(&app, "getUser").await - users), (8, 2));
    let run = app.get(&path).await.expect(200);
    assert_eq!((&run["state"], &run["done"]), (&json!("waiting"), &json!(0)), "{run:#}");
    // After that the run continues, and exchanges all learners in the end.
    app.clock_advance(TimeDelta::minutes(10)).await;
    app.tick().await;
    let used = run["calls"]["used"].as_u64().unwrap();
    app.eventually(&path, |run| run["state"] == "waiting" && run["calls"]["used"].as_u64() > Some(used))
        .await;
    assert_eq!(calls(&app, "getUser").await - users, 2);
    let last = app.second_at(60_000).await;
    app.stop().await;
    last.clock_advance(TimeDelta::hours(1)).await;
    last.tick().await;
    let run = last.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!((&run["state"], counts(&run)[0], counts(&run)[3]), (&json!("succeeded"), 8, 0), "{run:#}");
}
