//! Measures status runs over ten thousand and a hundred thousand uploaded learners, with no limit
//! in the sandbox: their calls, their time, and the memory of the service.

use std::time::Instant;

use serde_json::{Value, json};

use super::figures::{Bound, mib};
use super::ground::{Ground, NO_PACE, wait};
use super::http::Api;

const PAGE: i64 = 100;

/// The result of the runs over one number of learners.
struct Measured {
    /// Time of the run that found no change.
    seconds: f64,
    /// The same time, without the time of the upstream.
    own_seconds: f64,
    memory: u64,
}

pub async fn run(ground: &Ground) -> Vec<Bound> {
    println!("\n== sync: uploaded learners, first unchanged, then 1 % changed and 0.1 % gone from the list");
    let mut bounds = Vec::new();
    let small = measure(ground, "sync_10k", 10_000, &mut bounds).await;
    let large = measure(ground, "sync_100k", 100_000, &mut bounds).await;
    bounds.push(Bound::at_most(
        "sync: time of 100,000, relative to 10,000",
        large.seconds / small.seconds,
        13.0,
    ));
    println!(
        "100,000 relative to 10,000: {:.2} times the time, {:.2} times without the upstream's time",
        large.seconds / small.seconds,
        large.own_seconds / small.own_seconds
    );
    let growth = mib(large.memory) - mib(small.memory);
    bounds.push(Bound::at_most("sync: memory of 100,000 beyond that of 10,000, MiB", growth, 16.0));
    bounds
}

async fn measure(ground: &Ground, name: &str, learners: i64, bounds: &mut Vec<Bound>) -> Measured {
    let site = ground.site(name, NO_PACE).await;
    let (provider, token) = site.provider(name).await;
    let mut control = site.control().await;
    control.call("POST", "/control/reset", &json!({"seedApprentices": learners})).await;
    let newest = control.call("GET", "/control/apprentices?limit=1", &Value::Null).await;
    let first = newest[0]["id"].as_i64().unwrap() - learners + 1;
    site.link(&provider, learners, first).await;
    let service = site.service(&["serve"]);
    let mut api = Api::open(service.address(), Some(&token)).await;
    let idle = service.memory();

    // The first run fills the mirror. Measure the next run, which is that of a usual day.
    let (run, _, _) = sync(&mut api).await;
    assert_eq!((&run["unchanged"], &run["failed"]), (&json!(learners), &json!(0)), "{run:#}");
    service.forget_peak();
    let (run, seconds, upstream) = sync(&mut api).await;
    let memory = service.peak();
    let pages = (learners + PAGE - 1) / PAGE;
    println!(
        "{learners}: unchanged {seconds:.2} s, of which the upstream {upstream:.2} s; {} calls; memory at most {:.1} MiB (idle {:.1})",
        run["calls"]["used"],
        mib(memory),
        mib(idle)
    );
    bound(bounds, learners, "unchanged", &run, pages);

    let (changed, gone) = (learners / 100, learners / 1000);
    for n in 0..changed {
        let path = format!("/control/apprentices/{}:advance", first + n * 100);
        control.call("POST", &path, &Value::Null).await;
    }
    for n in 0..gone {
        let path = format!("/control/apprentices/{}:advance", first + n * 1000 + 50);
        control.call("POST", &path, &json!({"remove": true})).await;
    }
    let (run, seconds_changed, upstream_changed) = sync(&mut api).await;
    println!(
        "{learners}: {changed} changed, {gone} gone: {seconds_changed:.2} s, of which the upstream {upstream_changed:.2} s; {} calls",
        run["calls"]["used"]
    );
    assert_eq!((&run["succeeded"], &run["failed"]), (&json!(changed), &json!(gone)), "{run:#}");
    bound(bounds, learners, "1 % changed", &run, (learners - gone + PAGE - 1) / PAGE + changed + gone);
    drop(service);
    site.stop().await;
    Measured { seconds, own_seconds: seconds - upstream, memory }
}

fn bound(bounds: &mut Vec<Bound>, learners: i64, what: &str, run: &Value, needed: i64) {
    let used = run["calls"]["used"].as_f64().unwrap();
    bounds.push(Bound::at_most(
        format!("sync: calls, {learners} learners, {what}"),
        used,
        (needed + 5) as f64,
    ));
}

/// Starts a run, and returns it with its seconds and those of its upstream calls.
async fn sync(api: &mut Api) -> (Value, f64, f64) {
    let before = api.upstream_seconds().await.0;
    let begun = Instant::now();
    let run = api.call("POST", "/ace360/status:sync", &Value::Null).await;
    let run = wait(api, &run).await;
    let seconds = begun.elapsed().as_secs_f64();
    (run, seconds, api.upstream_seconds().await.0 - before)
}
