//! Proposals and candidates: who is who, with the reason; what cannot be distinguished is never proposed, and nothing is linked.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::onefile::links::{LINKS, officer, request, with_mis};
use crate::support::onefile::{SETTINGS, behave, connected, entries, records, refresh};
use crate::support::{Api, TestApp, faults, people};

const SUGGEST: &str = "/onefile/links:suggest";
const CANDIDATES: &str = "/onefile/links:candidates";

/// Only one centre, because with several a similar name proposes nothing.
async fn one_centre(app: &TestApp) -> String {
    behave(app, json!({"detailedPages": true})).await;
    let centre = entries(app, "/onefile/centres").await.into_keys().next().unwrap();
    let row = json!([{"ID": centre.parse::<u64>().unwrap(), "Name": "Copperfold (sample)"}]);
    app.fault(json!({"operation": "searchOrganisations", "kind": {"replaceBody": {"body": row}}})).await;
    refresh(app, "centres").await;
    app.no_faults().await;
    assert_eq!(entries(app, "/onefile/centres").await.len(), 1);
    centre
}

/// A OneFile user by its MIS value: id and fields.
async fn user(app: &TestApp, mis: &str) -> (String, Value) {
    let users = records(app, "user").await;
    let found = users.iter().find(|user| user["fields"]["MISID"] == mis).unwrap();
    (found["id"].to_string(), found["fields"].clone())
}

fn of<'a>(answer: &'a Value, list: &str, local: &str) -> &'a Value {
    let items = answer[list].as_array().unwrap();
    items
        .iter()
        .find(|item| item["localId"] == local)
        .unwrap_or_else(|| panic!("{local} in {list}: {answer:#}"))
}

