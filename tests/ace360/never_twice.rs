//! A person is created in ACE360 once, however ACE360 keeps and shows what it has: names, dates, order and counts may differ
//! from what was sent.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::ace360::lost::{lose, made, once, quick, until};
use crate::support::ace360::{counts, later, outcomes, ran, ready, tab};
use crate::support::people::{self, but};
use crate::support::{TestApp, on_runtime};

const ALTERED: [&str; 5] = [
    r#"{"names": "entities"}"#,
    r#"{"names": "plain", "oldestFirst": true}"#,
    r#"{"names": "cut", "totals": "missing"}"#,
    r#"{"dates": "instants", "totals": "zero"}"#,
    r#"{"names": "cut", "dates": "instants", "oldestFirst": true, "totals": "words"}"#,
];

async fn alter(app: &TestApp, alterations: &str) {
    let alterations: Value = serde_json::from_str(alterations).unwrap();
    app.sandbox_settings(json!({ "alterations": alterations })).await;
}

/// A learner whose name every alteration changes, born in summer.
fn obrien(n: u64) -> Value {
    but(
        people::learner(n),
        json!({"firstName": "Sinéad", "lastName": "O'Brien-Smith", "dateOfBirth": "2005-06-14"}),
    )
}

#[tokio::test]
async fn a_lost_answer_is_found_however_ace360_keeps_the_record() {
    let app = quick().await;
    app.sandbox_seed(150).await;
    for (n, alterations) in (1..).zip(ALTERED) {
        alter(&app, alterations).await;
        let id = format!("L{n}");
        app.put_ready(&id, n).await;
        app.put(&format!("/learners/{id}"), &obrien(n)).await.good();
        app.fault(once(&json!({"commitThenReset": {}}))).await;
        let body = json!({"allowDuplicate": true});
        assert_eq!(app.post(&tab(&id), &body).await.expect(202)["state"], "unknown", "{alterations}");
        app.no_faults().await;
        later(&app, TimeDelta::seconds(2)).await;
        assert_eq!(until(&app, &id, "uploaded").await["method"], "reconciled", "{alterations}");
        made(&app, i64::try_from(n).unwrap()).await;
    }
}

#[tokio::test]
async fn a_record_with_the_same_uln_is_a_likely_duplicate_however_its_name_is_written() {
    let app = ready().await;
    let spellings = [
        ("Sinéad", "O’Brien", "Sinéad", "O'Brien"),
        ("Sine\u{301}ad", "O'Brien", "Sinéad", "O'Brien"),
        ("Sinéad", "O'Brien\u{200b}", "Sinéad", "O'Brien"),
        ("SINEAD", "O&#039;Brien", "Sinéad", "O'Brien"),
        ("Jane", "Smith", "Sinéad", "O'Brien"),
    ];
    for (n, (first, last, own_first, own_last)) in (1..).zip(spellings) {
        let id = format!("L{n}");
        let birth = format!("2005-06-{:02}", n + 10);
        let there = json!({"firstName": first, "lastName": last, "dateOfBirth": birth,
            "ulnNumber": people::uln(n), "standardId": people::STANDARD, "estimatedStartDate": "2025-09-01"});
        let record = app.sandbox_create(there).await;
        app.put_ready(&id, n).await;
        let own = but(
            people::learner(n),
            json!({"firstName": own_first, "lastName": own_last, "dateOfBirth": birth}),
        );
        app.put(&format!("/learners/{id}"), &own).await.good();
        let preview = app.get(&format!("{}/preview", tab(&id))).await.expect(200);
        assert_eq!(preview["ready"], false, "{first} {last}: {preview:#}");
        assert_eq!(preview["possibleDuplicates"][0]["recordId"], record["id"], "{first} {last}: {preview:#}");
        app.post(&tab(&id), &json!({})).await.refused(409, "likelyDuplicate");
    }
    assert_eq!(app.sandbox_state().await["creditsUsed"], 0);
}

#[tokio::test]
async fn somebody_else_with_the_same_birth_date_and_standard_is_no_duplicate() {
    let app = ready().await;
    let there = json!({"firstName": "Jane", "lastName": "Smith", "dateOfBirth": "2005-06-14",
        "ulnNumber": people::uln(99), "standardId": people::STANDARD, "estimatedStartDate": "2025-09-01"});
    app.sandbox_create(there).await;
    app.put_ready("L1", 1).await;
    app.put("/learners/L1", &obrien(1)).await.good();
    let preview = app.get(&format!("{}/preview", tab("L1"))).await.expect(200);
    assert_eq!(
        (&preview["ready"], &preview["possibleDuplicates"]),
        (&json!(true), &json!([])),
        "{preview:#}"
    );
    app.post(&tab("L1"), &json!({})).await.expect(201);
}

