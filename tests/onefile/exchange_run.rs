//! The exchange of all as a run: few calls, every learner's outcome, and one that fails delays nobody.

use chrono::TimeDelta;
use picsbridge::auth::scope::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::onefile::exchange::{SYNC, counts, exchange, later, many, told};
use crate::support::onefile::exchange::{exchanging, exchanging_in, linked, moved, news, own, record, wrong};
use crate::support::onefile::links::{LINKS, request};
use crate::support::onefile::{all_calls, behave, calls, working};
use crate::support::people;

#[tokio::test]
async fn a_second_exchange_of_what_is_unchanged_writes_nothing_and_costs_few_calls() {
    let app = exchanging(json!({})).await;
    many(&app, 30, 2, 2).await;
    let run = exchange(&app, &Value::Null).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [30, 30, 0, 0, 0]), "{run:#}");
    assert_eq!(run["kind"], "onefile.exchange");
    assert_eq!(run["calls"]["used"], run["calls"]["planned"], "{run:#}");
    assert!(app.get("/onefile").await.expect(200)["lastSyncedAt"].is_string());
    app.tick().await;
    let (before, feed) = (record(&app, "M-003").await, news(&app).await.len());
    assert_eq!(feed, 30 * (4 + 2));
    later(&app, TimeDelta::days(1)).await;
    let made = all_calls(&app).await;
    let run = exchange(&app, &Value::Null).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [30, 0, 30, 0, 0]), "{run:#}");
    assert!(told(&app, &run).await.is_empty(), "the unchanged are only counted");
    let made = all_calls(&app).await - made;
    assert!(made <= 20, "{made} calls, for pages and a session");
    app.tick().await;
    assert_eq!((record(&app, "M-003").await, news(&app).await.len()), (before, feed));
}

#[tokio::test]
async fn only_what_changed_is_read() {
    let app = exchanging(json!({"downloadReviews": false})).await;
    let users = many(&app, 30, 2, 0).await;
    exchange(&app, &Value::Null).await;
    for (moves, paged) in [(true, false), (false, false), (true, true)] {
        behave(&app, json!({"lastModifiedMoves": moves, "detailedPages": paged})).await;
        later(&app, TimeDelta::days(1)).await;
        moved(&app, &users[7], json!({})).await;
        let (aims, lists) = (calls(&app, "getLearningAim").await, calls(&app, "searchLearningAims").await);
        let run = exchange(&app, &Value::Null).await;
        assert_eq!(counts(&run), [30, 1, 29, 0, 0], "{run:#}");
        assert_eq!(told(&app, &run).await["M-007"].0, "changed");
        assert_eq!(calls(&app, "getLearningAim").await - aims, 2, "its two learning aims");
        assert!(calls(&app, "searchLearningAims").await - lists <= 5, "no list of a learner's own");
    }
    // What PICSWeb sends again without a change is not read for that; what it changed is sent.
    app.put("/learners/M-003", &record(&app, "M-003").await.without_answers()).await.good();
    let mut mine = record(&app, "M-004").await.without_answers();
    mine["qualifications"][0]["registrationNumber"] = json!("R-4");
    app.put("/learners/M-004", &mine).await.good();
    let (gets, sets) = (calls(&app, "getLearningAim").await, calls(&app, "updateLearningAim").await);
    let run = exchange(&app, &Value::Null).await;
    assert_eq!(counts(&run)[1], 1, "{run:#}");
    assert_eq!(
        (calls(&app, "getLearningAim").await - gets, calls(&app, "updateLearningAim").await - sets),
        (3, 1),
        "the one that is written is read before; two were changed within the margin of the clocks"
    );
}

/// A record as it may be sent.
trait Sendable {
    fn without_answers(self) -> Value;
}

impl Sendable for Value {
    fn without_answers(mut self) -> Value {
        let fields = self.as_object_mut().unwrap();
        for name in ["learnerId", "createdAt", "updatedAt", "version"] {
            fields.shift_remove(name);
        }
        self
    }
}

