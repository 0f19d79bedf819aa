//! Learners: the rules of their fields, the list's filters, and erasure.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use picsbridge::ace360::Ace360;
use picsbridge::store::{IntentProblem, IntentRow, NewIntent, Opened, UndoneState};
use serde_json::{Value, json};

use crate::support::app::by;
use crate::support::people::{self, but, learner};
use crate::support::{TestApp, faults, on_runtime};

fn places(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    pairs.iter().map(|(at, code)| ((*at).to_owned(), (*code).to_owned())).collect()
}

async fn ids(app: &TestApp, query: &str) -> Vec<String> {
    let page = app.get(&format!("/learners{query}")).await.expect(200);
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["learnerId"].as_str().unwrap().to_owned())
        .collect()
}

/// An upload of the learner that is running.
async fn open_intent(app: &TestApp, learner: &str) -> IntentRow {
    let new = NewIntent {
        key: Ace360::key_of(app.tenant.provider.id, learner, "sandbox"),
        payload: b"{}".to_vec(),
        candidates: Vec::new(),
        seen: None,
        unlinked: None,
        run_id: None,
    };
    let store = app.parts.store.clone();
    let lease = Duration::from_hours(24);
    match on_runtime(async move { store.open_intent(&new, lease, &by()).await.unwrap() }).await {
        Opened::Ours(intent) => *intent,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn names_are_all_that_a_learner_needs() {
    let app = TestApp::start().await;
    let kept = app.put("/learners/L1", &json!({"firstName": "Amara", "lastName": "Ash"})).await.expect(201);
    for (field, value) in kept.as_object().unwrap() {
        match field.as_str() {
            "learnerId" | "firstName" | "lastName" => {}
            "officers" | "placements" | "qualifications" | "reviews" => {
                assert_eq!(value, &json!([]), "{field}");
            }
            _ => assert_eq!(value, &Value::Null, "{field}"),
        }
    }
    let problem = app.put("/learners/L2", &json!({})).await.refused(422, "invalidRequest");
    assert_eq!(faults(&problem), places(&[("/firstName", "required"), ("/lastName", "required")]));
}

#[tokio::test]
async fn everything_wrong_with_a_learner_is_told_at_once_each_with_its_pointer() {
    let app = TestApp::start().await;
    let mut body = learner(1);
    body["firstName"] = json!(" ");
    body.as_object_mut().unwrap().shift_remove("lastName");
    body["dateOfBirth"] = json!("05/06/2004");
    body["sex"] = json!("female");
    body["ethnicity"] = json!(30);
    body["nationalInsuranceNumber"] = json!("QQ123456C");
    body["uln"] = json!("1000102505");
    body["email"] = json!("lucy");
    body["address"]["postcode"] = json!("SW1A");
    body["programme"]["plannedEndDate"] = json!("2024-08-31");
    body["programme"]["type"] = json!("25");
    body["placements"][0]["startDate"] = json!("2025-02-30");
    body["qualifications"][0]["elementsDone"] = json!(13);
    body["reviews"] = json!({});
    body["shoeSize"] = json!(42);
    body["ace360"]["standardID"] = json!(1);
    let answer = app.put("/learners/L1", &body).await;
    // The response repeats no value that was sent, because it may be another person's.
    for value in ["QQ123456C", "1000102505", "05/06/2004"] {
        assert!(!answer.text.contains(value), "{value}: {}", answer.text);
    }
    let problem = answer.refused(422, "invalidRequest");
    let expected = [
        ("/firstName", "required"),
        ("/lastName", "required"),
        ("/dateOfBirth", "invalidDate"),
        ("/sex", "invalidValue"),
        ("/ethnicity", "invalidEthnicity"),
        ("/nationalInsuranceNumber", "invalidNiNumber"),
        ("/uln", "ulnCheckDigit"),
        ("/email", "invalidEmail"),
        ("/address/postcode", "invalidPostcode"),
        ("/programme/plannedEndDate", "endBeforeStart"),
        ("/programme/type", "wrongType"),
        ("/placements/0/startDate", "invalidDate"),
        ("/qualifications/0/elementsDone", "moreThanTotal"),
        ("/reviews", "wrongType"),
        ("/shoeSize", "unknownField"),
        ("/ace360/standardID", "unknownField"),
    ];
    assert_eq!(faults(&problem), places(&expected), "{problem:#}");
    assert_eq!(problem["errors"].as_array().unwrap().len(), expected.len());
    app.get("/learners/L1").await.refused(404, "notFound");
}

#[tokio::test]
async fn an_unknown_field_is_named_with_its_pointer_and_the_field_that_was_meant() {
    let app = TestApp::start().await;
    let problem = app
        .put("/learners/L1", &but(learner(1), json!({"firstname": "Lucy"})))
        .await
        .refused(422, "invalidRequest");
    assert_eq!(faults(&problem), places(&[("/firstname", "unknownField")]));
    let message = problem["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("firstName"), "{message}");
}

#[tokio::test]
async fn each_rule_of_a_field_refuses_with_its_code_at_its_place() {
    let app = TestApp::start().await;
    let long = "n".repeat(101);
    for (pointer, value, code) in [
        ("/firstName", json!(long), "tooLong"),
        ("/lastName", json!("a\u{7}b"), "controlCharacter"),
        ("/lastName", json!(null), "required"),
        ("/lastName", json!(["x"]), "wrongType"),
        ("/dateOfBirth", json!("2023-02-29"), "invalidDate"),
        ("/dateOfBirth", json!("2004-5-6"), "invalidDate"),
        ("/dateOfBirth", json!("2004-05-06T00:00:00Z"), "invalidDate"),
        ("/dateOfBirth", json!(20_040_506), "wrongType"),
        ("/dateOfBirth", json!("1899-01-01"), "invalidDate"),
        ("/dateOfBirth", json!("1910-01-01"), "ageOutOfRange"),
        ("/dateOfBirth", json!("2199-01-01"), "ageOutOfRange"),
        ("/ethnicity", json!(48), "invalidEthnicity"),
        ("/ethnicity", json!("31"), "wrongType"),
        ("/ethnicity", json!(31.5), "wrongType"),
        ("/disability", json!(3), "invalidDisability"),
        ("/nationalInsuranceNumber", json!("BG123456A"), "invalidNiNumber"),
        ("/nationalInsuranceNumber", json!("AB123456E"), "invalidNiNumber"),
        ("/nationalInsuranceNumber", json!("AB12345C"), "invalidNiNumber"),
        ("/uln", json!("100010250"), "invalidUln"),
        ("/uln", json!("10001O2504"), "invalidUln"),
        ("/uln", json!(1_000_102_504), "wrongType"),
        ("/uln", json!("3000600342"), "ulnCheckDigit"),
        ("/uln", json!("0000000000"), "ulnCheckDigit"),
        ("/email", json!("a@b@example.com"), "invalidEmail"),
        ("/telephone", json!("none"), "invalidTelephone"),
        ("/address/postcode", json!("OX1 1CC"), "invalidPostcode"),
        ("/address/line1", json!(long), "tooLong"),
        ("/address", json!("1 High Street"), "wrongType"),
        ("/status", json!("Live"), "invalidValue"),
        ("/programme/type", json!(0), "outOfRange"),
        ("/programme/standardCode", json!(100_000), "invalidStandardCode"),
        ("/programme/additionalNeeds", json!("no"), "wrongType"),
        ("/programme/actualEndDate", json!("2025-08-31"), "endBeforeStart"),
        ("/ace360/standardId", json!(0), "invalidStandardId"),
        ("/ace360/standardId", json!("800"), "wrongType"),
        ("/employerId", json!("a:b"), "invalidIdentifier"),
        ("/qualifications/0/vqReference", json!("[196AS]"), "invalidVqReference"),
        ("/qualifications/0/totalElements", json!(-1), "outOfRange"),
        ("/reviews/0/startTime", json!("24:00"), "invalidTime"),
        ("/reviews/0/attendance", json!("yes"), "invalidValue"),
        ("/officers", json!(vec![json!({}); 51]), "tooMany"),
    ] {
        let mut body = learner(1);
        *body.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value.clone();
        let problem = app.put("/learners/L1", &body).await.refused(422, "invalidRequest");
        assert!(
            faults(&problem).contains(&(pointer.to_owned(), code.to_owned())),
            "{pointer} {value}: {problem:#}"
        );
    }
    app.get("/learners/L1").await.refused(404, "notFound");
}

#[tokio::test]
async fn what_is_right_in_another_spelling_is_put_right() {
    let app = TestApp::start().await;
    for (pointer, value, kept) in [
        ("/nationalInsuranceNumber", "ab 12 34 56 c", "AB123456C"),
        ("/address/postcode", "sw1a1aa", "SW1A 1AA"),
        ("/address/postcode", "zz99 9zz", "ZZ99 9ZZ"),
        ("/email", " lucy@example.com ", "lucy@example.com"),
        // The placeholder for "no number yet".
        ("/uln", "9999999999", "9999999999"),
        ("/uln", "1000102504", "1000102504"),
    ] {
        let mut body = learner(1);
        *body.pointer_mut(pointer).unwrap() = json!(value);
        let answer = app.put("/learners/L1", &body).await.good();
        assert_eq!(answer.pointer(pointer).unwrap(), kept, "{value}");
    }
    for code in (31..=47).chain(98..=99) {
        app.put("/learners/L1", &but(learner(1), json!({"ethnicity": code}))).await.good();
    }
}

#[tokio::test]
async fn a_placeholder_uln_is_kept_but_not_indexed() {
    let app = TestApp::start().await;
    app.put("/learners/L1", &but(learner(1), json!({"uln": "9999999999"}))).await.expect(201);
    app.put("/learners/L2", &learner(2)).await.expect(201);
    let indexed: Vec<(String, bool)> =
        sqlx::query_as("select record_id, uln_index is not null from records order by record_id")
            .fetch_all(&mut app.sql().await)
            .await
            .unwrap();
    assert_eq!(indexed, [("L1".to_owned(), false), ("L2".to_owned(), true)]);
}

#[tokio::test]
async fn a_learner_is_13_to_100_years_old_by_the_day_in_london() {
    let app = TestApp::start().await;
    let today = app.parts.auth.clock().today();
    let years = |years: u32| today.checked_sub_months(chrono::Months::new(12 * years)).unwrap();
    let tomorrow = TimeDelta::days(1);
    for (birth, good) in [
        (years(13), true),
        (years(13) + tomorrow, false),
        (years(100), true),
        (years(101) + tomorrow, true),
        (years(101), false),
    ] {
        let body = but(learner(1), json!({"dateOfBirth": birth.to_string()}));
        let answer = app.put("/learners/L1", &body).await;
        assert_eq!((200..300).contains(&answer.status), good, "{birth}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_list_shows_where_each_learner_stands_and_filters_by_it() {
    let app = TestApp::builder().no_worker().start().await;
    for n in 1..=3 {
        app.put(&format!("/learners/L{n}"), &learner(n)).await.expect(201);
    }
    let intent = open_intent(&app, "L2").await;
    let page = app.get("/learners").await.expect(200);
    let states: Vec<&Value> =
        page["items"].as_array().unwrap().iter().map(|item| &item["ace360"]["state"]).collect();
    assert_eq!(states, ["notUploaded", "uploading", "notUploaded"]);
    assert_eq!(page["items"][0]["ace360"]["status"], Value::Null);
    assert_eq!(page["items"][0]["onefile"], json!({"state": "notEnrolled"}));
    assert_eq!(ids(&app, "?ace360=uploading").await, ["L2"]);
    assert_eq!(ids(&app, "?ace360=notUploaded").await, ["L1", "L3"]);
    assert_eq!(ids(&app, "?ace360=notUploaded&pageSize=1").await, ["L1"]);
    assert_eq!(ids(&app, "?onefile=notEnrolled").await, ["L1", "L2", "L3"]);
    assert_eq!(ids(&app, "?onefile=enrolled").await, Vec::<String>::new());

    let problem = IntentProblem {
        code: "upstreamRejected".into(),
        message: "no".into(),
        status: Some(422),
        field_errors: vec![],
        upstream_message: None,
    };
    let store = app.parts.store.clone();
    on_runtime(async move { store.settle_undone(&intent, UndoneState::Rejected, &problem).await.unwrap() })
        .await;
    assert_eq!(ids(&app, "?ace360=rejected").await, ["L2"]);
}

#[tokio::test]
async fn the_list_gives_what_was_written_after_a_time() {
    let app = TestApp::start().await;
    app.put("/learners/L1", &learner(1)).await.expect(201);
    app.clock_advance(TimeDelta::hours(1)).await;
    app.put("/learners/L2", &learner(2)).await.expect(201);
    let page = app.get("/learners").await.expect(200);
    let times: Vec<&str> =
        page["items"].as_array().unwrap().iter().map(|item| item["updatedAt"].as_str().unwrap()).collect();
    assert_eq!(ids(&app, &format!("?updatedAfter={}", times[0])).await, ["L2"]);
    assert_eq!(ids(&app, &format!("?updatedAfter={}", times[1])).await, Vec::<String>::new());
    // The same moment in another time zone.
    let there = chrono::DateTime::parse_from_rfc3339(times[0]).unwrap() - TimeDelta::seconds(1);
    let there =
        there.with_timezone(&chrono::FixedOffset::east_opt(3600).unwrap()).to_rfc3339().replace('+', "%2B");
    assert_eq!(ids(&app, &format!("?updatedAfter={there}")).await, ["L1", "L2"]);

    let answer = app.get("/learners?updatedAfter=yesterday&ace360=lost&onefile=maybe&q=x").await;
    let expected = [
        ("updatedAfter", "wrongType"),
        ("ace360", "invalidValue"),
        ("onefile", "invalidValue"),
        ("q", "unknownParameter"),
    ];
    assert_eq!(faults(&answer.refused(400, "invalidParameter")), places(&expected));
}

#[tokio::test]
async fn a_learner_whose_upload_is_open_is_not_erased_until_it_is_settled() {
    let app = TestApp::builder().no_worker().start().await;
    app.put("/learners/L1", &learner(1)).await.expect(201);
    let intent = open_intent(&app, "L1").await;
    app.delete("/learners/L1").await.refused(409, "inFlight");
    app.get("/learners/L1").await.expect(200);
    let problem = IntentProblem {
        code: "notSent".into(),
        message: "no".into(),
        status: None,
        field_errors: vec![],
        upstream_message: None,
    };
    let store = app.parts.store.clone();
    on_runtime(async move { store.settle_undone(&intent, UndoneState::NotSent, &problem).await.unwrap() })
        .await;
    app.delete("/learners/L1").await.expect(204);
}

#[tokio::test]
async fn an_erased_learner_is_in_no_table_but_the_audit_which_says_so() {
    let app = TestApp::start().await;
    app.refresh_standards().await;
    app.put_ready("ERASED-1", 1).await;
    app.put("/learners/STAYS-1", &learner(2)).await.expect(201);
    for id in ["ERASED-1", "STAYS-1"] {
        app.post(&format!("/learners/{id}/ace360"), &json!({})).await.expect(201);
    }
    // A history, changes and a record in a run.
    let record = app.get("/learners/ERASED-1/ace360").await.expect(200)["recordId"].as_i64().unwrap();
    app.sandbox_advance(record).await;
    let run = app.post("/ace360/status:sync", &Value::Null).await;
    app.wait_run(run.body["id"].as_str().unwrap()).await;
    // A run that names the learner, and one that waits for its turn.
    for body in [
        json!({"learnerIds": ["STAYS-1", "ERASED-1"]}),
        json!({"learnerIds": ["ERASED-1"], "validateOnly": true}),
    ] {
        let run = app.post("/ace360/learners:upload", &body).await;
        app.wait_run(run.body["id"].as_str().unwrap()).await;
    }
    let before = crate::support::dump::dump(&app).await;
    let holding = |dump: &[(String, String)], text: &str| -> BTreeSet<String> {
        dump.iter().filter(|(_, row)| row.contains(text)).map(|(table, _)| table.clone()).collect()
    };
    let tables = holding(&before, "ERASED-1");
    for table in
        ["records", "ace360_links", "ace360_history", "intents", "changes", "run_records", "run_learners"]
    {
        assert!(tables.contains(table), "the test should have filled {table}: {tables:?}");
    }

    app.delete("/learners/ERASED-1").await.expect(204);
    let after = crate::support::dump::dump(&app).await;
    assert_eq!(holding(&after, "ERASED-1"), ["audit".to_owned()].into());
    assert!(
        after.iter().any(|(table, row)| table == "audit"
            && row.contains("learner.erase")
            && row.contains("ERASED-1"))
    );
    assert_eq!(holding(&after, "STAYS-1"), holding(&before, "STAYS-1"));
    for path in ["", "/ace360", "/ace360/preview", "/ace360/history"] {
        app.get(&format!("/learners/ERASED-1{path}")).await.refused(404, "notFound");
    }
    let feed = app.get("/changes").await.expect(200);
    assert!(!feed.to_string().contains("ERASED-1"), "{feed:#}");
    // Nothing happened in the upstream.
    assert_eq!(app.sandbox_state().await["records"], 2);
    assert_eq!(people::uln(1).len(), 10);
}

#[tokio::test]
async fn a_run_that_was_under_way_forgets_an_erased_learner_when_it_ends() {
    let app = TestApp::builder().no_worker().start().await;
    for id in ["ERASED.1", "ERASED-2", "STAYS-1"] {
        app.put(&format!("/learners/{id}"), &learner(1)).await.expect(201);
    }
    let ids = json!({"learnerIds": ["ERASED.1", "ERASED-2", "STAYS-1"], "validateOnly": true});
    let run = app.post("/ace360/learners:upload", &ids).await.expect(202);
    for id in ["ERASED.1", "ERASED-2"] {
        app.delete(&format!("/learners/{id}")).await.expect(204);
    }
    let holds = async |text: &str| {
        let dump = crate::support::dump::dump(&app).await;
        dump.into_iter()
            .filter(|(table, row)| row.contains(text) && table != "audit")
            .map(|(table, _)| table)
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(holds("ERASED").await, BTreeSet::new(), "what a run that waits was asked");
    let second = app.second_with(true).await;
    let run = second.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!((&run["total"], &run["done"], &run["failed"]), (&json!(3), &json!(3), &json!(3)), "{run:#}");
    assert_eq!(holds("ERASED").await, BTreeSet::new());
    assert!(holds("STAYS-1").await.contains("run_records"));
}
