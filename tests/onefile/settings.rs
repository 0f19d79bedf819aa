//! The integration's settings and its page.

use std::collections::BTreeSet;

use picsbridge::auth::scope::Scope;
use serde_json::{Value, json};

use crate::support::faults;
use crate::support::onefile::{SETTINGS, TEST, builder, connected, entries, sandbox};

fn but(mut body: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    body.as_object_mut().unwrap().extend(changes);
    body
}

#[tokio::test]
async fn what_is_not_said_has_its_default() {
    let app = builder().start().await;
    let usual = json!({
        "enabled": false, "environment": "live", "tokenSet": false, "uploadReviews": false, "downloadReviews": false,
        "visitType": "notSpecified", "additionalAssessors": [], "classroomFromMainTag": false, "createMissingClassrooms": false,
        "defaultClassroomId": null, "defaultClassrooms": {}, "learnerDemographics": "ignored", "officerDemographics": "ignored",
        "organisationDemographics": "ignored", "pushChanges": false, "desktopIntegration": "never",
        "dailySync": {"enabled": true, "at": "05:00"}, "fullSweepDays": 7
    });
    assert_eq!(app.get(SETTINGS).await.expect(200), usual);
    assert_eq!(app.put(SETTINGS, &json!({"enabled": false})).await.expect(200), usual);
}

#[tokio::test]
async fn every_setting_is_kept_as_it_was_sent() {
    let app = builder().start().await;
    let body = json!({
        "enabled": false, "environment": "sandbox", "customerToken": "sandbox", "uploadReviews": true, "downloadReviews": true,
        "visitType": "faceToFace", "additionalAssessors": [" IQA ", "Skills coach"], "classroomFromMainTag": true,
        "createMissingClassrooms": true, "defaultClassroomId": 301, "defaultClassrooms": {"1001": "301", "1002": 302},
        "learnerDemographics": "pushed", "officerDemographics": "pulled", "organisationDemographics": "pushed", "pushChanges": true,
        "desktopIntegration": "off", "dailySync": {"enabled": false, "at": "23:15"}, "fullSweepDays": 31
    });
    let mut kept = body.clone();
    kept.as_object_mut().unwrap().remove("customerToken");
    let kept = but(
        kept,
        json!({"tokenSet": true, "additionalAssessors": ["IQA", "Skills coach"], "defaultClassroomId": "301",
               "defaultClassrooms": {"1001": "301", "1002": "302"}}),
    );
    assert_eq!(app.put(SETTINGS, &body).await.expect(200), kept);
    assert_eq!(app.get(SETTINGS).await.expect(200), kept);
    let page = app.get("/onefile").await.expect(200);
    for field in [
        "enabled",
        "environment",
        "uploadReviews",
        "downloadReviews",
        "additionalAssessors",
        "learnerDemographics",
        "officerDemographics",
        "organisationDemographics",
        "pushChanges",
    ] {
        assert_eq!(page[field], kept[field], "{field}");
    }
}

#[tokio::test]
async fn all_faults_of_the_settings_are_told_at_once_with_their_places() {
    let app = builder().start().await;
    let before = app.get(SETTINGS).await.expect(200);
    let body = json!({
        "enabled": true, "environment": "moon", "customerToken": " ", "additionalAssessors": ["IQA", "", "iqa"],
        "defaultClassroomId": "a/b", "defaultClassrooms": {"1001": "", "x/y": "1"}, "learnerDemographics": "swapped",
        "dailySync": {"enabled": true, "at": "25:00"}, "fullSweepDays": 0, "uploadReview": true
    });
    let problem = app.put(SETTINGS, &body).await.refused(422, "invalidRequest");
    let expected = [
        ("/environment", "invalidValue"),
        ("/customerToken", "blank"),
        ("/additionalAssessors/1", "invalidValue"),
        ("/additionalAssessors/2", "duplicate"),
        ("/defaultClassroomId", "invalidId"),
        ("/defaultClassrooms/1001", "invalidId"),
        ("/defaultClassrooms/x~1y", "invalidId"),
        ("/learnerDemographics", "invalidValue"),
        ("/dailySync/at", "invalidTime"),
        ("/fullSweepDays", "outOfRange"),
        ("/uploadReview", "unknownField"),
    ]
    .map(|(at, code)| (at.to_owned(), code.to_owned()));
    assert_eq!(faults(&problem), BTreeSet::from(expected), "{problem:#}");
    for body in [
        json!({}),
        json!({"enabled": "yes"}),
        json!({"enabled": false, "customerToken": "two words"}),
        json!({"enabled": false, "customerToken": "x".repeat(4097)}),
        json!({"enabled": false, "defaultClassroomId": true}),
        json!({"enabled": false, "fullSweepDays": 32}),
        json!({"enabled": false, "desktopIntegration": "on"}),
        json!({"enabled": false, "visitType": "byPhone"}),
        json!({"enabled": false, "token": "sandbox"}),
    ] {
        let problem = app.put(SETTINGS, &body).await.refused(422, "invalidRequest");
        assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem:#}");
        assert!(!problem.to_string().contains("two words"));
    }
    assert_eq!(app.get(SETTINGS).await.expect(200), before);
}

