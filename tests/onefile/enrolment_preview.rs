//! The preview of an enrolment shows every field with its place in PICSWeb, everything that is
//! missing, and existing records. It creates nothing.

use picsbridge::auth::scope::Scope;
use serde_json::{Value, json};

use crate::support::onefile::enrolment::{CENTRE, enrolling, enrolling_with, learner, made, tab};
use crate::support::onefile::{SETTINGS, connected_with, entries, records, refresh, state, working};
use crate::support::{TestApp, faults, people};

async fn preview(app: &TestApp, n: u64) -> Value {
    app.get(&format!("{}/preview?centreId={CENTRE}", tab(n))).await.expect(200)
}

fn missing(preview: &Value) -> Vec<(&str, &str)> {
    let all = preview["missing"].as_array().unwrap().iter();
    all.map(|own| (own["field"].as_str().unwrap(), own["pointer"].as_str().unwrap())).collect()
}

/// An assessor of the centre with this MIS value, in use.
async fn assessor(app: &TestApp, mis: &str, archived: bool) -> Value {
    let users = records(app, "user").await;
    let fits = |user: &&Value| {
        user["fields"]["MISID"] == mis && user["centreId"] == 1001 && user["archived"] == archived
    };
    users.iter().find(fits).unwrap_or_else(|| panic!("no assessor {mis}")).clone()
}

