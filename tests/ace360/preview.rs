//! What would be sent, and what is in its way.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::ace360::{ready, typed, uploaded};
use crate::support::people::{self, but};
use crate::support::{Answer, TestApp};

async fn preview(app: &TestApp, id: &str) -> Value {
    let answer: Answer = app.get(&format!("/learners/{id}/ace360/preview")).await;
    answer.expect(200)
}

fn missing(preview: &Value) -> BTreeMap<&str, (&str, &str)> {
    let missing = preview["missing"].as_array().unwrap();
    missing
        .iter()
        .map(|one| {
            let text = |value: &'_ Value| value.as_str().unwrap().to_owned().leak() as &str;
            (text(&one["field"]), (text(&one["pointer"]), text(&one["message"])))
        })
        .collect()
}

fn sources(preview: &Value) -> BTreeMap<&str, (&Value, &str)> {
    let fields = preview["fields"].as_array().unwrap();
    fields
        .iter()
        .map(|field| (field["name"].as_str().unwrap(), (&field["value"], field["source"].as_str().unwrap())))
        .collect()
}

fn warned(preview: &Value) -> Vec<&str> {
    preview["warnings"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn everything_that_is_missing_is_named_at_once_with_its_place_in_picsweb() {
    let app = ready().await;
    let bare = json!({"firstName": "Esme", "lastName": "Marlpit", "programme": {"type": 25}});
    app.put("/learners/L1", &bare).await.good();
    let answer = preview(&app, "L1").await;
    assert_eq!((&answer["ready"], &answer["eligible"]), (&json!(false), &json!(true)));
    let missing_fields = missing(&answer);
    for (field, pointer, place) in [
        ("standardId", "/ace360/standardId", "ACE360 Standard"),
        ("dateOfBirth", "/dateOfBirth", "Date of Birth"),
        ("gender", "/sex", "Sex"),
        ("street", "/address/line1", "Address 1"),
        ("postcode", "/address/postcode", "Postcode"),
        ("estimatedStartDate", "/programme/startDate", "Start Date"),
        ("estimatedEndDate", "/programme/plannedEndDate", "Planned End Date"),
        ("ulnNumber", "/uln", "ULN"),
        ("employerName", "/employerId", "Employer"),
    ] {
        let (at, message) = missing_fields[field];
        assert_eq!(at, pointer, "{field}");
        assert!(message.contains(place), "{field}: {message}");
    }
    assert_eq!(missing_fields.len(), 9, "{missing_fields:?}");
}

#[tokio::test]
async fn what_is_missing_of_the_employer_points_into_the_organisation_and_its_main_contact() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    app.put("/organisations/ORG7", &json!({"name": "Copperfold Motors Ltd (sample)"})).await.good();
    let answer = preview(&app, "L1").await;
    let at = missing(&answer);
    for (field, pointer) in [
        ("employerStreet", "/address/line1"),
        ("employerPostcode", "/address/postcode"),
        ("employerContactFirstName", "/mainContactId"),
        ("employerContactLastName", "/mainContactId"),
    ] {
        assert_eq!(at[field].0, pointer, "{field}");
    }
    assert_eq!(at.len(), 4, "{at:?}");
    let kinds = answer["missing"].as_array().unwrap().iter().map(|one| &one["record"]);
    for record in kinds {
        assert_eq!(*record, json!({"kind": "organisation", "id": "ORG7"}));
    }

    app.delete("/organisations/ORG7").await.good();
    let answer = preview(&app, "L1").await;
    let at = missing(&answer);
    assert_eq!(at.keys().collect::<Vec<_>>(), [&"employerName"], "{at:?}");
    assert_eq!(at["employerName"].0, "/employerId");

    app.put("/organisations/ORG7", &people::organisation()).await.good();
    app.delete("/officers/OFF12").await.good();
    let answer = preview(&app, "L1").await;
    assert!(missing(&answer)["employerContactLastName"].1.contains("OFF12"), "{answer:#}");
}

#[tokio::test]
async fn each_field_says_where_in_picsweb_it_comes_from() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let answer = preview(&app, "L1").await;
    let fields = sources(&answer);
    for (field, value, source) in [
        ("firstName", json!("Bertil"), "Learner > First Name"),
        ("lastName", json!("Okonedo"), "Learner > Surname"),
        ("gender", json!("Male"), "Learner > Sex"),
        ("street", json!("2 Sample Street, Cowley"), "Learner > Address 1 + Address 2"),
        ("city", json!("Sampleton"), "Learner > Address 3"),
        ("county", json!("Sampleshire"), "Learner > Address 4"),
        ("country", json!("UK"), "Always UK"),
        ("funding", json!(true), "Learner > Funding Organisation is SFZZ"),
        ("employerStreet", json!("2 Low Road"), "Organisation > Address, first line that is not blank"),
        ("employerContactPosition", json!("Training Manager"), "Main Contact (Officer) > Job Title"),
        (
            "employerCompanySize",
            json!("Medium (50-249)"),
            "Organisation (Additional Details) > SEM + Employee Count",
        ),
        (
            "employerSectorId",
            json!(4),
            "Organisation > Provisions > ACE360 Employer Sector (Business and Administration)",
        ),
    ] {
        assert_eq!(fields[field], (&value, source), "{field}");
    }
    assert!(
        answer["fields"]
            .as_array()
            .unwrap()
            .iter()
            .all(|field| !field["source"].as_str().unwrap().is_empty())
    );
    assert_eq!(answer["warnings"], json!([]), "{answer:#}");
    assert_eq!(fields.len(), 33, "{fields:?}");
}