#[tokio::test]
async fn a_birth_date_that_is_kept_as_midnight_in_london_is_the_same_day() {
    let app = ready().await;
    alter(&app, r#"{"dates": "instants"}"#).await;
    for n in 1..3 {
        app.put_ready(&format!("L{n}"), n).await;
        app.put(&format!("/learners/L{n}"), &obrien(n)).await.good();
    }
    app.post(&tab("L1"), &json!({})).await.expect(201);
    let preview = app.get(&format!("{}/preview", tab("L2"))).await.expect(200);
    let reason = preview["possibleDuplicates"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("the same name and birth date, but another ULN"), "{reason}");
    assert_eq!(app.sandbox_records().await[0]["dateOfBirth"], "2005-06-13T23:00:00Z");
}

#[tokio::test]
async fn a_list_ends_with_a_page_without_rows_whatever_it_says_about_its_size() {
    for totals in ["missing", "null", "zero", "words"] {
        let app = TestApp::builder().start().await;
        app.sandbox_seed(250).await;
        alter(&app, &format!(r#"{{"totals": "{totals}"}}"#)).await;
        let run = ran(&app, "/ace360/standards:refresh").await;
        assert_eq!(run["state"], "succeeded", "{totals}: {run:#}");
        let page = app.get("/ace360/standards?pageSize=500").await.expect(200);
        let kept = page["items"].as_array().unwrap().len();
        alter(&app, "{}").await;
        let whole = app.sandbox_state().await["standards"].as_u64().unwrap_or(0);
        assert!(kept > 200, "{totals}: {kept} of {whole}");
        let ours = app.sandbox_records().await.last().unwrap().clone();
        assert_eq!(ours["id"], 248, "the oldest is on the last page");
    }
}

#[tokio::test]
async fn a_record_that_is_refused_alone_fails_alone() {
    let app = ready().await;
    app.sandbox_seed(5).await;
    crate::support::ace360::linked(&app, &["L1", "L2", "L3"], 248..).await;
    app.sandbox_change(249, json!({"statusId": 5})).await;
    app.fault(json!({"operation": "getApprentice", "times": 1, "kind": {"status": {"status": 403}}})).await;
    let run = ran(&app, "/ace360/status:sync").await;
    assert_eq!((&run["state"], &run["failed"]), (&json!("partial"), &json!(1)), "{run:#}");
    let failed: Vec<_> = outcomes(&app, &run).await.into_iter().filter(|own| own.1 == "failed").collect();
    assert_eq!(failed, [("L2".to_owned(), "failed".to_owned(), Some("upstreamForbidden".to_owned()))]);
}

#[tokio::test]
async fn a_status_that_the_list_shows_wrong_is_read_singly() {
    let app = ready().await;
    app.sandbox_seed(2).await;
    crate::support::ace360::linked(&app, &["L1", "L2"], 248..).await;
    app.sandbox_advance(248).await;
    let row = |id: i64, status: Value| json!({"id": id, "status": status, "archivedAt": null, "esfaCertificateClaimedAt": null});
    let body = json!({"total": 2, "currentPage": 1, "perPage": 100, "totalPages": 1,
        "data": [row(248, json!([10])), row(249, json!({"id": 1, "text": "In Training"}))]});
    app.fault(json!({"operation": "listApprentices", "kind": {"replaceBody": {"body": body}}})).await;
    let run = ran(&app, "/ace360/status:sync").await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [2, 2, 1, 1, 0, 0]), "{run:#}");
    assert_eq!(app.get(&tab("L1")).await.expect(200)["status"]["id"], 2);
}

#[tokio::test]
async fn one_archiving_is_one_change() {
    let app = ready().await;
    app.sandbox_seed(2).await;
    crate::support::ace360::linked(&app, &["L1", "L2"], 248..).await;
    ran(&app, "/ace360/status:sync").await;
    app.sandbox_change(248, json!({"archive": true, "archivalStatus": "Withdrawn"})).await;
    for _ in 0..2 {
        assert_eq!(ran(&app, "/ace360/status:sync").await["state"], "succeeded");
    }
    let feed = app.get("/changes?pageSize=500").await.expect(200);
    let archived: Vec<_> = feed["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["type"] == "ace360.archived")
        .collect();
    assert_eq!(archived.len(), 1, "{archived:#?}");
    assert_eq!(archived[0]["data"]["after"]["archivalStatus"], "Withdrawn");
    assert_ne!(archived[0]["data"]["after"]["archivedAt"], Value::Null);
}

#[tokio::test]
async fn a_lost_answer_is_found_behind_pages_of_older_records() {
    let app = quick().await;
    app.sandbox_seed(250).await;
    alter(&app, r#"{"oldestFirst": true}"#).await;
    ran(&app, "/ace360/status:sync").await;
    lose(&app, "L1", 1, &json!({"commitThenReset": {}})).await;
    app.no_faults().await;
    later(&app, TimeDelta::seconds(2)).await;
    assert_eq!(until(&app, "L1", "uploaded").await["method"], "reconciled");
    made(&app, 1).await;
}

#[tokio::test]
async fn a_refresh_of_another_environment_is_not_joined_and_ends() {
    let app = TestApp::builder().start().await;
    app.fault(json!({"operation": "listStandards", "kind": {"status": {"status": 429, "retryAfter": 300}}}))
        .await;
    let run = app.post("/ace360/standards:refresh", &Value::Null).await.expect(202);
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    app.eventually(&path, |run| run["state"] == "waiting").await;
    app.no_faults().await;
    let mut settings = app.get("/ace360/settings").await.expect(200);
    settings["environment"] = json!("live");
    for shown in ["tokenSet", "lastSyncedAt", "standardsRefreshedAt", "updatedAt"] {
        settings.as_object_mut().unwrap().remove(shown);
    }
    app.put("/ace360/settings", &settings).await.good();
    let other = app.post("/ace360/standards:refresh", &Value::Null).await.expect(202);
    assert_ne!(other["id"], run["id"], "the catalogue of the new environment is read by a run of its own");
    later(&app, TimeDelta::seconds(400)).await;
    let ended = app.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!(ended["state"], "failed", "{ended:#}");
    assert!(ended["problem"].as_str().unwrap().contains("environment is live now"), "{ended:#}");
}

/// The programme with these dates instead.
fn programme(changes: &Value) -> Value {
    let mut programme = people::learner(1)["programme"].clone();
    programme.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    programme
}

#[tokio::test]
async fn a_leaver_and_one_who_starts_later_are_uploaded_only_when_the_doubt_is_overruled_by_name() {
    let app = ready().await;
    let store = app.parts.store.clone();
    let today = on_runtime(async move { store.now().await.unwrap() }).await.date_naive();
    let day = |days: i64| (today + TimeDelta::days(days)).to_string();
    let cases = [
        ("leaver", json!({"status": "dormant"})),
        ("leaver", json!({"programme": programme(&json!({"actualEndDate": day(-1)}))})),
        ("leaver", json!({"programme": programme(&json!({"actualEndDate": day(-45)}))})),
        (
            "startsLater",
            json!({"programme": programme(&json!({"startDate": day(40), "plannedEndDate": day(500)}))}),
        ),
    ];
    for (n, (code, changes)) in (1..).zip(&cases) {
        let id = format!("L{n}");
        app.put_ready(&id, n).await;
        app.put(&format!("/learners/{id}"), &but(people::learner(n), changes.clone())).await.good();
        let preview = app.get(&format!("{}/preview", tab(&id))).await.expect(200);
        assert_eq!((&preview["ready"], &preview["missing"]), (&json!(false), &json!([])), "{preview:#}");
        assert_eq!(preview["doubts"][0]["code"], *code, "{preview:#}");
        assert_eq!(preview["notReady"][0]["code"], *code, "{preview:#}");
        for body in [json!({}), json!({"allowDuplicate": true}), json!({"overrule": ["likelyDuplicate"]})] {
            let problem = app.post(&tab(&id), &body).await.refused(409, code);
            assert_eq!(problem["errors"][0]["pointer"], "/overrule", "{problem:#}");
            assert_eq!(problem["errors"][0]["code"], *code, "{problem:#}");
        }
        app.post(&tab(&id), &json!({"overrule": ["nonsense"]})).await.refused(422, "invalidRequest");
    }
    assert_eq!(app.sandbox_state().await["creditsUsed"], 0);
    // A filter leaves them out, whatever it overrules; by their ids they are taken.
    let body = json!({"filter": {}, "overrule": ["leaver", "startsLater"]});
    let run = crate::support::ace360::ran_with(&app, "/ace360/learners:upload", &body).await;
    assert_eq!((&run["state"], counts(&run)), (&json!("succeeded"), [4, 4, 0, 0, 0, 4]), "{run:#}");
    let codes: Vec<_> = outcomes(&app, &run).await.into_iter().map(|own| own.2.unwrap()).collect();
    assert_eq!(codes, ["leaver", "leaver", "leaver", "startsLater"]);
    let named = json!({"learnerIds": ["L1", "L2"], "overrule": ["leaver"]});
    let run = crate::support::ace360::ran_with(&app, "/ace360/learners:upload", &named).await;
    assert_eq!(counts(&run), [2, 2, 2, 0, 0, 0], "{run:#}");
    app.post(&tab("L3"), &json!({"overrule": ["leaver"]})).await.expect(201);
}

#[tokio::test]
async fn a_refusal_names_every_doubt() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    app.post(&tab("L1"), &json!({})).await.expect(201);
    app.put("/learners/L2", &but(people::learner(1), json!({"status": "dormant"}))).await.good();
    let problem = app.post(&tab("L2"), &json!({})).await.refused(409, "likelyDuplicate");
    let codes: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["code"].clone()).collect();
    assert_eq!(codes, ["likelyDuplicate", "leaver"], "{problem:#}");
    app.post(&tab("L2"), &json!({"overrule": ["likelyDuplicate"]})).await.refused(409, "leaver");
    app.post(&tab("L2"), &json!({"overrule": ["leaver"]})).await.refused(409, "likelyDuplicate");
    app.post(&tab("L2"), &json!({"overrule": ["leaver", "likelyDuplicate"]})).await.expect(201);
}
