//! The soak test: rounds of random faults and kills, each from a seed. After each round the books
//! must balance.
//!
//! `SOAK_ROUNDS` rounds (default 3) from the seed `SOAK_SEED` (default 1) on, `SOAK_LANES` (default
//! 4) at a time. A seed determines the faults, the kills and the uploads; the machine determines
//! how they interleave.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its figures are what it is for")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use picsbridge::sandbox::SandboxOptions;
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::support::app::PATIENCE;
use crate::support::processes::{Caller, Place, Process, Role, TIMINGS};
use crate::support::{TestApp, people};

const LEARNERS: u64 = 50;
/// Learners below this number are uploaded singly, those from [`BULK_FROM`] on by a run. Some are
/// in both.
const SINGLE_TO: u64 = 28;
const BULK_FROM: u64 = 22;
const CALLERS: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn soak_random_faults_and_kills_leave_one_record_for_each_learner() {
    let number = |name: &str, default: u64| {
        std::env::var(name)
            .map_or(default, |text| text.parse().expect("a number of rounds, lanes, or a seed"))
    };
    let (rounds, first) = (number("SOAK_ROUNDS", 3), number("SOAK_SEED", 1));
    let lanes = number("SOAK_LANES", 4).min(rounds);
    let next = Arc::new(AtomicU64::new(first));
    let (total, begun) = (Arc::new(Mutex::new(Figures::default())), Instant::now());
    let mut running = Vec::new();
    for _ in 0..lanes {
        let (next, total) = (Arc::clone(&next), Arc::clone(&total));
        running.push(tokio::spawn(async move {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first + rounds {
                    return;
                }
                let figures = tokio::spawn(round(seed)).await.unwrap_or_else(|error| {
                    next.store(u64::MAX / 2, Ordering::Relaxed);
                    eprintln!(
                        "The round of seed {seed} failed. Again: \
                         SOAK_SEED={seed} SOAK_ROUNDS=1 cargo test --test runs soak -- --nocapture"
                    );
                    std::panic::resume_unwind(error.into_panic())
                });
                println!("seed {seed}: {figures}");
                total.lock().unwrap().add(&figures);
            }
        }));
    }
    for lane in running {
        lane.await.unwrap();
    }
    let took = begun.elapsed().as_secs();
    println!("{rounds} rounds from seed {first} in {took} s: {}", total.lock().unwrap());
}

#[derive(Debug, Default)]
struct Figures {
    uploaded: u64,
    calls: u64,
    faults: u64,
    kills: u64,
    lost: u64,
    found: u64,
    sent_again: u64,
    by_a_person: u64,
}

impl Figures {
    fn add(&mut self, other: &Self) {
        self.uploaded += other.uploaded;
        self.calls += other.calls;
        self.faults += other.faults;
        self.kills += other.kills;
        self.lost += other.lost;
        self.found += other.found;
        self.sent_again += other.sent_again;
        self.by_a_person += other.by_a_person;
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} uploaded by {} calls to create, {} faults fired, {} kills, {} answers lost: {} found, {} sent again and of those {} settled by a person",
            self.uploaded,
            self.calls,
            self.faults,
            self.kills,
            self.lost,
            self.found,
            self.sent_again,
            self.by_a_person
        )
    }
}

