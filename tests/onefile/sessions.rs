//! One session for all processes, renewed before its end and again after a 401.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use picsbridge::store::SessionState;
use serde_json::{Value, json};

use crate::support::onefile::{TEST, behave, calls, connected, end_sessions, entries, refresh, state};
use crate::support::{TestApp, on_runtime};

async fn works(app: &TestApp) {
    let test = app.post(TEST, &Value::Null).await.expect(200);
    assert_eq!(test["ok"], true, "{test:#}");
}

#[tokio::test]
async fn a_session_may_come_as_a_json_string() {
    let app = connected().await;
    behave(&app, json!({"sessionAsJson": true})).await;
    works(&app).await;
    assert_eq!(state(&app).await["unauthorised"], 0);
}

#[tokio::test]
async fn two_processes_authenticate_once() {
    let app = connected().await;
    let second = app.second().await;
    join_all((0..6).flat_map(|_| [works(&app), works(&second)])).await;
    assert_eq!(calls(&app, "authenticate").await, 1);
    // A third process that starts later finds the session.
    works(&app.second().await).await;
    assert_eq!(calls(&app, "authenticate").await, 1);
}

#[tokio::test]
async fn a_session_is_renewed_before_its_24_hours_are_over() {
    let app = connected().await;
    works(&app).await;
    app.clock_advance(TimeDelta::hours(22)).await;
    works(&app).await;
    assert_eq!(calls(&app, "authenticate").await, 1);
    app.clock_advance(TimeDelta::minutes(61)).await;
    let second = app.second().await;
    join_all([works(&app), works(&second), works(&app)]).await;
    assert_eq!(calls(&app, "authenticate").await, 2);
    assert_eq!(state(&app).await["unauthorised"], 0, "nobody called with one that had ended");
}

#[tokio::test]
async fn a_session_that_ended_early_is_renewed_once_for_all() {
    let app = connected().await;
    let second = app.second().await;
    works(&app).await;
    end_sessions(&app).await;
    join_all((0..5).flat_map(|_| [works(&app), works(&second)])).await;
    assert_eq!(calls(&app, "authenticate").await, 2);
}

#[tokio::test]
async fn a_search_goes_on_where_its_session_ended() {
    let app = connected().await;
    let whole = entries(&app, "/onefile/placements").await;
    behave(&app, json!({"pageCap": 10})).await;
    let before = calls(&app, "searchPlacements").await;
    app.fault(
        json!({"operation": "searchPlacements", "skip": 2, "times": 1, "kind": {"status": {"status": 401}}}),
    )
    .await;
    refresh(&app, "placements").await;
    assert_eq!(
        entries(&app, "/onefile/placements").await.keys().collect::<Vec<_>>(),
        whole.keys().collect::<Vec<_>>()
    );
    assert_eq!(calls(&app, "authenticate").await, 2);
    let with = calls(&app, "searchPlacements").await - before;
    refresh(&app, "placements").await;
    let without = calls(&app, "searchPlacements").await - before - with;
    assert_eq!(with, without + 1, "only the page that was refused was asked for again");
}

#[tokio::test]
async fn a_session_that_is_never_good_is_told_and_not_tried_for_ever() {
    let app = connected().await;
    app.fault(json!({"operation": "getCustomer", "kind": {"status": {"status": 401}}})).await;
    let test = app.post(TEST, &Value::Null).await.expect(200);
    assert_eq!(test["problem"]["code"], "upstreamUnauthorised", "{test:#}");
    assert_eq!((calls(&app, "authenticate").await, calls(&app, "getCustomer").await), (2, 2));
}

#[tokio::test]
async fn an_authentication_whose_answer_was_lost_is_tried_again() {
    let app = connected().await;
    for kind in [
        json!({"reset": {}}),
        json!({"html": {}}),
        json!({"status": {"status": 503}}),
        json!({"replaceBody": {"body": ""}}),
    ] {
        end_sessions(&app).await;
        app.fault(json!({"operation": "authenticate", "times": 1, "kind": kind})).await;
        works(&app).await;
    }
}

#[tokio::test]
async fn a_process_that_died_while_it_opened_a_session_is_waited_for_only_as_long_as_its_claim() {
    let app = connected().await;
    let (store, base) = (app.parts.store.clone(), format!("{}/onefile/api/v2.1", app.sandbox_url()));
    on_runtime(async move {
        let account = store.account_key("onefile", &base, "sandbox");
        let claim = store.onefile_session(&account, None, Duration::from_millis(700)).await.unwrap();
        assert!(matches!(claim, SessionState::Ours(_)), "{claim:?}");
        let second = store.onefile_session(&account, None, Duration::from_millis(700)).await.unwrap();
        assert!(matches!(second, SessionState::Awaited), "{second:?}");
    })
    .await;
    works(&app).await;
    assert_eq!(calls(&app, "authenticate").await, 1);
}
