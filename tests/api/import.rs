//! Imports: each record gets its outcome, and the valid ones are stored.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::kinds;
use crate::support::people::{self, learner, with_id};
use crate::support::{Answer, TestApp, faults};

const NDJSON: &str = "application/x-ndjson";

fn numbered(n: u64) -> Value {
    with_id("learnerId", &format!("L{n:05}"), &learner(n))
}

async fn lines(app: &TestApp, body: impl Into<Vec<u8>>) -> Answer {
    app.call(Method::POST, "/learners:import").body(NDJSON, body.into()).send().await
}

/// Index, id, outcome, and the pointers and codes of the faults.
type Outcome = (u64, Option<String>, String, Vec<(String, String)>);

fn outcomes(answer: &Value) -> Vec<Outcome> {
    let items = answer["items"].as_array().unwrap();
    let outcomes = items.iter().map(|item| {
        let faults = match &item["problem"] {
            Value::Null => Vec::new(),
            problem => faults(problem).into_iter().collect(),
        };
        let text = |name: &str| item[name].as_str().map(str::to_owned);
        (item["index"].as_u64().unwrap(), text("id"), text("outcome").unwrap(), faults)
    });
    outcomes.collect()
}

async fn count(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from records").fetch_one(&mut app.sql().await).await.unwrap()
}

#[tokio::test]
async fn records_of_every_kind_are_imported_as_an_array_and_as_lines() {
    let app = TestApp::start().await;
    for (collection, field, record) in kinds() {
        let items = [with_id(field, "A", &record), with_id(field, "B", &record)];
        let path = format!("/{collection}:import");
        let answer = app.post(&path, &json!(items)).await.expect(200);
        assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(2), &json!(0)));
        assert_eq!(outcomes(&answer)[1], (1, Some("B".to_owned()), "succeeded".to_owned(), vec![]));
        assert_eq!(app.get(&format!("/{collection}/B")).await.expect(200), items[1]);

        let lines = format!("{}\r\n{}", with_id(field, "C", &record), with_id(field, "D", &record));
        let answer = app.call(Method::POST, &path).body(NDJSON, lines).send().await.expect(200);
        assert_eq!(answer["succeeded"], 2, "{answer:#}");
        app.get(&format!("/{collection}/C")).await.expect(200);
        app.get(&format!("/{collection}/D")).await.expect(200);
    }
}

#[tokio::test]
async fn ten_thousand_learners_come_in_at_once_and_the_bad_ones_alone_stay_out() {
    let app = TestApp::start().await;
    let mut items: Vec<Value> = (0..10_000).map(numbered).collect();
    items[17]["uln"] = json!("1000102505");
    items[17]["email"] = json!("x");
    items[4_999] = json!("not a learner");
    items[9_999]["lastName"] = json!(null);
    items[5_000] = items[4_000].clone();
    let answer = app.post("/learners:import", &json!(items)).await.expect(200);
    assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(9_996), &json!(4)));
    let outcomes = outcomes(&answer);
    assert_eq!(outcomes.len(), 10_000);
    assert!(outcomes.iter().enumerate().all(|(at, outcome)| outcome.0 == at as u64));
    let failed: Vec<_> = outcomes.into_iter().filter(|outcome| outcome.2 == "failed").collect();
    let fault = |at: &str, code: &str| (at.to_owned(), code.to_owned());
    assert_eq!(
        failed,
        [
            (
                17,
                Some("L00017".into()),
                "failed".into(),
                vec![fault("/email", "invalidEmail"), fault("/uln", "ulnCheckDigit")]
            ),
            (4_999, None, "failed".into(), vec![fault("", "wrongType")]),
            (5_000, Some("L04000".into()), "failed".into(), vec![fault("/learnerId", "duplicateId")]),
            (9_999, Some("L09999".into()), "failed".into(), vec![fault("/lastName", "required")]),
        ]
    );
    assert_eq!(count(&app).await, 9_996);
    app.get("/learners/L09998").await.expect(200);
    app.get("/learners/L09999").await.refused(404, "notFound");
}

