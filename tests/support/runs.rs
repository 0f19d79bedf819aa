//! The common start of most run tests.

use serde_json::{Value, json};

use crate::support::TestApp;

pub const SYNC: &str = "/ace360/status:sync";
/// The sandbox's first id.
pub const FIRST: i64 = 248;

/// Creates records in the sandbox, and learners linked to the oldest of them.
pub async fn seeded(app: &TestApp, records: u32, learners: i64) {
    app.sandbox_seed(records).await;
    for at in 0..learners {
        let learner = format!("/learners/L{at:02}");
        app.put(&learner, &json!({"firstName": "Esme", "lastName": "Marlpit"})).await.good();
        app.put(&format!("{learner}/ace360/link"), &json!({"recordId": FIRST + at})).await.expect(200);
    }
}

pub fn id(run: &Value) -> String {
    run["id"].as_str().unwrap().to_owned()
}

pub fn counts(run: &Value) -> [i64; 6] {
    ["total", "done", "succeeded", "unchanged", "failed", "skipped"].map(|name| run[name].as_i64().unwrap())
}

/// The number of slices that a run has had.
pub async fn slices(app: &TestApp, run: &Value) -> i32 {
    let mut sql = app.sql().await;
    sqlx::query_scalar("select slice from runs where id = $1::uuid")
        .bind(id(run))
        .fetch_one(&mut sql)
        .await
        .unwrap()
}
