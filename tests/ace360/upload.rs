//! What an upload sends, and what prevents it.

use std::collections::BTreeSet;

use picsbridge::auth::scope::Scope;
use serde_json::{Value, json};

use crate::support::ace360::{previewed, ran, ready, tab, typed, uploaded};
use crate::support::people::{self, but};
use crate::support::{TestApp, faults};

/// The sandbox's newest record, without the fields that ACE360 adds.
async fn received(app: &TestApp, sent: &serde_json::Map<String, Value>) -> Value {
    let record = app.sandbox_records().await.swap_remove(0);
    let fields = record.as_object().unwrap();
    // Fields that ACE360 derives: the name of a sector, a status, ids and times.
    let own: BTreeSet<&str> =
        ["id", "status", "tpoId", "createdAt", "origin", "organisation", "ulnValidated", "employerSector"]
            .into();
    for (name, value) in fields {
        let expected = sent.get(name).unwrap_or(&Value::Null);
        assert!(
            own.contains(name.as_str()) || value == expected,
            "{name}: {value}, and the preview said {expected}"
        );
    }
    record
}

async fn nothing_was_sent(app: &TestApp) {
    let state = app.sandbox_state().await;
    assert_eq!((&state["calls"]["createApprentice"], &state["creditsUsed"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn exactly_what_the_preview_shows_is_sent_and_the_tab_tells_of_it() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let sent = previewed(&app, "L1").await;
    let answer = app.post(&tab("L1"), &Value::Null).await;
    assert_eq!(answer.header("location"), Some("/learners/L1/ace360"));
    let tab_now = answer.expect(201);
    let record = received(&app, &sent).await;
    assert!(sent.iter().all(|(name, value)| record[name] == *value), "{sent:?}\n{record:#}");
    assert_eq!(tab_now["recordId"], record["id"]);
    assert_eq!(tab_now["status"], json!({"id": 1, "text": "In Training"}));
    assert_eq!((&tab_now["state"], &tab_now["method"]), (&json!("uploaded"), &json!("upload")));
    assert!(tab_now["uploadedAt"].is_string() && tab_now["statusReadAt"].is_string());
    assert_eq!(tab_now["problem"], Value::Null);
    assert_eq!(app.get(&tab("L1")).await.expect(200), tab_now);
    let intents = app.get("/intents").await.expect(200);
    let intent = &intents["items"][0];
    assert_eq!(
        (&intent["state"], &intent["remoteId"], &intent["sends"]),
        (&json!("done"), &record["id"], &json!(1))
    );
    let changes = app.get("/changes").await.expect(200);
    let change = &changes["items"][0];
    assert_eq!((&change["type"], &change["subject"]["id"]), (&json!("ace360.uploaded"), &json!("L1")));
    assert_eq!((&change["data"]["recordId"], &change["data"]["status"]["id"]), (&record["id"], &json!(1)));
}

#[tokio::test]
async fn picswebs_rules_decide_what_is_sent() {
    let app = ready().await;
    // Each case with the fields that must arrive. Null: the field must not arrive.
    let cases = [
        (
            json!({}),
            json!({}),
            json!({"street": "2 Sample Street, Cowley", "city": "Sampleton", "county": "Sampleshire"}),
        ),
        (
            json!({"address": {"line1": " ", "line2": "3 Sample Street", "line3": null, "line4": "Sampleshire", "postcode": "ox41aa"}}),
            json!({}),
            json!({"street": "3 Sample Street", "city": "Sampleshire", "county": null, "postcode": "OX4 1AA"}),
        ),
        (json!({}), json!({"ern": "999999999"}), json!({"employerErn": null})),
        (
            json!({}),
            json!({"ern": null}),
            json!({"employerErn": null, "employerName": "Copperfold Motors Ltd (sample)"}),
        ),
        (json!({}), json!({"employeeCount": 49}), json!({"employerCompanySize": "Small (0-49)"})),
        (json!({}), json!({"employeeCount": 250}), json!({"employerCompanySize": "Large (250+)"})),
        (
            json!({}),
            json!({"sem": true, "employeeCount": null}),
            json!({"employerCompanySize": "Small (0-49)"}),
        ),
        (json!({}), json!({"sem": null, "employeeCount": null}), json!({"employerCompanySize": null})),
        (programme("SFZZ"), json!({}), json!({"funding": true})),
        (programme("SFZ"), json!({}), json!({"funding": false})),
        (programme(""), json!({}), json!({"funding": false})),
        (json!({"telephone": null}), json!({}), json!({"telephoneNumber": "07700 900001"})),
        (json!({"sex": "F", "ethnicity": 99}), json!({}), json!({"gender": "Female"})),
        (
            json!({}),
            json!({"provisions": [{"type": "ACE360 Employer Sector", "description": "business and administration"}]}),
            json!({"employerSectorId": 4, "employerSector": "Business and Administration"}),
        ),
    ];
    for (at, (learner, organisation, arrives)) in cases.into_iter().enumerate() {
        let (n, id) = (u64::try_from(at).unwrap() + 1, format!("L{at}"));
        app.put_ready(&id, n).await;
        // The first is the house number that `n` produces.
        let learner = if at == 0 {
            json!({"address": {"line1": "2 Sample Street", "line2": "Cowley", "line3": "Sampleton", "line4": "Sampleshire", "postcode": "OX4 1AA"}})
        } else {
            learner
        };
        app.put(&format!("/learners/{id}"), &but(people::learner(n), learner)).await.good();
        app.put("/organisations/ORG7", &but(people::organisation(), organisation)).await.good();
        let sent = previewed(&app, &id).await;
        app.post(&tab(&id), &Value::Null).await.expect(201);
        let record = received(&app, &sent).await;
        for (name, value) in arrives.as_object().unwrap() {
            assert_eq!(record[name], *value, "case {at}: {name}");
        }
    }
}

fn programme(funding: &str) -> Value {
    let mut programme = people::learner(1)["programme"].clone();
    programme["fundingOrganisation"] = if funding.is_empty() { Value::Null } else { json!(funding) };
    json!({ "programme": programme })
}

#[tokio::test]
async fn a_learner_of_another_programme_type_is_not_eligible() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    for programme in
        [json!({"type": 24, "startDate": "2025-09-01", "plannedEndDate": "2027-08-31"}), Value::Null]
    {
        app.put("/learners/L1", &but(people::learner(1), json!({"programme": programme}))).await.good();
        app.post(&tab("L1"), &json!({})).await.refused(422, "notEligible");
    }
    nothing_was_sent(&app).await;
}

#[tokio::test]
async fn an_upload_with_missing_fields_names_every_one_and_sends_nothing() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let learner = but(people::learner(1), json!({"uln": "9999999999", "dateOfBirth": null, "sex": null}));
    app.put("/learners/L1", &learner).await.good();
    app.put("/officers/OFF12", &but(people::officer(), json!({"firstName": null}))).await.good();
    let problem = app.post(&tab("L1"), &json!({})).await.refused(422, "fieldsMissing");
    let expected =
        ["/uln", "/dateOfBirth", "/sex", "/firstName"].map(|at| (at.to_owned(), "missing".to_owned()));
    assert_eq!(faults(&problem), BTreeSet::from(expected));
    assert!(problem["errors"].to_string().contains("Learner > ULN"), "{problem:#}");
    for error in problem["errors"].as_array().unwrap() {
        // The employer's contact lacks a name, like the learner.
        let (kind, id) =
            if error["pointer"] == "/firstName" { ("officer", "OFF12") } else { ("learner", "L1") };
        assert_eq!(error["record"], json!({"kind": kind, "id": id}), "{error}");
    }
    // The upload was not begun: there is no intent and no state.
    assert_eq!(app.get(&tab("L1")).await.expect(200)["state"], "notUploaded");
    nothing_was_sent(&app).await;
}

#[tokio::test]
async fn a_standard_must_be_valid_at_the_start_date() {
    let app = TestApp::start().await;
    app.refresh_standards().await;
    app.put_ready("L1", 1).await;
    let page = app.get("/ace360/standards?larsCode=196").await.expect(200);
    let first = page["items"].as_array().unwrap().iter().find(|one| one["version"] == "1.0").unwrap().clone();
    let learner = |start: &str| {
        let mut learner = people::learner(1);
        learner["programme"]["standardCode"] = json!(196);
        learner["programme"]["startDate"] = json!(start);
        learner["ace360"]["standardId"] = first["standardId"].clone();
        learner
    };
    let last = first["validTo"].as_str().unwrap();
    for (start, status) in [("2021-08-01", 422), ("2017-08-31", 422), (last, 201)] {
        app.put("/learners/L1", &learner(start)).await.good();
        let answer = app.post(&tab("L1"), &json!({})).await;
        assert_eq!(answer.status, status, "{start} of {first}: {answer:?}");
        if status == 422 {
            assert!(answer.text.contains(last), "{answer:?}");
        }
    }
    assert_eq!(app.sandbox_state().await["creditsUsed"], 1);
}

#[tokio::test]
async fn one_that_is_uploaded_is_never_uploaded_again_whatever_is_allowed() {
    let app = ready().await;
    let record = uploaded(&app, "L1", 1).await;
    for body in [json!({}), json!({"allowDuplicate": true}), json!({"allowDuplicate": false})] {
        let problem = app.post(&tab("L1"), &body).await.refused(409, "alreadyUploaded");
        assert_eq!(problem["recordIds"], json!([record]));
    }
    app.post(&tab("L1"), &json!({"allowDuplicates": true})).await.refused(422, "invalidRequest");
    assert_eq!(app.sandbox_state().await["creditsUsed"], 1);
}

#[tokio::test]
async fn another_providers_learner_is_not_there() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let other = app.second_provider().await;
    for path in ["", "/preview", "/history"] {
        other.get(&format!("{}{path}", tab("L1"))).await.refused(404, "notFound");
    }
    other.post(&tab("L1"), &json!({})).await.refused(404, "notFound");
    other.post("/learners/L1/ace360:sync", &Value::Null).await.refused(404, "notFound");
    other.put("/learners/L1/ace360/link", &json!({"recordId": 248})).await.refused(404, "notFound");
    other.delete("/learners/L1/ace360/link").await.refused(404, "notFound");
    let record = uploaded(&app, "L1", 1).await;
    // Nor does its record, although both exist.
    other.put("/learners/M1", &json!({"firstName": "Esme", "lastName": "Marlpit"})).await.good();
    other.put("/learners/M1/ace360/link", &json!({"recordId": record})).await.refused(404, "upstreamMissing");
}

