//! Creations whose response was lost. They are reconciled, linked if the record exists, sent once
//! more if it is certainly absent, and never sent twice.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ace360::lost::{
    intent, lose, made, minutes, once, quick, under_way, until, until_intent,
};
use crate::support::ace360::{later, linked, previewed, ready, tab, typed, uploaded};
use crate::support::people::{self, but};

#[tokio::test]
async fn one_that_was_made_is_found_and_linked_and_never_made_again() {
    let app = quick().await;
    let kinds = [
        json!({"commitThenReset": {}}),
        json!({"commitThenSilence": {"ms": 4000}}),
        json!({"truncated": {}}),
        json!({"wrongTypes": {}}),
    ];
    for (at, kind) in (1..).zip(&kinds) {
        lose(&app, &format!("L{at}"), at, kind).await;
        made(&app, i64::try_from(at).unwrap()).await;
    }
    later(&app, TimeDelta::seconds(2)).await;
    for at in 1..=4 {
        let tab = until(&app, &format!("L{at}"), "uploaded").await;
        assert_eq!((&tab["method"], &tab["status"]["id"]), (&json!("reconciled"), &json!(1)));
        let record =
            app.sandbox_records().await.into_iter().find(|record| record["id"] == tab["recordId"]).unwrap();
        assert_eq!(record["ulnNumber"], people::uln(at), "each has its own");
    }
    made(&app, 4).await;
    assert_eq!(app.get("/intents?state=unknown").await.expect(200)["items"], json!([]));
    // They stay done, even when other work is overdue later.
    later(&app, TimeDelta::hours(1)).await;
    app.post(&tab("L1"), &json!({"allowDuplicate": true})).await.refused(409, "alreadyUploaded");
    made(&app, 4).await;
}

#[tokio::test]
async fn one_that_was_not_made_is_sent_once_more_after_two_looks_ten_minutes_apart() {
    let app = quick().await;
    let kinds = [
        json!({"status": {"status": 500, "body": {"message": "Server Error"}}}),
        json!({"status": {"status": 503}}),
        json!({"status": {"status": 302}}),
        json!({"html": {}}),
        json!({"reset": {}}),
        json!({"silence": {"ms": 4000}}),
        json!({"huge": {"bytes": 50_000_000}}),
        json!({"replaceBody": {"body": {"ok": true}}}),
    ];
    let all: Vec<_> = (1..).zip(&kinds).map(|(n, kind)| (format!("L{n}"), n, kind)).collect();
    for (id, n, kind) in &all {
        lose(&app, id, *n, kind).await;
    }
    made(&app, 0).await;
    later(&app, TimeDelta::seconds(2)).await;
    for (id, _, kind) in &all {
        let intent = until_intent(&app, id, |it| {
            it["nextLookAt"].is_string() && minutes(&it["sentAt"], &it["nextLookAt"]) >= 9
        })
        .await;
        assert_eq!((&intent["state"], &intent["sends"]), (&json!("unknown"), &json!(1)), "{kind}");
    }
    // Not earlier.
    later(&app, TimeDelta::minutes(9)).await;
    assert_eq!(
        app.get("/intents?state=unknown").await.expect(200)["items"].as_array().unwrap().len(),
        all.len()
    );
    made(&app, 0).await;
    later(&app, TimeDelta::minutes(2)).await;
    for (id, n, kind) in &all {
        let tab = until(&app, id, "uploaded").await;
        let record =
            app.sandbox_records().await.into_iter().find(|record| record["id"] == tab["recordId"]).unwrap();
        assert_eq!(record["ulnNumber"], people::uln(*n), "{kind}");
        assert_eq!(intent(&app, id).await["sends"], 2, "{kind}");
    }
    made(&app, i64::try_from(all.len()).unwrap()).await;
}

