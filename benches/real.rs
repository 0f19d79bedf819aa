//! Measures the daily exchange at the real pace, which takes minutes.
//!
//! - `minute`: one run of about 1,500 calls at 285 a minute under OneFile's limit of 300, while a
//!   person exchanges a single learner repeatedly.
//! - `providers`: 200 providers with 100 learners each at the same time, with 60 calls a minute
//!   each. Compares them with one provider alone.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::figures::{Bound, mib, percentile};
use super::ground::{Ground, NO_PACE, Site, link_learners};
use super::http::Api;

const LIMIT: u32 = 300;
const PACE: u32 = 285;
/// Learners of the bench `minute`. To read all of them in full takes about 1,500 calls.
const LEARNERS: u64 = 210;
const PROVIDERS: u64 = 200;
const EACH: u64 = 100;
const EACH_PACE: u32 = 60;
/// Providers that are prepared at the same time.
const AT_ONCE: usize = 8;

/// One of this many learners changed since the day before.
const CHANGED: usize = 10;
const DAY: u64 = 86_400;

/// A prepared provider: its token, and the OneFile users that its learners are linked with.
struct Prepared {
    token: String,
    users: Vec<u64>,
}

/// Creates a provider with its own OneFile customer, and learners who are linked with its users.
async fn prepare(
    site: &Site<'_>,
    address: std::net::SocketAddr,
    name: &str,
    learners: u64,
    customer: &str,
) -> Prepared {
    let (_, token) = site.provider(name).await;
    let mut control = site.control().await;
    let settings = json!({"onefile": {"callsPerMinute": null}});
    control.call("PUT", &format!("/control/settings?forToken={customer}"), &settings).await;
    let mut api = Api::open(address, Some(&token)).await;
    let users = link_learners(&mut api, &mut control, customer, learners).await;
    Prepared { token, users }
}

/// Moves a customer's clock to another day, and lets some learners make progress.
async fn day(control: &mut Api, customer: &str, day: u64, users: &[u64]) {
    let ahead = json!({"onefile": {"clockAheadSeconds": day * DAY}});
    control.call("PUT", &format!("/control/settings?forToken={customer}"), &ahead).await;
    for user in users {
        control
            .call("POST", &format!("/control/learners/{user}:progress?forToken={customer}"), &Value::Null)
            .await;
    }
}