#[tokio::test]
async fn reading_is_not_enough_to_upload() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let reader = app.with_scopes(&[Scope::Ace360Read, Scope::Ace360Sync]).await;
    reader.get(&tab("L1")).await.expect(200);
    let problem = reader.post(&tab("L1"), &json!({})).await.refused(403, "scopeMissing");
    assert!(problem["detail"].as_str().unwrap().contains("ace360:write"));
    nothing_was_sent(&app).await;
}

#[tokio::test]
async fn an_integration_that_is_off_or_has_no_token_uploads_nothing() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let off =
        json!({"enabled": false, "environment": "sandbox", "dailySync": {"enabled": false, "at": "05:00"}});
    app.put("/ace360/settings", &off).await.good();
    app.post(&tab("L1"), &json!({})).await.refused(409, "integrationDisabled");
    app.post("/ace360/status:sync", &Value::Null).await.refused(409, "integrationDisabled");
    let second = app.second_provider().await;
    let mut sql = app.sql().await;
    sqlx::query("update ace360_settings set sealed_token = null where provider_id = $1")
        .bind(second.provider.id)
        .execute(&mut sql)
        .await
        .unwrap();
    second.put("/learners/L1", &people::learner(1)).await.good();
    second.post(&tab("L1"), &json!({})).await.refused(409, "integrationNotConfigured");
    second.post("/ace360/standards:refresh", &Value::Null).await.refused(409, "integrationNotConfigured");
    nothing_was_sent(&app).await;
}

