//! Enrolling a learner: everything is sent once and linked at once.

use serde_json::{Value, json};

use crate::support::onefile::calls;
use crate::support::onefile::enrolment::{CENTRE, enrol, enrolling, learner, made, tab};
use crate::support::people;

#[tokio::test]
async fn a_learner_is_enrolled_with_whom_and_what_it_needs_and_each_is_linked() {
    let app = enrolling().await;
    learner(&app, 1, json!({})).await;
    assert_eq!(app.get(&tab(1)).await.expect(200)["state"], "notEnrolled");
    let tab = enrol(&app, 1).await;
    assert_eq!((&tab["state"], &tab["centreId"]), (&json!("enrolled"), &json!(CENTRE)), "{tab:#}");
    let users = made(&app, "user").await;
    assert_eq!(users.len(), 2, "{users:#?}");
    let user = users.iter().find(|user| user["fields"]["Role"] == 1).unwrap();
    assert_eq!(tab["userId"], user["id"].to_string());
    let own = people::learner(1);
    for (name, value) in [
        ("FirstName", own["firstName"].clone()),
        ("LastName", own["lastName"].clone()),
        ("Email", own["email"].clone()),
        ("ULN", own["uln"].clone()),
        ("MISID", json!("L1")),
        ("DOB", json!("2004-02-02T00:00:00.000Z")),
        ("L12", json!("31")),
        ("L13", json!("M")),
        ("L14", json!("2")),
    ] {
        assert_eq!(user["fields"][name], value, "{name}");
    }
    assert_eq!(made(&app, "placement").await.len(), 1);
    assert_eq!(made(&app, "learningAim").await.len(), 1);
    assert_eq!((made(&app, "visit").await.len(), made(&app, "review").await.len()), (1, 1));
    let aim = &tab["qualifications"][0];
    assert_eq!(aim["learningAimId"], made(&app, "learningAim").await[0]["id"].to_string());
    // Created records are linked, so that the next learner finds them.
    let links = app.get("/onefile/links").await.expect(200);
    let kinds: Vec<_> = links["items"].as_array().unwrap().iter().map(|link| link["kind"].clone()).collect();
    assert_eq!(kinds, ["officer", "organisation", "learner"]);
    learner(&app, 2, json!({})).await;
    enrol(&app, 2).await;
    assert_eq!(made(&app, "user").await.len(), 3);
    assert_eq!(made(&app, "placement").await.len(), 1);
    // The record contains the review's OneFile System ID.
    let kept = app.get("/learners/L1").await.expect(200);
    assert_eq!(kept["reviews"][0]["oneFileId"], made(&app, "review").await[1]["id"].to_string());
    let listed = app.get("/learners?onefile=enrolled").await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(app.get("/learners?onefile=notEnrolled").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_second_call_makes_nothing_again() {
    let app = enrolling().await;
    learner(&app, 1, json!({})).await;
    let tab1 = enrol(&app, 1).await;
    let before = calls(&app, "createUser").await;
    let problem = app.post(&tab(1), &json!({"centreId": CENTRE})).await.refused(409, "alreadyLinked");
    assert_eq!(problem["recordIds"][0].to_string(), tab1["userId"].as_str().unwrap());
    assert_eq!(calls(&app, "createUser").await, before);
    app.delete("/learners/L1/onefile/link").await.expect(204);
    assert_eq!(app.get(&tab(1)).await.expect(200)["state"], "notEnrolled");
    // OneFile has the learner, so it is not created again by accident.
    let problem = app.post(&tab(1), &json!({"centreId": CENTRE})).await.refused(409, "likelyDuplicate");
    assert_eq!(problem["recordIds"][0].to_string(), tab1["userId"].as_str().unwrap());
    let link = json!({"userId": tab1["userId"]});
    let again = app.put("/learners/L1/onefile/link", &link).await.expect(200);
    assert_eq!((&again["state"], &again["userId"]), (&json!("enrolled"), &tab1["userId"]));
}

#[tokio::test]
async fn many_are_enrolled_by_a_run_with_an_outcome_for_each_and_the_failed_ones_again() {
    let app = enrolling().await;
    for n in 1..7 {
        learner(&app, n, json!({})).await;
    }
    learner(&app, 7, json!({"email": null})).await;
    let body = |validate_only: bool| json!({"filter": {}, "centreId": CENTRE, "validateOnly": validate_only});
    let looked = app.post("/onefile/learners:enrol", &body(true)).await.good();
    let looked = app.wait_run(looked["id"].as_str().unwrap()).await;
    assert_eq!(
        (&looked["succeeded"], &looked["failed"], &looked["state"]),
        (&json!(6), &json!(1), &json!("partial"))
    );
    assert!(made(&app, "user").await.is_empty());
    let run = app.post("/onefile/learners:enrol", &body(false)).await.good();
    let run = app.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!((&run["kind"], &run["upstream"]), (&json!("onefile.enrol"), &json!("onefile")));
    assert_eq!(
        (&run["succeeded"], &run["failed"], &run["total"]),
        (&json!(6), &json!(1), &json!(7)),
        "{run:#}"
    );
    let told = app.get(&format!("/runs/{}/records", run["id"].as_str().unwrap())).await.expect(200);
    let codes: Vec<_> = told["items"].as_array().unwrap().iter().map(|own| own["code"].clone()).collect();
    assert_eq!(codes.iter().filter(|code| **code == "enrolled").count(), 6, "{told:#}");
    assert_eq!(codes.last(), Some(&json!("fieldsMissing")));
    // One assessor and one placement for all of them.
    assert_eq!((made(&app, "user").await.len(), made(&app, "placement").await.len()), (7, 1));
    learner(&app, 7, json!({})).await;
    let again = app.post(&format!("/runs/{}:retry", run["id"].as_str().unwrap()), &Value::Null).await.good();
    let again = app.wait_run(again["id"].as_str().unwrap()).await;
    assert_eq!(
        (&again["succeeded"], &again["total"], &again["state"]),
        (&json!(1), &json!(1), &json!("succeeded"))
    );
    let last = app
        .post("/onefile/learners:enrol", &json!({"learnerIds": ["L1", "L99"], "centreId": CENTRE}))
        .await
        .good();
    let last = app.wait_run(last["id"].as_str().unwrap()).await;
    assert_eq!((&last["skipped"], &last["failed"]), (&json!(1), &json!(1)));
    for wrong in [json!({}), json!({"learnerIds": [], "filter": {}}), json!({"learnerIds": ["L1", "L1"]})] {
        app.post("/onefile/learners:enrol", &wrong).await.refused(422, "invalidRequest");
    }
}
