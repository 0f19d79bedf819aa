//! Links and unlinks by hand.

use serde_json::{Value, json};

use crate::support::ace360::{ready, tab, typed, uploaded};
use crate::support::people;

const LINK: &str = "/learners/L1/ace360/link";

#[tokio::test]
async fn only_a_record_that_exists_is_linked() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    app.put(LINK, &json!({"recordId": 4711})).await.refused(404, "upstreamMissing");
    app.put(LINK, &json!({"recordId": 0})).await.refused(422, "invalidRequest");
    app.put(LINK, &json!({"recordId": "x"})).await.refused(422, "invalidRequest");
    app.put(LINK, &json!({})).await.refused(422, "invalidRequest");
    app.put("/learners/nobody/ace360/link", &json!({"recordId": 4711})).await.refused(404, "notFound");
    assert_eq!(app.get(&tab("L1")).await.expect(200)["state"], "notUploaded");
}

#[tokio::test]
async fn an_upstream_that_answers_with_another_record_is_not_believed() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let record = app.sandbox_create(typed(2)).await;
    let other = app.sandbox_create(typed(3)).await;
    app.fault(json!({"operation": "getApprentice", "kind": {"replaceBody": {"body": other}}})).await;
    app.put(LINK, &json!({"recordId": record["id"]})).await.refused(502, "upstreamFailed");
}

#[tokio::test]
async fn a_link_by_hand_shows_the_record_as_it_is_and_is_told() {
    let app = ready().await;
    app.put_ready("L1", 1).await;
    let record = app.sandbox_create(typed(1)).await["id"].as_i64().unwrap();
    app.sandbox_change(record, json!({"statusId": 9, "overallGrade": "merit"})).await;
    let now = app.put(LINK, &json!({"recordId": record})).await.expect(200);
    assert_eq!(
        (&now["state"], &now["recordId"], &now["method"], &now["status"]["id"], &now["overallGrade"]),
        (&json!("uploaded"), &json!(record), &json!("manual"), &json!(9), &json!("merit"))
    );
    // A second identical call has the same result.
    assert_eq!(app.put(LINK, &json!({"recordId": record})).await.expect(200), now);
    let history = app.get("/learners/L1/ace360/history").await.expect(200);
    assert_eq!(history["items"].as_array().unwrap().len(), 1);
    let changes = app.get("/changes").await.expect(200);
    let items = changes["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{changes:#}");
    assert_eq!(
        (&items[0]["type"], &items[0]["data"]["upstream"]),
        (&json!("link.created"), &json!("ace360"))
    );
    assert_eq!(app.sandbox_state().await["creditsUsed"], 0);
}

#[tokio::test]
async fn one_record_belongs_to_one_learner_and_one_learner_has_one_record() {
    let app = ready().await;
    let first = uploaded(&app, "L1", 1).await;
    let second = app.sandbox_create(typed(2)).await["id"].clone();
    app.put(LINK, &json!({"recordId": second, "allowOtherPerson": true})).await.refused(409, "alreadyLinked");
    app.put("/learners/L2", &people::learner(2)).await.good();
    let sure = json!({"recordId": first, "allowOtherPerson": true});
    app.put("/learners/L2/ace360/link", &sure).await.refused(409, "alreadyLinked");
    app.put("/learners/L2/ace360/link", &json!({"recordId": second})).await.expect(200);
}

#[tokio::test]
async fn two_learners_that_reach_for_one_record_at_the_same_instant_do_not_share_it() {
    let app = ready().await;
    for n in 1..=5 {
        let body = json!({"recordId": app.sandbox_create(typed(n)).await["id"]});
        let ids = [format!("A{n}"), format!("B{n}")];
        for id in &ids {
            app.put(&format!("/learners/{id}"), &people::learner(n)).await.good();
        }
        let paths = ids.map(|id| format!("{}/link", tab(&id)));
        let (one, two) = tokio::join!(app.put(&paths[0], &body), app.put(&paths[1], &body));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{one:?} {two:?}");
    }
}

#[tokio::test]
async fn an_unlinked_learner_is_not_uploaded_and_may_be_linked_again_but_not_doubled() {
    let app = ready().await;
    let record = uploaded(&app, "L1", 1).await;
    app.delete(LINK).await.expect(204);
    app.delete(LINK).await.refused(404, "notFound");
    let now = app.get(&tab("L1")).await.expect(200);
    assert_eq!(
        (&now["state"], &now["recordId"], &now["problem"]),
        (&json!("notUploaded"), &Value::Null, &Value::Null)
    );
    let problem = app.post(&tab("L1"), &json!({})).await.refused(409, "likelyDuplicate");
    assert_eq!(problem["recordIds"], json!([record]));
    let now = app.put(LINK, &json!({"recordId": record})).await.expect(200);
    assert_eq!((&now["state"], &now["method"]), (&json!("uploaded"), &json!("manual")));
    let changes = app.get("/changes").await.expect(200);
    let types: Vec<_> = changes["items"].as_array().unwrap().iter().map(|change| &change["type"]).collect();
    assert_eq!(types, ["ace360.uploaded", "link.removed", "link.created"]);
    assert_eq!(app.sandbox_state().await["creditsUsed"], 1);
}

#[tokio::test]
async fn an_upload_and_a_link_of_one_learner_at_the_same_instant_leave_one_record() {
    let app = ready().await;
    for n in 1..=4 {
        let id = format!("L{n}");
        app.put_ready(&id, n).await;
        // The record belongs to another person. The upload would not find it without the link.
        let body = json!({"recordId": app.sandbox_create(typed(n + 100)).await["id"]});
        let (upload, link) = (tab(&id), format!("{}/link", tab(&id)));
        let before = app.sandbox_state().await["creditsUsed"].as_i64().unwrap();
        let usual = json!({});
        let (sent, linked) = tokio::join!(app.post(&upload, &usual), app.put(&link, &body));
        let after = app.sandbox_state().await["creditsUsed"].as_i64().unwrap();
        let now = app.get(&tab(&id)).await.expect(200);
        match (sent.status, linked.status) {
            (201, 409) => assert_eq!((&now["recordId"], after - before), (&sent.body["recordId"], 1)),
            (409, 200) => assert_eq!((&now["recordId"], after - before), (&body["recordId"], 0)),
            _ => panic!("{sent:?} {linked:?}"),
        }
    }
}

#[tokio::test]
async fn a_record_with_another_uln_is_linked_only_when_that_is_said() {
    let app = ready().await;
    let record = uploaded(&app, "L1", 1).await;
    app.delete(LINK).await.expect(204);
    app.put_ready("L2", 2).await;
    app.put("/learners/L2/ace360/link", &json!({ "recordId": record })).await.refused(409, "otherPerson");
    assert_eq!(app.get(&tab("L2")).await.expect(200)["state"], "notUploaded");
    let sure = json!({ "recordId": record, "allowOtherPerson": true });
    assert_eq!(app.put("/learners/L2/ace360/link", &sure).await.expect(200)["recordId"], record);
}
