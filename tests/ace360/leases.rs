//! Only the holder of an intent's lease sends it and settles it. A process that lost the lease does
//! neither.

use chrono::TimeDelta;
use picsbridge::ace360::Ace360;
use picsbridge::store::{IntentProblem, IntentRow, NewIntent, Opened, UndoneState, Unlinked};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ace360::lost::{intent, lose, made, minutes, quick, under_way, until, until_intent};
use crate::support::ace360::{later, previewed, ready, tab};
use crate::support::app::by;
use crate::support::{TestApp, on_runtime};

/// An intent of a process that died before or after the fence.
async fn dead(app: &TestApp, id: &str, after_fence: bool) -> IntentRow {
    let payload = serde_json::to_vec(&previewed(app, id).await).unwrap();
    let (parts, key) = (app.parts.clone(), Ace360::key_of(app.tenant.provider.id, id, "sandbox"));
    on_runtime(async move {
        let timings = &parts.config.timings;
        let new = NewIntent {
            key,
            payload,
            candidates: Vec::new(),
            seen: None,
            unlinked: Some(Unlinked::Ace360),
            run_id: None,
        };
        let Opened::Ours(intent) = parts.store.open_intent(&new, timings.lease, &by()).await.unwrap() else {
            panic!("it is free");
        };
        if after_fence {
            assert!(parts.store.fence_intent(&intent, timings.call, true).await.unwrap());
        }
        *intent
    })
    .await
}

#[tokio::test]
async fn an_upload_whose_process_is_held_up_before_the_fence_is_not_sent() {
    let app = quick().await;
    app.put_ready("L1", 1).await;
    let intent = dead(&app, "L1", false).await;
    under_way(&app, "L1", "uploading").await;
    let (store, call) = (app.parts.store.clone(), app.parts.config.timings.call);
    let fence = |intent: IntentRow| {
        let store = store.clone();
        on_runtime(async move { store.fence_intent(&intent, call, true).await.unwrap() })
    };
    // The rest of its lease is shorter than a call may take.
    app.clock_advance(TimeDelta::milliseconds(3500)).await;
    assert!(!fence(intent.clone()).await);
    let mut stranger = intent;
    stranger.lease_token = uuid::Uuid::new_v4();
    assert!(!fence(stranger).await);
    assert_eq!(app.sandbox_state().await["calls"]["createApprentice"], 0);
}

#[tokio::test]
async fn an_upload_whose_process_died_is_looked_for_and_sent_if_it_is_not_there() {
    let app = quick().await;
    app.put_ready("L1", 1).await;
    app.put_ready("L2", 2).await;
    dead(&app, "L1", true).await;
    dead(&app, "L2", true).await;
    // ACE360 got only one of the two.
    let fields = previewed(&app, "L1").await;
    let record = app.sandbox_create(Value::Object(fields)).await["id"].clone();
    later(&app, TimeDelta::seconds(5)).await;
    let found = until(&app, "L1", "uploaded").await;
    assert_eq!((&found["recordId"], &found["method"]), (&record, &json!("reconciled")));
    until_intent(&app, "L2", |it| {
        it["nextLookAt"].is_string() && minutes(&it["sentAt"], &it["nextLookAt"]) >= 9
    })
    .await;
    assert_eq!(app.get(&tab("L2")).await.expect(200)["state"], "unknown");
    later(&app, TimeDelta::minutes(11)).await;
    until(&app, "L2", "uploaded").await;
    made(&app, 1).await;
}

#[tokio::test]
async fn looks_of_several_processes_at_once_send_once() {
    let app = quick().await;
    let second = app.second().await;
    lose(&app, "L1", 1, &json!({"reset": {}})).await;
    later(&app, TimeDelta::seconds(2)).await;
    until_intent(&app, "L1", |it| minutes(&it["sentAt"], &it["nextLookAt"]) >= 9).await;
    app.clock_advance(TimeDelta::minutes(11)).await;
    tokio::join!(app.tick(), second.tick(), app.tick(), second.tick());
    until(&app, "L1", "uploaded").await;
    tokio::join!(app.tick(), second.tick());
    assert_eq!(app.sandbox_state().await["calls"]["createApprentice"], 2);
    made(&app, 1).await;
}