#[tokio::test]
async fn one_that_is_lost_twice_is_left_to_a_person() {
    let app = quick().await;
    app.put_ready("L1", 1).await;
    app.fault(json!({"operation": "createApprentice", "times": 2, "kind": {"status": {"status": 500}}}))
        .await;
    app.post(&tab("L1"), &json!({})).await.expect(202);
    later(&app, TimeDelta::seconds(2)).await;
    until_intent(&app, "L1", |it| minutes(&it["sentAt"], &it["nextLookAt"]) >= 9).await;
    later(&app, TimeDelta::minutes(11)).await;
    until_intent(&app, "L1", |it| it["sends"] == 2 && it["state"] == "unknown").await;
    later(&app, TimeDelta::seconds(2)).await;
    until_intent(&app, "L1", |it| {
        it["nextLookAt"].is_string() && minutes(&it["sentAt"], &it["nextLookAt"]) >= 9
    })
    .await;
    later(&app, TimeDelta::minutes(11)).await;
    let left = until_intent(&app, "L1", |it| it["nextLookAt"].is_null()).await;
    assert_eq!((&left["state"], &left["sends"]), (&json!("unknown"), &json!(2)));
    for _ in 0..3 {
        later(&app, TimeDelta::days(1)).await;
    }
    let page = app.get("/intents?state=unknown").await.expect(200);
    assert_eq!(page["items"], json!([left]), "nothing moves it any more");
    under_way(&app, "L1", "unknown").await;
    assert_eq!(app.sandbox_state().await["calls"]["createApprentice"], 2);
    made(&app, 0).await;
}

#[tokio::test]
async fn a_person_settles_what_no_look_can() {
    let app = quick().await;
    let settle = async |id: &str, body: Value| {
        let intent = intent(&app, id).await["id"].as_str().unwrap().to_owned();
        app.post(&format!("/intents/{intent}:resolve"), &body).await
    };
    let taken = uploaded(&app, "L9", 9).await;
    lose(&app, "L1", 1, &json!({"commitThenReset": {}})).await;
    lose(&app, "L2", 2, &json!({"reset": {}})).await;
    let record = app.sandbox_records().await[0]["id"].clone();
    settle("L1", json!({"outcome": "done"})).await.refused(422, "invalidRequest");
    settle("L1", json!({"outcome": "done", "remoteId": 4711})).await.refused(404, "upstreamMissing");
    settle("L1", json!({"outcome": "done", "remoteId": taken})).await.refused(409, "otherPerson");
    let sure = json!({"outcome": "done", "remoteId": taken, "allowOtherPerson": true});
    settle("L1", sure).await.refused(409, "alreadyLinked");
    assert_eq!(
        settle("L1", json!({"outcome": "done", "remoteId": record})).await.expect(200)["state"],
        "done"
    );
    let tab_now = app.get(&tab("L1")).await.expect(200);
    assert_eq!((&tab_now["state"], &tab_now["recordId"]), (&json!("uploaded"), &record));
    settle("L1", json!({"outcome": "notDone"})).await.refused(409, "alreadySettled");
    settle("L9", json!({"outcome": "notDone"})).await.refused(409, "alreadySettled");
    assert_eq!(settle("L2", json!({"outcome": "notDone"})).await.expect(200)["state"], "notSent");
    assert_eq!(app.get(&tab("L2")).await.expect(200)["state"], "notUploaded");
    app.post(&tab("L2"), &json!({})).await.expect(201);
    made(&app, 3).await;
}

#[tokio::test]
async fn one_that_was_made_late_is_found_by_the_second_look() {
    let app = quick().await;
    lose(&app, "L1", 1, &json!({"reset": {}})).await;
    later(&app, TimeDelta::seconds(2)).await;
    until_intent(&app, "L1", |it| minutes(&it["sentAt"], &it["nextLookAt"]) >= 9).await;
    // The request was still on its way: ACE360 has the record now.
    let fields = previewed(&app, "L1").await;
    let record = app.sandbox_create(Value::Object(fields)).await["id"].clone();
    later(&app, TimeDelta::minutes(11)).await;
    let tab = until(&app, "L1", "uploaded").await;
    assert_eq!((&tab["recordId"], &tab["method"]), (&record, &json!("reconciled")));
    made(&app, 0).await;
}

