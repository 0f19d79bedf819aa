//! One run from its request to its end.

use serde_json::Value;

use crate::support::TestApp;

#[tokio::test]
async fn a_run_is_worked_to_its_end() {
    let app = TestApp::start().await;
    let asked = app.post("/ace360/standards:refresh", &Value::Null).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let id = asked.body["id"].as_str().unwrap();
    assert_eq!(asked.header("location"), Some(format!("/runs/{id}").as_str()));
    let run = app.wait_run(id).await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    assert_eq!(run["total"], run["done"]);
}
