//! The events of OneFile of every kind, compared with the examples of the document.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::onefile::SETTINGS;
use crate::support::onefile::enrolment::{enrol, learner};
use crate::support::onefile::exchange::{exchanging, linked, moved, own, sync, wrong};

#[tokio::test]
async fn every_kind_of_change_is_told_as_the_document_shows_it() {
    let app = exchanging(json!({})).await;
    learner(&app, 2, json!({})).await;
    enrol(&app, 2).await;
    let user = linked(&app, "L1", "OLD-001", json!({})).await;
    let reviews = sync(&app, "L1").await["reviews"].as_array().unwrap().clone();
    let remote = reviews[1]["oneFileId"].as_str().unwrap();
    let claimed = json!({"reviews": [{"reviewId": "R1", "oneFileId": remote, "type": "Normal"}],
        "qualifications": [{"qualificationId": "Q1", "vqReference": "105AS", "registrationNumber": "OURS"}]});
    app.put("/learners/L1", &own(claimed)).await.good();
    let held = json!({"reviewId": remote.parse::<u64>().unwrap(), "review": {"StartedOn": "2025-11-10T09:05:00.000Z"}});
    let state = moved(&app, &user, held).await;
    let aim = json!({"aimId": state["aims"][0]["ID"], "aim":
        {"RegistrationNumber": "THEIRS", "CertificateReceivedDate": "2026-07-01"}});
    moved(&app, &user, aim).await;
    let pulled = json!({"enabled": true, "environment": "sandbox", "learnerDemographics": "pulled", "downloadReviews": true});
    app.put(SETTINGS, &pulled).await.good();
    sync(&app, "L1").await;
    wrong(&app, json!([{"operation": "getUser", "times": 1, "kind": {"status": {"status": 404}}}])).await;
    for _ in ["gone", "returned"] {
        sync(&app, "L1").await;
    }
    app.sandbox_call(Method::POST, &format!("/users/{user}:archive"), None).await;
    sync(&app, "L1").await;
    let links = app.get("/onefile/links?kind=learner").await.expect(200);
    let own = links["items"].as_array().unwrap().iter().find(|link| link["localId"] == "L1").unwrap();
    app.delete(&format!("/onefile/links/{}", own["id"].as_str().unwrap())).await.expect(204);
    let feed: Vec<Value> =
        app.get("/changes?pageSize=500").await.expect(200)["items"].as_array().unwrap().clone();
    let wanted = |type_: &str| type_.starts_with("onefile.") || type_.starts_with("link.");
    app.contract().shows_what_is_sent(&feed, wanted);
}
