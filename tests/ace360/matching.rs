//! Existing ACE360 records are matched to their learners, and never guessed.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::ace360::{counts, later, outcomes, put_many, ran, ran_with, ready, tab, typed};
use crate::support::people::{self, but};

const MATCH: &str = "/ace360/records:match";

fn told(id: &str, outcome: &str, code: &str) -> (String, String, Option<String>) {
    (id.to_owned(), outcome.to_owned(), Some(code.to_owned()))
}

/// Stores learner `n` with these fields replaced.
async fn put(app: &TestApp, id: &str, n: u64, changes: Value) {
    app.put(&format!("/learners/{id}"), &but(people::learner(n), changes)).await.good();
}

/// Creates record `n` in ACE360 by hand with these fields replaced, and returns its id.
async fn record(app: &TestApp, n: u64, changes: Value) -> Value {
    app.sandbox_create(but(typed(n), changes)).await["id"].clone()
}

/// The record that the learner is linked to.
async fn linked_to(app: &TestApp, id: &str) -> Value {
    app.get(&tab(id)).await.expect(200)["recordId"].clone()
}

async fn singles(app: &TestApp) -> i64 {
    app.sandbox_state().await["calls"]["getApprentice"].as_i64().unwrap()
}

#[tokio::test]
async fn a_uln_decides_whatever_the_name_and_without_one_name_birth_date_and_standard_do() {
    let app = ready().await;
    put_many(&app, 3).await;
    put(&app, "L2", 2, json!({"uln": null})).await;
    let by_uln = record(&app, 1, json!({"firstName": "Ursula", "lastName": "Otherwise"})).await;
    let by_name = record(&app, 2, json!({})).await;
    let run = ran(&app, MATCH).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [2, 2, 2, 0, 0, 0]), "{run:#}");
    assert_eq!(
        outcomes(&app, &run).await,
        [told("L1", "succeeded", "linked"), told("L2", "succeeded", "linked")]
    );
    assert_eq!((linked_to(&app, "L1").await, linked_to(&app, "L2").await), (by_uln, by_name));
    let now = app.get(&tab("L1")).await.expect(200);
    assert_eq!((&now["state"], &now["method"]), (&json!("uploaded"), &json!("matched")));
    assert_eq!(app.get(&tab("L3")).await.expect(200)["state"], "notUploaded");
    let changes = app.get("/changes").await.expect(200)["items"].as_array().unwrap().clone();
    assert_eq!(changes.iter().filter(|change| change["type"] == "link.created").count(), 2);
    assert_eq!(app.sandbox_state().await["creditsUsed"], 0);
}

#[tokio::test]
async fn what_is_ambiguous_is_listed_with_the_records_and_never_linked() {
    let app = ready().await;
    let no_uln = json!({"uln": null});
    // Two records of the person; another standard; another ULN; two records with the ULN.
    for n in [1, 2] {
        put(&app, &format!("L{n}"), n, no_uln.clone()).await;
    }
    put(&app, "L3", 3, json!({})).await;
    put(&app, "L4", 4, json!({})).await;
    let twice =
        [record(&app, 1, json!({})).await, record(&app, 1, json!({"ulnNumber": people::uln(90)})).await];
    record(&app, 2, json!({"standardId": 170})).await;
    record(&app, 3, json!({"ulnNumber": people::uln(93)})).await;
    record(&app, 4, json!({})).await;
    record(&app, 4, json!({"firstName": "Ursula"})).await;
    let run = ran(&app, MATCH).await;
    assert_eq!(counts(&run), [4, 4, 0, 0, 0, 4], "{run:#}");
    assert_eq!(
        outcomes(&app, &run).await,
        ["L1", "L2", "L3", "L4"].map(|id| told(id, "skipped", "ambiguous"))
    );
    let listed = app.get(&format!("/runs/{}/records", run["id"].as_str().unwrap())).await.expect(200);
    let words = listed["items"][0]["problem"]["message"].as_str().unwrap();
    assert!(twice.iter().all(|id| words.contains(&id.to_string())), "{words}");
    for id in ["L1", "L2", "L3", "L4"] {
        assert_eq!(linked_to(&app, id).await, Value::Null, "{id}");
    }
}

