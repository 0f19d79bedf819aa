//! Many links at once: each gets its outcome, and none is created twice.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::onefile::links::{LINKS, officer, request, told, with_mis};
use crate::support::onefile::{all_calls, calls, connected, refresh};
use crate::support::{Api, faults, people};

const IMPORT: &str = "/onefile/links:import";

fn outcomes(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().map(|item| item["outcome"].as_str().unwrap()).collect()
}

async fn links(api: &Api) -> usize {
    let (mut count, mut token) = (0, String::new());
    loop {
        let page = api.get(&format!("{LINKS}?pageSize=500{token}")).await.expect(200);
        count += page["items"].as_array().unwrap().len();
        match page["nextPageToken"].as_str() {
            Some(next) => token = format!("&pageToken={next}"),
            None => return count,
        }
    }
}

#[tokio::test]
async fn one_bad_line_stops_no_other_and_all_that_is_wrong_with_it_is_told() {
    let app = connected().await;
    for id in ["O1", "O2", "O3"] {
        officer(&app, id, "x").await;
    }
    app.put("/learners/L1", &people::learner(1)).await.good();
    let (first, _) = with_mis(&app, "O-08").await.remove(0);
    let (second, _) = with_mis(&app, "O-10").await.remove(0);
    let (user, _) = with_mis(&app, "OLD-001").await.remove(0);
    let mut elsewhere = request("officer", "O3", &second);
    elsewhere["centreId"] = json!("99");
    let items = json!([
        request("officer", "O1", &first),
        {"kind": 5, "localId": true, "remote": "x"},
        request("officer", "nobody", &second),
        request("officer", "O2", &first),
        request("officer", "O2", "99999999"),
        elsewhere,
        request("learner", "L1", &user),
        request("officer", "O2", &user),
        "text",
        request("officer", "O2", &second),
    ]);
    let answer = app.post(IMPORT, &json!({ "items": items })).await.expect(200);
    let wanted = [
        "succeeded",
        "failed",
        "failed",
        "failed",
        "failed",
        "failed",
        "succeeded",
        "failed",
        "failed",
        "succeeded",
    ];
    assert_eq!(outcomes(&answer), wanted, "{answer:#}");
    assert_eq!(
        (&answer["succeeded"], &answer["unchanged"], &answer["failed"]),
        (&json!(3), &json!(0), &json!(7))
    );
    let problem = |index: usize| &answer["items"][index]["problem"];
    let codes: Vec<_> = [1, 2, 3, 4, 5, 7, 8].map(|index| problem(index)["code"].as_str().unwrap()).into();
    assert_eq!(
        codes,
        [
            "invalidRequest",
            "notFound",
            "alreadyLinked",
            "upstreamMissing",
            "invalidRequest",
            "invalidRequest",
            "invalidRequest"
        ]
    );
    let places: BTreeSet<String> = faults(problem(1)).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["/kind", "/localId", "/remote", "/remoteId"].map(str::to_owned).into());
    assert_eq!(answer["items"][0]["link"]["method"], "imported");
    assert_eq!(answer["items"][3]["id"], "O2");
    assert_eq!(links(&app).await, 3);
    assert_eq!(told(&app).await.len(), 3);
    // A repeated call leaves existing links unchanged.
    let again = app.post(IMPORT, &json!({ "items": items })).await.expect(200);
    assert_eq!(
        (&again["succeeded"], &again["unchanged"], &again["failed"]),
        (&json!(0), &json!(3), &json!(7))
    );
    assert_eq!(again["items"][0]["link"]["id"], answer["items"][0]["link"]["id"]);
    assert_eq!(told(&app).await.len(), 3, "nothing is told twice");
}

#[tokio::test]
async fn validate_only_says_what_would_come_of_it_and_keeps_nothing() {
    let app = connected().await;
    officer(&app, "O1", "x").await;
    officer(&app, "O2", "x").await;
    let (remote, _) = with_mis(&app, "O-08").await.remove(0);
    let items = json!([
        request("officer", "O1", &remote),
        request("officer", "O1", &remote),
        request("officer", "O2", &remote)
    ]);
    let body = json!({"items": items, "validateOnly": true});
    let answer = app.post(IMPORT, &body).await.expect(200);
    assert_eq!(outcomes(&answer), ["succeeded", "unchanged", "failed"]);
    assert_eq!(answer["items"][0]["link"], Value::Null);
    assert_eq!((links(&app).await, told(&app).await.len()), (0, 0));
    let kept = app.post(IMPORT, &json!({ "items": items })).await.expect(200);
    assert_eq!(outcomes(&kept), outcomes(&answer));
    assert_eq!(links(&app).await, 1);
}

