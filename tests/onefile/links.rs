//! Links by hand: one PICSWeb record to one OneFile record.

use std::collections::BTreeSet;

use picsbridge::auth::scope::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::onefile::links::{LINKS, officer, request, told, with_mis};
use crate::support::onefile::{SETTINGS, all_calls, connected, entries, refresh, sandbox};
use crate::support::{faults, people};

#[tokio::test]
async fn a_link_is_made_read_listed_told_and_removed() {
    let app = connected().await;
    officer(&app, "O1", "x").await;
    let (remote, centre) = with_mis(&app, "O-08").await.remove(0);
    let link = app.post(LINKS, &request("officer", "O1", &remote)).await.expect(201);
    assert_eq!(
        (
            &link["kind"],
            &link["localId"],
            &link["remoteId"],
            &link["centreId"],
            &link["method"],
            &link["state"]
        ),
        (&json!("officer"), &json!("O1"), &json!(remote), &json!(centre), &json!("manual"), &json!("linked"))
    );
    assert!(link["remoteName"].as_str().is_some_and(|name| name.contains(' ')), "{link:#}");
    let path = format!("{LINKS}/{}", link["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.expect(200), link);
    assert_eq!(app.get(LINKS).await.expect(200), json!({"items": [link], "nextPageToken": null}));
    // A second identical call has the same result, also with a number and the centre.
    let again = json!({"kind": "officer", "localId": "O1", "centreId": centre, "remoteId": remote.parse::<u64>().unwrap()});
    assert_eq!(app.post(LINKS, &again).await.expect(200), link);
    app.delete(&path).await.expect(204);
    app.delete(&path).await.refused(404, "notFound");
    app.get(&path).await.refused(404, "notFound");
    let told = told(&app).await;
    let types: Vec<_> =
        told.iter().map(|item| (&item["type"], &item["subject"]["id"], &item["data"]["remoteId"])).collect();
    assert_eq!(
        types,
        [
            (&json!("link.created"), &json!("O1"), &json!(remote)),
            (&json!("link.removed"), &json!("O1"), &json!(remote))
        ]
    );
    assert_eq!(told[0]["data"]["upstream"], "onefile");
    // And it may be linked again.
    app.post(LINKS, &request("officer", "O1", &remote)).await.expect(201);
}

#[tokio::test]
async fn one_record_of_onefiles_is_linked_once_and_one_of_ours_has_one_in_each_centre() {
    let app = connected().await;
    officer(&app, "O1", "x").await;
    officer(&app, "O2", "y").await;
    let users = with_mis(&app, "O-01").await;
    let other = with_mis(&app, "O-08").await.remove(0);
    let [main, north] = users.as_slice() else { panic!("{users:?}") };
    let (main, north) = if main.1 == other.1 { (main, north) } else { (north, main) };
    app.post(LINKS, &request("officer", "O1", &main.0)).await.expect(201);
    let taken = app.post(LINKS, &request("officer", "O2", &main.0)).await.refused(409, "alreadyLinked");
    assert!(taken["detail"].as_str().unwrap().contains("is linked to officer O1:"), "{taken:#}");
    app.post(LINKS, &request("officer", "O1", &other.0)).await.refused(409, "alreadyLinked");
    // In another centre it has another partner.
    app.post(LINKS, &request("officer", "O1", &north.0)).await.expect(201);
    assert_eq!(app.get(LINKS).await.expect(200)["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_learner_has_one_user_in_all_centres() {
    let app = connected().await;
    app.put("/learners/L1", &people::learner(1)).await.good();
    let (first, _) = with_mis(&app, "OLD-001").await.remove(0);
    let (elsewhere, _) = with_mis(&app, "OLD-013").await.remove(0);
    app.post(LINKS, &request("learner", "L1", &first)).await.expect(201);
    app.post(LINKS, &request("learner", "L1", &elsewhere)).await.refused(409, "alreadyLinked");
}

#[tokio::test]
async fn two_who_reach_for_one_record_at_once_do_not_share_it() {
    let app = connected().await;
    let second = app.second().await;
    for (n, mis) in ["O-08", "O-10", "O-11", "O-13"].into_iter().enumerate() {
        let (remote, _) = with_mis(&app, mis).await.remove(0);
        let ids = [format!("A{n}"), format!("B{n}")];
        for id in &ids {
            officer(&app, id, "x").await;
        }
        let bodies = ids.map(|id| request("officer", &id, &remote));
        let (one, two) = tokio::join!(app.post(LINKS, &bodies[0]), second.post(LINKS, &bodies[1]));
        assert_eq!(BTreeSet::from([one.status, two.status]), BTreeSet::from([201, 409]));
        // Two identical concurrent calls create one link.
        let bodies = [&bodies[usize::from(one.status != 201)]; 2];
        let link = app.post(LINKS, bodies[0]).await.expect(200);
        app.delete(&format!("{LINKS}/{}", link["id"].as_str().unwrap())).await.expect(204);
        let (one, two) = tokio::join!(app.post(LINKS, bodies[0]), second.post(LINKS, bodies[1]));
        assert_eq!(BTreeSet::from([one.status, two.status]), BTreeSet::from([200, 201]));
    }
}

#[tokio::test]
async fn nothing_is_linked_that_is_not_there_on_either_side() {
    let app = connected().await;
    officer(&app, "O1", "x").await;
    let (remote, _) = with_mis(&app, "O-08").await.remove(0);
    let before = all_calls(&app).await;
    app.post(LINKS, &request("officer", "nobody", &remote)).await.refused(404, "notFound");
    app.post(LINKS, &request("learner", "O1", &remote)).await.refused(404, "notFound");
    assert_eq!(all_calls(&app).await, before, "nothing was asked upstream");
    app.post(LINKS, &request("officer", "O1", "99999999")).await.refused(404, "upstreamMissing");
    let (learner, _) = with_mis(&app, "OLD-001").await.remove(0);
    let problem = app.post(LINKS, &request("officer", "O1", &learner)).await.refused(422, "invalidRequest");
    assert_eq!(faults(&problem), BTreeSet::from([("/remoteId".to_owned(), "otherRole".to_owned())]));
    assert!(app.get(LINKS).await.expect(200)["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn the_centre_is_onefiles_and_another_one_is_a_fault() {
    let app = connected().await;
    officer(&app, "O1", "x").await;
    let (remote, centre) = with_mis(&app, "O-08").await.remove(0);
    let centres = entries(&app, "/onefile/centres").await;
    let other = centres.keys().find(|id| **id != centre).unwrap();
    let mut body = request("officer", "O1", &remote);
    body["centreId"] = json!(other);
    let problem = app.post(LINKS, &body).await.refused(422, "invalidRequest");
    assert_eq!(faults(&problem), BTreeSet::from([("/centreId".to_owned(), "otherCentre".to_owned())]));
    body["centreId"] = json!(centre);
    app.post(LINKS, &body).await.expect(201);
}

#[tokio::test]
async fn all_faults_of_a_link_are_told_at_once() {
    let app = connected().await;
    let body = json!({"kind": "assessor", "localId": 7, "centreId": true, "remoteId": {}, "remote": 1});
    let problem = app.post(LINKS, &body).await.refused(422, "invalidRequest");
    let places: BTreeSet<String> = faults(&problem).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["/kind", "/localId", "/centreId", "/remoteId", "/remote"].map(str::to_owned).into());
    let body = json!({"kind": "officer", "localId": "a b", "centreId": "", "remoteId": "a/b"});
    let problem = app.post(LINKS, &body).await.refused(422, "invalidRequest");
    let places: BTreeSet<String> = faults(&problem).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["/localId", "/centreId", "/remoteId"].map(str::to_owned).into());
    for wrong in ["kind=user", "state=lost", "state=", "pageToken=eA", "q=1"] {
        app.get(&format!("{LINKS}?{wrong}")).await.refused(400, "invalidParameter");
    }
}

#[tokio::test]
async fn a_link_says_when_its_remote_was_archived_or_deleted() {
    let app = connected().await;
    let mut linked = Vec::new();
    for (id, mis) in [("O1", "O-08"), ("O2", "O-10"), ("O3", "O-11")] {
        officer(&app, id, mis).await;
        let (remote, _) = with_mis(&app, mis).await.remove(0);
        app.post(LINKS, &request("officer", id, &remote)).await.expect(201);
        linked.push(remote);
    }
    let archive = |archived: bool| json!({ "archived": archived });
    app.sandbox_call(Method::POST, &format!("/users/{}:archive", linked[0]), Some(archive(true))).await;
    app.sandbox_call(Method::POST, &format!("/users/{}:remove", linked[1]), None).await;
    refresh(&app, "assessors").await;
    let states = |page: Value| -> Vec<(String, String)> {
        let items = page["items"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        items.iter().map(|item| (text(&item["localId"]), text(&item["state"]))).collect()
    };
    let pair = |id: &str, state: &str| (id.to_owned(), state.to_owned());
    assert_eq!(
        states(app.get(LINKS).await.expect(200)),
        [pair("O1", "archived"), pair("O2", "gone"), pair("O3", "linked")]
    );
    assert_eq!(states(app.get(&format!("{LINKS}?state=gone")).await.expect(200)), [pair("O2", "gone")]);
    assert_eq!(
        states(app.get(&format!("{LINKS}?state=archived,gone&kind=officer")).await.expect(200)).len(),
        2
    );
    assert!(states(app.get(&format!("{LINKS}?kind=learner")).await.expect(200)).is_empty());
    // After it is restored, the state is as before.
    app.sandbox_call(Method::POST, &format!("/users/{}:archive", linked[0]), Some(archive(false))).await;
    refresh(&app, "assessors").await;
    assert_eq!(states(app.get(&format!("{LINKS}?state=linked")).await.expect(200)).len(), 2);
    // An archived record can be linked, and the link says so.
    let archived = entries(&app, "/onefile/assessors?archived=true").await;
    officer(&app, "O4", "x").await;
    let link = app.post(LINKS, &request("officer", "O4", archived.keys().next().unwrap())).await.expect(201);
    assert_eq!(link["state"], "archived");
}

#[tokio::test]
async fn pages_of_links_follow_each_other() {
    let app = connected().await;
    for (n, mis) in ["O-08", "O-10", "O-11"].into_iter().enumerate() {
        officer(&app, &format!("O{n}"), "x").await;
        let (remote, _) = with_mis(&app, mis).await.remove(0);
        app.post(LINKS, &request("officer", &format!("O{n}"), &remote)).await.expect(201);
    }
    let first = app.get(&format!("{LINKS}?pageSize=2")).await.expect(200);
    let token = first["nextPageToken"].as_str().unwrap();
    let second = app.get(&format!("{LINKS}?pageSize=2&pageToken={token}")).await.expect(200);
    assert_eq!((first["items"].as_array().unwrap().len(), second["items"].as_array().unwrap().len()), (2, 1));
    assert_eq!(second["nextPageToken"], Value::Null);
}

#[tokio::test]
async fn what_is_erased_or_deleted_takes_its_link_along() {
    let app = connected().await;
    app.put("/learners/L1", &people::learner(1)).await.good();
    officer(&app, "O1", "x").await;
    let (user, _) = with_mis(&app, "OLD-001").await.remove(0);
    let (assessor, _) = with_mis(&app, "O-08").await.remove(0);
    app.post(LINKS, &request("learner", "L1", &user)).await.expect(201);
    app.post(LINKS, &request("officer", "O1", &assessor)).await.expect(201);
    app.delete("/learners/L1").await.expect(204);
    app.delete("/officers/O1").await.expect(204);
    assert!(app.get(LINKS).await.expect(200)["items"].as_array().unwrap().is_empty());
    let left: Vec<_> = told(&app).await.iter().map(|item| item["subject"]["id"].clone()).collect();
    assert_eq!(left, ["O1", "O1"], "of the learner nothing is told any more");
    // The OneFile records are free.
    app.put("/learners/L2", &people::learner(2)).await.good();
    app.post(LINKS, &request("learner", "L2", &user)).await.expect(201);
}

#[tokio::test]
async fn another_provider_sees_nothing_of_them_and_scopes_are_asked_for() {
    let app = connected().await;
    officer(&app, "O1", "x").await;
    let (remote, _) = with_mis(&app, "O-08").await.remove(0);
    let link = app.post(LINKS, &request("officer", "O1", &remote)).await.expect(201);
    let path = format!("{LINKS}/{}", link["id"].as_str().unwrap());
    let other = app.second_provider().await.api;
    other.put(SETTINGS, &sandbox("sandbox")).await.expect(200);
    assert!(other.get(LINKS).await.expect(200)["items"].as_array().unwrap().is_empty());
    other.get(&path).await.refused(404, "notFound");
    other.delete(&path).await.refused(404, "notFound");
    other.post(LINKS, &request("officer", "O1", &remote)).await.refused(404, "notFound");
    let none = other.get("/onefile/links:candidates").await.expect(200);
    assert!(none["items"].as_array().unwrap().is_empty());
    let none = other.post("/onefile/links:suggest", &json!({"kind": "officer"})).await.expect(200);
    assert_eq!(none["suggestions"], json!([]));
    // Another provider's data does not conflict either.
    officer(&other, "O9", "x").await;
    other.post(LINKS, &request("officer", "O9", &remote)).await.expect(201);
    let reader = app.with_scopes(&[Scope::OnefileRead]).await;
    reader.get(&path).await.expect(200);
    reader.post(LINKS, &request("officer", "O1", &remote)).await.refused(403, "scopeMissing");
    reader.delete(&path).await.refused(403, "scopeMissing");
    reader.post("/onefile/links:import", &json!({"items": []})).await.refused(403, "scopeMissing");
}

#[tokio::test]
async fn links_belong_to_their_environment_and_need_a_token_only_to_ask_onefile() {
    let app = connected().await;
    officer(&app, "O1", "x").await;
    let (remote, _) = with_mis(&app, "O-08").await.remove(0);
    app.post(LINKS, &request("officer", "O1", &remote)).await.expect(201);
    let fresh = app.second_provider().await.api;
    officer(&fresh, "O1", "x").await;
    fresh.post(LINKS, &request("officer", "O1", &remote)).await.refused(409, "integrationNotConfigured");
    app.put(SETTINGS, &json!({"enabled": false, "environment": "live", "customerToken": "other"}))
        .await
        .expect(200);
    assert!(app.get(LINKS).await.expect(200)["items"].as_array().unwrap().is_empty());
    app.put(SETTINGS, &sandbox("sandbox")).await.expect(200);
    assert_eq!(app.get(LINKS).await.expect(200)["items"].as_array().unwrap().len(), 1);
}
