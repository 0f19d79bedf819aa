//! Measures what the service adds to one upload: the time that the caller sees, minus the time of
//! the upstream calls. Compares it with two one-row commits, because an upload that is never sent
//! twice needs at least two: the intent before the call and the outcome after it.
//!
//! A proxy in front of the database counts the round trips of one upload.

use std::time::{Duration, Instant};

use super::figures::{Bound, percentile};
use super::ground::{Ground, NO_PACE, Site, make_ready};
use super::http::Api;
use super::proxy::DatabaseProxy;

const UPLOADS: u64 = 600;
/// Uploads whose round trips are counted.
const COUNTED: u64 = 60;
const MOST_TRIPS: f64 = 24.0;
/// Time that an upload may take beyond two commits.
const ALLOWANCE_MS: f64 = 6.0;
/// The first uploads open connections and prepare statements, so they are not measured.
const WARM_UP: u64 = 40;

pub async fn run(ground: &Ground) -> Vec<Bound> {
    println!("\n== upload: {UPLOADS} uploads in sequence, each followed by two one-row commits");
    let trips = ground.site("upload_trips", NO_PACE).await;
    let trips = round_trips(trips).await;
    let site = ground.site("upload", NO_PACE).await;
    let (_, token) = site.provider("upload").await;
    let service = site.service(&["serve"]);
    let mut api = Api::open(service.address(), Some(&token)).await;
    make_ready(&mut api, 0, UPLOADS + WARM_UP).await;
    let mut connection = site.connection().await;
    sqlx::query("create table two_commits (id bigint primary key, sealed bytea not null)")
        .execute(&mut connection)
        .await
        .unwrap();
    let row = vec![7_u8; 700];

    let (mut whole, mut added, mut commits, mut calls) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
    for n in 0..UPLOADS + WARM_UP {
        let before = api.upstream_seconds().await;
        let begun = Instant::now();
        let answer = api.bytes("POST", &format!("/learners/L{n}/ace360"), "application/json", b"{}").await;
        let took = begun.elapsed().as_secs_f64() * 1000.0;
        assert!(
            answer.windows(10).any(|part| part == b"\"uploaded\""),
            "{}",
            String::from_utf8_lossy(answer)
        );
        let after = api.upstream_seconds().await;

        let begun = Instant::now();
        for id in [2 * n, 2 * n + 1] {
            sqlx::query("insert into two_commits values ($1, $2)")
                .bind(id.cast_signed())
                .bind(&row)
                .execute(&mut connection)
                .await
                .unwrap();
        }
        let two = begun.elapsed().as_secs_f64() * 1000.0;
        if n >= WARM_UP {
            whole.push(took);
            added.push(took - (after.0 - before.0) * 1000.0);
            commits.push(two);
            calls += after.1 - before.1;
        }
    }
    println!("upstream calls for each upload: {:.1}", calls / UPLOADS as f64);
    let mut bounds = Vec::new();
    for (name, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
        let (whole, added, commits) =
            (percentile(&mut whole, share), percentile(&mut added, share), percentile(&mut commits, share));
        println!(
            "{name}: upload {whole:.2} ms, of which the service adds {added:.2} ms; two commits {commits:.2} ms; beyond them {:.2} ms",
            added - commits
        );
        if name == "p90" {
            let beyond = (added - commits) / ALLOWANCE_MS;
            bounds.push(Bound::at_most(
                "upload: time beyond two one-row commits at p90, share of 6 ms",
                beyond,
                1.0,
            ));
        }
    }
    bounds.push(Bound::at_most("upload: round trips to the database, share of 24", trips / MOST_TRIPS, 1.0));
    drop(service);
    site.stop().await;
    bounds
}

/// Returns the median of the round trips that an upload takes. It is not the mean, because the
/// service does other work once a second.
async fn round_trips(site: Site<'_>) -> f64 {
    let (_, token) = site.provider("trips").await;
    let proxy = DatabaseProxy::start(site.url()).await;
    let service = site.service_on(&["serve"], &proxy.url());
    let mut api = Api::open(service.address(), Some(&token)).await;
    make_ready(&mut api, 0, COUNTED + WARM_UP).await;
    let mut counts = Vec::new();
    for n in 0..COUNTED + WARM_UP {
        let before = proxy.trips();
        api.bytes("POST", &format!("/learners/L{n}/ace360"), "application/json", b"{}").await;
        // The pool checks a returned connection with one more round trip, which belongs to the
        // upload.
        tokio::time::sleep(Duration::from_millis(20)).await;
        if n >= WARM_UP {
            counts.push(f64::from(u32::try_from(proxy.trips() - before).unwrap_or(u32::MAX)));
        }
    }
    drop(service);
    site.stop().await;
    let median = percentile(&mut counts, 0.5);
    println!("round trips to the database of an upload: {median} (median of {COUNTED})");
    median
}
