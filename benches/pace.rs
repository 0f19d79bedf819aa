//! Measures upload runs at a pace of L calls a minute, while the sandbox refuses calls above its
//! own limit. The limit is 15 calls a minute above the pace, as a real limit of 300 is above 285.
//! The sandbox uses real minutes, so each run takes more than one minute.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::figures::Bound;
use super::ground::{Ground, make_ready, wait};
use super::http::Api;

/// L, the calls a minute that the service may make.
const PACE: u32 = 600;
/// Calls a minute that the sandbox allows.
const LIMIT: u32 = PACE + 15;
const UPLOADS: u64 = 750;

pub async fn run(ground: &Ground) -> Vec<Bound> {
    println!("\n== pace: L = {PACE} calls a minute, the sandbox's limit {LIMIT}, {UPLOADS} uploads");
    let mut bounds = Vec::new();
    for window in ["fixed", "sliding"] {
        for workers in [1, 3] {
            measure(ground, window, workers, &mut bounds).await;
        }
    }
    bounds
}

async fn measure(ground: &Ground, window: &str, workers: u64, bounds: &mut Vec<Bound>) {
    let site = ground.site(&format!("pace_{window}_{workers}"), PACE).await;
    let mut control = site.control().await;
    let service = site.service(&["serve", "--no-worker"]);
    let processes: Vec<_> = (0..workers).map(|_| site.service(&["worker"])).collect();
    // One worker works a run at a time. So there are as many providers as workers, all with the
    // same ACE360 token.
    let mut apis = Vec::new();
    for number in 0..workers {
        let (_, token) = site.provider(&format!("p{number}")).await;
        let mut api = Api::open(service.address(), Some(&token)).await;
        let each = UPLOADS / workers;
        make_ready(&mut api, number * each, (number + 1) * each).await;
        apis.push((api, each));
    }
    control.call("PUT", "/control/settings", &json!({"callsPerMinute": LIMIT, "window": window})).await;
    // The sandbox counts from now on. Wait until the calls of the preparation no longer slow the
    // pace.
    tokio::time::sleep(Duration::from_secs(5)).await;

    let (before, _) = calls(&mut control).await;
    let begun = Instant::now();
    let mut runs = Vec::new();
    for (api, _) in &mut apis {
        runs.push(api.call("POST", "/ace360/learners:upload", &json!({"filter": {}})).await);
    }
    for ((api, each), run) in apis.iter_mut().zip(&runs) {
        let run = wait(api, run).await;
        assert_eq!(run["succeeded"], json!(*each), "{run:#}");
    }
    let seconds = begun.elapsed().as_secs_f64();
    let (after, limited) = calls(&mut control).await;
    let calls = after - before;
    let ideal = calls / f64::from(PACE) * 60.0;
    println!(
        "{window} window, {workers} worker(s): {calls:.0} calls in {seconds:.1} s; at exactly L {ideal:.1} s; 429: {limited:.0}"
    );
    let name = format!("pace: {window} window, {workers} worker(s)");
    bounds.push(Bound::at_most(format!("{name}: seconds"), seconds, 1.08 * ideal + 2.0));
    bounds.push(Bound::at_most(format!("{name}: 429s"), limited, 0.0));
    drop((processes, service));
    site.stop().await;
}

/// Returns the calls so far, and how many of them the limit refused.
async fn calls(control: &mut Api) -> (f64, f64) {
    let state = control.call("GET", "/control/state", &Value::Null).await;
    let calls = state["calls"].as_object().unwrap().values().filter_map(Value::as_f64).sum();
    (calls, state["limited"].as_f64().unwrap())
}
