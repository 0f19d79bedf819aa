//! Creations of all records except users.

use serde_json::{Value, json};

use crate::support::sandbox::onefile::{OneFile, with};

#[tokio::test]
async fn a_placement_is_answered_by_its_bare_id_and_reads_back() {
    let onefile = OneFile::start().await;
    let body = json!({ "OrganisationID": onefile.main, "Name": "Café Zoë", "Address": "1 Sample Street\nSampleton",
        "Contact": "Sam", "Email": "sam@example.org", "MISID": "E-9" });
    let id = onefile.made("/Placement", body).await;
    let placement = onefile.record(&format!("/Placement/{id}")).await;
    assert_eq!((&placement["Name"], &placement["Active"]), (&json!("Café Zoë"), &json!(true)));
    assert_eq!(placement["Address"], "1 Sample Street\nSampleton");
    let change = onefile.post(&format!("/Placement/{id}"), json!({ "Active": "false" })).await;
    assert_eq!((change.status, change.body), (204, Value::Null));
    let placement = onefile.record(&format!("/Placement/{id}")).await;
    assert_eq!((&placement["Active"], &placement["MISID"]), (&json!(false), &json!("E-9")), "the rest stays");
}

#[tokio::test]
async fn a_classroom_is_answered_by_its_bare_id_and_reads_back() {
    let onefile = OneFile::start().await;
    let body = json!({ "OrganisationID": onefile.north, "Name": "Group 7", "StartOn": "2026-01-05" });
    let id = onefile.made("/Classroom", body).await;
    let room = onefile.record(&format!("/Classroom/{id}")).await;
    assert_eq!((&room["Name"], &room["StartOn"]), (&json!("Group 7"), &json!("2026-01-05T00:00:00.000Z")));
    assert_eq!(onefile.post(&format!("/Classroom/{id}"), json!({ "Archive": true })).await.status, 204);
    assert_eq!(onefile.record(&format!("/Classroom/{id}")).await["Archive"], true);
    assert_eq!(onefile.post("/Classroom/1", json!({ "Archive": true })).await.status, 404);
}

#[tokio::test]
async fn what_is_missing_or_leads_nowhere_is_refused_and_nothing_is_made() {
    let onefile = OneFile::start().await;
    let before = onefile.state().await["customers"]["sandbox"]["records"].clone();
    for (path, body, word) in [
        ("/Placement", json!({ "OrganisationID": onefile.main }), "Name"),
        ("/Placement", json!({ "Name": "X" }), "OrganisationID"),
        ("/Placement", json!({ "OrganisationID": 1, "Name": "X" }), "OrganisationID"),
        ("/Classroom", json!({ "OrganisationID": onefile.main, "Name": " " }), "Name"),
        ("/Review", json!({ "LearnerID": 1, "ScheduledFor": "2026-01-05" }), "LearnerID"),
        ("/Visit", json!({}), "LearnerID, OrganisationID, DateFrom, DateTo, VisitTypeID"),
    ] {
        let message = onefile.refusal(path, body).await;
        assert!(message.contains(word), "{path}: {message}");
    }
    assert_eq!(onefile.state().await["customers"]["sandbox"]["records"], before);
}

#[tokio::test]
async fn a_visit_is_made_first_and_its_review_points_at_it() {
    let onefile = OneFile::start().await;
    let learner = onefile.enrolled().await;
    let assessor = onefile.assessor("O-02").await;
    let visit = json!({ "LearnerID": learner, "OrganisationID": onefile.main, "AssessorID": assessor,
        "DateFrom": "2026-01-14T09:00:00.000Z", "DateTo": "2026-01-14T10:00:00.000Z", "VisitTypeID": 2,
        "SMSReminder": false });
    let id = onefile.made("/Visit", visit.clone()).await;
    let review = json!({ "LearnerID": learner, "AssessorID": assessor, "Status": 1,
        "ScheduledFor": "2026-01-14T09:00:00.000Z", "VisitID": id });
    let made = onefile.made("/Review", review.clone()).await;
    let read = onefile.record(&format!("/Review/{made}")).await;
    assert_eq!(
        (&read["VisitID"], &read["LearnerID"], &read["StartedOn"]),
        (&json!(id), &json!(learner), &json!(null))
    );

    let other = onefile.first_id("/User/Search", json!({ "MISID": "OLD-001" })).await;
    for (path, body) in [
        ("/Visit", with(visit.clone(), json!({ "VisitTypeID": 9 }))),
        ("/Visit", with(visit.clone(), json!({ "DateTo": "2026-01-14T09:00:00.000Z" }))),
        ("/Visit", with(visit.clone(), json!({ "OrganisationID": onefile.north }))),
        ("/Visit", with(visit, json!({ "AssessorID": learner }))),
        ("/Review", with(review.clone(), json!({ "VisitID": 1 }))),
        ("/Review", with(review, json!({ "LearnerID": other }))),
    ] {
        onefile.refusal(path, body).await;
    }
}

#[tokio::test]
async fn what_was_made_twice_is_counted_and_shown() {
    let onefile = OneFile::start().await;
    let duplicates = onefile.state().await["duplicates"].clone();
    let groups = duplicates.as_object().unwrap().values();
    assert!(
        groups.into_iter().all(|groups| *groups == json!([])),
        "what was seeded is nobody's fault: {duplicates}"
    );
    let (learner, aim) = onefile.learning().await;
    let standard = onefile.standard("[105AS]").await;
    let second = onefile.made(&format!("/Standard/{standard}/Assign/{learner}"), Value::Null).await;
    let again = onefile.enrolled().await;
    let duplicates = onefile.state().await["duplicates"].clone();
    assert_eq!(duplicates["learningAims"], json!([[aim, second]]));
    assert_eq!(duplicates["users"], json!([[learner, again]]));
}
