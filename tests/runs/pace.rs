//! The rate limit of an upstream account, which all processes share. No upstream is called.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use picsbridge::store::{Account, Granted, PaceAsk, Time};

use crate::support::{TestApp, on_runtime};

const BULK: i32 = 5;
const INTERACTIVE: i32 = 10;

async fn app() -> TestApp {
    TestApp::builder().no_worker().start().await
}

/// One call a minute, so that the duration of the test does not matter.
fn slow(name: &str) -> Account {
    Account { key: name.as_bytes().to_vec(), upstream: "ace360", per_minute: 1 }
}

async fn take(app: &TestApp, account: &Account, burst: i32, wanted: i32, horizon: u64) -> Granted {
    let store = app.parts.store.clone();
    let ask = PaceAsk { account: account.clone(), burst, wanted, horizon: Duration::from_secs(horizon) };
    on_runtime(async move { store.pace_take(&ask).await.unwrap() }).await
}

async fn block(app: &TestApp, account: &Account, seconds: u64) {
    let (store, account) = (app.parts.store.clone(), account.clone());
    on_runtime(async move { store.pace_block(&account, Duration::from_secs(seconds)).await.unwrap() }).await;
}

async fn now(app: &TestApp) -> Time {
    let store = app.parts.store.clone();
    on_runtime(async move { store.now().await.unwrap() }).await
}

fn within(granted: Granted, from: u64, to: u64) {
    let wait = granted.first_wait.as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "seconds of a test")]
    let (from, to) = (from as f64, to as f64);
    assert!((from..=to).contains(&wait), "{granted:?}: not from {from} to {to}");
}

#[tokio::test]
async fn bulk_has_a_burst_of_five_and_then_one_a_step() {
    let app = app().await;
    let account = slow("a");
    for _ in 0..5 {
        let granted = take(&app, &account, BULK, 1, 0).await;
        assert_eq!((granted.count, granted.first_wait), (1, Duration::ZERO));
    }
    for _ in 0..3 {
        let refused = take(&app, &account, BULK, 1, 0).await;
        assert_eq!(refused.count, 0, "what was refused costs nothing");
        within(refused, 30, 60);
    }
    for _ in 0..2 {
        app.clock_advance(TimeDelta::seconds(61)).await;
        assert_eq!(take(&app, &account, BULK, 1, 0).await.count, 1);
        assert_eq!(take(&app, &account, BULK, 1, 0).await.count, 0);
    }
    // After a pause the burst is available again, but no more than that.
    app.clock_advance(TimeDelta::hours(5)).await;
    assert_eq!(take(&app, &account, BULK, 100, 0).await.count, 5);
}

#[tokio::test]
async fn a_person_goes_before_a_run_and_the_run_pays_for_it() {
    let app = app().await;
    let account = slow("a");
    assert_eq!(take(&app, &account, BULK, 9, 0).await.count, 5);
    for _ in 0..5 {
        let granted = take(&app, &account, INTERACTIVE, 1, 20).await;
        assert_eq!((granted.count, granted.first_wait), (1, Duration::ZERO));
    }
    let refused = take(&app, &account, INTERACTIVE, 1, 20).await;
    assert_eq!(refused.count, 0);
    within(refused, 30, 60);
    let bulk = take(&app, &account, BULK, 1, 1).await;
    assert_eq!(bulk.count, 0);
    within(bulk, 330, 360);
}

#[tokio::test]
async fn a_trip_fetches_several_slots_within_its_horizon_only() {
    let app = app().await;
    let account = Account { per_minute: 6, ..slow("a") };
    // Five at once, and three more with half a minute ahead.
    let granted = take(&app, &account, BULK, 20, 35).await;
    assert_eq!(
        (granted.count, granted.first_wait, granted.step),
        (8, Duration::ZERO, Duration::from_secs(10))
    );
    assert_eq!(take(&app, &account, BULK, 20, 5).await.count, 0);
    assert_eq!(take(&app, &account, BULK, 2, 3600).await.count, 2, "as many as wanted");
}

#[tokio::test]
async fn who_is_blocked_waits_and_a_shorter_block_does_not_end_a_longer_one() {
    let app = app().await;
    let account = slow("a");
    block(&app, &account, 300).await;
    block(&app, &account, 10).await;
    for burst in [BULK, INTERACTIVE] {
        let refused = take(&app, &account, burst, 1, 20).await;
        assert_eq!(refused.count, 0);
        within(refused, 270, 300);
    }
    assert_eq!(take(&app, &slow("b"), BULK, 1, 0).await.count, 1, "others are not");
    app.clock_advance(TimeDelta::seconds(301)).await;
    let granted = take(&app, &account, BULK, 9, 0).await;
    assert_eq!(granted.first_wait, Duration::ZERO);
    assert!(granted.count >= 1, "{granted:?}");
}

#[tokio::test]
async fn processes_that_share_an_account_share_its_pace() {
    let app = app().await;
    let second = app.second().await;
    let account = slow("a");
    let takers = (0..16).map(|at| take(if at % 2 == 0 { &app } else { &second }, &account, BULK, 1, 0));
    let granted: i32 = join_all(takers).await.iter().map(|granted| granted.count).sum();
    assert_eq!(granted, 5);
}

#[tokio::test]
async fn no_minute_ever_has_more_calls_than_the_pace_and_the_burst() {
    let app = app().await;
    let account = Account { per_minute: 12, ..slow("a") };
    let mut slots: Vec<Time> = Vec::new();
    let begun = now(&app).await;
    for turn in 0..180_u32 {
        app.clock_advance(TimeDelta::seconds(2)).await;
        // Runs ask always; people ask now and then, and several at once.
        let mut asked = vec![(BULK, 4, 1)];
        if turn % 30 < 6 {
            asked.extend([(INTERACTIVE, 1, 20); 3]);
        }
        for (burst, wanted, horizon) in asked {
            let granted = take(&app, &account, burst, wanted, horizon).await;
            let at = now(&app).await;
            for index in 0..granted.count {
                let lead = TimeDelta::milliseconds(granted.lead_ms)
                    + TimeDelta::from_std(granted.step).unwrap() * index;
                slots.push(at + lead.max(TimeDelta::from_std(granted.first_wait).unwrap()));
            }
        }
    }
    slots.sort_unstable();
    let most = slots
        .iter()
        .map(|from| slots.iter().filter(|at| (*from..*from + TimeDelta::seconds(59)).contains(at)).count())
        .max()
        .unwrap();
    assert!(most <= 12 + 10, "{most} in a minute");
    // The limit is used in full: callers that always ask get all of it.
    let minutes = (now(&app).await - begun).num_seconds() / 60;
    assert!(i64::try_from(slots.len()).unwrap() >= minutes * 12, "{} in {minutes} minutes", slots.len());
}
