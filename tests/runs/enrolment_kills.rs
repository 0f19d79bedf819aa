//! Enrolments in OneFile whose process is killed at each step. Another process finishes them, and
//! every record is created once.

use picsbridge::sandbox::SandboxOptions;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::until;
use crate::support::processes::{Caller, Place, Process, Role, TIMINGS};
use crate::support::{TestApp, people};

const CENTRE: &str = "1001";

/// The creations, each with the position of its call. The visit cannot be found again. The users
/// are the main officer, the further assessor and the learner.
const CREATIONS: [(&str, u64); 7] = [
    ("createUser", 0),
    ("createUser", 1),
    ("createPlacement", 0),
    ("createClassroom", 0),
    ("createUser", 2),
    ("assignStandard", 0),
    ("createReview", 0),
];
/// Calls that create nothing. They have no intent, and are repeated.
const CHANGES: [&str; 2] = ["updateLearningAim", "assignUser"];

/// The app works no jobs; processes do. OneFile is switched on, and its catalogue is read.
async fn stage() -> (TestApp, Process) {
    let options = SandboxOptions { onefile_calls_per_minute: None, ..SandboxOptions::default() };
    let app = TestApp::builder()
        .sandbox(options)
        .setting(|raw| raw.onefile_calls_per_minute = Some("60000".to_owned()))
        .no_worker()
        .timings(TIMINGS)
        .start()
        .await;
    let other = Process::start(&Place::of(&app), Role::Worker).await;
    let settings = json!({"enabled": false, "environment": "sandbox", "customerToken": "sandbox"});
    app.put("/onefile/settings", &settings).await.good();
    let run = app.post("/onefile/qualifications:refresh", &Value::Null).await.good();
    app.wait_run(run["id"].as_str().unwrap()).await;
    let forced = json!({"force": true, "reason": "A test", "actor": "jane.roe"});
    app.post("/onefile:enable", &forced).await.good();
    let settings = json!({"enabled": true, "environment": "sandbox", "uploadReviews": true, "classroomFromMainTag": true,
        "createMissingClassrooms": true, "additionalAssessors": ["Internal Verifier"]});
    app.put("/onefile/settings", &settings).await.good();
    (app, other)
}

/// A learner who needs its own officer, further assessor, organisation and classroom.
async fn apart(app: &TestApp, n: u64) {
    for (letter, mis, name) in [("X", "I", "Zeta"), ("Y", "J", "Yota")] {
        let own = json!({"ident": format!("{mis}{n}"), "email": format!("{mis}{n}@example.com"),
            "lastName": format!("{name}{n} Quill{letter}")});
        let officer = people::but(people::officer(), own);
        app.put(&format!("/officers/OFF{n}{letter}"), &officer).await.good();
    }
    let place = people::but(
        people::organisation(),
        json!({"ident": format!("P{n}"), "name": format!("Unheard Of Place Number {n}"), "mainContactId": null}),
    );
    app.put(&format!("/organisations/ORG{n}X"), &place).await.good();
    let own = json!({
        "mainOfficerId": format!("OFF{n}X"), "employerId": null, "mainTag": format!("Tag {n}"),
        "officers": [{"role": "Internal Verifier", "officerId": format!("OFF{n}Y")}],
        "placements": [{"organisationId": format!("ORG{n}X"), "type": "P", "startDate": "2025-09-01"}],
        "qualifications": [{"qualificationId": "Q", "vqReference": "105AS", "startDate": format!("2025-09-{n:02}"),
            "registrationNumber": format!("REG-{n}")}],
        "reviews": [{"reviewId": "R", "type": "Normal", "scheduledDate": "2026-12-01"}],
    });
    app.put(&format!("/learners/L{n}"), &people::but(people::learner(n), own)).await.good();
}

/// The number of records of each kind that calls created.
async fn made(app: &TestApp) -> Value {
    let mut all = serde_json::Map::new();
    for kind in ["user", "placement", "classroom", "learningAim", "assignment", "visit", "review"] {
        all.insert(kind.to_owned(), records(app, kind).await.len().into());
    }
    all.into()
}

/// The records of a kind that calls created, newest first.
async fn records(app: &TestApp, kind: &str) -> Vec<Value> {
    let path = format!("/onefile/records?kind={kind}&limit=1000&origin=api");
    app.sandbox_call(Method::GET, &path, None).await.as_array().unwrap().clone()
}

/// The records that this number of enrolments creates.
fn of_each(enrolments: u64) -> Value {
    json!({"user": 3 * enrolments, "placement": enrolments, "classroom": enrolments, "learningAim": enrolments,
        "assignment": enrolments, "visit": enrolments, "review": enrolments})
}

/// OneFile's user with this MIS value.
fn user(users: &[Value], mis: &str) -> Value {
    users.iter().find(|user| user["fields"]["MISID"] == mis).unwrap()["id"].clone()
}