#[tokio::test]
async fn a_look_that_fails_is_no_look() {
    let app = quick().await;
    lose(&app, "L1", 1, &json!({"commitThenReset": {}})).await;
    app.fault(json!({"operation": "listApprentices", "kind": {"status": {"status": 500}}})).await;
    let first = intent(&app, "L1").await["nextLookAt"].clone();
    later(&app, TimeDelta::seconds(2)).await;
    let again = until_intent(&app, "L1", |it| minutes(&first, &it["nextLookAt"]) >= 1).await;
    assert_eq!(again["state"], "unknown");
    app.no_faults().await;
    later(&app, TimeDelta::minutes(2)).await;
    assert_eq!(until(&app, "L1", "uploaded").await["method"], "reconciled");
    made(&app, 1).await;
}

#[tokio::test]
async fn a_record_that_was_there_before_is_not_taken_for_the_lost_one() {
    let app = quick().await;
    app.put_ready("L1", 1).await;
    let before = app.sandbox_create(typed(1)).await["id"].clone();
    app.fault(once(&json!({"reset": {}}))).await;
    app.post(&tab("L1"), &json!({"allowDuplicate": true})).await.expect(202);
    later(&app, TimeDelta::seconds(2)).await;
    until_intent(&app, "L1", |it| minutes(&it["sentAt"], &it["nextLookAt"]) >= 9).await;
    later(&app, TimeDelta::minutes(11)).await;
    let tab = until(&app, "L1", "uploaded").await;
    assert_ne!(tab["recordId"], before);
    assert_eq!(app.sandbox_state().await["creditsUsed"], 1);
}

#[tokio::test]
async fn somebody_elses_record_of_the_same_name_is_not_taken_for_the_lost_one() {
    let app = quick().await;
    lose(&app, "L1", 1, &json!({"reset": {}})).await;
    app.sandbox_create(but(typed(1), json!({"ulnNumber": people::uln(900)}))).await;
    later(&app, TimeDelta::seconds(2)).await;
    let waits = until_intent(&app, "L1", |it| minutes(&it["sentAt"], &it["nextLookAt"]) >= 9).await;
    assert_eq!(waits["state"], "unknown");
}

#[tokio::test]
async fn one_that_was_not_made_is_not_sent_once_more_while_another_record_looks_like_it() {
    let app = quick().await;
    lose(&app, "L1", 1, &json!({"reset": {}})).await;
    later(&app, TimeDelta::seconds(2)).await;
    until_intent(&app, "L1", |it| minutes(&it["sentAt"], &it["nextLookAt"]) >= 9).await;
    // A person creates it by hand before its ULN is known. No search may mistake it for the lost
    // record, and one more record could be one too many.
    let by_hand =
        app.sandbox_create(but(typed(1), json!({"ulnNumber": people::uln(900)}))).await["id"].clone();
    let body = json!({"id": by_hand, "ulnNumber": "9999999999"});
    app.fault(json!({"operation": "getApprentice", "kind": {"replaceBody": {"body": body}}})).await;
    later(&app, TimeDelta::minutes(11)).await;
    let left = until_intent(&app, "L1", |it| it["nextLookAt"].is_null() && it["state"] != "sending").await;
    assert_eq!((&left["state"], &left["sends"]), (&json!("unknown"), &json!(1)));
    assert!(left["problem"].as_str().unwrap().contains(&format!("({by_hand})")), "{left:#}");
    later(&app, TimeDelta::days(1)).await;
    assert_eq!(intent(&app, "L1").await, left, "nothing moves it any more");
    made(&app, 0).await;
}

