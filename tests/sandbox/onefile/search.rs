//! Searches.

use serde_json::{Value, json};

use crate::support::sandbox::onefile::{OneFile, ids};

#[tokio::test]
async fn no_match_is_204_without_a_body() {
    let onefile = OneFile::start().await;
    let answer = onefile.post("/User/Search", json!({ "MISID": "nobody" })).await;
    assert_eq!((answer.status, answer.body), (204, Value::Null));
}

#[tokio::test]
async fn pages_count_from_one_and_go_together_into_the_whole() {
    let onefile = OneFile::start().await;
    let all = ids(&onefile.rows("/Placement/Search", json!({})).await);
    let mut paged = Vec::new();
    for page in 1.. {
        let rows = onefile.rows(&format!("/Placement/Search/{page}/25"), json!({})).await;
        if rows.is_empty() {
            break;
        }
        paged.extend(ids(&rows));
    }
    assert_eq!((all.len(), &all), (60, &paged));
    let unpaged = ids(&onefile.rows("/Placement/Search/0/25", json!({})).await);
    assert_eq!(unpaged, all, "page 0 is all");
}

#[tokio::test]
async fn a_page_can_be_smaller_than_asked_for_without_a_row_being_lost() {
    let onefile = OneFile::start().await;
    onefile.settings(json!({ "pageCap": 7 })).await;
    let mut seen = Vec::new();
    for page in 1..=9 {
        let rows = onefile.rows(&format!("/Placement/Search/{page}/50"), json!({})).await;
        assert_eq!(rows.len(), if page < 9 { 7 } else { 4 });
        seen.extend(ids(&rows));
    }
    assert!(onefile.rows("/Placement/Search/10/50", json!({})).await.is_empty());
    assert_eq!(seen, ids(&onefile.rows("/Placement/Search", json!({})).await));
    onefile.settings(json!({ "pageCap": null })).await;
    assert_eq!(onefile.rows("/Placement/Search/1/50", json!({})).await.len(), 50);
}

#[tokio::test]
async fn rows_are_short_also_in_pages_unless_those_are_to_be_detailed() {
    let onefile = OneFile::start().await;
    let row = onefile.first("/User/Search/1/1", json!({ "MISID": "O-01" })).await;
    assert!(row.get("Email").is_none() && row["LastName"].is_string(), "{row}");
    onefile.settings(json!({ "detailedPages": true })).await;
    let detailed = onefile.first("/User/Search/1/1", json!({ "MISID": "O-01" })).await;
    assert_eq!(detailed, onefile.record(&format!("/User/{}", row["ID"])).await);
}

#[tokio::test]
async fn users_are_found_by_every_filter_and_by_all_at_once() {
    let onefile = OneFile::start().await;
    let found = async |filters: Value| onefile.rows("/User/Search", filters).await;
    let id = onefile.assessor("O-02").await;
    let user = onefile.record(&format!("/User/{id}")).await;
    let by_mis = found(json!({ "MISID": "o-02" })).await;
    assert_eq!(by_mis.len(), 2, "one in each of two centres, whatever the case: {by_mis:?}");
    assert_eq!(found(json!({ "MISID": "O-0" })).await.len(), 0, "not by a part of it");
    assert_eq!(found(json!({ "Email": user["Email"] })).await.len(), 2);
    let whole = json!({ "OrganisationID": onefile.main, "Role": 5, "FirstName": user["FirstName"],
        "LastName": user["LastName"], "Email": user["Email"], "MISID": "O-02" });
    assert_eq!(ids(&found(whole).await), [id]);
    let part = user["LastName"].as_str().unwrap()[..4].to_uppercase();
    assert!(ids(&found(json!({ "LastName": part, "Role": 5 })).await).contains(&id));
    let (four, five) = (found(json!({ "Role": 4 })).await.len(), found(json!({ "Role": 5 })).await.len());
    assert_eq!(four + five, 40, "assessors need two calls");
    assert!(four > 5);
    assert_eq!(found(json!({ "OrganisationID": 1 })).await.len(), 0);
}

#[tokio::test]
async fn users_that_changed_since_are_found() {
    let onefile = OneFile::start().await;
    let since = json!({ "LastModified": "2025-09-02T00:00:00.000Z" });
    assert!(onefile.rows("/User/Search", since.clone()).await.is_empty());
    let id = onefile.assessor("O-02").await;
    onefile.post(&format!("/User/{id}"), json!({ "Telephone": "01632 960999" })).await;
    assert_eq!(ids(&onefile.rows("/User/Search", since).await), [id]);
    let long_ago = json!({ "LastModified": "2025-09-01", "Role": 1 });
    assert_eq!(onefile.rows("/User/Search", long_ago).await.len(), 15);
}

