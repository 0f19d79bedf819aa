//! The set-up checklist, the coverage of the learners' qualifications, and switching the
//! integration on.

use std::collections::BTreeSet;

use picsbridge::auth::scope::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::onefile::links::{LINKS, request, with_mis};
use crate::support::onefile::{
    SETTINGS, TEST, all_calls, connected_with, entries, refresh, sandbox, working,
};
use crate::support::{TestApp, faults};

const READINESS: &str = "/onefile/readiness";
const COVERAGE: &str = "/onefile/qualifications/coverage";
const ENABLE: &str = "/onefile:enable";

/// The line of the checklist with this name.
async fn line(app: &TestApp, id: &str) -> Value {
    let found = app.get(READINESS).await.expect(200);
    found["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).unwrap().clone()
}

async fn verdict(app: &TestApp, id: &str) -> (Value, Value, Value) {
    let line = line(app, id).await;
    (line["verdict"].clone(), line["count"].clone(), line["fix"]["path"].clone())
}

fn is(verdict: &str, count: usize, path: Value) -> (Value, Value, Value) {
    (json!(verdict), json!(count), path)
}

async fn learner(app: &TestApp, id: &str, more: Value) {
    let mut body = json!({"firstName": "Esme", "lastName": "Marlpit", "status": "live"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.put(&format!("/learners/{id}"), &body).await.good();
}

async fn with_plan(app: &TestApp, id: &str, references: &[&str]) {
    let plan: Vec<_> = references.iter().map(|it| json!({ "vqReference": it })).collect();
    learner(app, id, json!({ "qualifications": plan })).await;
}

async fn qualifications(app: &TestApp) {
    let run = app.post("/onefile/qualifications:refresh", &Value::Null).await.good();
    app.wait_run(run["id"].as_str().unwrap()).await;
}

/// OneFile returns these assessors, and the look-ups are read.
async fn read_with(app: &TestApp, assessors: Value) {
    app.fault(json!({"operation": "searchUsers", "kind": {"replaceBody": {"body": assessors}}})).await;
    for part in ["centres", "assessors", "placements"] {
        refresh(app, part).await;
    }
    app.no_faults().await;
}

async fn classrooms(app: &TestApp) -> Value {
    let centres = entries(app, "/onefile/centres").await;
    centres.keys().map(|id| (id.clone(), json!("301"))).collect::<serde_json::Map<_, _>>().into()
}

/// Sets default classrooms in these centres.
async fn defaults_in(app: &TestApp, centres: &[&str]) {
    let chosen: serde_json::Map<_, _> =
        centres.iter().map(|centre| ((*centre).to_owned(), json!("301"))).collect();
    let settings = json!({"enabled": false, "environment": "sandbox", "defaultClassrooms": chosen});
    app.put(SETTINGS, &settings).await.expect(200);
}

/// An app that is ready: nothing is in use, and everything was read.
async fn ready() -> TestApp {
    let app = connected_with(working()).await;
    app.post(TEST, &Value::Null).await.expect(200);
    read_with(&app, json!([{"ID": 71, "FirstName": "Sam", "LastName": "Okoro", "MISID": "O-17"}])).await;
    qualifications(&app).await;
    let on = json!({"enabled": false, "environment": "sandbox", "defaultClassrooms": classrooms(&app).await});
    app.put(SETTINGS, &on).await.expect(200);
    app
}

#[tokio::test]
async fn nothing_done_yet_is_told_line_by_line_with_the_call_that_mends_it() {
    let app = working().start().await;
    let found = app.get(READINESS).await.expect(200);
    assert_eq!(found["ready"], false);
    let blocked: BTreeSet<_> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["verdict"] == "blocked")
        .map(|check| (check["id"].as_str().unwrap(), check["fix"]["path"].as_str().unwrap()))
        .collect();
    let expected = [
        ("tokenTested", SETTINGS),
        ("qualificationsCovered", "/onefile/qualifications:refresh"),
        ("defaultClassroom", SETTINGS),
    ];
    assert_eq!(blocked, expected.into(), "{found:#}");
    assert_eq!(found["checks"].as_array().unwrap().len(), 8);
}

#[tokio::test]
async fn a_provider_who_did_all_is_ready_and_may_switch_it_on() {
    let app = ready().await;
    let before = all_calls(&app).await;
    let found = app.get(READINESS).await.expect(200);
    assert_eq!(found["ready"], true, "{found:#}");
    assert_eq!(all_calls(&app).await, before, "nothing is asked of OneFile");
    let kept = app.post(ENABLE, &json!({})).await.expect(200);
    assert_eq!((&kept["enabled"], &kept["environment"]), (&json!(true), &json!("sandbox")));
    assert_eq!(app.get(SETTINGS).await.expect(200), kept);
}

#[tokio::test]
async fn the_token_must_have_been_tried() {
    let app = connected_with(working()).await;
    assert_eq!(verdict(&app, "tokenTested").await, is("blocked", 0, json!(TEST)));
    app.post(TEST, &Value::Null).await.expect(200);
    assert_eq!(verdict(&app, "tokenTested").await, is("ok", 0, Value::Null));
    app.put(SETTINGS, &sandbox("nobody's")).await.expect(200);
    app.post(TEST, &Value::Null).await.expect(200);
    assert_eq!(verdict(&app, "tokenTested").await, is("blocked", 0, json!(TEST)));
}

#[tokio::test]
async fn officers_in_use_are_linked_or_nothing_in_onefile_fits_them() {
    let app = ready().await;
    let officer = |first: &str, email| json!({"firstName": first, "lastName": "Okoro", "ident": "O-17", "email": email});
    app.put("/officers/O-17", &officer("Sam", json!("sam@acme.example"))).await.good();
    app.put("/officers/O-99", &json!({"lastName": "Nobody There", "email": "n@acme.example"})).await.good();
    assert_eq!(verdict(&app, "officersLinked").await.0, "ok", "nobody uses them");
    learner(&app, "L1", json!({"mainOfficerId": "O-17"})).await;
    let told = line(&app, "officersLinked").await;
    assert_eq!(
        (&told["verdict"], &told["fix"]["path"]),
        (&json!("blocked"), &json!("/onefile/links:suggest"))
    );
    assert_eq!(told["examples"], json!([{"id": "O-17", "name": "Sam Okoro"}]));
    learner(&app, "L1", json!({"mainOfficerId": "O-99"})).await;
    assert_eq!(verdict(&app, "officersLinked").await, is("attention", 1, json!("/onefile/links:suggest")));
}

#[tokio::test]
async fn an_officer_whose_link_leads_to_nobody_or_into_the_archive_blocks() {
    let app = ready().await;
    refresh(&app, "assessors").await;
    app.put("/officers/O1", &json!({"lastName": "Okoro", "email": "o@acme.example"})).await.good();
    learner(&app, "L1", json!({"mainOfficerId": "O1"})).await;
    let (remote, _) = with_mis(&app, "O-08").await.remove(0);
    app.post(LINKS, &request("officer", "O1", &remote)).await.expect(201);
    assert_eq!(verdict(&app, "officersLinked").await, is("ok", 0, Value::Null));
    let becomes = async |how: &str, body: Option<Value>| {
        app.sandbox_call(Method::POST, &format!("/users/{remote}:{how}"), body).await;
        refresh(&app, "assessors").await;
        let told = line(&app, "officersLinked").await;
        assert_eq!(told["examples"][0]["id"], "O1", "{told:#}");
        (told["verdict"].clone(), told["count"].clone(), told["fix"]["path"].clone())
    };
    let blocked = is("blocked", 1, json!(LINKS));
    assert_eq!(becomes("archive", Some(json!({"archived": true}))).await, blocked);
    assert_eq!(becomes("remove", None).await, blocked);
}

#[tokio::test]
async fn organisations_in_use_are_those_of_live_learners() {
    let app = ready().await;
    app.put("/organisations/ACME", &json!({"name": "Surely Not In OneFile Ltd"})).await.good();
    learner(&app, "L1", json!({"employerId": "ACME", "status": "dormant"})).await;
    assert_eq!(verdict(&app, "organisationsLinked").await.0, "ok");
    learner(&app, "L1", json!({"employerId": "ACME"})).await;
    let told = line(&app, "organisationsLinked").await;
    assert_eq!(
        (&told["verdict"], &told["examples"][0]["id"]),
        (&json!("attention"), &json!("ACME")),
        "{told:#}"
    );
    learner(&app, "L1", json!({"placements": [{"organisationId": "ACME"}]})).await;
    assert_eq!(verdict(&app, "organisationsLinked").await.0, "attention");
}

#[tokio::test]
async fn mis_values_that_two_assessors_share_are_told_with_the_archived_ones() {
    let app = ready().await;
    assert_eq!(verdict(&app, "misValuesUnique").await.0, "ok");
    let two = json!([
        {"ID": 71, "FirstName": "Sam", "LastName": "Okoro", "MISID": "O-05", "OrganisationID": 1001},
        {"ID": 72, "FirstName": "Sue", "LastName": "Tregarth", "MISID": " o-05", "OrganisationID": 1001, "Archived": true},
    ]);
    read_with(&app, two).await;
    let told = line(&app, "misValuesUnique").await;
    assert_eq!((&told["verdict"], &told["count"]), (&json!("blocked"), &json!(1)));
    assert_eq!(
        told["examples"][0],
        json!({"id": "O-05", "name": "Centre 1001: assessors 71, 72 (archived)"})
    );
    assert_eq!(told["fix"]["path"], "/onefile/assessors");
}

#[tokio::test]
async fn officers_in_use_without_an_email_are_named() {
    let app = ready().await;
    app.put("/officers/O-99", &json!({"lastName": "Nobody There"})).await.good();
    learner(&app, "L1", json!({"qualifications": [{"vqReference": "105AS", "assessorId": "O-99"}]})).await;
    let told = line(&app, "officersHaveEmail").await;
    assert_eq!((&told["verdict"], &told["fix"]["path"]), (&json!("blocked"), &json!("/officers/{id}")));
    assert_eq!(told["examples"], json!([{"id": "O-99", "name": "Nobody There"}]));
}

#[tokio::test]
async fn some_centre_needs_a_default_classroom_unless_the_main_tag_names_it() {
    let app = ready().await;
    app.put(SETTINGS, &json!({"enabled": false, "environment": "sandbox"})).await.expect(200);
    assert_eq!(verdict(&app, "defaultClassroom").await, is("blocked", 3, json!(SETTINGS)));
    let tagged = json!({"enabled": false, "environment": "sandbox", "classroomFromMainTag": true});
    app.put(SETTINGS, &tagged).await.expect(200);
    assert_eq!(verdict(&app, "defaultClassroom").await, is("attention", 3, json!(SETTINGS)));
}

#[tokio::test]
async fn a_centre_that_nobody_can_be_enrolled_in_needs_no_classroom() {
    let app = ready().await;
    let [main, north] = ["OLD-001", "OLD-013"].map(|mis| with_mis(&app, mis));
    let (main, north) = (main.await.remove(0), north.await.remove(0));
    defaults_in(&app, &[&main.1]).await;
    assert_eq!(verdict(&app, "defaultClassroom").await, is("ok", 0, Value::Null), "nothing is in use yet");
    // The qualification is in two centres, and either is enough.
    with_plan(&app, "L1", &["105AS"]).await;
    assert_eq!(verdict(&app, "defaultClassroom").await, is("ok", 0, Value::Null));
    // It is only in the second.
    with_plan(&app, "L1", &["2AS"]).await;
    assert_eq!(verdict(&app, "defaultClassroom").await, is("blocked", 1, json!(SETTINGS)));
    assert_eq!(line(&app, "defaultClassroom").await["examples"][0]["id"], north.1);
    defaults_in(&app, &[&north.1]).await;
    assert_eq!(verdict(&app, "defaultClassroom").await, is("ok", 0, Value::Null));
    // A learner is linked in the first centre.
    app.post(LINKS, &request("learner", "L1", &main.0)).await.expect(201);
    assert_eq!(verdict(&app, "defaultClassroom").await, is("blocked", 1, json!(SETTINGS)));
    defaults_in(&app, &[&main.1, &north.1]).await;
    assert_eq!(verdict(&app, "defaultClassroom").await, is("ok", 0, Value::Null));
}

#[tokio::test]
async fn a_default_classroom_that_is_not_in_its_centre_is_none() {
    let app = ready().await;
    assert_eq!(verdict(&app, "defaultClassroom").await.0, "ok", "while they were not read it is believed");
    refresh(&app, "classrooms").await;
    assert_eq!(verdict(&app, "defaultClassroom").await, is("blocked", 3, json!(SETTINGS)));
}

#[tokio::test]
async fn coverage_says_of_each_reference_whether_onefile_has_it() {
    let app = ready().await;
    with_plan(&app, "L1", &["105 as", "2AS", "196AS", "nowhere"]).await;
    with_plan(&app, "L2", &["105AS", "603/9004/7", "60390047"]).await;
    learner(&app, "L3", json!({"qualifications": [{"title": "Without a reference"}]})).await;
    let found = app.get(COVERAGE).await.expect(200);
    assert!(found["refreshedAt"].is_string());
    let item = |reference: &str| {
        let items = found["items"].as_array().unwrap().iter();
        items
            .clone()
            .find(|item| item["vqReference"] == reference)
            .unwrap_or_else(|| panic!("{found:#}"))
            .clone()
    };
    let easy = item("105 as");
    assert_eq!((&easy["state"], &easy["choose"]), (&json!("ambiguous"), &json!(["centre"])), "{easy:#}");
    assert_eq!(easy["learners"], json!({"count": 2, "ids": ["L1", "L2"]}));
    let far = item("2AS");
    assert_eq!(
        (&far["state"], &far["matches"][0]["centreId"]),
        (&json!("matched"), &json!("1002")),
        "{far:#}"
    );
    let forked = item("196AS");
    assert_eq!(
        (&forked["state"], &forked["choose"]),
        (&json!("ambiguous"), &json!(["pathway"])),
        "{forked:#}"
    );
    assert_eq!(item("nowhere")["state"], "missing");
    assert_eq!(item("60390047")["state"], "matched");
    let other = item("603/9004/7");
    assert_eq!((&other["state"], &other["similar"]), (&json!("missing"), &json!(["60390047"])), "{other:#}");
    assert_eq!(found["withoutReference"], json!({"count": 1, "ids": ["L3"]}));
    assert_eq!(found["counts"], json!({"matched": 2, "ambiguous": 2, "missing": 2}));
    assert_eq!(verdict(&app, "qualificationsCovered").await, is("attention", 2, json!(COVERAGE)));
}

#[tokio::test]
async fn coverage_says_of_a_standard_which_of_its_four_aims_are_there() {
    let app = ready().await;
    let at = json!([
        {"ID": 1, "Title": "Sample [777AS]", "OrganisationID": 1001}, {"ID": 2, "Title": "Sample [777 op]", "OrganisationID": 1001},
        {"ID": 3, "Title": "Sample [777GW]", "OrganisationID": 1001, "Archived": true},
    ]);
    app.fault(json!({"operation": "searchStandards", "kind": {"replaceBody": {"body": at}}})).await;
    qualifications(&app).await;
    learner(
        &app,
        "L1",
        json!({"programme": {"type": 25, "standardCode": 777}, "qualifications": [{"vqReference": "777AS"}]}),
    )
    .await;
    let found = app.get(COVERAGE).await.expect(200);
    let standard = &found["standards"][0];
    assert_eq!((&standard["larsCode"], &standard["learners"]["ids"]), (&json!(777), &json!(["L1"])));
    let states: Vec<_> = standard["aims"]
        .as_array()
        .unwrap()
        .iter()
        .map(|aim| (aim["aim"].clone(), aim["state"].clone(), aim["notInPlan"]["count"].clone()))
        .collect();
    let expected = [("AS", "matched", 0), ("OP", "matched", 1), ("GW", "missing", 1), ("EP", "missing", 1)]
        .map(|(aim, state, lacking)| (json!(aim), json!(state), json!(lacking)));
    assert_eq!(states, expected, "{standard:#}");
    assert_eq!(
        found["items"][0]["standard"],
        json!({"larsCode": 777, "present": ["AS", "OP"], "absent": ["GW", "EP"]})
    );
}

#[tokio::test]
async fn it_is_not_switched_on_while_a_line_is_blocked() {
    let app = connected_with(working()).await;
    let on = json!({"enabled": true, "environment": "sandbox"});
    let problem = app.put(SETTINGS, &on).await.refused(409, "notReady");
    let codes: BTreeSet<_> = faults(&problem).into_iter().map(|(_, code)| code).collect();
    let expected = ["tokenTested", "qualificationsCovered", "defaultClassroom"].map(str::to_owned);
    assert_eq!(codes, expected.into(), "{problem:#}");
    assert_eq!(app.get(SETTINGS).await.expect(200)["enabled"], false);
    for body in [json!({}), json!({"force": false, "reason": "Because", "actor": "jane.roe"})] {
        let problem = app.post(ENABLE, &body).await.refused(409, "notReady");
        assert_eq!(problem["errors"].as_array().unwrap().len(), 3, "{problem:#}");
    }
}

#[tokio::test]
async fn it_is_forced_with_a_reason_and_a_person_which_the_audit_keeps() {
    let app = connected_with(working()).await;
    for (body, places) in [
        (json!({"force": true}), 2),
        (json!({"force": true, "reason": " ", "actor": "jane.roe"}), 1),
        (json!({"force": true, "reason": "Because"}), 1),
        (json!({"force": true, "reason": "x".repeat(501), "actor": "jane.roe"}), 1),
    ] {
        let problem = app.post(ENABLE, &body).await.refused(422, "invalidRequest");
        assert_eq!(problem["errors"].as_array().unwrap().len(), places, "{problem:#}");
    }
    let body = json!({"force": true, "reason": "We start on Monday.", "actor": "jane.roe"});
    assert_eq!(app.post(ENABLE, &body).await.expect(200)["enabled"], true);
    let mut sql = app.sql().await;
    let told: (String, String) =
        sqlx::query_as("select reason, person from audit where action = 'onefile.enableForced'")
            .fetch_one(&mut sql)
            .await
            .unwrap();
    assert_eq!(told, ("We start on Monday.".to_owned(), "jane.roe".to_owned()));
    // After that, settings can change without another check of the list.
    app.put(SETTINGS, &json!({"enabled": true, "environment": "sandbox", "fullSweepDays": 3}))
        .await
        .expect(200);
}

#[tokio::test]
async fn without_a_token_nothing_forces_it() {
    let app = working().start().await;
    let body = json!({"force": true, "reason": "Because", "actor": "jane.roe"});
    app.post(ENABLE, &body).await.refused(409, "notReady");
    let reader = app.with_scopes(&[Scope::OnefileRead, Scope::OnefileSync]).await;
    reader.post(ENABLE, &body).await.refused(403, "scopeMissing");
    reader.get(READINESS).await.expect(200);
}