async fn exchange(api: &mut Api, full: bool) -> (Value, f64) {
    let begun = Instant::now();
    let run = api.call("POST", "/onefile/learners:sync", &json!({"full": full})).await;
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    loop {
        // Two hundred providers poll at the same time. A longer wait keeps the polls out of the
        // figures.
        let run = api.call("GET", &path, &Value::Null).await;
        if !run["finishedAt"].is_null() {
            break (run, begun.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Returns the calls that the sandbox counted.
async fn calls(site: &Site<'_>) -> f64 {
    let state = site.control().await.call("GET", "/control/state", &Value::Null).await;
    state["onefile"]["calls"].as_object().unwrap().values().filter_map(Value::as_f64).sum()
}

async fn refused(site: &Site<'_>) -> f64 {
    let state = site.control().await.call("GET", "/control/state", &Value::Null).await;
    state["onefile"]["limited"].as_f64().unwrap()
}

pub async fn minute(ground: &Ground) -> Vec<Bound> {
    println!(
        "\n== minute: one exchange of {LEARNERS} learners, all read in full, at {PACE} calls a minute under a limit of {LIMIT}"
    );
    let site = ground.site("minute", PACE).await;
    let token = {
        let fast = site.with_onefile_pace(NO_PACE);
        let service = fast.service(&["serve"]);
        prepare(&site, service.address(), "minute", LEARNERS, "sandbox").await.token
    };
    let service = site.with_onefile_pace(PACE);
    let service = service.service(&["serve"]);
    site.control()
        .await
        .call("PUT", "/control/settings", &json!({"onefile": {"callsPerMinute": LIMIT}}))
        .await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    let mut api = Api::open(service.address(), Some(&token)).await;
    let begun = Instant::now();
    let run = api.call("POST", "/onefile/learners:sync", &json!({"full": true})).await;
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    let mut person = Api::open(service.address(), Some(&token)).await;
    let (mut waits, mut estimate) = (Vec::new(), None);
    let before = calls(&site).await;
    let run = loop {
        let run = api.call("GET", &path, &Value::Null).await;
        if !run["finishedAt"].is_null() {
            break run;
        }
        if estimate.is_none() && begun.elapsed() > Duration::from_secs(61) {
            println!("after a minute: {}", run["calls"]);
            estimate = run["estimatedEndAt"].as_str().map(str::to_owned);
        }
        // The run exchanges the first learner within seconds. After that, a person exchanges this
        // learner again. Measure from the first call to the last.
        if begun.elapsed() > Duration::from_secs(30) {
            let asked = Instant::now();
            let tab = person.call("POST", "/learners/E0/onefile:sync", &Value::Null).await;
            assert_eq!(tab["problem"], Value::Null, "{tab:#}");
            waits.push(asked.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    };
    let seconds = begun.elapsed().as_secs_f64();
    let (of_run, used) = (run["calls"]["used"].as_f64().unwrap(), calls(&site).await - before);
    let ideal = used / f64::from(PACE) * 60.0;
    let p99 = percentile(&mut waits, 0.99);
    let time = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap();
    let whole = (time(run["finishedAt"].as_str().unwrap()) - time(run["startedAt"].as_str().unwrap()))
        .as_seconds_f64();
    let told = estimate.map(|end| (time(&end) - time(run["startedAt"].as_str().unwrap())).as_seconds_f64());
    let limited = refused(&site).await;
    println!(
        "{used:.0} calls, {:.0} of them for {} exchanges by a person, in {seconds:.1} s; at exactly the pace {ideal:.1} s; estimated after a minute {told:?} s, took {whole:.1} s; a person waited {p99:.2} s at p99 for one learner",
        used - of_run,
        waits.len()
    );
    let bounds = vec![
        Bound::at_most("minute: seconds", seconds, 1.08 * ideal + 2.0),
        Bound::at_most("minute: 429s", limited, 0.0),
        Bound::at_most("minute: time to exchange a person's learner during the run, s at p99", p99, 2.0),
        Bound::at_most(
            "minute: error of the end estimated after a minute, %",
            told.map_or(100.0, |told| (told - whole).abs() / whole * 100.0),
            10.0,
        ),
    ];
    drop(service);
    site.stop().await;
    bounds
}

pub async fn providers(ground: &Ground) -> Vec<Bound> {
    println!(
        "\n== providers: {PROVIDERS} of {EACH} learners each, a tenth of them changed, {EACH_PACE} calls a minute each"
    );
    let site = ground.site("providers", EACH_PACE).await;
    let (mut providers, prepares) = (Vec::new(), Instant::now());
    {
        let fast = site.with_onefile_pace(NO_PACE);
        let service = fast.service(&["serve"]);
        // One more provider, which is measured alone.
        let all: Vec<String> = (0..=PROVIDERS).map(|n| format!("p{n}")).collect();
        for some in all.chunks(AT_ONCE) {
            let prepared = some.iter().map(|name| {
                let (site, address) = (&site, service.address());
                async move { prepare(site, address, name, EACH, &format!("sandbox-{name}")).await }
            });
            providers.extend(some.iter().cloned().zip(futures_util::future::join_all(prepared).await));
        }
        // An exchange reads again what changed shortly before the previous one. So create
        // everything a day earlier.
        site.next_day().await;
        for some in providers.chunks(AT_ONCE) {
            let exchanged = some.iter().map(|(name, prepared)| {
                let (site, address) = (&site, service.address());
                async move {
                    let customer = format!("sandbox-{name}");
                    let mut control = site.control().await;
                    day(&mut control, &customer, 1, &[]).await;
                    let mut api = Api::open(address, Some(&prepared.token)).await;
                    exchange(&mut api, true).await;
                    let changed: Vec<u64> = prepared.users.iter().step_by(CHANGED).copied().collect();
                    day(&mut control, &customer, 2, &changed).await;
                }
            });
            futures_util::future::join_all(exchanged).await;
        }
        site.next_day().await;
    }
    println!("prepared in {:.0} s", prepares.elapsed().as_secs_f64());
    let paced = site.with_onefile_pace(EACH_PACE);
    let service = paced.service(&["serve"]);
    let idle = service.memory();
    let (_, alone) = providers.pop().unwrap();
    let mut single = Api::open(service.address(), Some(&alone.token)).await;
    let (run, alone) = exchange(&mut single, false).await;
    println!(
        "one provider alone: {} calls, {} learners changed, in {alone:.1} s",
        run["calls"]["used"], run["succeeded"]
    );
    let begun = Instant::now();
    let all = providers.iter().map(|(_, prepared)| async {
        let mut api = Api::open(service.address(), Some(&prepared.token)).await;
        let (run, seconds) = exchange(&mut api, false).await;
        assert_eq!(run["state"], "succeeded", "{run:#}");
        seconds
    });
    let mut each = futures_util::future::join_all(all).await;
    let together = begun.elapsed().as_secs_f64();
    println!(
        "all providers at once: {together:.1} s, median {:.1} s; memory idle {:.1} MiB, at most {:.1} MiB",
        percentile(&mut each, 0.5),
        mib(idle),
        mib(service.peak())
    );
    let bounds = vec![
        Bound::at_most("providers: time of all at once, relative to one alone", together / alone, 1.2),
        Bound::at_most("providers: memory, MiB", mib(service.peak()), 400.0),
    ];
    drop(service);
    site.stop().await;
    bounds
}
