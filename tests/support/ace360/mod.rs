//! The common start of most ACE360 tests.

pub mod lost;

use chrono::TimeDelta;
use picsbridge::store::StandardRow;
use serde_json::{Map, Value, json};

use crate::support::app::AppBuilder;
use crate::support::{TestApp, on_runtime, people};

/// An app whose catalogue has the one standard that [`people`] need. Separate tests cover a real
/// refresh.
pub async fn ready() -> TestApp {
    ready_with(TestApp::builder()).await
}

pub async fn ready_with(builder: AppBuilder) -> TestApp {
    let app = builder.start().await;
    let (store, provider) = (app.parts.store.clone(), app.tenant.provider.id);
    on_runtime(async move {
        let row = StandardRow {
            standard_id: people::STANDARD,
            st_code: Some("ST0384/01".to_owned()),
            lars_code: Some(i32::try_from(people::LARS_CODE).unwrap()),
            version: Some("1.0".to_owned()),
            option: None,
            name: Some("Team leader".to_owned()),
            sector_id: Some(4),
            sector_name: Some("Business and Administration".to_owned()),
            valid_from: "2016-05-01".parse().ok(),
            valid_to: None,
            archived: false,
        };
        let now = store.now().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        store.put_standards(&mut tx, provider, "sandbox", &[row], now).await.unwrap();
        store.end_standards_refresh(&mut tx, provider, "sandbox", now).await.unwrap();
        tx.commit().await.unwrap();
    })
    .await;
    app
}

pub fn tab(id: &str) -> String {
    format!("/learners/{id}/ace360")
}

/// Stores learner `n`, and uploads it.
pub async fn uploaded(app: &TestApp, id: &str, n: u64) -> i64 {
    app.put_ready(id, n).await;
    let tab = app.post(&tab(id), &json!({})).await.expect(201);
    tab["recordId"].as_i64().unwrap()
}

/// What the preview would send, as one object.
pub async fn previewed(app: &TestApp, id: &str) -> Map<String, Value> {
    let preview = app.get(&format!("/learners/{id}/ace360/preview")).await.expect(200);
    // Not `ready`, because an earlier upload may be open.
    assert_eq!((&preview["eligible"], &preview["missing"]), (&json!(true), &json!([])), "{preview:#}");
    let fields = preview["fields"].as_array().unwrap();
    fields.iter().map(|field| (field["name"].as_str().unwrap().to_owned(), field["value"].clone())).collect()
}

/// An ACE360 record of person `n` that was created by hand.
pub fn typed(n: u64) -> Value {
    let learner = people::learner(n);
    json!({
        "firstName": learner["firstName"], "lastName": learner["lastName"], "dateOfBirth": learner["dateOfBirth"],
        "ulnNumber": learner["uln"], "standardId": people::STANDARD,
        "estimatedStartDate": "2025-09-01", "estimatedEndDate": "2027-08-31"
    })
}

/// Moves the clock, and starts all work that is then overdue.
pub async fn later(app: &TestApp, by: TimeDelta) {
    app.clock_advance(by).await;
    app.tick().await;
}

/// Stores learners with only a name, and links each by hand to the record of the same index.
pub async fn linked(app: &TestApp, learners: &[&str], records: impl IntoIterator<Item = i64>) {
    for (id, record) in learners.iter().zip(records) {
        app.put(&format!("/learners/{id}"), &json!({"firstName": "Esme", "lastName": "Marlpit"}))
            .await
            .good();
        app.put(&format!("{}/link", tab(id)), &json!({ "recordId": record })).await.expect(200);
    }
}

/// Starts the run at this path, and returns it after its end.
pub async fn ran(app: &TestApp, path: &str) -> Value {
    let run = app.post(path, &Value::Null).await;
    assert!(matches!(run.status, 200 | 202), "{run:?}");
    app.wait_run(run.body["id"].as_str().unwrap()).await
}

/// A run's records: subject, outcome, code.
pub async fn outcomes(app: &TestApp, run: &Value) -> Vec<(String, String, Option<String>)> {
    let path = format!("/runs/{}/records?pageSize=500", run["id"].as_str().unwrap());
    let page = app.get(&path).await.expect(200);
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let code = item["code"].as_str().map(str::to_owned);
            (text(&item["subject"]["id"]), text(&item["outcome"]), code)
        })
        .collect()
}

pub fn counts(run: &Value) -> [i64; 6] {
    ["total", "done", "succeeded", "unchanged", "failed", "skipped"].map(|name| run[name].as_i64().unwrap())
}

/// Stores the learners `L1` to `Ln`, ready to be uploaded.
pub async fn put_many(app: &TestApp, n: u64) {
    app.put_ready("L1", 1).await;
    let records: Vec<_> =
        (1..=n).map(|n| people::with_id("learnerId", &format!("L{n}"), &people::learner(n))).collect();
    let imported = app.post("/learners:import", &json!(records)).await.expect(200);
    assert_eq!(imported["succeeded"], n, "{imported:#}");
}

/// Starts a run with this body, and returns it after its end.
pub async fn ran_with(app: &TestApp, path: &str, body: &Value) -> Value {
    let run = app.post(path, body).await.good();
    app.wait_run(run["id"].as_str().unwrap()).await
}
