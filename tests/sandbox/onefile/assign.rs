//! Assigning people, standards, units and templates.

use serde_json::{Value, json};

use crate::support::sandbox::onefile::{OneFile, ids};

#[tokio::test]
async fn a_standard_makes_a_learning_aim_and_answers_its_bare_id() {
    let onefile = OneFile::start().await;
    let (learner, aim) = onefile.learning().await;
    let read = onefile.record(&format!("/LearningAim/{aim}")).await;
    assert_eq!(
        (&read["UserID"], &read["Status"], &read["Progress"]),
        (&json!(learner), &json!(0), &json!(0))
    );
    assert_eq!(read["StandardID"], onefile.standard("[105AS]").await);
    let assessor = onefile.assessor("O-01").await;
    let elsewhere = onefile.first_id("/Standard/Search", json!({ "OrganisationID": onefile.north })).await;
    let here = onefile.standard("[105AS]").await;
    assert_eq!(onefile.post(&format!("/Standard/{here}/Assign/{assessor}"), Value::Null).await.status, 400);
    assert_eq!(
        onefile.post(&format!("/Standard/{elsewhere}/Assign/{learner}"), Value::Null).await.status,
        400
    );
    assert_eq!(onefile.post(&format!("/Standard/1/Assign/{learner}"), Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_unit_is_assigned_once_and_its_id_is_a_text() {
    let onefile = OneFile::start().await;
    let (learner, _) = onefile.learning().await;
    let standard = onefile.standard("[105AS]").await;
    let units = onefile.rows("/Unit/Search", json!({ "StandardID": standard })).await;
    let unit = units[0]["ID"].as_str().unwrap();
    assert_eq!(units.len(), 3);
    let path = format!("/Unit/{unit}/Assign/{learner}/{standard}");
    let summary = onefile.made(&path, Value::Null).await;
    assert!(onefile.refusal(&path, Value::Null).await.contains("already"));
    let found = onefile.rows("/UnitSummary/Search", json!({ "UserID": learner })).await;
    assert_eq!((ids(&found), &found[0]["UnitID"]), (vec![summary], &json!(unit)));
    assert_eq!(onefile.record(&format!("/User/{learner}/UnitSummary")).await, Value::from(found));
    assert_eq!(onefile.record(&format!("/Unit/{unit}")).await["Title"], "Unit 1");
    let other = onefile.standard("[105OP]").await;
    onefile.refusal(&format!("/Unit/{unit}/Assign/{learner}/{other}"), Value::Null).await;
}

#[tokio::test]
async fn a_template_brings_the_learning_aims_that_are_lacking_and_their_units() {
    let onefile = OneFile::start().await;
    let (learner, aim) = onefile.learning().await;
    let template =
        onefile.first_id("/FrameworkTemplate/Search", json!({ "OrganisationID": onefile.main })).await;
    for _ in 0..2 {
        let answer =
            onefile.post(&format!("/FrameworkTemplate/{template}/Assign/{learner}/true"), Value::Null).await;
        assert_eq!(answer.status, 204);
        let aims = ids(&onefile.rows("/LearningAim/Search", json!({ "UserID": learner })).await);
        assert_eq!((aims.len(), aims[0]), (4, aim));
    }
    assert_eq!(onefile.rows("/UnitSummary/Search", json!({ "UserID": learner })).await.len(), 9);
}

#[tokio::test]
async fn the_assessors_id_stands_in_the_path_or_the_learners_by_a_switch() {
    let onefile = OneFile::start().await;
    let (learner, assessor) = (onefile.enrolled().await, onefile.assessor("O-02").await);
    let assign = async |path: u64, named: u64| {
        let body = json!({ "LearnerID": named, "Level": 1 });
        onefile.post(&format!("/User/{path}/Assign"), body).await.status
    };
    assert_eq!((assign(assessor, learner).await, assign(learner, assessor).await), (204, 400));
    onefile.settings(json!({ "assign": "learnerInPath" })).await;
    assert_eq!((assign(assessor, learner).await, assign(learner, assessor).await), (400, 204));
    onefile.settings(json!({ "assign": "either" })).await;
    assert_eq!((assign(assessor, learner).await, assign(learner, assessor).await), (204, 204));
    let path = format!("/onefile/records?kind=assignment&learnerId={learner}");
    let kept = onefile.running.control(reqwest::Method::GET, &path, Value::Null).await.body;
    assert_eq!(kept.as_array().unwrap().len(), 1, "the same is not kept twice");
    assert_eq!(kept[0]["fields"]["AssignedID"], assessor);
}

#[tokio::test]
async fn each_level_has_its_roles_and_needs() {
    let onefile = OneFile::start().await;
    let (learner, _) = onefile.learning().await;
    let assessor = onefile.assessor("O-02").await;
    let employer = onefile.first_id("/User/Search", json!({ "Role": 40 })).await;
    let standard = onefile.standard("[105AS]").await;
    let other = onefile.standard("[105OP]").await;
    for (person, body, status) in [
        (assessor, json!({ "Level": 1 }), 204),
        (employer, json!({ "Level": 1 }), 204),
        (assessor, json!({ "Level": 3, "StandardID": standard }), 204),
        (employer, json!({ "Level": 3, "StandardID": standard }), 400),
        (assessor, json!({ "Level": 3, "StandardID": other }), 400),
        (assessor, json!({ "Level": 3 }), 400),
        (assessor, json!({ "Level": 2 }), 400),
        (assessor, json!({ "Level": 4 }), 400),
        (assessor, json!({}), 400),
        (learner, json!({ "Level": 1 }), 400),
    ] {
        let body = crate::support::sandbox::onefile::with(body, json!({ "LearnerID": learner }));
        let answer = onefile.post(&format!("/User/{person}/Assign"), body.clone()).await;
        assert_eq!(answer.status, status, "{person} {body}: {}", answer.body);
    }
}
