//! What the daily exchange reads and writes: progress, registration, certificates, reviews.

use serde_json::{Value, json};

use crate::support::sandbox::onefile::OneFile;

#[tokio::test]
async fn a_learning_aim_takes_registration_and_certificate_dates_and_gives_them_back() {
    let onefile = OneFile::start().await;
    let (learner, aim) = onefile.learning().await;
    let path = format!("/LearningAim/{aim}");
    let change = json!({ "ID": aim, "UserID": learner, "RegistrationNumber": "R-1", "RegistrationDate": "2025-10-01",
        "CertificateAppliedDate": "2026-02-01T00:00:00.000Z", "CertificateReceivedDate": "2026-03-01" });
    assert_eq!(onefile.post(&path, change).await.status, 204);
    let read = onefile.record(&path).await;
    assert_eq!(read["RegistrationNumber"], "R-1");
    assert_eq!(read["RegistrationDate"], "2025-10-01T00:00:00.000Z");
    assert_eq!(read["CertificateReceivedDate"], "2026-03-01T00:00:00.000Z");
    onefile.refusal(&path, json!({ "UserID": 1 })).await;
    onefile.refusal(&path, json!({ "Progress": 100 })).await;
}

#[tokio::test]
async fn a_learner_moves_on_step_by_step() {
    let onefile = OneFile::start().await;
    let learner = onefile.first_id("/User/Search", json!({ "MISID": "OLD-001" })).await;
    let after = onefile.control(&format!("/learners/{learner}:progress"), Value::Null).await.body;
    assert_eq!((&after["aims"][0]["Progress"], &after["aims"][0]["ElementsDone"]), (&json!(10.0), &json!(2)));
    assert_eq!(after["user"]["Progress"], json!(10.0));
    let held: Vec<bool> =
        after["reviews"].as_array().unwrap().iter().map(|review| review["StartedOn"].is_string()).collect();
    assert_eq!(held, [true, true]);
    for _ in 0..10 {
        onefile.control(&format!("/learners/{learner}:progress"), Value::Null).await;
    }
    let aim = onefile.record(&format!("/LearningAim/{}", after["aims"][0]["ID"])).await;
    assert_eq!(
        (&aim["Progress"], &aim["ElementsDone"], &aim["Status"]),
        (&json!(100.0), &json!(20), &json!(1))
    );
    assert!(aim["AchievedDate"].is_string());
}

#[tokio::test]
async fn an_aim_and_a_review_can_be_set_to_anything_and_a_review_be_made_by_somebody_else() {
    let onefile = OneFile::start().await;
    let (learner, aim) = onefile.learning().await;
    let body = json!({
        "aimId": aim,
        "aim": { "Progress": 45, "TotalElements": 31, "ElementsDone": 14, "RegistrationNumber": "R-2" },
        "newReview": { "ScheduledFor": "2026-01-14T09:00:00.000Z", "StartedOn": "2026-01-14T09:05:00.000Z" },
    });
    let after = onefile.control(&format!("/learners/{learner}:progress"), body).await.body;
    let read = onefile.record(&format!("/LearningAim/{aim}")).await;
    assert_eq!((&read["TotalElements"], &read["RegistrationNumber"]), (&json!(31), &json!("R-2")));
    let review = onefile.record(&format!("/Review/{}", after["reviews"][0]["ID"])).await;
    assert_eq!(review["StartedOn"], "2026-01-14T09:05:00.000Z");
    let body = json!({ "reviewId": review["ID"], "review": { "LearnerSignedOn": "2026-01-15" } });
    onefile.control(&format!("/learners/{learner}:progress"), body).await;
    let review = onefile.record(&format!("/Review/{}", review["ID"])).await;
    assert_eq!(review["LearnerSignedOn"], "2026-01-15T00:00:00.000Z");
    for (body, status) in [
        (json!({ "aim": { "Progres": 45 } }), 422),
        (json!({ "aims": {} }), 400),
        (json!({ "aimId": 1, "aim": {} }), 404),
    ] {
        assert_eq!(onefile.control(&format!("/learners/{learner}:progress"), body).await.status, status);
    }
    assert_eq!(onefile.control("/learners/1:progress", Value::Null).await.status, 404);
}

#[tokio::test]
async fn whether_progress_moves_the_learners_last_modified_is_a_switch() {
    let onefile = OneFile::start().await;
    let learner = onefile.first_id("/User/Search", json!({ "MISID": "OLD-001" })).await;
    let moved = async |moves: bool| {
        onefile.settings(json!({ "lastModifiedMoves": moves })).await;
        let before = onefile.record(&format!("/User/{learner}")).await;
        onefile.control(&format!("/learners/{learner}:progress"), Value::Null).await;
        let after = onefile.record(&format!("/User/{learner}")).await;
        assert_ne!(before["Progress"], after["Progress"]);
        before["LastModified"] != after["LastModified"]
    };
    assert!(!moved(false).await);
    assert!(moved(true).await);
}

#[tokio::test]
async fn an_aim_can_be_without_element_counts() {
    let onefile = OneFile::start().await;
    let (_, aim) = onefile.learning().await;
    assert!(onefile.record(&format!("/LearningAim/{aim}")).await["TotalElements"].is_u64());
    onefile.settings(json!({ "elementCounts": false })).await;
    let read = onefile.record(&format!("/LearningAim/{aim}")).await;
    assert!(read.get("TotalElements").is_none() && read.get("ElementsDone").is_none(), "{read}");
}