#[tokio::test]
async fn what_is_no_import_is_refused_whole() {
    let app = connected().await;
    for (body, place) in [
        (json!({}), "/items"),
        (json!({"items": {}}), "/items"),
        (json!({"items": [], "validateOnly": "yes"}), "/validateOnly"),
        (json!({"items": [], "links": []}), "/links"),
        (json!({"items": vec![Value::Null; 10_001]}), "/items"),
    ] {
        let problem = app.post(IMPORT, &body).await.refused(422, "invalidRequest");
        assert_eq!(problem["errors"][0]["pointer"], place);
    }
    let problem = app.post(IMPORT, &json!({"items": []})).await.refused(422, "invalidRequest");
    assert_eq!(problem["errors"][0]["code"], "emptyImport");
}

#[tokio::test]
async fn of_a_hostile_import_a_thousand_faults_are_listed_and_every_link_has_its_outcome() {
    let app = connected().await;
    let mut bad = json!({"localId": "O1"});
    for n in 0..12 {
        bad[format!("k{n}")] = json!(n);
    }
    let answer = app.post(IMPORT, &json!({"items": vec![bad; 200]})).await.expect(200);
    assert_eq!(outcomes(&answer), ["failed"; 200]);
    let items = answer["items"].as_array().unwrap();
    let errors = |item: &Value| item["problem"]["errors"].as_array().unwrap().clone();
    // Twelve unknown fields, and two that are missing.
    assert!(items.iter().all(|item| item["problem"]["message"] == "14 faults: see errors"));
    let listed: usize = items.iter().map(|item| errors(item).len() - 1).sum();
    assert_eq!((listed, errors(&items[0]).len(), errors(&items[199]).len()), (1000, 11, 1));
    assert_eq!(errors(&items[199])[0]["code"], "tooManyFaults");
}

#[tokio::test]
async fn a_thousand_assessors_and_placements_that_are_there_are_linked_without_a_duplicate() {
    const MANY: usize = 500;
    let app = connected().await;
    let more = json!({"assessors": MANY, "placements": MANY});
    let made = app.sandbox_call(Method::POST, "/onefile/records:more", Some(more)).await;
    let remotes = |kind: &str| -> Vec<String> {
        made[kind].as_array().unwrap().iter().map(ToString::to_string).collect()
    };
    let (assessors, placements) = (remotes("assessors"), remotes("placements"));
    let officers: Vec<Value> =
        (0..MANY).map(|n| json!({"officerId": format!("O{n}"), "lastName": "Sample"})).collect();
    let organisations: Vec<Value> =
        (0..MANY).map(|n| json!({"organisationId": format!("E{n}"), "name": "Sample"})).collect();
    app.post("/officers:import", &json!(officers)).await.expect(200);
    app.post("/organisations:import", &json!(organisations)).await.expect(200);
    refresh(&app, "assessors").await;
    refresh(&app, "placements").await;
    let before = all_calls(&app).await;
    let of_officers = assessors.iter().enumerate().map(|(n, id)| request("officer", &format!("O{n}"), id));
    let of_organisations =
        placements.iter().enumerate().map(|(n, id)| request("organisation", &format!("E{n}"), id));
    let items: Vec<Value> = of_officers.chain(of_organisations).collect();
    let body = json!({ "items": items });
    // Two identical concurrent calls: each link is created by one of them.
    let second = app.second().await;
    let (one, two) = tokio::join!(app.post(IMPORT, &body), second.post(IMPORT, &body));
    let (one, two) = (one.expect(200), two.expect(200));
    let sum = |field: &str| one[field].as_u64().unwrap() + two[field].as_u64().unwrap();
    assert_eq!((sum("succeeded"), sum("unchanged"), sum("failed")), (1000, 1000, 0));
    assert_eq!(links(&app).await, 1000);
    assert_eq!(all_calls(&app).await, before, "the directory knows them");
    let third = app.post(IMPORT, &body).await.expect(200);
    assert_eq!(third["unchanged"], 1000);
    assert_eq!((calls(&app, "createUser").await, calls(&app, "createPlacement").await), (0, 0));
}

#[tokio::test]
async fn many_learners_are_looked_for_in_lists_and_not_one_by_one() {
    let app = connected().await;
    let made = app.sandbox_call(Method::POST, "/onefile/records:more", Some(json!({"learners": 60}))).await;
    let users: Vec<String> = made["learners"].as_array().unwrap().iter().map(ToString::to_string).collect();
    let learners: Vec<Value> =
        (0..61).map(|n| people::with_id("learnerId", &format!("L{n}"), &people::learner(n))).collect();
    app.post("/learners:import", &json!(learners)).await.expect(200);
    let mut items: Vec<Value> =
        users.iter().enumerate().map(|(n, id)| request("learner", &format!("L{n}"), id)).collect();
    items.push(request("learner", "L60", "99999999"));
    let answer = app.post(IMPORT, &json!({ "items": items })).await.expect(200);
    assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(60), &json!(1)), "{answer:#}");
    assert_eq!(answer["items"][60]["problem"]["code"], "upstreamMissing");
    assert_eq!(calls(&app, "getUser").await, 0);
}
