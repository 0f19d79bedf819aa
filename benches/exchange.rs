//! Measures the daily exchange with OneFile in a shorter minute: OneFile allows 300 calls in 0.6
//! seconds, and the pace is 285 in the same time. There are 5,000 learners with four learning aims
//! each and a review a month. 5 % of them changed since yesterday, and a seventh are due to be read
//! in full.
//!
//! Compares it with the naive way in the same sandbox: one call for every learning aim and for a
//! review of each learner, at full speed until OneFile answers 429, and then a wait for the next
//! window.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::figures::Bound;
use super::ground::{AIMS, Ground, NO_PACE, Site, link_learners, wait};
use super::http::{Api, Connection};
use super::process::Process;

const LEARNERS: u64 = 5000;
/// Learners that change each day, in percent.
const CHANGED: u64 = 5;
/// How many times shorter than a real minute the bench's minute is.
const FACTOR: u32 = 100;
const LIMIT: u32 = 300;
const PACE: u32 = 285;
const WINDOW: Duration = Duration::from_millis(60_000 / FACTOR as u64);
const DAY: u64 = 86_400;

pub async fn run(ground: &Ground) -> Vec<Bound> {
    println!(
        "\n== exchange: {LEARNERS} learners, {AIMS} learning aims each, {CHANGED} % changed; a minute is {WINDOW:?}, the limit {LIMIT}, the pace {PACE}"
    );
    let mut bounds = Vec::new();
    let site = ground.site("exchange", PACE * FACTOR).await;
    let (_, token) = site.provider("exchange").await;
    let mut control = site.control().await;
    let users = prepare(&site, &token, &mut control).await;
    let mut day = 1;
    let mut ours = (0.0, 0.0);
    for (window, workers) in [("fixed", 1), ("fixed", 3), ("sliding", 1), ("sliding", 3)] {
        day += 1;
        next_day(&site, &mut control, day, &users).await;
        limit(&mut control, Some(LIMIT), window).await;
        let service = site.service(&["serve", "--no-worker"]);
        let processes: Vec<Process> = (0..workers).map(|_| site.service(&["worker"])).collect();
        let mut api = Api::open(service.address(), Some(&token)).await;
        let (run, seconds) = exchange(&mut api).await;
        let used = run["calls"]["used"].as_f64().unwrap();
        let ideal = used / f64::from(PACE) * WINDOW.as_secs_f64();
        let limited = refused(&mut control).await;
        println!(
            "{window} window, {workers} worker(s): {used:.0} calls (planned {}) in {seconds:.1} s; at exactly the pace {ideal:.1} s; changed {}, 429: {limited:.0}",
            run["calls"]["planned"], run["succeeded"]
        );
        let name = format!("exchange: {window} window, {workers} worker(s)");
        bounds.push(Bound::at_most(format!("{name}: seconds"), seconds, 1.08 * ideal + 2.0));
        bounds.push(Bound::at_most(format!("{name}: 429s"), limited, 0.0));
        limit(&mut control, None, window).await;
        ours = (used, seconds);
        drop((processes, service));
    }
    let (calls, seconds) = naive(&mut control, site.sandbox_address(), &users).await;
    println!(
        "the naive way: {calls:.0} calls in {seconds:.1} s; {:.2} times our calls, {:.2} times our time",
        calls / ours.0,
        seconds / ours.1
    );
    bounds.push(Bound::at_least("exchange: calls of the naive way, relative to ours", calls / ours.0, 1.0));
    bounds.push(Bound::at_least("exchange: time of the naive way, relative to ours", seconds / ours.1, 1.0));
    site.stop().await;
    bounds
}

/// Links all learners with OneFile users, and exchanges them once, with their sweeps spread over
/// the last week. Returns the users' ids.
async fn prepare(site: &Site<'_>, token: &str, control: &mut Api) -> Vec<u64> {
    limit(control, None, "sliding").await;
    let fast = site.with_onefile_pace(NO_PACE);
    let service = fast.service(&["serve"]);
    let mut api = Api::open(service.address(), Some(token)).await;
    let users = link_learners(&mut api, control, "sandbox", LEARNERS).await;
    // An exchange reads again what changed shortly before the previous one. So create everything a
    // day earlier.
    next_day(site, control, 1, &[]).await;
    let (run, seconds) = exchange(&mut api).await;
    println!(
        "the first exchange of all learners, without a limit: {} calls in {seconds:.1} s",
        run["calls"]["used"]
    );
    assert_eq!(run["failed"], 0, "{run:#}");
    let mut sql = site.connection().await;
    sqlx::query("update onefile_portfolios set swept_at = exchanged_at - (abs(hashtext(learner_id)) % 7) * interval '1 day'")
        .execute(&mut sql)
        .await
        .unwrap();
    users
}

/// Moves the clock to the next day, and lets some learners make progress.
async fn next_day(site: &Site<'_>, control: &mut Api, day: u64, users: &[u64]) {
    site.next_day().await;
    control.call("PUT", "/control/settings", &json!({"onefile": {"clockAheadSeconds": day * DAY}})).await;
    let step = usize::try_from(100 / CHANGED).unwrap();
    for user in users.iter().skip(usize::try_from(day).unwrap()).step_by(step) {
        control.call("POST", &format!("/control/learners/{user}:progress"), &Value::Null).await;
    }
    // A limit allows a burst at its start, which is not part of the pace.
    tokio::time::sleep(WINDOW * 2).await;
}

async fn limit(control: &mut Api, calls: Option<u32>, window: &str) {
    let factor = if calls.is_some() { FACTOR } else { 1 };
    let settings =
        json!({"window": window, "onefile": {"callsPerMinute": calls, "limitClockFactor": factor}});
    control.call("PUT", "/control/settings", &settings).await;
}

async fn refused(control: &mut Api) -> f64 {
    let state = control.call("GET", "/control/state", &Value::Null).await;
    state["onefile"]["limited"].as_f64().unwrap()
}

async fn exchange(api: &mut Api) -> (Value, f64) {
    let begun = Instant::now();
    let run = api.call("POST", "/onefile/learners:sync", &Value::Null).await;
    let run = wait(api, &run).await;
    (run, begun.elapsed().as_secs_f64())
}

/// Makes one call for each learning aim and for a review of each learner, at full speed until a
/// 429. Returns the calls and the seconds.
async fn naive(control: &mut Api, sandbox: SocketAddr, users: &[u64]) -> (f64, f64) {
    limit(control, Some(LIMIT), "fixed").await;
    let mut line = Connection::open(sandbox).await;
    let ask = |method: &str, path: &str, header: &str| {
        format!("{method} /onefile/api/v2.1/{path} HTTP/1.1\r\nhost: bench\r\n{header}\r\ncontent-length: 0\r\n\r\n").into_bytes()
    };
    let (status, session) = line.exchange(&ask("POST", "Authentication", "x-customertoken: sandbox")).await;
    assert_eq!(status, 200);
    let header = format!("x-tokenid: {}", String::from_utf8_lossy(session));
    let begun = Instant::now();
    let mut calls = 0.0;
    for user in users {
        // The ids of a user's learning aims and reviews follow the user's id.
        for (noun, id) in (1..=AIMS).map(|at| ("LearningAim", user + at)).chain([("Review", user + AIMS + 1)])
        {
            loop {
                calls += 1.0;
                let (status, _) = line.exchange(&ask("GET", &format!("{noun}/{id}"), &header)).await;
                if status != 429 {
                    break;
                }
                tokio::time::sleep(WINDOW).await;
            }
        }
    }
    (calls, begun.elapsed().as_secs_f64())
}
