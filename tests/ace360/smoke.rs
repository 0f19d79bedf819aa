//! One upload, from the records to ACE360.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn a_learner_whose_records_are_good_is_uploaded_once_and_linked() {
    let app = TestApp::start().await;
    app.refresh_standards().await;
    app.put_ready("L1", 1).await;
    let preview = app.get("/learners/L1/ace360/preview").await.expect(200);
    assert_eq!((&preview["ready"], &preview["missing"]), (&json!(true), &json!([])), "{preview:#}");
    let tab = app.post("/learners/L1/ace360", &json!({})).await.expect(201);
    assert_eq!(tab["state"], "uploaded");
    let state = app.sandbox_state().await;
    assert_eq!((&state["records"], &state["creditsUsed"]), (&json!(1), &json!(1)));
    assert_eq!(app.sandbox_records().await[0]["id"], tab["recordId"]);
}