#[tokio::test]
async fn each_field_is_told_with_its_place_in_picsweb_and_nothing_is_made() {
    let app = enrolling().await;
    learner(&app, 1, json!({})).await;
    let before = state(&app).await["calls"].clone();
    let shown = preview(&app, 1).await;
    assert_eq!(shown["ready"], true, "{shown:#}");
    let field = |name: &str| {
        let all = shown["fields"].as_array().unwrap().iter();
        all.clone().find(|own| own["name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    assert_eq!(field("FirstName")["source"], "Learner > First Name");
    assert_eq!(field("DOB")["value"], "2004-02-02T00:00:00.000Z");
    assert_eq!(field("PlannedEndDate")["source"], "Programme > Planned End Date");
    assert_eq!(
        (&shown["officers"][0]["state"], &shown["organisation"]["state"]),
        (&json!("create"), &json!("create"))
    );
    assert_eq!(shown["qualifications"][0]["state"], "there");
    assert_eq!(shown["reviews"][0]["from"], "2026-08-01T08:30:00.000Z", "half past nine in London's summer");
    let after = state(&app).await["calls"].clone();
    for operation in ["createUser", "createPlacement", "createClassroom", "assignStandard"] {
        assert_eq!(before[operation], after[operation], "{operation}");
    }
    assert_eq!(app.get(&tab(1)).await.expect(200)["state"], "notEnrolled");
}

#[tokio::test]
async fn all_that_is_missing_is_told_at_once_by_preview_and_enrolment_alike() {
    let app = enrolling_with(json!({"defaultClassrooms": {}})).await;
    let bare = json!({"email": null, "mainOfficerId": null, "placements": null, "employerId": null, "status": "dormant",
        "officers": null, "qualifications": null, "reviews": null});
    learner(&app, 1, bare).await;
    let shown = preview(&app, 1).await;
    let expected = [
        ("Status", "/status"),
        ("Email", "/email"),
        ("DefaultAssessorID", "/mainOfficerId"),
        ("PlacementID", "/placements"),
        ("ClassroomID", "/mainTag"),
    ];
    assert_eq!(missing(&shown), expected, "{shown:#}");
    assert_eq!((&shown["ready"], &shown["notReady"][0]["code"]), (&json!(false), &json!("fieldsMissing")));
    let problem = app.post(&tab(1), &json!({"centreId": CENTRE})).await.refused(422, "fieldsMissing");
    let pointers: Vec<_> = faults(&problem).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["/email", "/mainOfficerId", "/mainTag", "/placements", "/status"]);
    for error in problem["errors"].as_array().unwrap() {
        assert_eq!(
            error["record"]["kind"], "learner",
            "it is fixed in the record, and not in the request: {error}"
        );
    }
    assert!(made(&app, "user").await.is_empty());
}

#[tokio::test]
async fn with_several_centres_one_is_chosen_and_one_that_is_not_there_is_a_fault() {
    let app = enrolling().await;
    learner(&app, 1, json!({})).await;
    for (query, body) in [("", json!({})), ("?centreId=99", json!({"centreId": 99}))] {
        let shown = app.get(&format!("{}/preview{query}", tab(1))).await.expect(200);
        assert_eq!(missing(&shown), [("OrganisationID", "/centreId")], "{shown:#}");
        assert_eq!(shown["centres"].as_array().unwrap().len(), 3);
        let problem = app.post(&tab(1), &body).await.refused(422, "fieldsMissing");
        assert_eq!(problem["errors"][0].get("record"), None, "it is fixed in the request: {problem:#}");
    }
}

#[tokio::test]
async fn each_qualification_says_whether_onefile_has_it_and_pathways_are_chosen() {
    let app = enrolling().await;
    let plan =
        |reference: &str| json!({"qualificationId": reference.replace('/', "-"), "vqReference": reference});
    let plans = [plan("105AS"), plan("2AS"), plan("nowhere"), plan("196AS"), json!({"title": "Without"})];
    learner(&app, 1, json!({"qualifications": plans})).await;
    let shown = preview(&app, 1).await;
    let states: Vec<_> =
        shown["qualifications"].as_array().unwrap().iter().map(|own| own["state"].clone()).collect();
    assert_eq!(states, ["there", "otherCentre", "missing", "choosePathway", "missing"], "{shown:#}");
    assert_eq!(missing(&shown), [("pathways", "/pathways/196AS")]);
    let here = shown["qualifications"][3]["matches"].as_array().unwrap();
    let chosen = here.iter().find(|own| own["centreId"] == CENTRE).unwrap()["standardId"].clone();
    let number: u64 = chosen.as_str().unwrap().parse().unwrap();
    for (reference, standard) in [("196AS", json!(1)), ("nobody", chosen.clone())] {
        let body = json!({"centreId": CENTRE, "pathways": {"196AS": chosen, reference: standard}});
        app.post(&tab(1), &body).await.refused(422, "fieldsMissing");
    }
    let told =
        app.post(&tab(1), &json!({"centreId": CENTRE, "pathways": {"196as": number}})).await.expect(201);
    assert_eq!(told["qualifications"][3]["standardId"], chosen, "{told:#}");
    let aims = made(&app, "learningAim").await;
    assert_eq!(aims.len(), 2, "those that OneFile does not have are left out");
}

#[tokio::test]
async fn an_officer_is_linked_by_the_mis_value_and_never_by_a_likeness() {
    let app = enrolling().await;
    let there = assessor(&app, "O-08", false).await;
    app.put(
        &format!("/officers/{}", people::OFFICER),
        &people::but(people::officer(), json!({"ident": "O-08"})),
    )
    .await
    .good();
    learner(&app, 1, json!({})).await;
    let shown = preview(&app, 1).await;
    assert_eq!(
        (&shown["officers"][0]["state"], &shown["officers"][0]["remoteId"]),
        (&json!("matched"), &json!(there["id"].to_string()))
    );
    app.post(&tab(1), &json!({"centreId": CENTRE})).await.expect(201);
    let users = made(&app, "user").await;
    assert_eq!((users.len(), &users[0]["fields"]["DefaultAssessorID"]), (1, &there["id"]));
    let links = app.get("/onefile/links?kind=officer").await.expect(200);
    assert_eq!(links["items"][0]["method"], "matched");
    // An archived assessor has the same MIS value. OneFile would refuse the enrolment, so nothing
    // is sent.
    let archived = entries(&app, "/onefile/assessors?archived=true&centreId=1001").await;
    let all = entries(&app, "/onefile/assessors?centreId=1001").await;
    let (id, entry) = archived
        .iter()
        .find(|(_, entry)| {
            entry["misId"].is_string()
                && all.values().filter(|other| other["misId"] == entry["misId"]).count() == 1
        })
        .unwrap();
    let other = people::but(people::officer(), json!({"ident": entry["misId"], "lastName": "Nobody Else"}));
    app.put("/officers/OLD", &other).await.good();
    learner(
        &app,
        2,
        json!({"mainOfficerId": "OLD", "officers": null, "qualifications": null, "reviews": null}),
    )
    .await;
    let shown = preview(&app, 2).await;
    assert_eq!(
        (&shown["officers"][0]["state"], &shown["officers"][0]["candidates"]),
        (&json!("blocked"), &json!([id])),
        "{shown:#}"
    );
    // OneFile accepts no person without an e-mail address.
    app.put("/officers/MUTE", &json!({"lastName": "Unheard Of Person"})).await.good();
    learner(
        &app,
        3,
        json!({"mainOfficerId": "MUTE", "officers": null, "qualifications": null, "reviews": null}),
    )
    .await;
    let shown = preview(&app, 3).await;
    assert_eq!(missing(&shown), [("assessor MUTE", "/mainOfficerId")], "{shown:#}");
}

#[tokio::test]
async fn what_looks_like_it_is_asked_about_and_made_only_when_a_person_says_so() {
    let app = enrolling().await;
    let name = entries(&app, "/onefile/placements?centreId=1001&archived=false").await;
    let (id, entry) =
        name.iter().find(|(_, entry)| entry["name"].is_string() && entry["misId"].is_null()).unwrap();
    let place = people::but(people::organisation(), json!({"name": entry["name"], "ident": "UNKNOWN"}));
    app.put(&format!("/organisations/{}", people::ORGANISATION), &place).await.good();
    learner(&app, 1, json!({})).await;
    let shown = preview(&app, 1).await;
    let organisation = &shown["organisation"];
    assert_eq!(organisation["state"], "ambiguous", "{organisation:#}");
    assert!(organisation["candidates"].as_array().unwrap().contains(&json!(id)));
    app.post(&tab(1), &json!({"centreId": CENTRE})).await.refused(422, "fieldsMissing");
    assert!(made(&app, "placement").await.is_empty());
    app.post(&tab(1), &json!({"centreId": CENTRE, "allowDuplicate": true})).await.expect(201);
    assert_eq!(made(&app, "placement").await.len(), 1);
}

#[tokio::test]
async fn the_placement_is_the_latest_of_type_p_else_the_latest_else_the_employer() {
    let app = enrolling().await;
    for id in ["OLD", "NEW", "OTHER", "BOSS"] {
        app.put(&format!("/organisations/{id}"), &json!({"name": format!("Quite Unheard Of {id} Works")}))
            .await
            .good();
    }
    let placed =
        |id: &str, kind: &str, from: &str| json!({"organisationId": id, "type": kind, "startDate": from});
    let p = [
        placed("OLD", "P", "2024-01-01"),
        placed("NEW", "p", "2025-01-01"),
        placed("OTHER", "W", "2026-01-01"),
    ];
    for (placements, expected) in [(json!(p), "NEW"), (json!([p[2]]), "OTHER"), (json!([]), "BOSS")] {
        learner(&app, 1, json!({"placements": placements, "employerId": "BOSS"})).await;
        let shown = preview(&app, 1).await;
        assert_eq!(shown["organisation"]["organisationId"], expected, "{shown:#}");
        assert_eq!(shown["warnings"].as_array().unwrap().len(), usize::from(expected == "BOSS"));
    }
}

#[tokio::test]
async fn the_classroom_is_the_main_tags_or_the_default_or_made_once() {
    let app = enrolling_with(json!({"classroomFromMainTag": true})).await;
    let rooms = entries(&app, "/onefile/classrooms?centreId=1001&archived=false").await;
    let (id, room) = rooms.iter().next_back().unwrap();
    learner(&app, 1, json!({"mainTag": room["name"].as_str().unwrap().to_uppercase()})).await;
    let shown = preview(&app, 1).await;
    assert_eq!(
        (&shown["classroom"]["remoteId"], &shown["classroom"]["source"]),
        (&json!(id), &json!("Learner > Main Tag"))
    );
    for tag in [json!("No Such Room"), Value::Null] {
        learner(&app, 1, json!({"mainTag": tag})).await;
        let shown = preview(&app, 1).await;
        assert_eq!(shown["classroom"]["source"], "Settings > default classroom", "{shown:#}");
        assert_eq!(shown["warnings"][0]["field"], "ClassroomID");
    }
    let mut settings = app.get(SETTINGS).await.expect(200);
    for read_only in
        ["connection", "version", "hasCustomerToken", "customerTokenSet", "tokenSet", "updatedAt"]
    {
        settings.as_object_mut().unwrap().remove(read_only);
    }
    let own = json!({"enabled": true, "environment": "sandbox", "classroomFromMainTag": true, "createMissingClassrooms": true});
    app.put(SETTINGS, &own).await.good();
    for n in 1..4 {
        learner(&app, n, json!({"mainTag": "No Such Room"})).await;
        app.post(&tab(n), &json!({"centreId": CENTRE})).await.expect(201);
    }
    assert_eq!(made(&app, "classroom").await.len(), 1);
}

#[tokio::test]
async fn a_learner_whom_onefile_has_is_linked_instead() {
    let app = enrolling().await;
    let users = records(&app, "user").await;
    let theirs = users
        .iter()
        .find(|user| {
            user["fields"]["Role"] == 1
                && user["fields"]["ULN"].is_string()
                && user["fields"]["Email"].is_string()
                && user["fields"]["DOB"].is_string()
        })
        .unwrap();
    let fields = &theirs["fields"];
    let born = fields["DOB"].as_str().unwrap();
    let born = if born.ends_with("T23:00:00.000Z") {
        let day: chrono::NaiveDate = born[..10].parse().unwrap();
        day.succ_opt().unwrap().to_string()
    } else {
        born[..10].to_owned()
    };
    let (first, last, id) = (&fields["FirstName"], &fields["LastName"], theirs["id"].to_string());
    for (change, likely, reason) in [
        (json!({"firstName": first, "lastName": last, "uln": fields["ULN"]}), true, "same ULN"),
        (json!({"email": fields["Email"], "uln": null, "dateOfBirth": null}), true, "same e-mail address"),
        (
            json!({"firstName": first, "lastName": last, "uln": null, "dateOfBirth": born}),
            true,
            "same name and birth date",
        ),
        (
            json!({"firstName": first, "lastName": last, "uln": null, "dateOfBirth": "2001-01-01"}),
            false,
            "same name",
        ),
        (json!({"email": fields["Email"]}), false, "same e-mail address"),
    ] {
        learner(&app, 1, change.clone()).await;
        let shown = preview(&app, 1).await;
        let found = shown["possibleDuplicates"].as_array().unwrap();
        let own = found
            .iter()
            .find(|own| own["userId"].as_str() == Some(id.as_str()))
            .unwrap_or_else(|| panic!("{change}: {shown:#}"));
        assert_eq!((&own["likely"], &own["reason"]), (&json!(likely), &json!(reason)), "{change}");
        assert_eq!(shown["ready"], !likely);
        if likely {
            let problem =
                app.post(&tab(1), &json!({"centreId": CENTRE})).await.refused(409, "likelyDuplicate");
            assert!(problem["recordIds"].as_array().unwrap().contains(&theirs["id"]), "{problem:#}");
            assert!(problem["detail"].as_str().unwrap().contains("/learners/L1/onefile/link"));
        }
    }
    assert!(made(&app, "user").await.is_empty());
}

#[tokio::test]
async fn it_needs_the_integration_switched_on_a_token_and_a_scope() {
    let app = connected_with(working()).await;
    for part in ["centres", "classrooms", "assessors", "placements"] {
        refresh(&app, part).await;
    }
    learner(&app, 1, json!({})).await;
    app.post(&tab(1), &json!({"centreId": CENTRE})).await.refused(409, "integrationDisabled");
    // The preview works before the integration is switched on.
    preview(&app, 1).await;
    let reader = app.with_scopes(&[Scope::OnefileRead]).await;
    reader.get(&tab(1)).await.expect(200);
    reader.post(&tab(1), &json!({"centreId": CENTRE})).await.refused(403, "scopeMissing");
    reader.put("/learners/L1/onefile/link", &json!({"userId": 1})).await.refused(403, "scopeMissing");
    let stranger = app.second_provider().await.api;
    for path in [tab(1), format!("{}/preview", tab(1))] {
        stranger.get(&path).await;
    }
    stranger.get(&tab(1)).await.refused(404, "notFound");
    stranger.delete("/learners/L1/onefile/link").await.refused(404, "notFound");
    for (body, pointer) in [
        (json!({"centre": 1}), "/centre"),
        (json!({"centreId": true}), "/centreId"),
        (json!({"pathways": []}), "/pathways"),
        (json!({"allowDuplicate": "yes"}), "/allowDuplicate"),
    ] {
        let problem = app.post(&tab(1), &body).await.refused(422, "invalidRequest");
        assert!(faults(&problem).iter().any(|(at, _)| at == pointer), "{problem:#}");
    }
    app.get(&format!("{}/preview?pathways=x", tab(1))).await.refused(400, "invalidParameter");
}

#[tokio::test]
async fn a_reference_that_stands_twice_in_the_plan_is_assigned_once() {
    let app = enrolling().await;
    let plan = json!([{"vqReference": "105 as"}, {"vqReference": "105OP"}, {"vqReference": "105AS"}]);
    learner(&app, 1, json!({ "qualifications": plan })).await;
    let shown = preview(&app, 1).await;
    assert_eq!(
        (&shown["qualifications"][2]["state"], &shown["warnings"][0]["field"]),
        (&json!("missing"), &json!("StandardID"))
    );
    app.post(&tab(1), &json!({"centreId": CENTRE})).await.expect(201);
    assert_eq!(made(&app, "learningAim").await.len(), 2);
}

#[tokio::test]
async fn an_assessor_who_has_the_officers_e_mail_address_is_asked_about() {
    let app = enrolling().await;
    let users = records(&app, "user").await;
    let theirs = users.iter().find(|user| {
        user["fields"]["Role"] == 5
            && user["centreId"] == 1001
            && user["fields"]["Email"].is_string()
            && user["archived"] == false
    });
    let theirs = theirs.unwrap();
    let officer = people::but(
        people::officer(),
        json!({"email": theirs["fields"]["Email"], "ident": "NEW", "lastName": "Quite Another"}),
    );
    app.put(&format!("/officers/{}", people::OFFICER), &officer).await.good();
    learner(&app, 1, json!({})).await;
    let problem = app.post(&tab(1), &json!({"centreId": CENTRE})).await.refused(409, "likelyDuplicate");
    assert!(problem["detail"].as_str().unwrap().contains(&theirs["id"].to_string()), "{problem:#}");
    assert!(made(&app, "user").await.is_empty());
    app.post(&tab(1), &json!({"centreId": CENTRE, "allowDuplicate": true})).await.expect(201);
}

#[tokio::test]
async fn whoever_has_another_surname_now_is_found_by_the_birth_date_or_the_uln() {
    let app = enrolling().await;
    let users = records(&app, "user").await;
    let theirs =
        users.iter().find(|user| user["fields"]["Role"] == 1 && user["fields"]["ULN"].is_string()).unwrap();
    learner(&app, 1, json!({"firstName": theirs["fields"]["FirstName"], "lastName": "Newlywed", "uln": theirs["fields"]["ULN"]})).await;
    let problem = app.post(&tab(1), &json!({"centreId": CENTRE})).await.refused(409, "likelyDuplicate");
    assert!(problem["recordIds"].as_array().unwrap().contains(&theirs["id"]), "{problem:#}");
}

#[tokio::test]
async fn a_user_with_the_learners_mis_value_is_linked_and_nobody_may_allow_another() {
    let app = enrolling().await;
    learner(&app, 1, json!({})).await;
    let user = app.post(&tab(1), &json!({"centreId": CENTRE})).await.expect(201)["userId"].clone();
    app.delete("/learners/L1").await.expect(204);
    learner(&app, 1, json!({})).await;
    let body = json!({"centreId": CENTRE, "allowDuplicate": true});
    let problem = app.post(&tab(1), &body).await.refused(409, "likelyDuplicate");
    assert_eq!(problem["recordIds"][0].to_string(), user.as_str().unwrap());
    assert!(!problem["detail"].as_str().unwrap().contains("allowDuplicate"), "{problem:#}");
    app.put("/learners/L1/onefile/link", &json!({ "userId": user })).await.expect(200);
}