#[tokio::test]
async fn an_import_replaces_what_is_there_and_a_failed_record_leaves_it() {
    let app = TestApp::start().await;
    for n in 1..=2 {
        app.put(&format!("/learners/L{n:05}"), &learner(n)).await.expect(201);
    }
    let new = json!({"learnerId": "L00001", "firstName": "New", "lastName": "Name"});
    let bad = json!({"learnerId": "L00002", "firstName": "New"});
    let answer = app.post("/learners:import", &json!([new, bad])).await.expect(200);
    assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(1), &json!(1)));
    let replaced = app.get("/learners/L00001").await.expect(200);
    assert_eq!((&replaced["firstName"], &replaced["uln"]), (&json!("New"), &Value::Null));
    assert_eq!(app.get("/learners/L00002").await.expect(200), numbered(2));
}

#[tokio::test]
async fn of_an_id_that_stands_twice_the_second_is_the_fault_even_across_chunks() {
    let app = TestApp::start().await;
    let mut items: Vec<Value> = (0..600).map(numbered).collect();
    items[599] = with_id("learnerId", "L00000", &learner(9));
    // A failed record does not use up its id.
    items[1]["lastName"] = json!("");
    items[2] = with_id("learnerId", "L00001", &learner(8));
    let answer = app.post("/learners:import", &json!(items)).await.expect(200);
    let failed: Vec<u64> =
        outcomes(&answer).iter().filter(|outcome| outcome.2 == "failed").map(|outcome| outcome.0).collect();
    assert_eq!(failed, [1, 599]);
    assert_eq!(app.get("/learners/L00000").await.expect(200), numbered(0));
}

#[tokio::test]
async fn lines_keep_their_place_and_their_ids_over_chunks_with_blank_lines_between_them() {
    let app = TestApp::start().await;
    // The first chunk is shorter. Each fault is at the edge of a chunk, or one or two chunks after
    // the record that it repeats.
    let mut items: Vec<String> = (0..2_300).map(|n| numbered(n).to_string()).collect();
    items[99] = "{\"learnerId\": \"L".to_owned();
    items[100] = items[0].clone();
    items[1_099] = "[1]".to_owned();
    items[1_100] = items[98].clone();
    items[2_100] = items[1_098].clone();
    // The first use of the id is on a line that failed.
    items[2_299] = numbered(99).to_string();
    let blank: [&str; 3] = ["\n", "\n\n", "\r\n  \r\n"];
    let body = items.iter().enumerate().fold("\n\n".to_owned(), |body, (n, line)| body + line + blank[n % 3]);
    let answer = lines(&app, body.clone()).await.expect(200);
    let outcomes = outcomes(&answer);
    assert!(outcomes.iter().enumerate().all(|(at, outcome)| outcome.0 == at as u64));
    let codes = outcomes.iter().filter(|outcome| outcome.2 == "failed");
    let codes: Vec<_> = codes.map(|outcome| (outcome.0, outcome.3[0].1.as_str())).collect();
    assert_eq!(
        codes,
        [
            (99, "malformedJson"),
            (100, "duplicateId"),
            (1_099, "wrongType"),
            (1_100, "duplicateId"),
            (2_100, "duplicateId")
        ]
    );
    assert_eq!((answer["succeeded"].as_u64(), count(&app).await), (Some(2_295), 2_295));
    let line = 1 + body[..body.find(&items[99]).unwrap()].matches('\n').count();
    let words = &answer["items"][99]["problem"]["errors"][0]["message"];
    assert!(words.as_str().unwrap().contains(&format!("at line {line} ")), "{line}: {words}");
}