#[tokio::test]
async fn an_answer_with_another_learners_record_links_nothing() {
    let app = quick().await;
    let record = uploaded(&app, "L1", 1).await;
    let body = json!({"id": record, "firstName": "Bertil", "status": {"id": 1, "text": "In Training"}});
    lose(&app, "L2", 2, &json!({"replaceBody": {"body": body}})).await;
    assert_eq!(app.get(&tab("L1")).await.expect(200)["recordId"], record);
    made(&app, 1).await;
    later(&app, TimeDelta::seconds(2)).await;
    until_intent(&app, "L2", |it| minutes(&it["sentAt"], &it["nextLookAt"]) >= 9).await;
    later(&app, TimeDelta::minutes(11)).await;
    let tab_now = until(&app, "L2", "uploaded").await;
    assert_ne!(tab_now["recordId"], record);
    assert_eq!(app.get(&tab("L1")).await.expect(200)["recordId"], record);
    made(&app, 2).await;
}

#[tokio::test]
async fn a_lost_upload_whose_record_was_linked_to_another_learner_is_left_to_a_person() {
    let app = quick().await;
    lose(&app, "L1", 1, &json!({"commitThenReset": {}})).await;
    let record = app.sandbox_records().await[0]["id"].as_i64().unwrap();
    linked(&app, &["L2"], [record]).await;
    later(&app, TimeDelta::seconds(2)).await;
    let open = until_intent(&app, "L1", |it| it["nextLookAt"].is_null()).await;
    assert_eq!(open["state"], "unknown");
    assert!(open["problem"].as_str().unwrap().contains("is linked to another record here"), "{open:#}");
    later(&app, TimeDelta::minutes(30)).await;
    assert_eq!(intent(&app, "L1").await["state"], "unknown");
    made(&app, 1).await;
}

#[tokio::test]
async fn while_the_outcome_is_open_nothing_else_is_done_with_the_learner() {
    let app = quick().await;
    let other = app.sandbox_create(typed(50)).await["id"].clone();
    lose(&app, "L1", 1, &json!({"commitThenReset": {}})).await;
    let calls = app.sandbox_state().await["calls"]["createApprentice"].clone();
    under_way(&app, "L1", "unknown").await;
    let sure = json!({"recordId": other, "allowOtherPerson": true});
    app.put("/learners/L1/ace360/link", &sure).await.refused(409, "inFlight");
    app.delete("/learners/L1").await.refused(409, "inFlight");
    app.post("/learners/L1/ace360:sync", &Value::Null).await.refused(409, "notUploaded");
    assert_eq!(app.sandbox_state().await["calls"]["createApprentice"], calls);
    later(&app, TimeDelta::seconds(2)).await;
    until(&app, "L1", "uploaded").await;
    app.delete("/learners/L1").await.expect(204);
    app.get(&tab("L1")).await.refused(404, "notFound");
}

#[tokio::test]
async fn uploads_of_one_learner_at_the_same_instant_make_one_record() {
    let app = ready().await;
    let second = app.second().await;
    for n in 1..=4 {
        let id = format!("L{n}");
        app.put_ready(&id, n).await;
        let (path, body) = (tab(&id), json!({}));
        let answers = tokio::join!(
            app.post(&path, &body),
            second.post(&path, &body),
            app.post(&path, &body),
            second.post(&path, &body)
        );
        let mut made_it = 0;
        for answer in [answers.0, answers.1, answers.2, answers.3] {
            match answer.status {
                201 => made_it += 1,
                // On a busy machine a response may be late. Then the tab shows the outcome.
                202 => {}
                _ => {
                    let code = answer.body["code"].as_str().unwrap();
                    assert!(["alreadyUploaded", "likelyDuplicate"].contains(&code), "{answer:?}");
                }
            }
        }
        assert!(made_it <= 1, "{made_it} of the calls say that they made it");
        until(&app, &id, "uploaded").await;
        made(&app, i64::try_from(n).unwrap()).await;
    }
}