#[tokio::test]
async fn a_sweep_finds_what_the_searches_had_missed_and_says_so() {
    let app = exchanging(json!({"downloadReviews": false})).await;
    let users = many(&app, 10, 2, 0).await;
    exchange(&app, &Value::Null).await;
    behave(&app, json!({"lastModifiedMoves": false})).await;
    moved(&app, &users[3], json!({})).await;
    later(&app, TimeDelta::days(1)).await;
    // OneFile does not look at the window: the search for learning aims is of no use.
    wrong(&app, json!([{"operation": "searchLearningAims", "times": 1, "kind": {"replaceBody": {"body": [{"ID": 1}]}}}])).await;
    let run = exchange(&app, &Value::Null).await;
    assert_eq!(counts(&run), [10, 0, 10, 0, 0], "{run:#}");
    later(&app, TimeDelta::days(6)).await;
    wrong(&app, json!([{"operation": "searchLearningAims", "times": 1, "kind": {"replaceBody": {"body": [{"ID": 1}]}}}])).await;
    let run = exchange(&app, &Value::Null).await;
    assert_eq!(counts(&run), [10, 1, 9, 0, 0], "{run:#}");
    let words = told(&app, &run).await;
    assert!(words["M-003"].1.contains("the sweep found it"), "{words:?}");
    app.tick().await;
    let page = app.get("/changes?pageSize=500").await.expect(200);
    let found = page["items"].as_array().unwrap().iter().filter(|item| item["data"]["foundBy"] == "sweep");
    assert_eq!(found.count(), 2, "of two learning aims the elements done");
    // Swept again by request, there is nothing.
    let run = exchange(&app, &json!({"full": true})).await;
    assert_eq!(counts(&run), [10, 0, 10, 0, 0], "{run:#}");
}

#[tokio::test]
async fn a_qualification_that_was_added_is_assigned_though_onefile_changed_the_learner_too() {
    let app = exchanging(json!({"downloadReviews": false})).await;
    let users = many(&app, 2, 2, 0).await;
    exchange(&app, &Value::Null).await;
    later(&app, TimeDelta::days(1)).await;
    moved(&app, &users[1], json!({})).await;
    let mut mine = record(&app, "M-001").await.without_answers();
    let added = json!({"vqReference": "105EP", "startDate": "2026-01-05"});
    mine["qualifications"].as_array_mut().unwrap().push(added);
    app.put("/learners/M-001", &mine).await.good();
    let run = exchange(&app, &Value::Null).await;
    assert_eq!(counts(&run), [2, 1, 1, 0, 0], "{run:#}");
    let made = crate::support::onefile::enrolment::made(&app, "learningAim").await;
    assert_eq!(made.len(), 1, "{made:#?}");
    assert_eq!(made[0]["fields"]["StartDate"], "2026-01-05T00:00:00.000Z");
    assert_eq!(record(&app, "M-001").await["qualifications"][0]["elementsDone"], 2);
}

