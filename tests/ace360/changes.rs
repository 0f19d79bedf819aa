//! The events that ACE360 adds to the change feed.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::ace360::{linked, ran, ready, uploaded};

async fn feed(app: &TestApp, query: &str) -> (Vec<Value>, String) {
    let answer = app.get(&format!("/changes{query}")).await.expect(200);
    (answer["items"].as_array().unwrap().clone(), answer["nextAfter"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_change_tells_before_and_after_wherever_it_was_seen() {
    let app = ready().await;
    let record = uploaded(&app, "L1", 1).await;
    app.sandbox_advance(record).await;
    ran(&app, "/ace360/status:sync").await;
    app.sandbox_change(record, json!({"statusId": 8})).await;
    app.post("/learners/L1/ace360:sync", &Value::Null).await.expect(200);
    let (items, _) = feed(&app, "").await;
    let of = |wanted: &str| {
        items
            .iter()
            .filter(|change| change["type"] == wanted)
            .map(|change| change["data"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("ace360.statusChanged"),
        [
            json!({"recordId": record, "before": {"id": 1, "text": "In Training"}, "after": {"id": 2, "text": "Gateway in Progress"}}),
            json!({"recordId": record, "before": {"id": 2, "text": "Gateway in Progress"}, "after": {"id": 8, "text": "EPA Evidence Complete"}}),
        ]
    );
    let grade = |grade: Value| json!({"provisionalGrade": grade, "overallGrade": null, "gradeDate": null});
    assert_eq!(
        of("ace360.gradeChanged"),
        [json!({"recordId": record, "before": grade(Value::Null), "after": grade(json!("merit"))})]
    );
    let finished = of("run.finished");
    assert_eq!(
        (finished.len(), &finished[0]["kind"], &finished[0]["succeeded"]),
        (1, &json!("ace360.statusSync"), &json!(1))
    );
    assert!(items.iter().all(|change| change["at"].is_string() && change["id"].is_string()));
}

#[tokio::test]
async fn the_feed_is_walked_in_order_without_gaps_by_pages_of_any_size() {
    let app = ready().await;
    app.sandbox_seed(12).await;
    let ids: Vec<String> = (0..12).map(|at| format!("L{at}")).collect();
    linked(&app, &ids.iter().map(String::as_str).collect::<Vec<_>>(), 248..).await;
    let (all, end) = feed(&app, "?pageSize=500").await;
    let subjects: Vec<&str> = all.iter().map(|change| change["subject"]["id"].as_str().unwrap()).collect();
    assert_eq!(subjects, ids.iter().map(String::as_str).collect::<Vec<_>>());
    for size in [1, 5, 12, 13] {
        let (mut walked, mut after) = (Vec::new(), None);
        loop {
            let query = after.as_ref().map_or_else(String::new, |after| format!("&after={after}"));
            let (items, next) = feed(&app, &format!("?pageSize={size}{query}")).await;
            if items.is_empty() {
                assert_eq!(Some(&next), after.as_ref(), "nothing new: what was asked with");
                break;
            }
            assert!(items.len() <= size);
            walked.extend(items);
            after = Some(next);
        }
        assert_eq!((&walked, after), (&all, Some(end.clone())));
    }
    // Later changes come after it.
    app.delete("/learners/L0/ace360/link").await.expect(204);
    let (items, _) = feed(&app, &format!("?after={end}")).await;
    assert_eq!((items.len(), &items[0]["type"]), (1, &json!("link.removed")));
}

#[tokio::test]
async fn a_feed_has_its_own_providers_changes_only_and_positions_are_not_guessed() {
    let app = ready().await;
    uploaded(&app, "L1", 1).await;
    let other = app.second_provider().await;
    let empty = other.get("/changes").await.expect(200);
    assert_eq!(empty["items"], json!([]));
    let again =
        other.get(&format!("/changes?after={}", empty["nextAfter"].as_str().unwrap())).await.expect(200);
    assert_eq!(again, empty);
    for query in ["after=!", "after=LTE", "after=eA", "pageSize=0", "pageSize=x", "since=1"] {
        app.get(&format!("/changes?{query}")).await.refused(400, "invalidParameter");
    }
    // After a restore of the database, the reader's position (1,000,000) does not exist.
    app.get("/changes?after=MTAwMDAwMA").await.refused(410, "expired");
}

#[tokio::test]
async fn an_erased_learner_leaves_the_feed() {
    let app = ready().await;
    uploaded(&app, "L1", 1).await;
    uploaded(&app, "L2", 2).await;
    app.delete("/learners/L1").await.expect(204);
    let (items, _) = feed(&app, "").await;
    assert!(items.iter().all(|change| change["subject"]["id"] != "L1"), "{items:?}");
    assert!(items.iter().any(|change| change["subject"]["id"] == "L2"));
}

#[tokio::test]
async fn every_kind_of_change_is_told_as_the_document_shows_it() {
    let app = ready().await;
    let record = uploaded(&app, "L1", 1).await;
    let read = async || app.post("/learners/L1/ace360:sync", &Value::Null).await.expect(200);
    for change in [
        json!({"statusId": 9, "overallGrade": "distinction"}),
        json!({"archive": true, "archivalStatus": "Completed"}),
    ] {
        app.sandbox_change(record, change).await;
        read().await;
    }
    app.sandbox_advance(record).await;
    app.fault(json!({"operation": "getApprentice", "times": 1, "kind": {"status": {"status": 404}}})).await;
    for _ in ["gone", "returned, with its certificate"] {
        read().await;
    }
    ran(&app, "/ace360/status:sync").await;
    let (items, _) = feed(&app, "?pageSize=500").await;
    let wanted = |type_: &str| type_.starts_with("ace360.") || type_.starts_with("run.");
    app.contract().shows_what_is_sent(&items, wanted);
}
