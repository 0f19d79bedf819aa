//! Measures imports of ten thousand learners. Compares them with plain multi-row inserts of sealed
//! values of the same number and size.

use std::time::Instant;

use super::figures::{Bound, median, mib};
use super::ground::{Ground, NO_PACE, lines};
use super::http::Api;

const LEARNERS: u64 = 10_000;
const CHUNK: usize = 500;
const ROUNDS: usize = 5;

pub async fn run(ground: &Ground) -> Vec<Bound> {
    println!(
        "\n== import: {LEARNERS} new learners in one call, {ROUNDS} times by lines and {ROUNDS} times as an array"
    );
    let site = ground.site("import", NO_PACE).await;
    let (_, token) = site.provider("import").await;
    let service = site.service(&["serve"]);
    let mut api = Api::open(service.address(), Some(&token)).await;
    let mut connection = site.connection().await;
    sqlx::query("create table plain (id text primary key, sealed bytea not null)")
        .execute(&mut connection)
        .await
        .unwrap();
    // One small call first, for everything that the service creates only once.
    api.bytes("POST", "/learners:import", "application/x-ndjson", &lines(0, 1, |_| "warm".to_owned())).await;
    let idle = service.memory();

    let (mut rates, mut plain, mut peak) = ([Vec::new(), Vec::new()], Vec::new(), 0);
    for round in 0..ROUNDS {
        for (kind, rates) in rates.iter_mut().enumerate() {
            let mut body = lines(0, LEARNERS, |n| format!("{kind}-{round}-{n}"));
            let content = if kind == 0 { "application/x-ndjson" } else { "application/json" };
            if kind == 1 {
                body.pop();
                body.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b',');
                body = [b"[", &body[..], b"]"].concat();
            }
            service.forget_peak();
            let begun = Instant::now();
            let answer = api.bytes("POST", "/learners:import", content, &body).await;
            rates.push(LEARNERS as f64 / begun.elapsed().as_secs_f64());
            let start = String::from_utf8_lossy(&answer[..60]).into_owned();
            assert!(start.starts_with(&format!("{{\"succeeded\":{LEARNERS},\"failed\":0")), "{start}");
            peak = peak.max(service.peak());

            let sizes: Vec<i32> = sqlx::query_scalar(
                "select length(sealed) from records where record_id like $1 order by record_id",
            )
            .bind(format!("{kind}-{round}-%"))
            .fetch_all(&mut connection)
            .await
            .unwrap();
            let rows: Vec<(String, Vec<u8>)> = sizes
                .iter()
                .enumerate()
                .map(|(n, size)| (format!("{kind}-{round}-{n}"), noise(n as u64, *size as usize)))
                .collect();
            let begun = Instant::now();
            for chunk in rows.chunks(CHUNK) {
                let ids: Vec<&str> = chunk.iter().map(|row| row.0.as_str()).collect();
                let sealed: Vec<&[u8]> = chunk.iter().map(|row| row.1.as_slice()).collect();
                sqlx::query("insert into plain select * from unnest($1::text[], $2::bytea[])")
                    .bind(ids)
                    .bind(sealed)
                    .execute(&mut connection)
                    .await
                    .unwrap();
            }
            plain.push(LEARNERS as f64 / begun.elapsed().as_secs_f64());
            if round == 0 {
                let bytes: usize = rows.iter().map(|row| row.1.len()).sum();
                println!(
                    "request {:.1} MiB, sealed {} bytes for each learner",
                    mib(body.len() as u64),
                    bytes / rows.len()
                );
            }
        }
    }
    let [mut by_lines, mut as_array] = rates;
    let (lines, array, plain) = (median(&mut by_lines), median(&mut as_array), median(&mut plain));
    println!("learners/s: by lines {lines:.0}, as an array {array:.0}; plain insert {plain:.0}");
    println!(
        "memory: idle {:.1} MiB, at most {:.1} MiB, afterwards {:.1} MiB",
        mib(idle),
        mib(peak),
        mib(service.memory())
    );
    drop(service);
    site.stop().await;
    vec![
        Bound::at_least(
            "import: by lines, share of a plain multi-row insert's throughput",
            lines / plain,
            0.5,
        ),
        Bound::at_least(
            "import: as an array, share of a plain multi-row insert's throughput",
            array / plain,
            0.5,
        ),
        Bound::at_most("import: memory above idle, MiB", mib(peak.saturating_sub(idle)), 128.0),
    ]
}

/// Returns bytes that do not compress, like sealed values.
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..size)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 24) as u8
        })
        .collect()
}
