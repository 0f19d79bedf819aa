//! Measures the refresh of OneFile's learning aims, with two thousand and eight thousand more of
//! them and no limit in the sandbox: its calls, time and memory. Also measures how long two
//! thousand take at the pace that OneFile allows.

use std::time::Instant;

use serde_json::{Value, json};

use super::figures::{Bound, mib};
use super::ground::{Ground, NO_PACE, Site, wait};
use super::http::Api;

/// Rows in each page.
const PAGE: u64 = 200;
/// Calls beyond the full pages: one for the customer, four for the centres and the end of their
/// list. For each of the three centres, four for the last page and the end of its list.
const BESIDE: u64 = 1 + 4 + 3 * 4;
/// The default pace of the service, in calls a minute.
const USUAL: u32 = 285;

pub async fn run(ground: &Ground) -> Vec<Bound> {
    println!("\n== refresh: OneFile's learning aims, the first time and when nothing changed");
    let mut bounds = Vec::new();
    let small = measure(ground, "refresh_2k", 2_000, &mut bounds).await;
    let large = measure(ground, "refresh_8k", 8_000, &mut bounds).await;
    bounds.push(Bound::at_most("refresh: time of 8,000, relative to 2,000", large.0 / small.0, 5.2));
    let growth = mib(large.1) - mib(small.1);
    bounds.push(Bound::at_most("refresh: memory of 8,000 beyond that of 2,000, MiB", growth, 16.0));

    let site = ground.site("refresh_paced", USUAL).await;
    let (service, mut api) = prepared(&site, "refresh_paced", 2_000).await;
    let (run, seconds) = refresh(&mut api).await;
    println!("2000 more at {USUAL} calls a minute: {seconds:.1} s, {} calls", run["calls"]["used"]);
    bounds.push(Bound::at_most("refresh: seconds of 2,000 at the default pace", seconds, 10.0));
    drop(service);
    site.stop().await;
    bounds
}

/// Returns the seconds and the peak memory of a refresh that finds nothing new.
async fn measure(ground: &Ground, name: &str, aims: u64, bounds: &mut Vec<Bound>) -> (f64, u64) {
    let site = ground.site(name, NO_PACE).await;
    let (service, mut api) = prepared(&site, name, aims).await;
    let idle = service.memory();
    let mut measured = (0.0, 0);
    for what in ["all new", "nothing new"] {
        service.forget_peak();
        let (run, seconds) = refresh(&mut api).await;
        let total = run["total"].as_u64().unwrap();
        let (used, pages) = (run["calls"]["used"].as_u64().unwrap(), total.div_ceil(PAGE));
        measured = (seconds, service.peak());
        println!(
            "{total} learning aims, {what}: {seconds:.2} s; {used} calls, {} beyond the pages; memory at most {:.1} MiB (idle {:.1})",
            used - pages,
            mib(measured.1),
            mib(idle)
        );
        bounds.push(Bound::at_most(
            format!("refresh: calls, {total} learning aims, {what}"),
            used as f64,
            (pages + BESIDE) as f64,
        ));
    }
    drop(service);
    site.stop().await;
    measured
}

/// Starts the service, with a provider whose OneFile has this many additional learning aims.
async fn prepared(site: &Site<'_>, name: &str, aims: u64) -> (super::process::Process, Api) {
    let (_, token) = site.provider(name).await;
    let mut control = site.control().await;
    control.call("POST", "/control/onefile/records:more", &json!({ "standards": aims })).await;
    let service = site.service(&["serve"]);
    let mut api = Api::open(service.address(), Some(&token)).await;
    let settings = json!({"enabled": false, "environment": "sandbox", "customerToken": "sandbox"});
    api.call("PUT", "/onefile/settings", &settings).await;
    (service, api)
}

/// Runs a refresh, and returns the run and its seconds.
async fn refresh(api: &mut Api) -> (Value, f64) {
    let begun = Instant::now();
    let run = api.call("POST", "/onefile/qualifications:refresh", &Value::Null).await;
    let run = wait(api, &run).await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    (run, begun.elapsed().as_secs_f64())
}
