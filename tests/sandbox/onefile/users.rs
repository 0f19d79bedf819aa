//! Users.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::sandbox::onefile::{OneFile, with};

#[tokio::test]
async fn a_learner_is_answered_whole_and_reads_back() {
    let onefile = OneFile::start().await;
    let body = onefile.learner().await;
    let answer = onefile.post("/User", body.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        answer.body["Username"].as_str().is_some_and(|name| !name.is_empty()),
        "made up where it is left out"
    );
    let read = onefile.record(&format!("/User/{}", answer.body["ID"])).await;
    assert_eq!(read, answer.body);
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&read[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_form_makes_a_learner_as_well() {
    let onefile = OneFile::start().await;
    let body = onefile.learner().await;
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in body.as_object().unwrap() {
        form.append_pair(name, value.as_str().map_or(value.to_string(), str::to_owned).as_str());
    }
    form.append_pair("SecondaryLLDDCodes[]", "4").append_pair("SecondaryLLDDCodes[]", "5");
    let request = onefile.request(Method::POST, "/user").body(form.finish());
    let request = request.header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    let answer = onefile.send("POST", "/User", request).await;
    assert_eq!((answer.status, &answer.body["MISID"]), (200, &json!("L-1001")));
    let kept =
        onefile.running.control(Method::GET, "/onefile/records?kind=user&misId=L-1001", Value::Null).await;
    assert_eq!(kept.body[0]["fields"]["SecondaryLLDDCodes"], json!(["4", "5"]));
}

#[tokio::test]
async fn each_role_has_its_required_fields() {
    let onefile = OneFile::start().await;
    let learner = onefile.learner().await;
    let always = ["OrganisationID", "FirstName", "LastName", "Email", "Role"];
    let of_learners = ["DefaultAssessorID", "ClassroomID", "PlacementID"];
    for name in always.iter().chain(&of_learners) {
        let message = onefile.refusal("/User", with(learner.clone(), json!({ *name: null }))).await;
        assert!(message.contains(name), "{message}");
    }
    let assessor = json!({ "OrganisationID": onefile.main, "FirstName": "Orla", "LastName": "Lowmoor",
        "Email": "orla@copperfold.example", "Role": 5 });
    onefile.made("/User", assessor.clone()).await;
    for name in always {
        onefile.refusal("/User", with(assessor.clone(), json!({ name: null }))).await;
    }
    for role in [40, 45] {
        let employer = with(assessor.clone(), json!({ "Role": role }));
        let message = onefile.refusal("/User", employer.clone()).await;
        assert!(message.contains("PlacementID"), "{message}");
        onefile.made("/User", with(employer, json!({ "PlacementID": learner["PlacementID"] }))).await;
    }
    onefile.refusal("/User", with(assessor, json!({ "Role": 7 }))).await;
}

#[tokio::test]
async fn ids_must_be_known_in_the_same_centre() {
    let onefile = OneFile::start().await;
    let learner = onefile.learner().await;
    let elsewhere = json!({ "OrganisationID": onefile.north });
    let room = onefile.first_id("/Classroom/Search", elsewhere.clone()).await;
    let placement = onefile.first_id("/Placement/Search", elsewhere.clone()).await;
    let assessor = onefile.first_id("/User/Search", elsewhere).await;
    for change in [
        json!({ "ClassroomID": room }),
        json!({ "PlacementID": placement }),
        json!({ "DefaultAssessorID": assessor }),
        json!({ "DefaultAssessorID": learner["PlacementID"] }),
        json!({ "DefaultEmployerID": learner["DefaultAssessorID"] }),
        json!({ "LearnerStatusID": 1 }),
        json!({ "OrganisationID": 1 }),
        json!({ "Email": "amara" }),
        json!({ "DOB": "06/05/2004" }),
        json!({ "Surname": "Penhallow" }),
    ] {
        onefile.refusal("/User", with(learner.clone(), change)).await;
    }
    let status =
        onefile.record(&format!("/Organisation/{}/LearnerStatuses", onefile.main)).await[0]["ID"].clone();
    onefile.made("/User", with(learner, json!({ "LearnerStatusID": status }))).await;
}

#[tokio::test]
async fn a_default_assessor_whose_mis_value_another_one_has_is_refused_also_when_that_one_is_archived() {
    let onefile = OneFile::start().await;
    let shared =
        with(onefile.learner().await, json!({ "DefaultAssessorID": onefile.assessor("O-05").await }));
    let message = onefile.refusal("/User", shared.clone()).await;
    assert!(message.contains("O-05"), "{message}");
    let rows = onefile.rows("/User/Search", json!({ "OrganisationID": onefile.main, "MISID": "O-05" })).await;
    let change = onefile.post(&format!("/User/{}", rows[1]["ID"]), json!({ "MISID": "O-06" })).await;
    assert_eq!(change.status, 204);
    onefile.made("/User", shared).await;
    let elsewhere =
        with(onefile.learner().await, json!({ "DefaultAssessorID": onefile.assessor("O-01").await }));
    onefile.made("/User", elsewhere).await;
}

#[tokio::test]
async fn a_duplicate_learner_is_made_like_any_other() {
    let onefile = OneFile::start().await;
    let (first, second) = (onefile.enrolled().await, onefile.enrolled().await);
    assert_ne!(first, second);
    let named = with(onefile.learner().await, json!({ "Username": "amara" }));
    onefile.made("/User", named.clone()).await;
    onefile.refusal("/User", named).await;
}

#[tokio::test]
async fn an_update_changes_only_what_it_carries() {
    let onefile = OneFile::start().await;
    let id = onefile.enrolled().await;
    let path = format!("/User/{id}");
    let before = onefile.record(&path).await;
    let assessor = onefile.assessor("O-02").await;
    let answer = onefile.post(&path, json!({ "defaultAssessorID": assessor, "ULN": "" })).await;
    assert_eq!((answer.status, answer.body), (204, Value::Null));
    let after = onefile.record(&path).await;
    assert_eq!((&after["DefaultAssessorID"], &after["ULN"]), (&json!(assessor), &Value::Null));
    let expected = with(
        after,
        json!({ "DefaultAssessorID": before["DefaultAssessorID"], "ULN": before["ULN"],
        "LastModified": before["LastModified"] }),
    );
    assert_eq!(expected, before);
    for change in [
        json!({ "Email": "" }),
        json!({ "OrganisationID": onefile.north }),
        json!({ "Role": 5 }),
        json!({ "ClassroomID": 1 }),
        json!({ "Progress": 100 }),
        json!({ "ID": 1 }),
    ] {
        onefile.refusal(&path, change).await;
    }
    assert_eq!(onefile.post("/User/1", json!({ "ULN": "" })).await.status, 404);
}

#[tokio::test]
async fn a_user_goes_into_the_archive_and_out_of_it() {
    let onefile = OneFile::start().await;
    let id = onefile.enrolled().await;
    let body = json!({ "Role": 1, "OrganisationID": onefile.main });
    for (verb, archived) in [("Archive", true), ("Unarchive", false)] {
        let answer = onefile.post(&format!("/User/{id}/{verb}"), body.clone()).await;
        assert_eq!(answer.status, 204);
        assert_eq!(onefile.record(&format!("/User/{id}")).await["Archived"], archived);
    }
    onefile.refusal(&format!("/User/{id}/Archive"), json!({ "Role": 5 })).await;
    assert_eq!(onefile.post("/User/1/Archive", body).await.status, 404);
}

#[tokio::test]
async fn only_a_user_without_signed_assessments_is_deleted() {
    let onefile = OneFile::start().await;
    let delete = async |id: u64| {
        let path = format!("/User/{id}");
        let request = onefile.request(Method::DELETE, &path).json(&json!({ "OrganisationID": onefile.main }));
        onefile.send("DELETE", &path, request).await.status
    };
    let (learner, aim) = onefile.learning().await;
    onefile.control(&format!("/learners/{learner}:progress"), Value::Null).await;
    assert_eq!(delete(learner).await, 400);
    let (learner, other) = onefile.learning().await;
    assert_eq!(delete(learner).await, 204);
    assert_eq!(delete(learner).await, 404);
    assert_eq!(onefile.get(&format!("/LearningAim/{other}")).await.status, 404, "the aim goes as well");
    assert_eq!(onefile.get(&format!("/LearningAim/{aim}")).await.status, 200);
}