#[tokio::test]
async fn a_lars_code_with_several_versions_and_options_is_never_guessed() {
    let app = TestApp::start().await;
    app.refresh_standards().await;
    app.put_ready("L1", 1).await;
    let programme = |start: &str, end: &str| {
        json!({"type": 25, "standardCode": 196, "startDate": start, "plannedEndDate": end,
            "fundingOrganisation": "SFZZ", "additionalNeeds": false})
    };
    // Of the third version there are two options, of the second there is none.
    for (start, end, options) in [
        ("2025-09-01", "2027-08-31", vec![json!("Operations"), json!("Commercial")]),
        ("2022-09-01", "2024-08-31", vec![Value::Null]),
        ("2012-09-01", "2014-08-31", vec![]),
    ] {
        let learner = but(people::learner(1), json!({"programme": programme(start, end), "ace360": null}));
        app.put("/learners/L1", &learner).await.good();
        let answer = preview(&app, "L1").await;
        assert_eq!(answer["ready"], false);
        assert_eq!(missing(&answer)["standardId"].0, "/ace360/standardId");
        let candidates = answer["candidateStandards"].as_array().unwrap();
        assert_eq!(
            candidates.iter().map(|one| one["option"].clone()).collect::<Vec<_>>(),
            options,
            "{start}"
        );
        for one in candidates {
            assert_eq!(one["larsCode"], 196);
            assert!(one["standardId"].is_i64() && one["version"].is_string() && one["validFrom"].is_string());
        }
        // Each of them may be chosen, and then nothing is missing.
        for one in candidates {
            let chosen = but(learner.clone(), json!({"ace360": {"standardId": one["standardId"]}}));
            app.put("/learners/L1", &chosen).await.good();
            assert_eq!(preview(&app, "L1").await["ready"], true, "{one}");
        }
    }
    // One of another LARS code, and one that nobody knows.
    for (standard, part) in [(people::STANDARD, "LARS"), (999_999, "no standard 999999")] {
        let learner = but(
            people::learner(1),
            json!({"programme": programme("2025-09-01", "2027-08-31"), "ace360": {"standardId": standard}}),
        );
        app.put("/learners/L1", &learner).await.good();
        let answer = preview(&app, "L1").await;
        assert!(missing(&answer)["standardId"].1.contains(part), "{answer:#}");
    }
    assert_eq!(app.sandbox_state().await["records"], 0);
}