#[tokio::test]
async fn more_than_ten_thousand_are_refused_and_nothing_is_kept() {
    let app = TestApp::start().await;
    let item = numbered(1).to_string();
    let array = format!("[{}]", vec![item.as_str(); 10_001].join(","));
    let answer = app.call(Method::POST, "/learners:import").body("application/json", array).send().await;
    assert_eq!(
        faults(&answer.refused(422, "invalidRequest")),
        [(String::new(), "tooMany".to_owned())].into()
    );
    let answer = lines(&app, vec![item.as_str(); 10_001].join("\n")).await;
    assert_eq!(
        faults(&answer.refused(422, "invalidRequest")),
        [(String::new(), "tooMany".to_owned())].into()
    );
    assert_eq!(count(&app).await, 0);
}

#[tokio::test]
async fn an_array_that_is_not_json_is_refused_whole_with_the_line_where_it_breaks() {
    let app = TestApp::start().await;
    let good = numbered(1);
    for body in [format!("[{good},\n{good}"), format!("[{good}\n{good}]"), "[\n{\"learnerId\": }]".to_owned()]
    {
        let call = app.call(Method::POST, "/learners:import").body("application/json", body.clone());
        let problem = call.send().await.refused(400, "malformedJson");
        assert!(problem["detail"].as_str().unwrap().contains("line 2"), "{body}: {problem}");
    }
    assert_eq!(count(&app).await, 0);
}

#[tokio::test]
async fn what_is_json_but_no_array_is_refused_and_so_is_an_import_without_records() {
    let app = TestApp::start().await;
    for body in [json!({}), numbered(1), json!("x"), json!(1)] {
        let problem = app.post("/learners:import", &body).await.refused(422, "invalidRequest");
        assert_eq!(faults(&problem), [(String::new(), "wrongType".to_owned())].into(), "{body}");
    }
    let answers = [
        app.post("/learners:import", &json!([])).await,
        lines(&app, "").await,
        lines(&app, "\n  \r\n\n").await,
    ];
    for answer in answers {
        let problem = answer.refused(422, "invalidRequest");
        assert_eq!(faults(&problem), [(String::new(), "emptyImport".to_owned())].into());
    }
}

#[tokio::test]
async fn blank_lines_are_passed_over_and_a_broken_line_fails_alone() {
    let app = TestApp::start().await;
    let body = format!("\n{}\n\n{{\"learnerId\": \"L9\",\n  \n{}\n[1]\n", numbered(1), numbered(2));
    let answer = lines(&app, body).await.expect(200);
    let expected: Vec<(u64, Option<String>, &str)> = vec![
        (0, Some("L00001".to_owned()), "succeeded"),
        (1, None, "failed"),
        (2, Some("L00002".to_owned()), "succeeded"),
        (3, None, "failed"),
    ];
    let found = outcomes(&answer);
    let found: Vec<_> =
        found.iter().map(|(index, id, outcome, _)| (*index, id.clone(), outcome.as_str())).collect();
    assert_eq!(found, expected);
    assert_eq!(answer["items"][1]["problem"]["errors"][0]["code"], "malformedJson");
}

#[tokio::test]
async fn an_id_that_is_missing_or_wrong_is_the_records_fault() {
    let app = TestApp::start().await;
    let items = json!([
        learner(1),
        with_id("learnerId", "a:b", &learner(1)),
        people::but(learner(1), json!({"learnerId": 7}))
    ]);
    let answer = app.post("/learners:import", &items).await.expect(200);
    let codes: Vec<_> =
        outcomes(&answer).into_iter().map(|outcome| (outcome.1, outcome.3[0].clone())).collect();
    let fault = |code: &str| (None, ("/learnerId".to_owned(), code.to_owned()));
    assert_eq!(codes, [fault("required"), fault("invalidIdentifier"), fault("wrongType")]);
}

#[tokio::test]
async fn an_import_of_another_content_type_is_415() {
    let app = TestApp::start().await;
    for kind in ["", "text/plain", "text/csv", "application/jsonl", "application/problem+json"] {
        let answer = app.call(Method::POST, "/learners:import").body(kind, "[]").send().await;
        let problem = answer.refused(415, "unsupportedMediaType");
        assert!(problem["detail"].as_str().unwrap().contains(NDJSON), "{problem}");
    }
    let call = app.call(Method::POST, "/learners:import").body("Application/JSON; charset=utf-8", "[]");
    call.send().await.refused(422, "invalidRequest");
}