#[tokio::test]
async fn of_two_learners_that_rival_for_one_record_neither_gets_it() {
    let app = ready().await;
    // By name and birth date, and by ULN.
    put(&app, "A1", 1, json!({"uln": null})).await;
    put(&app, "A2", 1, json!({"uln": null})).await;
    put(&app, "B1", 2, json!({})).await;
    put(&app, "B2", 3, json!({"uln": people::uln(2)})).await;
    record(&app, 1, json!({})).await;
    record(&app, 2, json!({})).await;
    let run = ran(&app, MATCH).await;
    assert_eq!(
        outcomes(&app, &run).await,
        ["A1", "A2", "B1", "B2"].map(|id| told(id, "skipped", "ambiguous"))
    );
    for id in ["A1", "A2", "B1", "B2"] {
        assert_eq!(linked_to(&app, id).await, Value::Null, "{id}");
    }
}

#[tokio::test]
async fn a_learner_with_the_records_uln_goes_before_one_with_its_name_only() {
    let app = ready().await;
    // The learner with the matching name comes first in the order of ids.
    put(&app, "A", 1, json!({"uln": null})).await;
    put(&app, "B", 2, json!({"uln": people::uln(1)})).await;
    let id = record(&app, 1, json!({})).await;
    ran(&app, MATCH).await;
    assert_eq!((linked_to(&app, "A").await, linked_to(&app, "B").await), (Value::Null, id));
}

#[tokio::test]
async fn validating_changes_nothing_and_a_second_run_links_and_reads_nothing_again() {
    let app = ready().await;
    put_many(&app, 2).await;
    let (one, two) = (record(&app, 1, json!({})).await, record(&app, 2, json!({})).await);
    record(&app, 30, json!({})).await;
    let look = ran_with(&app, MATCH, &json!({"validateOnly": true})).await;
    assert_eq!(
        outcomes(&app, &look).await,
        [told("L1", "succeeded", "wouldLink"), told("L2", "succeeded", "wouldLink")]
    );
    assert_eq!((linked_to(&app, "L1").await, linked_to(&app, "L2").await), (Value::Null, Value::Null));
    assert_eq!(singles(&app).await, 3, "each record is read once");
    let run = ran(&app, MATCH).await;
    assert_eq!(counts(&run), [2, 2, 2, 0, 0, 0], "{run:#}");
    assert_eq!((linked_to(&app, "L1").await, linked_to(&app, "L2").await), (one, two));
    assert_eq!(singles(&app).await, 5, "those that are linked are read once more, for their status");
    let again = ran(&app, MATCH).await;
    assert_eq!((&again["state"], counts(&again)), (&json!("succeeded"), [0; 6]), "{again:#}");
    assert_eq!((outcomes(&app, &again).await, singles(&app).await), (vec![], 5));
}

#[tokio::test]
async fn a_run_that_ace360_breaks_off_goes_on_and_counts_each_learner_once() {
    let app = ready().await;
    put(&app, "A", 1, json!({"uln": null})).await;
    put(&app, "B", 2, json!({})).await;
    record(&app, 1, json!({})).await;
    record(&app, 1, json!({"ulnNumber": people::uln(90)})).await;
    let id = record(&app, 2, json!({})).await;
    // After the three were read, when the link is about to be created.
    let limited = json!({"status": {"status": 429, "retryAfter": 300}});
    app.fault(json!({"operation": "getApprentice", "skip": 3, "times": 1, "kind": limited})).await;
    let run = app.post(MATCH, &Value::Null).await.expect(202);
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    app.eventually(&path, |run| run["state"] == "waiting").await;
    later(&app, TimeDelta::seconds(310)).await;
    let run = app.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [2, 2, 1, 0, 0, 1]), "{run:#}");
    assert_eq!(linked_to(&app, "B").await, id);
}