#[tokio::test]
async fn archived_users_come_back_and_say_so() {
    let onefile = OneFile::start().await;
    let rows = onefile.rows("/User/Search", json!({ "OrganisationID": onefile.main, "MISID": "O-05" })).await;
    let archived: Vec<&Value> = rows.iter().map(|row| &row["Archived"]).collect();
    assert_eq!(archived, [&json!(false), &json!(true)], "one MIS value, two assessors");
}

#[tokio::test]
async fn names_and_titles_are_found_by_a_part_of_them() {
    let onefile = OneFile::start().await;
    let near = onefile.rows("/Placement/Search", json!({ "Name": "larkrise" })).await;
    assert!(near.len() >= 5, "{near:?}");
    let rooms = onefile.rows("/Classroom/Search", json!({ "Name": "AUTUMN" })).await;
    assert_eq!(rooms.len(), 2);
    let standards = onefile.rows("/Standard/Search", json!({ "Title": "[105AS]" })).await;
    assert_eq!(standards.len(), 2, "in two centres");
}

#[tokio::test]
async fn names_of_properties_are_taken_in_any_case_and_bodies_as_json_or_forms() {
    let onefile = OneFile::start().await;
    let json = onefile.rows("/User/Search", json!({ "organisationid": onefile.main, "ROLE": "4" })).await;
    let request = onefile.request(reqwest::Method::POST, "/User/Search");
    let form = request
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("organisationID={}&role=4&MISID=", onefile.main));
    let form = onefile.send("POST", "/User/Search", form).await;
    assert_eq!((form.status, form.body), (200, Value::from(json)));
}

#[tokio::test]
async fn a_filter_that_does_not_exist_or_has_no_sense_is_refused() {
    let onefile = OneFile::start().await;
    for (filters, word) in [
        (json!({ "MisValue": "O-01" }), "MisValue"),
        (json!({ "Role": "assessor" }), "Role"),
        (json!({ "LastModified": "yesterday" }), "LastModified"),
        (json!([1]), "body"),
    ] {
        let message = onefile.refusal("/User/Search", filters).await;
        assert!(message.contains(word), "{message}");
    }
    assert_eq!(
        onefile.post("/User/Search", json!([])).await.status,
        200,
        "an empty list is PHP's empty object"
    );
}

#[tokio::test]
async fn reviews_are_found_by_learner_centre_status_and_day() {
    let onefile = OneFile::start().await;
    let found = async |filters: Value| onefile.rows("/Review/Search", filters).await.len();
    let learner = onefile.first_id("/User/Search", json!({ "MISID": "OLD-001" })).await;
    assert_eq!(found(json!({ "LearnerID": learner })).await, 2);
    assert_eq!(found(json!({ "LearnerID": learner, "DateFrom": "2025-11-01" })).await, 1);
    assert_eq!(found(json!({ "LearnerID": learner, "DateTo": "2025-10-10" })).await, 1, "all of that day");
    assert_eq!(found(json!({ "LearnerID": learner, "DateTo": "2025-10-10T00:00:00.000Z" })).await, 0);
    assert_eq!(found(json!({ "OrganisationID": onefile.main })).await, 24);
    assert_eq!(found(json!({ "Status": 1 })).await, 27);
    assert_eq!(found(json!({ "Status": 9 })).await, 0);
}

#[tokio::test]
async fn learning_aims_are_found_by_learner_and_by_completion() {
    let onefile = OneFile::start().await;
    let found = async |filters: Value| ids(&onefile.rows("/LearningAim/Search", filters).await);
    let (learner, aim) = onefile.learning().await;
    assert_eq!(found(json!({ "UserID": learner })).await, [aim]);
    let achieved =
        json!({ "LearningAimCompletionStatus": 1, "DateFrom": "2026-01-01", "DateTo": "2026-01-31" });
    assert!(found(achieved.clone()).await.is_empty());
    let change = json!({ "Status": 1, "AchievedDate": "2026-01-31T12:00:00.000Z" });
    assert_eq!(onefile.post(&format!("/LearningAim/{aim}"), change).await.status, 204);
    assert_eq!(found(achieved).await, [aim]);
    let changed = found(json!({ "OrganisationID": onefile.main, "DateFrom": "2025-10-01" })).await;
    assert_eq!(changed, [aim], "otherwise the dates are those of the last change");
}
