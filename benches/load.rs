//! Measures the throughput of a read and of a write relative to the floor, with sixteen open
//! connections and a thousand learners.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::figures::{Bound, median, mib, percentile};
use super::ground::{Ground, lines};
use super::http::{Api, Connection, request};
use super::people;
use super::process::Process;

const LEARNERS: u64 = 1_000;
const CONNECTIONS: usize = 16;
const ROUNDS: usize = 7;
const WARM_UP: Duration = Duration::from_secs(1);
const ROUND: Duration = Duration::from_secs(3);

/// What one side of the comparison did in all rounds.
#[derive(Default)]
struct Side {
    per_second: Vec<f64>,
    latencies_ms: Vec<f64>,
    requests: u64,
    ticks: u64,
}

pub async fn run(ground: &Ground) -> Vec<Bound> {
    println!(
        "\n== load: {CONNECTIONS} connections, {LEARNERS} learners, {ROUNDS} rounds of {} s each, in turns",
        ROUND.as_secs()
    );
    let site = ground.site("load", super::ground::NO_PACE).await;
    let (provider, token) = site.provider("load").await;
    let service = site.service(&["serve"]);
    let mut api = Api::open(service.address(), Some(&token)).await;
    let body = lines(0, LEARNERS, |n| format!("L{n}"));
    api.bytes("POST", "/learners:import", "application/x-ndjson", &body).await;
    site.link(&provider, LEARNERS.cast_signed(), 1).await;
    assert_eq!(api.call("GET", "/learners/L7/ace360", &Value::Null).await["state"], "uploaded");
    let floor = site.floor(LEARNERS as i32).await;
    println!("memory, idle: service {:.1} MiB, floor {:.1} MiB", mib(service.memory()), mib(floor.memory()));

    let token = Some(token.as_str());
    let reads: Vec<_> = (0..LEARNERS)
        .map(|n| request("GET", &format!("/learners/L{n}/ace360"), token, "application/json", b""))
        .collect();
    let writes: Vec<_> = (0..LEARNERS)
        .map(|n| {
            let body = serde_json::to_vec(&people::learner(n)).unwrap();
            request("PUT", &format!("/learners/L{n}"), token, "application/json", &body)
        })
        .collect();
    let read = compare("read", &floor, &service, &reads).await;
    let write = compare("write", &floor, &service, &writes).await;
    println!("memory, after: service {:.1} MiB, floor {:.1} MiB", mib(service.memory()), mib(floor.memory()));
    drop((service, floor));
    site.stop().await;
    vec![
        Bound::at_least("load: GET /learners/{id}/ace360, share of the floor's throughput", read, 0.7),
        Bound::at_least("load: PUT /learners/{id}, share of the floor's throughput", write, 0.5),
    ]
}

/// Returns the median of the rounds' throughput ratios.
async fn compare(what: &str, floor: &Process, service: &Process, requests: &[Vec<u8>]) -> f64 {
    let (mut theirs, mut ours) = (Side::default(), Side::default());
    for process in [floor, service] {
        load(process, requests, WARM_UP, &mut Side::default()).await;
    }
    for round in 0..ROUNDS {
        // Alternate, so that neither side always goes first.
        let mut order = [(floor, &mut theirs), (service, &mut ours)];
        if round % 2 == 1 {
            order.swap(0, 1);
        }
        for (process, side) in order {
            load(process, requests, ROUND, side).await;
        }
    }
    let mut ratios: Vec<_> =
        theirs.per_second.iter().zip(&ours.per_second).map(|(theirs, ours)| ours / theirs).collect();
    theirs.tell(what, "floor");
    ours.tell(what, "service");
    let ratio = median(&mut ratios);
    println!(
        "{what:<6} ratios of the rounds: {:.2} to {:.2}, median {ratio:.2}",
        ratios[0],
        ratios[ratios.len() - 1]
    );
    ratio
}

impl Side {
    fn tell(&mut self, what: &str, who: &str) {
        let cpu = self.ticks as f64 * 10_000.0 / self.requests as f64;
        println!(
            "{what:<6} {who:<8} {:>7.0} requests/s   p50 {:.2} ms   p99 {:.2} ms   {cpu:.0} µs of its own CPU for each request",
            median(&mut self.per_second),
            percentile(&mut self.latencies_ms, 0.5),
            percentile(&mut self.latencies_ms, 0.99),
        );
    }
}

async fn load(process: &Process, requests: &[Vec<u8>], time: Duration, side: &mut Side) {
    let (address, requests) = (process.address(), requests.to_vec());
    let ticks = process.ticks();
    // One thread serves all connections, so that the client uses as little of the machine as
    // possible.
    let (seconds, latencies) =
        tokio::task::spawn_blocking(move || generate(address, &requests, time)).await.unwrap();
    side.ticks += process.ticks() - ticks;
    side.requests += latencies.len() as u64;
    side.per_second.push(latencies.len() as f64 / seconds);
    side.latencies_ms.extend(latencies);
}

fn generate(address: SocketAddr, requests: &[Vec<u8>], time: Duration) -> (f64, Vec<f64>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(Connection::open(address).await);
        }
        let begun = Instant::now();
        let all = connections.iter_mut().enumerate().map(|(at, connection)| async move {
            let mut latencies = Vec::with_capacity(16 * 1024);
            let mut next = at * requests.len() / CONNECTIONS;
            while begun.elapsed() < time {
                let sent = Instant::now();
                let (status, answer) = connection.exchange(&requests[next]).await;
                latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
                assert!(status == 200 || status == 201, "{status} {}", String::from_utf8_lossy(answer));
                next = (next + 1) % requests.len();
            }
            latencies
        });
        let latencies = futures_util::future::join_all(all).await.concat();
        (begun.elapsed().as_secs_f64(), latencies)
    })
}
