//! No caller overwrites another caller's change by mistake: `ETag`, `If-Match`, `If-None-Match: *`.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, TestApp, faults, people};

const OFFICER: &str = "/officers/O1";

async fn put_if(api: &Api, path: &str, header: (&str, &str), body: &Value) -> Answer {
    api.call(Method::PUT, path).header(header.0, header.1).json(body).send().await
}

async fn delete_if(api: &Api, path: &str, tag: &str) -> Answer {
    api.call(Method::DELETE, path).header("if-match", tag).send().await
}

fn tag(answer: &Answer) -> String {
    answer.header("etag").unwrap_or_else(|| panic!("{}: no ETag", answer.at)).to_owned()
}

/// The three kinds of records, each with a valid body.
fn records() -> [(&'static str, Value); 3] {
    [
        ("/learners/L1", people::learner(1)),
        (OFFICER, people::officer()),
        ("/organisations/E1", people::organisation()),
    ]
}

#[tokio::test]
async fn a_record_says_its_state_and_is_only_replaced_or_deleted_in_that_state() {
    let app = TestApp::start().await;
    for (path, body) in records() {
        let made = app.put(path, &body).await;
        let first = tag(&made);
        made.expect(201);
        assert!(first.starts_with('"') && first.ends_with('"'), "a strong one: {first}");
        assert_eq!(tag(&app.get(path).await), first);

        let second = put_if(&app, path, ("if-match", &first), &body).await;
        let second = (tag(&second), second.expect(200)).0;
        assert_ne!(first, second);
        put_if(&app, path, ("if-match", &first), &body).await.refused(412, "preconditionFailed");
        delete_if(&app, path, &first).await.refused(412, "preconditionFailed");
        assert_eq!(tag(&app.get(path).await), second, "nothing was written");

        let several = format!("\"other\", {first} , {second}");
        let third = put_if(&app, path, ("if-match", &several), &body).await;
        let third = (tag(&third), third.expect(200)).0;
        delete_if(&app, path, &third).await.expect(204);
        app.get(path).await.refused(404, "notFound");
        delete_if(&app, path, &third).await.refused(404, "notFound");
    }
}

#[tokio::test]
async fn a_record_that_was_deleted_and_made_again_is_another() {
    let app = TestApp::start().await;
    let first = tag(&app.put(OFFICER, &people::officer()).await);
    app.delete(OFFICER).await.expect(204);
    app.put(OFFICER, &people::officer()).await.expect(201);
    put_if(&app, OFFICER, ("if-match", &first), &people::officer()).await.refused(412, "preconditionFailed");
}

#[tokio::test]
async fn a_star_asks_that_it_exists_or_that_it_does_not() {
    let app = TestApp::start().await;
    for (path, body) in records() {
        let none = put_if(&app, path, ("if-match", "*"), &body).await.refused(412, "preconditionFailed");
        assert!(none["detail"].as_str().unwrap().contains("there is none"), "{none:#}");
        app.get(path).await.refused(404, "notFound");
        put_if(&app, path, ("if-none-match", "*"), &body).await.expect(201);
        let there =
            put_if(&app, path, ("if-none-match", "*"), &body).await.refused(412, "preconditionFailed");
        assert!(there["detail"].as_str().unwrap().contains("exists already"), "{there:#}");
        put_if(&app, path, ("if-match", "*"), &body).await.expect(200);
        delete_if(&app, path, "*").await.expect(204);
    }
}

#[tokio::test]
async fn a_tag_that_is_weak_or_was_never_given_fits_nothing() {
    let app = TestApp::start().await;
    let own = tag(&app.put(OFFICER, &people::officer()).await);
    for other in [format!("W/{own}"), "\"\"".to_owned(), "\"1\"".to_owned(), own.to_uppercase() + ", \"x\""] {
        // Digits alone have no case.
        if other.starts_with(&own) {
            continue;
        }
        let answer = put_if(&app, OFFICER, ("if-match", &other), &people::officer()).await;
        answer.refused(412, "preconditionFailed");
    }
}

#[tokio::test]
async fn a_tag_of_ours_that_a_proxy_weakened_is_refused_with_what_to_do() {
    let app = TestApp::start().await;
    let own = tag(&app.put(OFFICER, &people::officer()).await);
    let weak = format!("W/{own}");
    let problem = put_if(&app, OFFICER, ("if-match", &weak), &people::officer())
        .await
        .refused(412, "preconditionFailed");
    assert!(problem["detail"].as_str().unwrap().contains("weakened"), "{problem:#}");
    let other = put_if(&app, OFFICER, ("if-match", "W/\"1-9\""), &people::officer()).await;
    other.refused(412, "preconditionFailed");
}

#[tokio::test]
async fn a_condition_that_cannot_be_read_is_a_fault_and_nothing_is_written() {
    let app = TestApp::start().await;
    app.put(OFFICER, &people::officer()).await.expect(201);
    let before = tag(&app.get(OFFICER).await);
    for (name, value) in [
        ("if-match", "1"),
        ("if-match", ""),
        ("if-match", "\"1"),
        ("if-match", "\"1\" \"2\""),
        ("if-match", "*, \"1\""),
        ("if-none-match", "\"1\""),
        ("if-none-match", ""),
    ] {
        let problem = put_if(&app, OFFICER, (name, value), &people::officer()).await;
        let problem = problem.refused(400, "invalidParameter");
        assert_eq!(faults(&problem), [(name.to_owned(), "invalidValue".to_owned())].into(), "{value}");
    }
    let both = app.call(Method::PUT, OFFICER).header("if-match", &before).header("if-none-match", "*");
    both.json(&people::officer()).send().await.refused(400, "invalidParameter");
    assert_eq!(tag(&app.get(OFFICER).await), before);
    // A caller without a token gets that error first.
    let stranger = app.without_token();
    put_if(&stranger, OFFICER, ("if-match", "1"), &people::officer()).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn of_writers_who_read_the_same_one_wins_and_the_others_are_told() {
    let app = TestApp::start().await;
    let path = "/officers/O1";
    for round in 0..5 {
        let before = app.put(path, &json!({"lastName": format!("Round {round}")})).await;
        let seen = tag(&before);
        let bodies: Vec<_> = (0..8).map(|n| json!({"lastName": format!("Writer {n}")})).collect();
        let answers = join_all(bodies.iter().map(|body| put_if(&app, path, ("if-match", &seen), body))).await;
        let won: Vec<usize> =
            answers.iter().enumerate().filter(|(_, answer)| answer.status == 200).map(|(n, _)| n).collect();
        assert_eq!(won.len(), 1, "{won:?}");
        assert_eq!(answers.iter().filter(|answer| answer.status == 412).count(), 7);
        assert_eq!(app.get(path).await.expect(200)["lastName"], format!("Writer {}", won[0]));
    }
    // The same for callers that create a missing record.
    let one = json!({"lastName": "One"});
    let made = join_all((0..8).map(|_| put_if(&app, "/officers/NEW", ("if-none-match", "*"), &one)));
    let made: Vec<u16> = made.await.iter().map(|answer| answer.status).collect();
    assert_eq!(made.iter().filter(|status| **status == 201).count(), 1, "{made:?}");
    assert_eq!(made.iter().filter(|status| **status == 412).count(), 7, "{made:?}");
}

#[tokio::test]
async fn a_record_is_not_deleted_over_a_change_that_the_caller_has_not_seen() {
    let app = TestApp::start().await;
    for (path, body) in records() {
        let seen = tag(&app.put(path, &body).await);
        let (put, delete) =
            tokio::join!(put_if(&app, path, ("if-match", &seen), &body), delete_if(&app, path, &seen));
        assert!(matches!((put.status, delete.status), (200, 412) | (412, 204)), "{put:?} {delete:?}");
    }
}

#[tokio::test]
async fn settings_say_their_state_and_are_only_changed_in_it() {
    let app = TestApp::start().await;
    let cases = [
        ("/ace360/settings", json!({"enabled": true, "environment": "sandbox"})),
        ("/onefile/settings", json!({"enabled": false})),
    ];
    for (path, body) in &cases {
        let first = tag(&app.get(path).await);
        let answers = join_all((0..4).map(|_| put_if(&app, path, ("if-match", &first), body))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412], "{path}");
        let second = tag(answers.iter().find(|answer| answer.status == 200).unwrap());
        assert_eq!(tag(&app.get(path).await), second);
        put_if(&app, path, ("if-match", &first), body).await.refused(412, "preconditionFailed");
        put_if(&app, path, ("if-match", "*"), body).await.expect(200);
    }
}

#[tokio::test]
async fn settings_that_nobody_made_yet_have_a_state_too() {
    let app = TestApp::start().await;
    // The tag of settings is their number of writes.
    let body = json!({"enabled": false});
    let mut sql = app.sql().await;
    sqlx::query("delete from ace360_settings").execute(&mut sql).await.unwrap();
    let none = tag(&app.get("/ace360/settings").await);
    put_if(&app, "/ace360/settings", ("if-match", "\"0-7\""), &body).await.refused(412, "preconditionFailed");
    put_if(&app, "/ace360/settings", ("if-match", &none), &body).await.expect(200);
    put_if(&app, "/ace360/settings", ("if-match", &none), &body).await.refused(412, "preconditionFailed");
}