#[tokio::test]
async fn a_caller_who_does_not_wait_is_told_where_to_look() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    app.fault(once(&json!({"delay": {"ms": 700}}))).await;
    let answer = app.call(Method::POST, &tab("L1")).header("prefer", "wait=0").json(&json!({})).send().await;
    assert_eq!(answer.header("location"), Some("/learners/L1/ace360"));
    assert_eq!(answer.expect(202)["state"], "uploading");
    under_way(&app, "L1", "uploading").await;
    // A caller who waits gets the other's outcome.
    app.post(&tab("L1"), &json!({})).await.refused(409, "alreadyUploaded");
    assert_eq!(app.get(&tab("L1")).await.expect(200)["method"], "upload");
    made(&app, 1).await;
}

#[tokio::test]
async fn a_caller_who_goes_away_does_not_stop_an_upload() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    app.fault(once(&json!({"delay": {"ms": 700}}))).await;
    let caller = reqwest::Client::builder().no_proxy().timeout(Duration::from_millis(350)).build().unwrap();
    let gone = caller.post(format!("{}{}", app.base(), tab("L1"))).bearer_auth(app.token()).send().await;
    assert!(gone.unwrap_err().is_timeout());
    assert_eq!(until(&app, "L1", "uploaded").await["method"], "upload");
    made(&app, 1).await;
}

#[tokio::test]
async fn a_stop_of_the_service_lets_an_upload_come_to_its_end() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let second = app.second().await;
    app.fault(once(&json!({"delay": {"ms": 500}}))).await;
    let accepted =
        second.call(Method::POST, &tab("L1")).header("prefer", "wait=0").json(&json!({})).send().await;
    accepted.expect(202);
    second.stop().await;
    assert_eq!(app.get(&tab("L1")).await.expect(200)["state"], "uploaded");
    made(&app, 1).await;
}

/// Soon after another upload, the intent is written while ACE360's newest records are read.
#[tokio::test]
async fn one_that_proves_to_be_a_duplicate_has_no_intent_and_is_not_sent() {
    let app = quick().await;
    uploaded(&app, "L1", 1).await;
    app.put_ready("L2", 2).await;
    let by_hand = app.sandbox_create(typed(2)).await["id"].clone();
    let refused = app.post(&tab("L2"), &json!({})).await.refused(409, "likelyDuplicate");
    assert_eq!(refused["recordIds"], json!([by_hand]));
    assert_eq!(app.get("/intents?learnerId=L2").await.expect(200)["items"], json!([]));
    assert_eq!(app.sandbox_state().await["calls"]["createApprentice"], 1);
    app.post(&tab("L2"), &json!({})).await.refused(409, "likelyDuplicate");
    app.post(&tab("L2"), &json!({"allowDuplicate": true})).await.expect(201);
    assert_ne!(app.get(&tab("L2")).await.expect(200)["recordId"], by_hand);
}

#[tokio::test]
async fn one_whose_search_failed_has_no_intent_is_not_sent_and_may_be_uploaded_again() {
    let app = quick().await;
    uploaded(&app, "L1", 1).await;
    app.put_ready("L2", 2).await;
    for (status, code) in [(500, "upstreamFailed"), (401, "upstreamUnauthorised")] {
        app.fault(json!({"operation": "listApprentices", "kind": {"status": {"status": status}}})).await;
        let problem = app.post(&tab("L2"), &json!({})).await;
        assert_eq!(problem.body["code"], code, "{problem:?}");
        assert!(problem.body["detail"].as_str().unwrap().ends_with("Nothing was sent."), "{problem:?}");
        assert_eq!(app.get("/intents?learnerId=L2").await.expect(200)["items"], json!([]));
    }
    app.no_faults().await;
    made(&app, 1).await;
    app.post(&tab("L2"), &json!({})).await.expect(201);
    made(&app, 2).await;
}
