//! OneFile's search results are read as far as possible.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::onefile::{all_calls, behave, calls, connected, entries, records, refresh};

async fn names(app: &TestApp) -> Vec<String> {
    entries(app, "/onefile/placements").await.into_keys().collect()
}

#[tokio::test]
async fn short_pages_end_nothing() {
    let app = connected().await;
    let whole = names(&app).await;
    assert_eq!(whole.len(), records(&app, "placement").await.len());
    for cap in [1, 7, 10, 40] {
        behave(&app, json!({ "pageCap": cap })).await;
        refresh(&app, "placements").await;
        assert_eq!(names(&app).await, whole, "pages of {cap}");
    }
}

#[tokio::test]
async fn a_204_in_the_middle_loses_nothing() {
    let app = connected().await;
    let whole = names(&app).await;
    behave(&app, json!({"pageCap": 10})).await;
    for (skip, status) in [(0, 204), (1, 204), (3, 204), (4, 204)] {
        let kind = json!({"status": {"status": status}});
        app.fault(json!({"operation": "searchPlacements", "skip": skip, "times": 1, "kind": kind})).await;
        refresh(&app, "placements").await;
        assert_eq!(names(&app).await, whole, "{status} after {skip}");
    }
    app.fault(json!({"operation": "searchPlacements", "skip": 2, "times": 1, "kind": {"replaceBody": {"body": []}}})).await;
    refresh(&app, "placements").await;
    assert_eq!(names(&app).await, whole, "an empty list");
}

#[tokio::test]
async fn the_same_user_on_two_pages_counts_once() {
    let app = connected().await;
    let whole = entries(&app, "/onefile/assessors").await;
    // Trainees are searched first, those of the main centre before the others.
    let (first, _) = whole.iter().find(|(_, entry)| entry["role"] == 4).unwrap();
    let twice = json!([{"ID": first, "FirstName": "Twice"}, {"ID": 999_901, "FirstName": "Once"}]);
    behave(&app, json!({"pageCap": 5})).await;
    app.fault(
        json!({"operation": "searchUsers", "skip": 1, "times": 1, "kind": {"replaceBody": {"body": twice}}}),
    )
    .await;
    let page = refresh(&app, "assessors").await;
    assert_eq!(page["unreadable"], 0);
    let found = entries(&app, "/onefile/assessors").await;
    assert_eq!(found["999901"]["name"], "Once");
    assert_eq!(found[first]["name"], whole[first]["name"]);
}

#[tokio::test]
async fn a_row_without_an_id_is_told_and_the_others_go_on() {
    let app = connected().await;
    let rows = json!([{"Name": "No id"}, {"ID": 999_902, "Name": {"odd": true}, "MISID": 7}, 7, {"id": "999903", "NAME": "Upper"}]);
    app.fault(json!({"operation": "searchPlacements", "times": 1, "kind": {"replaceBody": {"body": rows}}}))
        .await;
    let page = app.get("/onefile/placements").await.expect(200);
    assert_eq!(page["unreadable"], 2, "{page:#}");
    let found = entries(&app, "/onefile/placements").await;
    assert_eq!((&found["999902"]["name"], &found["999902"]["misId"]), (&Value::Null, &json!("7")));
    assert_eq!(found["999903"]["name"], "Upper");
}

#[tokio::test]
async fn answers_that_are_no_lists_are_a_failure_and_what_was_read_before_stays() {
    let app = connected().await;
    let whole = names(&app).await;
    for kind in [
        json!({"html": {}}),
        json!({"replaceBody": {"body": {"message": "x"}}}),
        json!({"truncated": {}}),
        json!({"huge": {"bytes": 9_000_000}}),
    ] {
        app.fault(json!({"operation": "searchPlacements", "kind": kind})).await;
        app.get("/onefile/placements?refresh=true").await.refused(502, "upstreamFailed");
        assert_eq!(names(&app).await, whole);
    }
    app.no_faults().await;
    refresh(&app, "placements").await;
}

#[tokio::test]
async fn a_refusal_is_shown_in_onefiles_words() {
    let app = connected().await;
    let kind = json!({"status": {"status": 400, "body": {"message": "OrganisationID is not yours."}}});
    app.fault(json!({"operation": "searchClassrooms", "kind": kind})).await;
    let problem = app.get("/onefile/classrooms").await.refused(422, "upstreamRejected");
    assert_eq!(
        problem["upstream"],
        json!({"name": "onefile", "status": 400, "message": "OrganisationID is not yours."})
    );
}

#[tokio::test]
async fn a_read_whose_answer_was_lost_is_tried_again() {
    let app = connected().await;
    let kind = json!({"reset": {}});
    app.fault(json!({"operation": "searchOrganisations", "times": 2, "kind": kind})).await;
    assert_eq!(entries(&app, "/onefile/centres").await.len(), 3);
}

#[tokio::test]
async fn ten_thousand_placements_cost_their_pages_and_a_few_calls() {
    let app = connected().await;
    let more = json!({"placements": 10_000});
    app.sandbox_call(reqwest::Method::POST, "/onefile/records:more", Some(more)).await;
    let page = app.get("/onefile/placements?pageSize=500").await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 500);
    let pages = 10_060 / 200;
    let searched = calls(&app, "searchPlacements").await;
    assert!((pages..=pages + 12).contains(&searched), "{searched} calls");
    let all = all_calls(&app).await;
    assert!(all <= pages + 20, "{all} calls in all");
    assert_eq!(entries(&app, "/onefile/placements").await.len(), 10_060);
    assert_eq!(entries(&app, "/onefile/placements?query=e-noname").await.len(), 1);
    assert_eq!(all_calls(&app).await, all, "the rest came from what was read");
}