fn problem() -> IntentProblem {
    IntentProblem {
        code: "upstreamRejected".to_owned(),
        message: "No.".to_owned(),
        status: Some(422),
        field_errors: Vec::new(),
        upstream_message: None,
    }
}

/// What a sender does with a response that arrives at any time.
async fn settle(app: &TestApp, intent: &IntentRow, state: UndoneState) -> bool {
    let (store, intent) = (app.parts.store.clone(), intent.clone());
    on_runtime(async move { store.settle_undone(&intent, state, &problem()).await.unwrap() }).await
}

#[tokio::test]
async fn a_sender_that_stalled_for_longer_than_its_lease_settles_nothing() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let stalled = dead(&app, "L1", true).await;
    later(&app, TimeDelta::seconds(10)).await;
    until_intent(&app, "L1", |it| {
        it["nextLookAt"].is_string() && minutes(&it["sentAt"], &it["nextLookAt"]) >= 9
    })
    .await;
    // Neither while it is reconciled, nor while another process sends it again, nor afterwards.
    assert!(!settle(&app, &stalled, UndoneState::Rejected).await);
    app.fault(json!({"operation": "createApprentice", "kind": {"delay": {"ms": 2500}}})).await;
    later(&app, TimeDelta::minutes(11)).await;
    until_intent(&app, "L1", |it| it["state"] == "sending" && it["sends"] == 2).await;
    for state in [UndoneState::Rejected, UndoneState::NotSent] {
        assert!(!settle(&app, &stalled, state).await, "{state:?}");
    }
    let (store, lost) = (app.parts.store.clone(), stalled.clone());
    let wait = app.parts.config.timings.call;
    on_runtime(async move { store.settle_unknown(&lost, &problem(), wait).await.unwrap() }).await;
    assert_eq!(intent(&app, "L1").await["state"], "sending");
    until(&app, "L1", "uploaded").await;
    assert!(!settle(&app, &stalled, UndoneState::Rejected).await);
    assert_eq!(app.get(&tab("L1")).await.expect(200)["state"], "uploaded");
    made(&app, 1).await;
}

#[tokio::test]
async fn a_sender_that_wakes_with_a_no_leaves_the_outcome_to_who_has_the_intent_now() {
    let app = quick().await;
    app.put_ready("L1", 1).await;
    // ACE360 refuses it after a while, but another process has its lease by then.
    app.fault(json!({"operation": "createApprentice", "kind": {"delay": {"ms": 700}}})).await;
    app.sandbox_settings(json!({"credits": 0})).await;
    let path = tab("L1");
    let (answer, ()) = tokio::join!(
        app.call(Method::POST, &path).header("prefer", "wait=1").json(&json!({})).send(),
        async {
            while app.sandbox_state().await["calls"]["createApprentice"] != 1 {}
            let mut sql = app.sql().await;
            sqlx::query("update intents set lease_token = gen_random_uuid()")
                .execute(&mut sql)
                .await
                .unwrap();
        }
    );
    assert_eq!(answer.expect(202)["state"], "uploading");
    assert_eq!(intent(&app, "L1").await["state"], "sending");
}

#[tokio::test]
async fn a_person_settles_nothing_that_is_being_sent_once_more() {
    let app = quick().await;
    lose(&app, "L1", 1, &json!({"reset": {}})).await;
    let row = intent(&app, "L1").await;
    let id: uuid::Uuid = row["id"].as_str().unwrap().parse().unwrap();
    let mut sql = app.sql().await;
    // Between the check of its state and the response, another process took it to send it.
    sqlx::query("update intents set state = 'sending'").execute(&mut sql).await.unwrap();
    let path = format!("/intents/{id}:resolve");
    app.post(&path, &json!({"outcome": "notDone"})).await.refused(409, "inFlight");
    let store = app.parts.store.clone();
    assert!(!on_runtime(async move { store.settle_not_done(id, &problem()).await.unwrap() }).await);
    assert_eq!(intent(&app, "L1").await["state"], "sending");
}