#[tokio::test]
async fn it_is_switched_on_only_with_a_token_and_without_the_desktop_integration() {
    let app = builder().start().await;
    let on = json!({"enabled": true, "environment": "sandbox", "desktopIntegration": "active"});
    let problem = app.put(SETTINGS, &on).await.refused(409, "notReady");
    let both = [("/customerToken", "required"), ("/desktopIntegration", "desktopActive")]
        .map(|(at, code)| (at.to_owned(), code.to_owned()));
    assert!(faults(&problem).is_superset(&BTreeSet::from(both)), "{problem:#}");
    assert_eq!(app.get(SETTINGS).await.expect(200)["environment"], "live", "nothing was kept");

    // While it is off, it can be set up with the Desktop integration on.
    app.put(SETTINGS, &but(on.clone(), json!({"enabled": false, "customerToken": "sandbox"})))
        .await
        .expect(200);
    let codes = app.get("/onefile").await.expect(200)["attention"].clone();
    assert_eq!(codes[0]["code"], "desktopActive", "{codes}");
    let problem = app.put(SETTINGS, &on).await.refused(409, "notReady");
    assert!(problem.to_string().contains("desktopActive"), "{problem:#}");
    let forced = json!({"force": true, "reason": "It is to be tried.", "actor": "jane.roe"});
    app.post("/onefile:enable", &forced).await.expect(200);
    let problem = app.put(SETTINGS, &on).await.refused(409, "notReady");
    assert_eq!(
        problem["errors"].as_array().unwrap().len(),
        1,
        "only what is wrong whether on or off: {problem:#}"
    );
    for desktop in ["off", "never"] {
        let kept =
            app.put(SETTINGS, &but(on.clone(), json!({ "desktopIntegration": desktop }))).await.expect(200);
        assert_eq!(kept["enabled"], true);
    }
}

#[tokio::test]
async fn the_token_of_one_environment_is_not_shown_to_another() {
    let app = connected().await;
    for environment in ["live", "practice", "beta"] {
        let body = json!({"enabled": false, "environment": environment});
        let problem = app.put(SETTINGS, &body).await.refused(422, "invalidRequest");
        assert_eq!(
            faults(&problem).into_iter().next().unwrap(),
            ("/customerToken".to_owned(), "required".to_owned())
        );
    }
    let kept = app.put(SETTINGS, &json!({"enabled": false, "environment": "sandbox"})).await.expect(200);
    assert_eq!(kept["tokenSet"], true, "it stays when the environment does");
    assert_eq!(app.post(TEST, &Value::Null).await.expect(200)["ok"], true);
}

#[tokio::test]
async fn who_may_read_the_settings_may_not_change_them() {
    let app = connected().await;
    let reader = app.with_scopes(&[Scope::OnefileRead, Scope::OnefileWrite, Scope::OnefileSync]).await;
    reader.get(SETTINGS).await.expect(200);
    reader.put(SETTINGS, &sandbox("sandbox")).await.refused(403, "scopeMissing");
    reader.post(TEST, &Value::Null).await.refused(403, "scopeMissing");
}

#[tokio::test]
async fn another_providers_settings_and_look_ups_are_its_own() {
    let app = connected().await;
    let other = app.second_provider().await;
    assert_eq!(other.get(SETTINGS).await.expect(200)["tokenSet"], false);
    assert!(!entries(&app, "/onefile/assessors").await.is_empty());
    other.get("/onefile/assessors").await.refused(409, "integrationNotConfigured");
    other.put(SETTINGS, &sandbox("sandbox-second")).await.expect(200);
    let (ours, theirs) = (entries(&app, "/onefile/centres").await, entries(&other, "/onefile/centres").await);
    assert!(theirs.keys().all(|id| !ours.contains_key(id)), "{ours:?} {theirs:?}");
}