#[tokio::test]
async fn imported_records_belong_to_the_tokens_provider() {
    let app = TestApp::start().await;
    let other = app.second_provider().await;
    app.post("/learners:import", &json!([numbered(1)])).await.expect(200);
    other.get("/learners/L00001").await.refused(404, "notFound");
    let own = json!([{"learnerId": "L00001", "firstName": "Their", "lastName": "Own"}]);
    other.post("/learners:import", &own).await.expect(200);
    assert_eq!(app.get("/learners/L00001").await.expect(200), numbered(1));
}

#[tokio::test]
async fn ten_faults_of_a_record_are_listed_and_a_last_one_counts_the_others() {
    let app = TestApp::start().await;
    let mut bad = numbered(1);
    for n in 0..35 {
        bad[format!("k{n}")] = json!(n);
    }
    let list = json!({"learnerId": "L2", "firstName": "A", "lastName": "B",
        "reviews": vec![json!({"type": 1}); 1001]});
    let answer = app.post("/learners:import", &json!([bad, numbered(3), list])).await.expect(200);
    let problem = |index: usize| &answer["items"][index]["problem"];
    let errors = problem(0)["errors"].as_array().unwrap();
    assert_eq!((errors.len(), &problem(0)["message"]), (11, &json!("35 faults")));
    assert_eq!(errors[10]["code"], "tooManyFaults");
    assert!(errors[10]["message"].as_str().unwrap().contains("25 more are"), "{}", errors[10]);
    assert_eq!(answer["items"][0]["id"], "L00001");
    assert_eq!(answer["items"][1]["outcome"], "succeeded");
    assert_eq!(problem(2)["message"], "at least 1001 faults");
    assert_eq!(problem(2)["errors"][0]["code"], "tooMany");
}

#[tokio::test]
async fn a_thousand_faults_of_an_import_are_listed_and_every_record_has_its_outcome() {
    let app = TestApp::start().await;
    let bad = |n: usize| {
        let mut bad = json!({"learnerId": format!("L{n:05}"), "firstName": "A", "lastName": "B"});
        for field in 0..12 {
            bad[format!("k{field}")] = json!(n);
        }
        bad
    };
    let body: Vec<String> = (0..10_000).map(|n| bad(n).to_string()).collect();
    let answer = lines(&app, body.join("\n")).await.expect(200);
    assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(0), &json!(10_000)));
    let items = answer["items"].as_array().unwrap();
    let mut listed = 0;
    for (n, item) in items.iter().enumerate() {
        assert_eq!((&item["index"], &item["outcome"]), (&json!(n), &json!("failed")));
        assert_eq!(item["id"], format!("L{n:05}"));
        assert_eq!(item["problem"]["message"], "12 faults");
        let errors = item["problem"]["errors"].as_array().unwrap();
        let (last, others) = errors.split_last().unwrap();
        listed += others.len();
        let more = format!("{} more are", 12 - others.len());
        assert!(last["message"].as_str().unwrap().contains(&more), "{n}: {last}");
    }
    assert_eq!((items.len(), listed), (10_000, 1000));
    assert_eq!(count(&app).await, 0);
}

#[tokio::test]
async fn a_record_of_a_mebibyte_that_is_wrong_throughout_costs_one_outcome() {
    let app = TestApp::start().await;
    let fields = (0..60_000).map(|n| format!("\"k{n:05}\":{n}")).collect::<Vec<_>>().join(",");
    let hostile = format!("{{\"learnerId\":\"L1\",{fields}}}");
    let body = format!("{}\n{hostile}\n{}", numbered(2), numbered(3));
    let answer = lines(&app, body).await.expect(200);
    assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(2), &json!(1)));
    let problem = &answer["items"][1]["problem"];
    // The unknown fields, and two missing names.
    assert_eq!(problem["message"], "60002 faults");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 11);
}