fn codes(proposal: &Value) -> Vec<&str> {
    proposal["reasons"].as_array().unwrap().iter().map(|own| own["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_reason_proposes_and_says_so_and_nothing_is_linked() {
    let app = connected().await;
    one_centre(&app).await;
    let but = |changes: Value| people::but(people::officer(), changes);
    officer(&app, "O1", " o-08 ").await;
    officer(&app, "O-10", "none").await;
    let (by_mail, mail) = user(&app, "O-11").await;
    let (by_name, name) = user(&app, "O-13").await;
    let (by_near, near) = user(&app, "O-15").await;
    app.put(
        "/officers/M",
        &but(json!({"firstName": null, "lastName": "Zzz", "ident": null, "email": mail["Email"]})),
    )
    .await
    .good();
    app.put("/officers/N", &but(json!({"firstName": name["FirstName"], "lastName": name["LastName"], "ident": null, "email": null})))
        .await
        .good();
    let nearly = format!("{}e", near["LastName"].as_str().unwrap());
    app.put(
        "/officers/R",
        &but(json!({"firstName": near["FirstName"], "lastName": nearly, "ident": null, "email": null})),
    )
    .await
    .good();
    officer(&app, "X", "nothing-fits").await;
    let answer = app.post(SUGGEST, &json!({"kind": "officer"})).await.expect(200);
    for (local, reason, certain, remote) in [
        ("O1", "misValueIsIdent", true, user(&app, "O-08").await.0),
        // PICSWeb's own id is no Ident, so with another name it may be a coincidence.
        ("O-10", "misValueIsId", false, user(&app, "O-10").await.0),
        ("M", "email", false, by_mail),
        ("N", "name", false, by_name),
        ("R", "nearName", false, by_near),
    ] {
        let found = of(&answer, "suggestions", local);
        assert_eq!((&found["remoteId"], &found["certain"]), (&json!(remote), &json!(certain)), "{found:#}");
        assert!(codes(found).contains(&reason), "{found:#}");
        assert_eq!(found["score"].as_u64().unwrap() >= 98, certain);
    }
    of(&answer, "unmatched", "X");
    assert_eq!((&answer["counts"]["certain"], &answer["counts"]["toConfirm"]), (&json!(1), &json!(4)));
    assert!(app.get(LINKS).await.expect(200)["items"].as_array().unwrap().is_empty());
    // A linked record and its partner are not proposed again.
    app.post(LINKS, &request("officer", "X", &user(&app, "O-08").await.0)).await.expect(201);
    let answer = app.post(SUGGEST, &json!({"kind": "officer"})).await.expect(200);
    of(&answer, "unmatched", "O1");
}

#[tokio::test]
async fn what_fits_equally_well_is_listed_and_never_proposed() {
    let app = connected().await;
    one_centre(&app).await;
    app.put("/organisations/LARK", &json!({"name": "Larkrise Services"})).await.good();
    // Two PICSWeb records match one OneFile record.
    officer(&app, "A", "O-08").await;
    officer(&app, "B", "O-08").await;
    let answer = app.post(SUGGEST, &Value::Null).await.expect(200);
    assert_eq!(answer["suggestions"], json!([]), "{answer:#}");
    let lark = of(&answer, "ambiguous", "LARK");
    assert_eq!(lark["why"], "severalRemotes");
    assert!(lark["candidateCount"].as_u64().unwrap() > 1);
    assert_eq!(
        (&of(&answer, "ambiguous", "A")["why"], &of(&answer, "ambiguous", "B")["rivals"]),
        (&json!("severalLocals"), &json!(["A"]))
    );
}

#[tokio::test]
async fn with_several_centres_only_the_mis_value_proposes_in_each_of_them() {
    let app = connected().await;
    behave(&app, json!({"detailedPages": true})).await;
    officer(&app, "O1", "O-01").await;
    let (_, mail) = user(&app, "O-11").await;
    app.put("/officers/M", &json!({"lastName": "Zzz", "email": mail["Email"]})).await.good();
    let answer = app.post(SUGGEST, &json!({"kind": "officer"})).await.expect(200);
    let found: Vec<_> = answer["suggestions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["remoteId"].as_str().unwrap())
        .collect();
    let both = with_mis(&app, "O-01").await;
    assert_eq!((found.len(), both.len()), (2, 2), "{answer:#}");
    assert!(both.iter().all(|(id, _)| found.contains(&id.as_str())));
    assert_eq!(of(&answer, "ambiguous", "M")["why"], "misValueNeeded");
    // A single centre has one of them.
    let asked = json!({"kind": "officer", "centreId": both[0].1});
    let answer = app.post(SUGGEST, &asked).await.expect(200);
    assert_eq!(answer["suggestions"].as_array().unwrap().len(), 1);
    for wrong in [json!("999999"), json!("a/b")] {
        let problem = app.post(SUGGEST, &json!({"centreId": wrong})).await.refused(422, "invalidRequest");
        assert_eq!(faults(&problem).first().unwrap().0, "/centreId");
    }
    app.post(SUGGEST, &json!({"kind": "user"})).await.refused(422, "invalidRequest");
}

#[tokio::test]
async fn learners_are_proposed_by_uln_and_mis_value_and_their_links_say_who_is_gone() {
    let app = connected().await;
    one_centre(&app).await;
    let (by_uln, fields) = user(&app, "OLD-002").await;
    let plain = |changes: Value| people::but(people::learner(1), changes);
    let born = &fields["DOB"].as_str().unwrap()[..10];
    app.put("/learners/L1", &plain(json!({"uln": fields["ULN"], "dateOfBirth": born, "email": null})))
        .await
        .good();
    app.put("/learners/OLD-003", &plain(json!({"uln": null, "dateOfBirth": null, "email": null})))
        .await
        .good();
    let answer = app.post(SUGGEST, &json!({"kind": "learner"})).await.expect(200);
    let found = of(&answer, "suggestions", "L1");
    assert_eq!((&found["remoteId"], &found["certain"]), (&json!(by_uln), &json!(false)));
    assert!(codes(found).contains(&"uln") && codes(found).contains(&"birthDate"), "{found:#}");
    assert_eq!(codes(of(&answer, "suggestions", "OLD-003"))[0], "misValueIsId");
    app.post(LINKS, &request("learner", "L1", &by_uln)).await.expect(201);
    app.sandbox_call(Method::POST, &format!("/users/{by_uln}:remove"), None).await;
    app.post(SUGGEST, &json!({"kind": "learner"})).await.expect(200);
    assert_eq!(app.get(LINKS).await.expect(200)["items"][0]["state"], "gone");
}

async fn candidates(api: &Api, query: &str) -> Vec<(String, String, bool)> {
    let page = api.get(&format!("{CANDIDATES}{query}")).await.expect(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|own| (text(&own["localId"]), text(&own["state"]), own["proposal"].is_object()))
        .collect()
}

#[tokio::test]
async fn candidates_are_what_learners_name_and_nobody_linked() {
    let app = connected().await;
    one_centre(&app).await;
    let roles = json!({"enabled": false, "environment": "sandbox", "additionalAssessors": ["coach"]});
    app.put(SETTINGS, &roles).await.expect(200);
    for (id, ident) in [("MAIN", "O-08"), ("ROLE", "x"), ("QUAL", "O-10"), ("IDLE", "O-11")] {
        officer(&app, id, ident).await;
    }
    for (id, name) in [("ACME", "Larkrise Services"), ("SITE", "Nowhere (sample)"), ("IDLE", "Tideway Group")]
    {
        app.put(&format!("/organisations/{id}"), &json!({ "name": name })).await.good();
    }
    let learner = people::but(
        people::learner(1),
        json!({"mainOfficerId": "MAIN", "officers": [{"role": "Coach", "officerId": "ROLE"}, {"role": "IV", "officerId": "IDLE"}], "reviews": null, "employerId": "ACME",
               "placements": [{"organisationId": "SITE", "type": "P"}, {"organisationId": "UNSENT", "type": "P"}],
               "qualifications": [{"qualificationId": "Q1", "assessorId": "QUAL"}]}),
    );
    app.put("/learners/L1", &learner).await.good();
    // A learner who is not live is not enrolled.
    let left = people::but(
        people::learner(2),
        json!({"status": "dormant", "mainOfficerId": "IDLE", "employerId": "IDLE"}),
    );
    app.put("/learners/L2", &left).await.good();
    let line = |id: &str, state: &str, proposed: bool| (id.to_owned(), state.to_owned(), proposed);
    let all = [
        line("MAIN", "unlinked", true),
        line("QUAL", "unlinked", true),
        line("ROLE", "unlinked", false),
        line("ACME", "ambiguous", false),
        line("SITE", "unlinked", false),
    ];
    assert_eq!(candidates(&app, "").await, all);
    assert_eq!(candidates(&app, "?state=unlinked,ambiguous").await, all);
    assert_eq!(candidates(&app, "?kind=officer").await, all[..3]);
    assert_eq!(candidates(&app, "?state=ambiguous").await, all[3..4]);
    // Pages follow each other.
    let first = app.get(&format!("{CANDIDATES}?pageSize=4")).await.expect(200);
    let token = first["nextPageToken"].as_str().unwrap();
    assert_eq!(candidates(&app, &format!("?pageSize=4&pageToken={token}")).await, all[4..]);
    for wrong in ["kind=learner", "state=linked", "pageSize=0"] {
        app.get(&format!("{CANDIDATES}?{wrong}")).await.refused(400, "invalidParameter");
    }
    // After the proposed link it is no longer a candidate.
    let proposal = &first["items"][0]["proposal"];
    let body = request("officer", "MAIN", proposal["remoteId"].as_str().unwrap());
    app.post(LINKS, &body).await.expect(201);
    assert_eq!(candidates(&app, "?kind=officer").await, all[1..3]);
}
