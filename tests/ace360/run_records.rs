//! What a run says about each of its records: for programs by codes, places and ids, for people in words.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::ace360::{linked, ran, ready, tab, typed, uploaded};
use crate::support::people::{self, but};

const UPLOAD: &str = "/ace360/learners:upload";
const MATCH: &str = "/ace360/records:match";

async fn run_of(app: &TestApp, path: &str, body: &Value) -> Value {
    let run = app.post(path, body).await;
    assert!(matches!(run.status, 200 | 202), "{run:?}");
    app.wait_run(run.body["id"].as_str().unwrap()).await
}

async fn record(app: &TestApp, run: &Value, id: &str) -> Value {
    let page = app.get(&format!("/runs/{}/records", run["id"].as_str().unwrap())).await.expect(200);
    let items = page["items"].as_array().unwrap();
    items.iter().find(|item| item["subject"]["id"] == id).unwrap_or_else(|| panic!("{page:#}")).clone()
}

#[tokio::test]
async fn an_upload_tells_what_came_of_each_learner_with_its_record_and_every_fault() {
    let app = ready().await;
    for n in 1..=4 {
        app.put_ready(&format!("L{n}"), n).await;
    }
    let already = uploaded(&app, "L1", 1).await;
    app.put("/learners/L2", &but(people::learner(2), json!({"uln": null, "dateOfBirth": null}))).await.good();
    let twin = app.sandbox_create(typed(3)).await["id"].clone();
    let ids = json!({"learnerIds": ["L1", "L2", "L3", "L4", "nobody"]});
    let run = run_of(&app, UPLOAD, &ids).await;

    let done = record(&app, &run, "L4").await;
    let made = app.get(&tab("L4")).await.expect(200)["recordId"].clone();
    assert_eq!(
        (&done["outcome"], &done["code"], &done["recordId"], &done["problem"]),
        (&json!("succeeded"), &json!("uploaded"), &made, &Value::Null)
    );
    let skipped = record(&app, &run, "L1").await;
    assert_eq!(
        (&skipped["outcome"], &skipped["code"], &skipped["recordId"]),
        (&json!("skipped"), &json!("alreadyUploaded"), &json!(already))
    );
    let bare = record(&app, &run, "L2").await;
    assert_eq!((&bare["code"], &bare["recordId"]), (&json!("fieldsMissing"), &Value::Null));
    assert!(bare["message"].as_str().unwrap().starts_with("2 fields are missing"), "{bare:#}");
    let places: Vec<_> =
        bare["problem"]["errors"].as_array().unwrap().iter().map(|e| &e["pointer"]).collect();
    assert_eq!(places, ["/dateOfBirth", "/uln"], "{bare:#}");
    let likely = record(&app, &run, "L3").await;
    assert_eq!(
        (&likely["code"], &likely["problem"]["recordIds"]),
        (&json!("likelyDuplicate"), &json!([twin]))
    );
    assert_eq!(record(&app, &run, "nobody").await["code"], "notFound");
}

#[tokio::test]
async fn a_refusal_upstream_is_told_fault_by_fault() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let body = json!({"message": "The given data was invalid.", "errors": {"ulnNumber": ["Taken."], "email": ["Odd."]}});
    app.fault(json!({"operation": "createApprentice", "times": 1, "kind": {"status": {"status": 422, "body": body}}}))
        .await;
    let run = run_of(&app, UPLOAD, &json!({"learnerIds": ["L1"]})).await;
    let refused = record(&app, &run, "L1").await;
    assert_eq!((&refused["outcome"], &refused["code"]), (&json!("failed"), &json!("upstreamRejected")));
    let messages: Vec<_> =
        refused["problem"]["errors"].as_array().unwrap().iter().map(|e| &e["message"]).collect();
    assert_eq!(messages, ["ulnNumber: Taken.", "email: Odd."]);
    assert!(refused["message"].as_str().unwrap().contains("The given data was invalid."), "{refused:#}");
}