#[tokio::test]
async fn a_record_that_was_typed_into_ace360_is_found_and_linked_instead() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let record = app.sandbox_create(typed(1)).await["id"].clone();
    let problem = app.post(&tab("L1"), &json!({})).await.refused(409, "likelyDuplicate");
    assert_eq!(problem["recordIds"], json!([record]));
    nothing_was_sent(&app).await;
    let linked = app.put("/learners/L1/ace360/link", &json!({"recordId": record})).await.expect(200);
    assert_eq!(
        (&linked["state"], &linked["recordId"], &linked["method"]),
        (&json!("uploaded"), &record, &json!("manual"))
    );
    app.post(&tab("L1"), &json!({})).await.refused(409, "alreadyUploaded");
    nothing_was_sent(&app).await;
}

#[tokio::test]
async fn a_duplicate_that_is_allowed_is_made_and_costs_a_credit() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let there = app.sandbox_create(typed(1)).await["id"].as_i64().unwrap();
    app.post(&tab("L1"), &json!({"allowDuplicate": false})).await.refused(409, "likelyDuplicate");
    let made = app.post(&tab("L1"), &json!({"allowDuplicate": true})).await.expect(201)["recordId"]
        .as_i64()
        .unwrap();
    assert_ne!(made, there);
    let state = app.sandbox_state().await;
    assert_eq!((&state["creditsUsed"], &state["records"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn the_same_name_and_birth_date_with_another_uln_is_somebody_else() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    app.sandbox_create(but(typed(1), json!({"ulnNumber": people::uln(900)}))).await;
    app.post(&tab("L1"), &json!({})).await.expect(201);
    assert_eq!(app.sandbox_state().await["invariants"]["duplicateUlns"], json!([]));
}

#[tokio::test]
async fn another_programme_of_the_same_person_is_no_duplicate_the_same_one_is() {
    let app = TestApp::start().await;
    app.refresh_standards().await;
    let record = uploaded(&app, "L1", 1).await;
    app.put("/learners/L2", &people::learner(1)).await.good();
    let problem = app.post(&tab("L2"), &json!({})).await.refused(409, "likelyDuplicate");
    assert_eq!(problem["recordIds"], json!([record]));
    let page = app.get("/ace360/standards?larsCode=196").await.expect(200);
    let other = page["items"].as_array().unwrap().last().unwrap()["standardId"].clone();
    let mut learner = people::learner(1);
    learner["programme"]["standardCode"] = json!(196);
    learner["ace360"]["standardId"] = other;
    app.put("/learners/L2", &learner).await.good();
    app.post(&tab("L2"), &json!({})).await.expect(201);
    assert_eq!(app.sandbox_state().await["creditsUsed"], 2);
}

#[tokio::test]
async fn among_more_records_than_are_known_nothing_is_sent_until_a_synchronisation() {
    let app = ready().await;
    app.sandbox_seed(1200).await;
    app.put_ready("L1", 1).await;
    let problem = app.post(&tab("L1"), &json!({})).await.refused(409, "likelyDuplicate");
    assert_eq!(problem["recordIds"], json!([]));
    assert!(problem["detail"].as_str().unwrap().contains("status:sync"), "{problem:#}");
    let preview = app.get("/learners/L1/ace360/preview").await.expect(200);
    assert_eq!(preview["warnings"][0]["field"], "possibleDuplicates");
    nothing_was_sent(&app).await;
    let run = ran(&app, "/ace360/status:sync").await;
    assert_eq!((&run["state"], &run["calls"]["used"]), (&json!("succeeded"), &json!(12)), "{run:#}");
    let before = app.sandbox_state().await["calls"]["listApprentices"].as_i64().unwrap();
    app.post(&tab("L1"), &json!({})).await.expect(201);
    let after = app.sandbox_state().await["calls"]["listApprentices"].as_i64().unwrap();
    assert!(after - before <= 2, "the newest page is enough then");
}

#[tokio::test]
async fn a_uln_that_another_learner_was_uploaded_with_is_not_paid_for_twice() {
    let app = ready().await;
    let record = uploaded(&app, "L1", 1).await;
    app.put_ready("L2", 2).await;
    let mut twin = app.get("/learners/L2").await.expect(200);
    twin["uln"] = app.get("/learners/L1").await.expect(200)["uln"].clone();
    app.put("/learners/L2", &twin).await.good();
    let preview = app.get("/learners/L2/ace360/preview").await.expect(200);
    assert_eq!(preview["possibleDuplicates"][0]["recordId"], record, "{preview:#}");
    let problem = app.post(&tab("L2"), &json!({})).await.refused(409, "likelyDuplicate");
    assert_eq!(problem["recordIds"], json!([record]));
    assert_eq!(app.sandbox_state().await["creditsUsed"], 1);
}
