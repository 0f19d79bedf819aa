//! Following a run: events while it continues, and one at its end.

use picsbridge::auth::scope::Scope;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::client::Api;
use crate::support::runs::{SYNC, id, seeded};

fn path(run: &Value) -> String {
    format!("/runs/{}/events", id(run))
}

/// All events from now to the end of the stream: names and runs.
async fn followed(api: &Api, run: &Value) -> Vec<(String, Value)> {
    let answer = api.get(&path(run)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let events = answer.text.split("\n\n").filter(|event| !event.is_empty() && !event.starts_with(':'));
    events
        .map(|event| {
            let (name, data) = event.split_once('\n').unwrap();
            let data = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            (name.strip_prefix("event: ").unwrap().to_owned(), data)
        })
        .collect()
}

#[tokio::test]
async fn progress_is_told_as_it_happens_and_the_end_ends_the_stream() {
    let app = TestApp::start().await;
    seeded(&app, 500, 2).await;
    // Longer than two intervals between checks.
    app.fault(json!({"operation": "listApprentices", "kind": {"delay": {"ms": 400}}})).await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    let (one, two) = tokio::join!(followed(&app, &run), followed(&app, &run));
    for events in [one, two] {
        let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
        let (end, progress) = names.split_last().unwrap();
        assert_eq!(*end, "end");
        assert!(progress.len() > 1 && progress.iter().all(|name| *name == "progress"), "{names:?}");
        let used: Vec<_> = events.iter().map(|(_, run)| run["calls"]["used"].as_i64().unwrap()).collect();
        assert!(used.is_sorted() && used.first() < used.last(), "{used:?}");
        assert_eq!(events.last().unwrap().1, app.get(&format!("/runs/{}", id(&run))).await.expect(200));
        assert_eq!(events.last().unwrap().1["state"], "succeeded");
    }
}

#[tokio::test]
async fn a_run_that_has_ended_is_told_of_once() {
    let app = TestApp::builder().no_worker().start().await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    let (events, ()) = tokio::join!(followed(&app, &run), async {
        app.post(&format!("/runs/{}:cancel", id(&run)), &Value::Null).await.expect(200);
    });
    assert_eq!(events.last().unwrap().1["state"], "cancelled");
    let again = followed(&app, &run).await;
    assert_eq!((again.len(), again[0].0.as_str(), &again[0].1["state"]), (1, "end", &json!("cancelled")));
}

#[tokio::test]
async fn only_who_may_read_a_run_may_follow_it() {
    let app = TestApp::builder().no_worker().start().await;
    let run = app.post(SYNC, &Value::Null).await.expect(202);
    app.get("/runs/0192d3a0-0000-7000-8000-000000000000/events").await.refused(404, "notFound");
    app.get("/runs/mine/events").await.refused(400, "invalidParameter");
    app.second_provider().await.get(&path(&run)).await.refused(404, "notFound");
    app.without_token().get(&path(&run)).await.refused(401, "unauthenticated");
    let other = app.with_scopes(&[Scope::Ace360Sync]).await;
    other.get(&path(&run)).await.refused(403, "scopeMissing");
}