/// Checks the other data of each learner in OneFile: the details of its learning aim, and the
/// further assessor.
async fn complete(app: &TestApp, learners: u64) {
    let (users, aims) = (records(app, "user").await, records(app, "learningAim").await);
    let assignments = records(app, "assignment").await;
    for n in 1..=learners {
        let learner = user(&users, &format!("L{n}"));
        let aim = &aims.iter().find(|aim| aim["fields"]["UserID"] == learner).unwrap()["fields"];
        assert_eq!(
            (&aim["StartDate"], &aim["RegistrationNumber"]),
            (&json!(format!("2025-09-{n:02}T00:00:00.000Z")), &json!(format!("REG-{n}"))),
            "L{n}"
        );
        let assigned: Vec<_> =
            assignments.iter().filter(|own| own["fields"]["LearnerID"] == learner).collect();
        assert_eq!(assigned.len(), 1, "L{n}: {assigned:#?}");
        assert_eq!(assigned[0]["fields"]["AssignedID"], user(&users, &format!("J{n}")), "L{n}");
    }
}

async fn calls(app: &TestApp, operation: &str) -> u64 {
    app.sandbox_state().await["onefile"]["calls"][operation].as_u64().unwrap_or(0)
}

/// A process begins the learner's enrolment, and is killed while OneFile holds this call. `kind`
/// says whether OneFile does the work.
async fn killed_at(app: &TestApp, n: u64, operation: &str, skip: u64, kind: &Value) {
    apart(app, n).await;
    let mut place = Place::of(app);
    place.timings = format!("{TIMINGS},call=4s,lease=5s,job=6s,rescue=7s");
    let mut killed = Process::start(&place, Role::Api).await;
    let before = calls(app, operation).await;
    app.fault(json!({"operation": operation, "skip": skip, "times": 1, "kind": kind})).await;
    let (caller, url) = (Caller::of(app), format!("{}/learners/L{n}/onefile", killed.url()));
    let asked = tokio::spawn(async move { caller.post(url, &json!({"centreId": CENTRE})).await });
    until("it is on its way", async || (calls(app, operation).await == before + skip + 1).then_some(()))
        .await;
    killed.kill().await;
    asked.await.unwrap();
    app.no_faults().await;
}

async fn enrolled(app: &TestApp, n: u64) {
    until(&format!("L{n} is enrolled"), async || {
        let tab = app.get(&format!("/learners/L{n}/onefile")).await.expect(200);
        (tab["state"] == "enrolled").then_some(())
    })
    .await;
}

#[tokio::test]
async fn killed_at_any_step_of_an_enrolment_another_process_finishes_it_and_nothing_is_made_twice() {
    let (app, _other) = stage().await;
    for (n, (operation, skip)) in (1..).zip(CREATIONS) {
        // The record is created and the response is lost, or the call is lost.
        let kind = if n % 2 == 0 {
            json!({"silence": {"ms": 4000}})
        } else {
            json!({"commitThenSilence": {"ms": 4000}})
        };
        killed_at(&app, n, operation, skip, &kind).await;
        enrolled(&app, n).await;
        assert_eq!(made(&app).await, of_each(n), "{operation}");
        complete(&app, n).await;
    }
    assert_eq!(app.get("/intents?state=unknown").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn killed_while_details_or_a_further_assessor_are_sent_they_are_sent_again_and_nothing_is_there_twice()
{
    let (app, _other) = stage().await;
    // The value is stored and the response is lost, or the call is lost.
    let kinds = [json!({"commitThenSilence": {"ms": 4000}}), json!({"silence": {"ms": 4000}})];
    let cases = CHANGES.into_iter().flat_map(|operation| kinds.iter().map(move |kind| (operation, kind)));
    for (n, (operation, kind)) in (1..).zip(cases) {
        let before = calls(&app, operation).await;
        killed_at(&app, n, operation, 0, kind).await;
        let tab = app.get(&format!("/learners/L{n}/onefile")).await.expect(200);
        assert_eq!(tab["state"], "enrolling", "it was killed in the middle: {tab:#}");
        enrolled(&app, n).await;
        assert_eq!(made(&app).await, of_each(n), "{operation} {kind}");
        complete(&app, n).await;
        assert_eq!(
            calls(&app, operation).await - before,
            2,
            "{operation} {kind}: once more, and not oftener"
        );
    }
    assert_eq!(app.get("/intents?state=unknown").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn killed_while_a_visit_is_made_a_person_settles_it_and_then_it_goes_on() {
    let (app, _other) = stage().await;
    killed_at(&app, 1, "createVisit", 0, &json!({"commitThenSilence": {"ms": 4000}})).await;
    let intent = until("nobody can find it", async || {
        let page = app.get("/intents?state=unknown").await.expect(200);
        let intent = page["items"][0].clone();
        (intent["step"] == "visit:R" && intent["nextLookAt"].is_null()).then_some(intent)
    })
    .await;
    let found = app.sandbox_call(Method::GET, "/onefile/records?kind=visit&origin=api", None).await;
    let resolve = format!("/intents/{}:resolve", intent["id"].as_str().unwrap());
    app.post(&resolve, &json!({"outcome": "done", "remoteId": found[0]["id"]})).await.expect(200);
    enrolled(&app, 1).await;
    assert_eq!(made(&app).await, of_each(1));
}