#[tokio::test]
async fn who_is_archived_deleted_or_merged_is_said_and_not_asked_for_again() {
    let app = exchanging(json!({})).await;
    let users = many(&app, 6, 1, 1).await;
    exchange(&app, &Value::Null).await;
    later(&app, TimeDelta::days(1)).await;
    app.sandbox_call(Method::POST, &format!("/users/{}:archive", users[0]), None).await;
    app.sandbox_call(Method::POST, &format!("/users/{}:remove", users[1]), None).await;
    let into = json!({"into": users[3].parse::<u64>().unwrap()});
    app.sandbox_call(Method::POST, &format!("/users/{}:merge", users[2]), Some(into)).await;
    let run = exchange(&app, &Value::Null).await;
    let words = told(&app, &run).await;
    assert_eq!(words["M-000"].0, "upstreamArchived", "{words:?}");
    assert_eq!((&*words["M-001"].0, &*words["M-002"].0), ("upstreamMissing", "upstreamMissing"));
    assert_eq!(counts(&run), [6, 1, 2, 2, 1], "the one it was merged into has more now: {run:#}");
    let links = app.get("/onefile/links?kind=learner&state=gone").await.expect(200);
    assert_eq!(links["items"].as_array().unwrap().len(), 2);
    let page = app.get("/onefile").await.expect(200);
    let codes: Vec<_> =
        page["attention"].as_array().unwrap().iter().map(|line| line["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["usersArchived", "usersGone"]);
    later(&app, TimeDelta::days(1)).await;
    let before = calls(&app, "getUser").await;
    let run = exchange(&app, &Value::Null).await;
    assert_eq!((counts(&run), calls(&app, "getUser").await), ([6, 0, 3, 0, 3], before), "{run:#}");
    // Out of the archive it goes on.
    let back = json!({"archived": false});
    app.sandbox_call(Method::POST, &format!("/users/{}:archive", users[0]), Some(back)).await;
    let run = exchange(&app, &Value::Null).await;
    assert_eq!(counts(&run)[4], 2, "{run:#}");
    assert_eq!(app.get("/learners/M-000/onefile").await.expect(200)["archived"], false);
}

#[tokio::test]
async fn when_all_but_one_are_gone_already_the_last_one_may_go_too() {
    let app = exchanging(json!({})).await;
    let users = many(&app, 6, 1, 0).await;
    exchange(&app, &Value::Null).await;
    for user in &users[..5] {
        later(&app, TimeDelta::days(1)).await;
        app.sandbox_call(Method::POST, &format!("/users/{user}:remove"), None).await;
    }
    let run = exchange(&app, &Value::Null).await;
    assert_eq!((&run["state"], counts(&run)[3]), (&json!("partial"), 5), "{run:#}");
    later(&app, TimeDelta::days(1)).await;
    app.sandbox_call(Method::POST, &format!("/users/{}:remove", users[5]), None).await;
    let run = exchange(&app, &Value::Null).await;
    assert_eq!((&run["state"], counts(&run)[3]), (&json!("partial"), 1), "{run:#}");
    let links = app.get("/onefile/links?kind=learner&state=gone").await.expect(200);
    assert_eq!(links["items"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn a_row_that_a_shifting_page_hides_is_nobody_who_is_gone() {
    let app = exchanging(json!({"downloadReviews": false})).await;
    many(&app, 6, 1, 0).await;
    exchange(&app, &Value::Null).await;
    later(&app, TimeDelta::days(1)).await;
    behave(&app, json!({"pageCap": 5})).await;
    // A page of rows that are on others too.
    wrong(
        &app,
        json!([{"operation": "searchUsers", "skip": 2, "times": 1, "kind": {"replaceBody": {"body": []}}}]),
    )
    .await;
    let run = exchange(&app, &Value::Null).await;
    assert_eq!((&run["state"], counts(&run)[3]), (&json!("succeeded"), 0), "{run:#}");
    let links = app.get("/onefile/links?kind=learner&state=gone").await.expect(200);
    assert_eq!(links["items"], json!([]));
}

#[tokio::test]
async fn one_who_always_fails_delays_nobody_and_is_taken_again_alone() {
    let app = exchanging(json!({"downloadReviews": false})).await;
    many(&app, 8, 1, 0).await;
    let user = linked(&app, "A-FAILS", "OLD-001", json!({})).await;
    let aims = moved(&app, &user, json!({"aim": {}})).await;
    let first = aims["aims"][0]["ID"].as_u64().unwrap();
    let bad =
        json!([{"operation": "getLearningAim", "skip": 0, "times": 3, "kind": {"status": {"status": 500}}}]);
    wrong(&app, bad).await;
    let run = exchange(&app, &json!({"learnerIds": ["A-FAILS"]})).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("partial"), [1, 0, 0, 1, 0]), "{run:#}");
    let words = told(&app, &run).await;
    assert!(words["A-FAILS"].1.contains(&format!("Learning aim {first}")), "{words:?}");
    // The other learning aim of the same learner came down all the same.
    assert_eq!(record(&app, "A-FAILS").await["qualifications"][1]["totalElements"], 20);
    let all = exchange(&app, &Value::Null).await;
    assert_eq!((&all["state"], counts(&all)[3]), (&json!("succeeded"), 0), "{all:#}");
    let retry = app.post(&format!("/runs/{}:retry", run["id"].as_str().unwrap()), &Value::Null).await.good();
    let retry = app.wait_run(retry["id"].as_str().unwrap()).await;
    assert_eq!((counts(&retry)[0], &retry["retryOf"]), (1, &run["id"]), "{retry:#}");
    assert_eq!(app.get("/learners/A-FAILS/onefile").await.expect(200)["problem"], Value::Null);
}

#[tokio::test]
async fn a_token_of_another_customer_ends_the_run_and_nobody_is_taken_for_gone() {
    let app = exchanging(json!({})).await;
    many(&app, 5, 1, 1).await;
    let run = exchange(&app, &Value::Null).await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    let settings = app.get("/onefile/settings").await.expect(200);
    let token = |token: &str| json!({"enabled": settings["enabled"], "customerToken": token});
    app.put("/onefile/settings", &token("sandbox-another")).await.good();
    let run = exchange(&app, &Value::Null).await;
    assert_eq!(run["state"], "failed", "{run:#}");
    assert!(run["problem"].to_string().contains("another customer's"), "{run:#}");
    let attention = |summary: &Value| summary["attention"].to_string();
    assert!(attention(&app.get("/onefile").await.expect(200)).contains("exchangeFailed"));
    // Nor one alone, nor those who are named.
    let run = exchange(&app, &json!({"learnerIds": ["M-000", "M-001"]})).await;
    assert_eq!(run["state"], "failed", "{run:#}");
    let problem =
        app.post("/learners/M-002/onefile:sync", &Value::Null).await.refused(502, "upstreamForbidden");
    assert!(problem["detail"].as_str().unwrap().contains("another customer's"), "{problem:#}");
    for n in 0..5 {
        assert_eq!(app.get(&format!("/learners/M-{n:03}/onefile")).await.expect(200)["state"], "enrolled");
    }
    app.tick().await;
    assert!(!news(&app).await.iter().any(|line| line.contains("gone")));
    app.put("/onefile/settings", &token("sandbox")).await.good();
    let run = exchange(&app, &Value::Null).await;
    assert_eq!((&run["state"], counts(&run)[3]), (&json!("succeeded"), 0), "{run:#}");
    assert!(!attention(&app.get("/onefile").await.expect(200)).contains("exchangeFailed"));
}

#[tokio::test]
async fn learners_who_are_named_are_read_whole_and_the_others_not_at_all() {
    let app = exchanging(json!({})).await;
    many(&app, 5, 1, 1).await;
    app.put("/learners/X1", &own(json!({}))).await.good();
    let run = exchange(&app, &json!({"learnerIds": ["M-002", "X1", "NOBODY"]})).await;
    assert_eq!(counts(&run), [3, 1, 0, 1, 1], "{run:#}");
    let words = told(&app, &run).await;
    assert_eq!((&*words["X1"].0, &*words["NOBODY"].0), ("notEnrolled", "notFound"), "{words:?}");
    assert!(app.get("/onefile").await.expect(200)["lastSyncedAt"].is_null());
    for (body, pointer) in
        [(json!({"learnerIds": []}), "/learnerIds"), (json!({"learnerIds": ["A", "A"]}), "/learnerIds/1")]
    {
        let problem = app.post(SYNC, &body).await.refused(422, "invalidRequest");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    let reader = app.with_scopes(&[Scope::OnefileRead, Scope::OnefileWrite]).await;
    reader.post(SYNC, &Value::Null).await.refused(403, "scopeMissing");
    reader.post("/learners/M-001/onefile:sync", &Value::Null).await.refused(403, "scopeMissing");
}

#[tokio::test]
async fn without_parameters_the_run_that_is_there_is_answered() {
    let app = exchanging(json!({})).await;
    linked(&app, "L1", "OLD-001", json!({})).await;
    wrong(
        &app,
        json!([{"operation": "searchUsers", "kind": {"status": {"status": 429, "retryAfter": 800}}}]),
    )
    .await;
    let first = app.post(SYNC, &Value::Null).await.good();
    let path = format!("/runs/{}", first["id"].as_str().unwrap());
    app.eventually(&path, |run| run["state"] == "waiting").await;
    let second = app.post(SYNC, &Value::Null).await.good();
    assert_eq!(first["id"], second["id"]);
    let own = app.post(SYNC, &json!({"full": true})).await.good();
    assert_ne!(own["id"], first["id"]);
    let own = app.get(&format!("/runs/{}", own["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(own["queuedBehind"], first["id"], "{own:#}");
    app.post(&format!("{path}:cancel"), &Value::Null).await.expect(200);
    let mut sql = app.sql().await;
    let left: i64 = sqlx::query_scalar("select count(*) from onefile_exchange_work w join runs r on r.id = w.run_id where r.state = 'cancelled'")
        .fetch_one(&mut sql)
        .await
        .unwrap();
    assert_eq!(left, 0, "what was left of it is left to the next one");
}

#[tokio::test]
async fn officers_and_organisations_go_by_their_modes_once_a_run() {
    let app =
        exchanging(json!({"officerDemographics": "pulled", "organisationDemographics": "pushed"})).await;
    let officer = crate::support::onefile::links::with_mis(&app, "O-08").await.remove(0).0;
    app.post(LINKS, &request("officer", people::OFFICER, &officer)).await.expect(201);
    let placement = crate::support::onefile::records(&app, "placement").await;
    let placement = placement.iter().find(|it| it["centreId"] == 1001).unwrap()["id"].to_string();
    app.post(LINKS, &request("organisation", people::ORGANISATION, &placement)).await.expect(201);
    let run = exchange(&app, &Value::Null).await;
    assert_eq!(counts(&run), [2, 2, 0, 0, 0], "{run:#}");
    let kept = app.get(&format!("/officers/{}", people::OFFICER)).await.expect(200);
    assert_ne!(kept["lastName"], "Okoro");
    let there = crate::support::onefile::records(&app, "placement").await;
    let there = there.iter().find(|it| it["id"].as_u64() == placement.parse().ok()).unwrap();
    assert_eq!(there["fields"]["Name"], "Copperfold Motors Ltd (sample)");
    app.tick().await;
    assert!(news(&app).await.iter().any(|line| line.starts_with("detailsChanged - lastName \"Okoro\"")));
    let before = all_calls(&app).await;
    let run = exchange(&app, &Value::Null).await;
    assert_eq!(counts(&run)[1], 0, "{run:#}");
    assert!(all_calls(&app).await - before < 10);
}

#[tokio::test]
async fn the_first_exchange_of_all_reads_also_who_was_exchanged_singly_before() {
    let app = exchanging(json!({})).await;
    let user = linked(&app, "L1", "OLD-001", json!({})).await;
    app.post("/learners/L1/onefile:sync", &Value::Null).await.expect(200);
    let before = record(&app, "L1").await["qualifications"][0]["elementsDone"].as_u64().unwrap();
    moved(&app, &user, json!({})).await;
    // So long ago that no search that the run could make would be about it.
    later(&app, TimeDelta::hours(3)).await;
    let run = exchange(&app, &Value::Null).await;
    assert_eq!(counts(&run)[..2], [1, 1], "{run:#}");
    assert!(
        record(&app, "L1").await["qualifications"][0]["elementsDone"].as_u64().unwrap() > before,
        "{run:#}"
    );
}

/// Whoever holds a connection and waits for another waits for ever, when all are held by those who do the same.
#[tokio::test]
async fn no_run_of_any_kind_needs_two_connections_at_once() {
    // One is the job engine's, to hear of jobs. An upload's statement goes over one that is kept at hand: it has no part in this.
    let builder = working().job_connections(2);
    let app = exchanging_in(
        builder,
        json!({"uploadReviews": true, "learnerDemographics": "pushed", "officerDemographics": "pushed",
               "organisationDemographics": "pulled", "pushChanges": true}),
    )
    .await;
    app.refresh_standards().await;
    for n in 1..6 {
        app.put(&format!("/learners/L{n}"), &people::learner(n)).await.good();
    }
    let centre = json!({"filter": {}, "centreId": "1001"});
    let mut ended = Vec::new();
    for (path, body) in [
        ("/ace360/records:match", json!({})),
        ("/ace360/status:sync", Value::Null),
        ("/onefile/qualifications:refresh", Value::Null),
        ("/onefile/learners:enrol", centre),
        (SYNC, json!({"full": true})),
        (SYNC, Value::Null),
    ] {
        let run = app.post(path, &body).await.good();
        let run = app.wait_run(run["id"].as_str().unwrap()).await;
        ended.push((path, run["state"].as_str().unwrap().to_owned(), run["total"].as_i64().unwrap_or(-1)));
    }
    assert!(ended.iter().all(|(_, state, _)| state == "succeeded"), "{ended:?}");
    assert_eq!(ended.iter().filter(|(_, _, total)| *total >= 5).count(), 4, "{ended:?}");
}