#[tokio::test]
async fn a_preview_creates_nothing_and_says_what_would_not_stop_it() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let learner =
        but(people::learner(1), json!({"email": null, "telephone": null, "nationalInsuranceNumber": null}));
    app.put("/learners/L1", &learner).await.good();
    let organisation =
        but(people::organisation(), json!({"sem": true, "employeeCount": 300, "provisions": null}));
    app.put("/organisations/ORG7", &organisation).await.good();
    let answer = preview(&app, "L1").await;
    assert_eq!(answer["ready"], true, "{answer:#}");
    let mut fields = warned(&answer);
    fields.sort_unstable();
    assert_eq!(fields, ["email", "employerCompanySize", "employerSectorId", "nationalInsuranceNumber"]);
    let shown = sources(&answer);
    assert_eq!(
        shown["telephoneNumber"],
        (&json!("07700 900001"), "Learner > Mobile Number (Telephone is blank)")
    );
    assert_eq!(shown["employerCompanySize"].0, "Large (250+)");
    assert!(!shown.contains_key("email"));
    let state = app.sandbox_state().await;
    assert_eq!((&state["records"], &state["calls"]["createApprentice"]), (&json!(0), &json!(0)));
    assert_eq!(app.get("/intents").await.expect(200)["items"], json!([]));
    assert_eq!(app.get("/learners/L1/ace360").await.expect(200)["state"], "notUploaded");
}

#[tokio::test]
async fn a_preview_works_while_ace360_cannot_be_asked_and_says_so() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    app.fault(json!({"operation": "listApprentices", "kind": {"status": {"status": 500}}})).await;
    let answer = preview(&app, "L1").await;
    assert_eq!((&answer["ready"], warned(&answer)), (&json!(true), vec!["possibleDuplicates"]), "{answer:#}");
    app.no_faults().await;
    let off =
        json!({"enabled": false, "environment": "sandbox", "dailySync": {"enabled": false, "at": "05:00"}});
    app.put("/ace360/settings", &off).await.good();
    let before = app.sandbox_state().await["calls"].clone();
    let answer = preview(&app, "L1").await;
    assert_eq!(
        (&answer["ready"], warned(&answer)),
        (&json!(false), vec!["possibleDuplicates"]),
        "{answer:#}"
    );
    assert_eq!(answer["notReady"][0]["code"], "integrationDisabled");
    assert_eq!(app.sandbox_state().await["calls"], before, "what is switched off is not called");
}

#[tokio::test]
async fn records_that_may_be_the_learners_are_shown_with_the_reason_and_its_own_is_not() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    app.put_ready("L2", 2).await;
    let same = app.sandbox_create(typed(1)).await["id"].clone();
    let other_uln =
        app.sandbox_create(but(typed(1), json!({"ulnNumber": people::uln(77)}))).await["id"].clone();
    app.sandbox_create(but(typed(1), json!({"dateOfBirth": "1999-01-01"}))).await;
    let own = uploaded(&app, "L2", 2).await;
    let answer = preview(&app, "L1").await;
    let possible = answer["possibleDuplicates"].as_array().unwrap();
    let found: BTreeMap<i64, &str> = possible
        .iter()
        .map(|one| (one["recordId"].as_i64().unwrap(), one["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        BTreeMap::from([
            (same.as_i64().unwrap(), "the same ULN, name and birth date"),
            (other_uln.as_i64().unwrap(), "the same name and birth date, but another ULN"),
        ])
    );
    assert_eq!(preview(&app, "L2").await["possibleDuplicates"], json!([]), "record {own} is its own");
}

#[tokio::test]
async fn a_learner_who_is_not_there_or_of_another_programme_has_no_upload() {
    let app = ready().await;
    app.get("/learners/nobody/ace360/preview").await.refused(404, "notFound");
    app.put_ready("L1", 1).await;
    let programme =
        json!({"programme": {"type": 24, "startDate": "2025-09-01", "plannedEndDate": "2027-08-31"}});
    app.put("/learners/L1", &but(people::learner(1), programme)).await.good();
    let answer = preview(&app, "L1").await;
    assert_eq!((&answer["ready"], &answer["eligible"]), (&json!(false), &json!(false)));
    assert!(answer["ineligibleReason"].as_str().unwrap().contains("24"), "{answer:#}");
    let tab = app.get("/learners/L1/ace360").await.expect(200);
    assert_eq!((&tab["eligible"], &tab["ineligibleReason"]), (&json!(false), &answer["ineligibleReason"]));
}
