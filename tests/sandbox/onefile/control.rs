//! OneFile's part of the control API.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::PATIENCE;
use crate::support::sandbox::contract::Contract;
use crate::support::sandbox::keys;
use crate::support::sandbox::onefile::{BASE, OneFile, authenticate, ids};

#[tokio::test]
async fn operations_are_named_as_in_the_contract() {
    let onefile = OneFile::start().await;
    let paths = Contract::onefile().document()["paths"].as_object().unwrap();
    let operations = paths.values().flat_map(|item| item.as_object().unwrap().values());
    let names = operations.map(|operation| operation["operationId"].as_str().unwrap());
    let mut names: Vec<&str> = names.map(|name| name.trim_end_matches("Paged")).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(keys(&onefile.state().await["calls"]), names);
}

#[tokio::test]
async fn the_contract_has_every_field_that_is_shown_or_taken() {
    let onefile = OneFile::start().await;
    let schemas = &Contract::onefile().document()["components"]["schemas"];
    let known = |schema: &str| keys(&schemas[schema]["properties"]);
    let user = onefile.record(&format!("/User/{}", onefile.assessor("O-01").await)).await;
    assert_eq!(keys(&user), known("User"));
    let (_, aim) = onefile.learning().await;
    assert_eq!(keys(&onefile.record(&format!("/LearningAim/{aim}")).await), known("LearningAim"));
    let review = onefile.first_id("/Review/Search", json!({})).await;
    assert_eq!(keys(&onefile.record(&format!("/Review/{review}")).await), known("Review"));
    let placement = onefile.first_id("/Placement/Search", json!({})).await;
    assert_eq!(keys(&onefile.record(&format!("/Placement/{placement}")).await), known("Placement"));
    let room = onefile.first_id("/Classroom/Search", json!({})).await;
    assert_eq!(keys(&onefile.record(&format!("/Classroom/{room}")).await), known("Classroom"));
    // Every property of a change is accepted. With null for all of them, only the required ones are
    // refused.
    for (path, schema) in [
        (format!("/LearningAim/{aim}"), "LearningAimChange"),
        (format!("/Classroom/{room}"), "ClassroomChange"),
        (format!("/Placement/{placement}"), "PlacementChange"),
        (format!("/User/{}", user["ID"]), "UserChange"),
    ] {
        for name in known(schema) {
            let answer = onefile.post(&path, json!({ name: null })).await;
            let blank =
                answer.body["message"].as_str().is_some_and(|message| message.starts_with("Required"));
            assert!(answer.status == 204 || blank, "{schema} {name}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn many_more_records_are_made_at_once() {
    let onefile = OneFile::start().await;
    let body = json!({ "centreId": onefile.north, "assessors": 200, "placements": 300, "standards": 120,
        "learners": 1000, "aimsPerLearner": 2, "reviewsPerLearner": 1 });
    let made = onefile.control("/onefile/records:more", body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let learners = made.body["learners"].as_array().unwrap();
    assert_eq!(learners.len(), 1000);
    let filters = json!({ "OrganisationID": onefile.north, "Role": 1 });
    assert_eq!(onefile.rows("/User/Search", filters).await.len(), 1003);
    assert_eq!(onefile.rows("/LearningAim/Search", json!({ "UserID": learners[999] })).await.len(), 2);
    assert_eq!(onefile.rows("/Review/Search", json!({ "LearnerID": learners[999] })).await.len(), 1);
    let last = onefile.record(&format!("/User/{}", learners[999])).await;
    assert_eq!(last["MISID"], format!("ML-{}", learners[999]));
    assert_eq!(onefile.state().await["duplicates"]["users"], json!([]));
    assert_eq!(onefile.control("/onefile/records:more", json!({ "centreId": 1 })).await.status, 404);
    assert_eq!(onefile.control("/onefile/records:more", json!({ "learner": 1 })).await.status, 400);
    assert_eq!(onefile.control("/onefile/records:more", json!({ "learners": 100_001 })).await.status, 422);
}

/// Compares with a search that has to read all of them and not with a time, because the machine may
/// be busy.
#[tokio::test]
async fn one_learners_aims_are_found_without_a_look_at_all_the_others() {
    let onefile = OneFile::start().await;
    let body = json!({ "learners": 4000, "aimsPerLearner": 5 });
    let made = onefile.control("/onefile/records:more", body).await.body;
    let time = async |filters: Value| {
        let mut quickest = PATIENCE;
        for _ in 0..20 {
            let start = std::time::Instant::now();
            onefile.post("/LearningAim/Search", filters.clone()).await;
            quickest = quickest.min(start.elapsed());
        }
        quickest
    };
    let all = time(json!({ "LearningAimCompletionStatus": 99 })).await;
    let one = time(json!({ "UserID": made["learners"][3999] })).await;
    assert!(one * 2 < all, "{one:?} for one learner's, {all:?} for a look at all");
}

#[tokio::test]
async fn a_user_is_archived_and_removed_by_somebody_else() {
    let onefile = OneFile::start().await;
    let (learner, aim) = onefile.learning().await;
    let archived = onefile.control(&format!("/users/{learner}:archive"), Value::Null).await;
    assert_eq!((archived.status, &archived.body["archived"]), (200, &json!(true)));
    let back = onefile.control(&format!("/users/{learner}:archive"), json!({ "archived": false })).await;
    assert_eq!(back.body["archived"], false);
    onefile.control(&format!("/learners/{learner}:progress"), Value::Null).await;
    assert_eq!(onefile.control(&format!("/users/{learner}:remove"), Value::Null).await.status, 204);
    for path in [format!("/User/{learner}"), format!("/LearningAim/{aim}")] {
        assert_eq!(onefile.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(onefile.control(&format!("/users/{learner}:remove"), Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_merged_users_things_are_the_others_afterwards() {
    let onefile = OneFile::start().await;
    let (first, aim) = onefile.learning().await;
    let second = onefile.enrolled().await;
    let merged = onefile.control(&format!("/users/{first}:merge"), json!({ "into": second })).await;
    assert_eq!((merged.status, &merged.body["id"]), (200, &json!(second)));
    assert_eq!(onefile.get(&format!("/User/{first}")).await.status, 404);
    assert_eq!(ids(&onefile.rows("/LearningAim/Search", json!({ "UserID": second })).await), [aim]);

    let (gone, stays) = (onefile.assessor("O-01").await, onefile.assessor("O-02").await);
    onefile.control(&format!("/users/{gone}:merge"), json!({ "into": stays })).await;
    assert_eq!(onefile.record(&format!("/User/{second}")).await["DefaultAssessorID"], stays);
    let wrong = onefile.control(&format!("/users/{second}:merge"), json!({ "into": stays })).await;
    assert_eq!(wrong.status, 422, "a learner is no assessor");
}

#[tokio::test]
async fn a_reset_brings_the_seed_back() {
    let onefile = OneFile::start().await;
    let seeded = onefile.state().await["customers"]["sandbox"]["records"].clone();
    let learner = onefile.enrolled().await;
    onefile.settings(json!({ "pageCap": 1, "sessionAsJson": true })).await;
    onefile.control("/reset", Value::Null).await;
    assert_eq!(onefile.get("/Customer").await.status, 401, "sessions are gone too");
    let state = onefile.state().await;
    assert_eq!(state["customers"]["sandbox"]["records"], seeded);
    assert_eq!(state["calls"]["createUser"], 0);
    let onefile = OneFile { session: authenticate(&onefile.running, BASE, "sandbox").await.1, ..onefile };
    assert_eq!(onefile.get(&format!("/User/{learner}")).await.status, 404);
    assert_eq!(onefile.rows("/Placement/Search/1/50", json!({})).await.len(), 50);
}

#[tokio::test]
async fn settings_keep_what_is_not_said_and_refuse_what_they_do_not_know() {
    let onefile = OneFile::start().await;
    onefile.settings(json!({ "pageCap": 5 })).await;
    onefile.settings(json!({ "retryAfter": true })).await;
    let shown = onefile.running.control(Method::GET, "/settings", Value::Null).await.body["onefile"].clone();
    assert_eq!(
        shown,
        json!({ "callsPerMinute": null, "retryAfter": true, "pageCap": 5,
        "detailedPages": false, "sessionAsJson": false, "assign": "assessorInPath", "lastModifiedMoves": true,
        "elementCounts": true, "clockAheadSeconds": 0, "limitClockFactor": 1 })
    );
    for change in [json!({ "pagecap": 1 }), json!({ "assign": "nobody" })] {
        let answer = onefile.running.control(Method::PUT, "/settings", json!({ "onefile": change })).await;
        assert_eq!(answer.status, 400);
    }
}