#[tokio::test]
async fn a_look_tells_what_would_be_uploaded_and_a_status_run_whose_record_changed() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let run = run_of(&app, UPLOAD, &json!({"filter": {}, "validateOnly": true})).await;
    assert_eq!(record(&app, &run, "L1").await["code"], "wouldUpload");
    let id = uploaded(&app, "L1", 1).await;
    app.sandbox_advance(id).await;
    let run = ran(&app, "/ace360/status:sync").await;
    let changed = record(&app, &run, "L1").await;
    assert_eq!((&changed["code"], &changed["recordId"]), (&json!("changed"), &json!(id)));
}

#[tokio::test]
async fn runs_are_listed_by_what_they_do_and_where_they_stand() {
    let app = ready().await;
    ran(&app, "/ace360/standards:refresh").await;
    ran(&app, "/ace360/status:sync").await;
    let kinds = async |query: &str| -> Vec<String> {
        let page = app.get(&format!("/runs?{query}")).await.expect(200);
        page["items"].as_array().unwrap().iter().map(|run| run["kind"].as_str().unwrap().to_owned()).collect()
    };
    let (status, standards) = ("ace360.statusSync".to_owned(), "ace360.standardsRefresh".to_owned());
    assert_eq!(kinds("").await, [status.clone(), standards]);
    assert_eq!(kinds("kind=ace360.statusSync").await, std::slice::from_ref(&status));
    assert_eq!(kinds("state=queued,succeeded&kind=ace360.statusSync").await, [status]);
    assert_eq!(kinds("state=queued,running,waiting").await, Vec::<String>::new());
    let problem = app.get("/runs?kind=ace360&state=done").await.refused(400, "invalidParameter");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_match_tells_its_result_as_a_field_and_a_problem_only_where_there_is_one() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    app.put_ready("L2", 2).await;
    app.put_ready("L3", 3).await;
    let one = app.sandbox_create(typed(1)).await["id"].clone();
    let other = app.sandbox_create(but(typed(2), json!({"ulnNumber": people::uln(77)}))).await["id"].clone();
    linked(&app, &["X"], [app.sandbox_create(typed(50)).await["id"].as_i64().unwrap()]).await;
    for (body, code) in [(json!({"validateOnly": true}), "wouldLink"), (json!({}), "linked")] {
        let run = run_of(&app, MATCH, &body).await;
        let found = record(&app, &run, "L1").await;
        assert_eq!(
            (&found["outcome"], &found["code"], &found["recordId"], &found["problem"]),
            (&json!("succeeded"), &json!(code), &one, &Value::Null)
        );
        assert!(found["message"].as_str().unwrap().contains("the same ULN"), "{found:#}");
        let unsure = record(&app, &run, "L2").await;
        assert_eq!(
            (&unsure["outcome"], &unsure["code"], &unsure["problem"]["recordIds"]),
            (&json!("skipped"), &json!("ambiguous"), &json!([other]))
        );
        // Whoever reads "ambiguous" must know that an upload would not be stopped by it.
        let words = unsure["message"].as_str().unwrap();
        assert!(words.contains("another ULN") && words.contains("upload"), "{words}");
    }
    app.post(&tab("L2"), &json!({})).await.expect(201);
}

#[tokio::test]
async fn no_run_record_names_another_learner_which_may_be_erased_before_it() {
    let app = ready().await;
    let id = uploaded(&app, "HOLDER", 1).await;
    app.put("/learners/L2", &people::learner(1)).await.good();
    let run = run_of(&app, UPLOAD, &json!({"learnerIds": ["L2"]})).await;
    let likely = record(&app, &run, "L2").await;
    assert_eq!(likely["problem"]["recordIds"], json!([id]));
    assert!(likely["message"].as_str().unwrap().contains("another learner's"), "{likely:#}");
    assert!(!likely.to_string().contains("HOLDER"), "{likely:#}");
    // Who asks for the one learner is told.
    let problem = app.post(&tab("L2"), &json!({})).await.refused(409, "likelyDuplicate");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("learner HOLDER") && detail.contains("/learners/HOLDER/ace360/link"), "{detail}");
    assert!(!detail.contains("link it (PUT"), "what another learner has is not to be linked: {detail}");
    let preview = app.get(&format!("{}/preview", tab("L2"))).await.expect(200);
    assert_eq!(
        (&preview["ready"], &preview["notReady"][0]["code"]),
        (&json!(false), &json!("likelyDuplicate"))
    );
    assert_eq!(preview["possibleDuplicates"][0]["linkedTo"], "HOLDER");
}