/// SplitMix64: a seed always gives the same numbers.
#[derive(Clone, Debug)]
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn percent(&mut self, from: u32, to: u32) -> u32 {
        from + u32::try_from(self.below(u64::from(to - from + 1))).unwrap()
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

/// The processes of a round by index. A killed process returns with another address.
struct Fleet {
    place: Place,
    roles: [Role; 3],
    processes: [Arc<tokio::sync::Mutex<Process>>; 3],
    urls: [RwLock<String>; 3],
}

impl Fleet {
    async fn start(app: &TestApp) -> Self {
        let place = Place::of(app);
        let roles = [Role::Whole, Role::Api, Role::Worker];
        let [a, b, c] = roles.map(|role| Process::start(&place, role));
        let (a, b, c) = tokio::join!(a, b, c);
        let urls = [a.url().to_owned(), b.url().to_owned(), String::new()].map(RwLock::new);
        let processes = [a, b, c].map(|process| Arc::new(tokio::sync::Mutex::new(process)));
        Self { place, roles, processes, urls }
    }

    /// The address of one of the two API processes.
    fn url(&self, which: usize) -> String {
        self.urls[which % 2].read().unwrap().clone()
    }

    async fn start_one(&self, which: usize) -> Process {
        let process = Process::start(&self.place, self.roles[which]).await;
        if let Some(url) = &process.url {
            url.clone_into(&mut self.urls[which].write().unwrap());
        }
        process
    }
}

fn learner(n: u64) -> String {
    format!("L{n:02}")
}

async fn round(seed: u64) -> Figures {
    let mut draw = Draw(seed);
    let sandbox = SandboxOptions { seed, ..SandboxOptions::default() };
    let app = TestApp::builder().no_worker().timings(TIMINGS).sandbox(sandbox).start().await;
    let app = Arc::new(app);
    let fleet = Arc::new(Fleet::start(&app).await);
    let caller = Caller::of(&app);
    app.refresh_standards().await;
    app.put(&format!("/officers/{}", people::OFFICER), &people::officer()).await.good();
    app.put(&format!("/organisations/{}", people::ORGANISATION), &people::organisation()).await.good();
    let learners: Vec<_> = (0..LEARNERS)
        .map(|n| people::with_id("learnerId", &learner(n), &people::learner(seed * 1000 + n)))
        .collect();
    let imported = app.post("/learners:import", &json!(learners)).await.expect(200);
    assert_eq!(imported["succeeded"], LEARNERS, "{imported:#}");

    let rules = control(&app, reqwest::Method::PUT, &faults(&mut draw)).await;
    assert!(rules.is_array(), "{rules:#}");
    let kills = tokio::spawn(keep_killing(Arc::clone(&fleet), Draw(draw.next())));
    let bulk = tokio::spawn(upload_many(Arc::clone(&fleet), caller.clone()));
    upload_singly(&fleet, &caller, &mut draw).await;
    let runs = bulk.await.unwrap();
    let kills = kills.await.unwrap();
    let faults = end_faults(&app).await;

    let mut by_a_person = 0;
    let begun = Instant::now();
    loop {
        rest(&app).await;
        by_a_person += settle_by_hand(&app, &fleet, &caller).await;
        let mut left = Vec::new();
        for n in 0..LEARNERS {
            let tab = app.get(&format!("/learners/{}/ace360", learner(n))).await.expect(200);
            if tab["state"] != "uploaded" {
                left.push(n);
            }
        }
        if left.is_empty() {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "they cannot be uploaded: {left:?}");
        for n in left {
            // A lost record is one that ACE360 has and the service does not know.
            let reply = caller.upload(&fleet.url(0), &learner(n)).await;
            assert_ne!(reply.code(), "likelyDuplicate", "{} was lost: {reply:?}", learner(n));
        }
    }
    check_books(&app, &runs, seed).await;
    let mut figures = look_back(&app).await;
    (figures.faults, figures.kills, figures.by_a_person) = (faults, kills, by_a_person);
    figures
}

/// All kinds of faults, in random order and with random chances. A chance applies to the calls that
/// no earlier rule has met.
fn faults(draw: &mut Draw) -> Value {
    let mut creates = vec![
        json!({"status": {"status": 429, "retryAfter": 1}}),
        json!({"status": {"status": 500}}),
        json!({"status": {"status": 503, "body": "down"}}),
        json!({"html": {}}),
        json!({"truncated": {}}),
        json!({"wrongTypes": {}}),
        json!({"reset": {}}),
        json!({"commitThenReset": {}}),
        json!({"commitThenSilence": {"ms": 1500}}),
        json!({"silence": {"ms": 1500}}),
        json!({"delay": {"ms": 700}}),
        json!({"delay": {"ms": 1200}}),
        json!({"huge": {"bytes": 9_000_000}}),
    ];
    let mut reads = creates.clone();
    creates.push(
        json!({"status": {"status": 422, "body": {"message": "No.", "errors": {"ulnNumber": ["No."]}}}}),
    );
    let mut rules = Vec::new();
    while !creates.is_empty() {
        let kind = creates.swap_remove(usize::try_from(draw.below(creates.len() as u64)).unwrap());
        let once = kind["status"]["status"] == 422 || kind["status"]["status"] == 429;
        rules.push(rule("createApprentice", &kind, draw.percent(2, 6), once.then(|| 1 + draw.below(2))));
    }
    // Only a few, because a search or a reconciliation makes several calls, and each is retried.
    reads.push(json!({"status": {"status": 422, "body": {"message": "No."}}}));
    while !reads.is_empty() {
        let kind = reads.swap_remove(usize::try_from(draw.below(reads.len() as u64)).unwrap());
        let once = kind["status"]["status"] == 422 || kind["status"]["status"] == 429;
        rules.push(rule("*", &kind, draw.percent(0, 2), once.then_some(1)));
    }
    json!(rules)
}

fn rule(operation: &str, kind: &Value, percent: u32, times: Option<u64>) -> Value {
    let mut rule = json!({"operation": operation, "chance": f64::from(percent) / 100.0, "kind": kind});
    if let Some(times) = times {
        rule["times"] = json!(times);
    }
    rule
}

/// Kills one process after another, and restarts each after a while.
async fn keep_killing(fleet: Arc<Fleet>, mut draw: Draw) -> u64 {
    let kills = 3 + draw.below(4);
    let mut coming_back = tokio::task::JoinSet::new();
    for _ in 0..kills {
        tokio::time::sleep(draw.millis(100, 1200)).await;
        let (which, pause) = (usize::try_from(draw.below(3)).unwrap(), draw.millis(0, 500));
        // If it is still down, wait, so that every kill hits a running process.
        let mut process = Arc::clone(&fleet.processes[which]).lock_owned().await;
        process.kill().await;
        let fleet = Arc::clone(&fleet);
        coming_back.spawn(async move {
            tokio::time::sleep(pause).await;
            *process = fleet.start_one(which).await;
        });
    }
    coming_back.join_all().await;
    kills
}

/// Uploads by a run. Repeats the request until a process accepts it. Returns the runs.
async fn upload_many(fleet: Arc<Fleet>, caller: Caller) -> Vec<String> {
    let ids: Vec<_> = (BULK_FROM..LEARNERS).map(learner).collect();
    let mut runs = Vec::new();
    for (path, body) in
        [("/ace360/learners:upload", json!({ "learnerIds": ids })), ("/ace360/status:sync", Value::Null)]
    {
        let begun = Instant::now();
        let mut which = 0;
        let run = loop {
            which += 1;
            let reply = caller.post(format!("{}{path}", fleet.url(which)), &body).await;
            if matches!(reply.status, Some(200 | 202)) {
                break reply.body["id"].as_str().unwrap().to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "a run cannot be asked for: {reply:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        runs.push(run);
    }
    runs
}

/// Uploads singly with several callers at a time. Every third learner is uploaded twice at the same
/// moment, through two processes.
async fn upload_singly(fleet: &Arc<Fleet>, caller: &Caller, draw: &mut Draw) {
    let left: Arc<Mutex<Vec<(u64, u64)>>> =
        Arc::new(Mutex::new((0..SINGLE_TO).map(|n| (n, draw.next())).collect()));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (left, fleet, caller) = (Arc::clone(&left), Arc::clone(fleet), caller.clone());
            tokio::spawn(async move {
                loop {
                    let Some((n, drawn)) = left.lock().unwrap().pop() else { return };
                    let id = learner(n);
                    let which = usize::from(drawn % 2 == 0);
                    let (here, there) = (fleet.url(which), fleet.url(which + 1));
                    if drawn % 3 == 0 {
                        tokio::join!(caller.upload(&here, &id), caller.upload(&there, &id));
                    } else {
                        caller.upload(&here, &id).await;
                    }
                }
            })
        })
        .collect();
    for task in callers {
        task.await.unwrap();
    }
}

/// Waits until no work is in progress. What is open then waits for a person.
async fn rest(app: &TestApp) {
    let begun = Instant::now();
    loop {
        let runs = app.get("/runs?pageSize=200").await.expect(200);
        let sending = app.get("/intents?state=sending").await.expect(200);
        let unknown = app.get("/intents?state=unknown").await.expect(200);
        let items = |page: &Value| page["items"].as_array().unwrap().clone();
        let open: Vec<Value> = items(&runs)
            .into_iter()
            .filter(|run| run["finishedAt"].is_null())
            .chain(items(&sending))
            .chain(items(&unknown).into_iter().filter(|intent| !intent["nextLookAt"].is_null()))
            .collect();
        if open.is_empty() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "this is still under way: {open:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What a person does with an outcome that cannot be reconciled: checks ACE360, and reports what is
/// there.
async fn settle_by_hand(app: &TestApp, fleet: &Fleet, caller: &Caller) -> u64 {
    let unknown = app.get("/intents?state=unknown").await.expect(200);
    let records = by_uln(app).await;
    let mut settled = 0;
    for intent in unknown["items"].as_array().unwrap() {
        let id = intent["subject"]["id"].as_str().unwrap();
        let uln = app.get(&format!("/learners/{id}")).await.expect(200)["uln"].as_str().unwrap().to_owned();
        let said = match records.get(&uln).map(Vec::as_slice) {
            None => json!({"outcome": "notDone"}),
            Some([record, ..]) => json!({"outcome": "done", "remoteId": record}),
            Some([]) => unreachable!(),
        };
        let url = format!("{}/intents/{}:resolve", fleet.url(1), intent["id"].as_str().unwrap());
        let reply = caller.post(url, &said).await;
        assert_eq!(reply.status, Some(200), "{said} about {intent:#}: {reply:?}");
        settled += 1;
    }
    settled
}

async fn by_uln(app: &TestApp) -> BTreeMap<String, Vec<i64>> {
    let mut found: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for record in app.sandbox_records().await {
        let uln = record["ulnNumber"].as_str().unwrap().to_owned();
        found.entry(uln).or_default().push(record["id"].as_i64().unwrap());
    }
    found
}

/// Checks that nothing was created twice, nothing is lost, and nothing waits.
async fn check_books(app: &TestApp, runs: &[String], seed: u64) {
    let state = app.sandbox_state().await;
    assert_eq!(state["invariants"]["duplicateUlns"], json!([]), "sent twice: {state:#}");
    assert_eq!((&state["records"], &state["creditsUsed"]), (&json!(LEARNERS), &json!(LEARNERS)), "{state:#}");
    let records = by_uln(app).await;
    for n in 0..LEARNERS {
        let tab = app.get(&format!("/learners/{}/ace360", learner(n))).await.expect(200);
        assert_eq!(tab["state"], "uploaded", "{tab:#}");
        let theirs = &records[&people::uln(seed * 1000 + n)];
        assert_eq!(json!([tab["recordId"]]), json!(theirs), "{tab:#}");
    }
    for id in runs {
        let run = app.get(&format!("/runs/{id}")).await.expect(200);
        assert!(!run["finishedAt"].is_null(), "{run:#}");
        if run["state"] == "failed" {
            continue;
        }
        assert_eq!(run["done"], run["total"], "{run:#}");
        let counted = ["succeeded", "failed", "skipped"].map(|count| run[count].as_u64().unwrap());
        let told = app.get(&format!("/runs/{id}/records?pageSize=500")).await.expect(200);
        let told = told["items"].as_array().unwrap();
        assert_eq!(told.len() as u64, counted.iter().sum::<u64>(), "{run:#} {told:#?}");
    }
    let mut sql = app.sql().await;
    let told: Vec<String> = sqlx::query_scalar(
        "select subject_id from changes where type = 'ace360.uploaded' order by subject_id",
    )
    .fetch_all(&mut sql)
    .await
    .unwrap();
    let distinct: BTreeSet<_> = told.iter().collect();
    assert_eq!((told.len() as u64, distinct.len() as u64), (LEARNERS, LEARNERS), "told once each: {told:?}");
}

async fn look_back(app: &TestApp) -> Figures {
    let mut sql = app.sql().await;
    let row = sqlx::query(
        "select count(*) filter (where l.method = 'reconciled' and i.sends = 1) as found, \
                count(*) filter (where i.sends > 1) as again, max(i.sends) as most \
         from intents i left join ace360_links l on l.provider_id = i.provider_id and l.learner_id = i.subject_id \
              and i.state = 'done'",
    )
    .fetch_one(&mut sql)
    .await
    .unwrap();
    let count = |name: &str| u64::try_from(row.get::<i64, _>(name)).unwrap();
    assert!(row.get::<i32, _>("most") <= 2, "an intent was sent more than twice");
    let calls = app.sandbox_state().await["calls"]["createApprentice"].as_u64().unwrap();
    let (found, sent_again) = (count("found"), count("again"));
    Figures { uploaded: LEARNERS, calls, found, sent_again, lost: found + sent_again, ..Figures::default() }
}

/// Switches the faults off, and returns how many fired.
async fn end_faults(app: &TestApp) -> u64 {
    let rules = control(app, reqwest::Method::GET, &Value::Null).await;
    app.no_faults().await;
    rules.as_array().unwrap().iter().map(|rule| rule["fired"].as_u64().unwrap()).sum()
}

async fn control(app: &TestApp, method: reqwest::Method, body: &Value) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = http.request(method, format!("{}/control/faults", app.sandbox_url()));
    if !body.is_null() {
        request = request.json(body);
    }
    request.send().await.unwrap().json().await.unwrap()
}
