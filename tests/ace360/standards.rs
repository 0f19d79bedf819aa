//! The catalogue of standards and its sectors.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::ace360::{later, outcomes, ran};

const REFRESH: &str = "/ace360/standards:refresh";

/// All standards, read in pages of this size.
async fn walk(app: &TestApp, size: usize) -> Vec<Value> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("/ace360/standards?pageSize={size}&pageToken={token}")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= size);
        all.extend(items.iter().cloned());
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => return all,
        }
    }
}

#[tokio::test]
async fn a_refresh_brings_the_whole_catalogue_and_the_next_one_finds_nothing_new() {
    let app = TestApp::start().await;
    let before = app.get("/ace360/standards").await.expect(200);
    assert_eq!((&before["items"], &before["refreshedAt"]), (&json!([]), &Value::Null));
    let summary = app.get("/ace360").await.expect(200);
    assert!(summary["attention"].to_string().contains("noCatalogue"), "{summary:#}");
    let run = app.refresh_standards().await;
    let total = run["total"].as_u64().unwrap();
    assert!(total > 700, "{run:#}");
    assert_eq!((&run["done"], &run["succeeded"]), (&json!(total), &json!(total)));
    assert_eq!(run["calls"], json!({"used": total.div_ceil(100), "planned": total.div_ceil(100)}));
    let all = walk(&app, 500).await;
    assert_eq!(all.len() as u64, total);
    let ids: BTreeSet<i64> = all.iter().map(|one| one["standardId"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), all.len());
    let again = ran(&app, REFRESH).await;
    assert_eq!((&again["unchanged"], &again["succeeded"]), (&json!(total), &json!(0)));
    assert!(app.get("/ace360/standards").await.expect(200)["refreshedAt"].is_string());

    // A LARS code has several versions and options.
    let of = app.get("/ace360/standards?larsCode=196").await.expect(200);
    let items = of["items"].as_array().unwrap();
    assert_eq!(items.len(), 4, "{of:#}");
    let versions: BTreeSet<_> =
        items.iter().map(|one| (one["version"].as_str(), one["option"].as_str())).collect();
    assert_eq!(versions.len(), 4);
    assert!(
        items
            .iter()
            .all(|one| one["larsCode"] == 196 && one["stCode"].as_str().unwrap().starts_with("ST0070/"))
    );
    assert_eq!(app.get("/ace360/standards?larsCode=99999999").await.expect(200)["items"], json!([]));
    for query in ["larsCode=x", "pageSize=0", "pageToken=!", "lars=196"] {
        app.get(&format!("/ace360/standards?{query}")).await.refused(400, "invalidParameter");
    }
    let sectors = app.get("/ace360/sectors").await.expect(200);
    let sectors = sectors["items"].as_array().unwrap();
    let ids: Vec<i64> = sectors.iter().map(|one| one["id"].as_i64().unwrap()).collect();
    assert!(ids.is_sorted() && ids.len() > 10, "{ids:?}");
    assert!(sectors.contains(&json!({"id": 4, "name": "Business and Administration"})));
}

fn one_page(rows: &Value) -> Value {
    json!({"operation": "listStandards", "kind": {"replaceBody": {"body":
        {"total": rows.as_array().unwrap().len(), "currentPage": 1, "perPage": 100, "totalPages": 1, "data": rows}}}})
}

fn standard(id: i64, name: &str) -> Value {
    json!({"id": id, "stCode": "ST0001/01", "name": name, "larsCode": " 42 ", "version": "1.0",
        "sector": {"id": 7, "name": "Engineering"}, "datePublished": "2020-01-01", "endDate": null, "archived": false})
}

#[tokio::test]
async fn what_is_no_longer_in_ace360s_catalogue_is_no_longer_in_ours() {
    let app = TestApp::start().await;
    app.fault(one_page(&json!([standard(1, "One"), standard(2, "Two"), standard(3, "Three")]))).await;
    app.refresh_standards().await;
    assert_eq!(
        walk(&app, 2).await.iter().map(|one| one["standardId"].clone()).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(
        app.get("/ace360/standards?larsCode=42").await.expect(200)["items"].as_array().unwrap().len(),
        3
    );
    app.fault(one_page(&json!([standard(1, "One"), standard(3, "Third")]))).await;
    let run = app.refresh_standards().await;
    assert_eq!((&run["unchanged"], &run["succeeded"]), (&json!(1), &json!(1)));
    assert_eq!(
        outcomes(&app, &run).await,
        [("3".to_owned(), "succeeded".to_owned(), Some("changed".to_owned()))]
    );
    let names: Vec<_> = walk(&app, 500).await.iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["One", "Third"]);
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_told_and_the_others_kept() {
    let app = TestApp::start().await;
    app.fault(one_page(
        &json!([standard(1, "One"), {"name": "no id"}, 5, {"id": 2, "larsCode": {}, "endDate": "soon"}]),
    ))
    .await;
    let run = ran(&app, REFRESH).await;
    assert_eq!(
        (&run["state"], &run["failed"], &run["succeeded"]),
        (&json!("partial"), &json!(2), &json!(2)),
        "{run:#}"
    );
    let failed = outcomes(&app, &run).await.into_iter().filter(|one| one.1 == "failed").collect::<Vec<_>>();
    assert!(failed.iter().all(|one| one.2.as_deref() == Some("unreadable")), "{failed:?}");
    assert_eq!(walk(&app, 500).await.len(), 2);
}

#[tokio::test]
async fn a_refresh_that_ace360_breaks_off_removes_nothing_and_goes_on_later() {
    let app = TestApp::builder().start().await;
    app.fault(one_page(&json!([standard(9001, "Old")]))).await;
    app.refresh_standards().await;
    app.fault(json!({"operation": "listStandards", "skip": 2, "kind": {"status": {"status": 500}}})).await;
    let run = app.post(REFRESH, &Value::Null).await.expect(202);
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    let waiting = app.eventually(&path, |run| run["state"] == "waiting").await;
    assert_eq!(waiting["done"], 200);
    assert_eq!(walk(&app, 500).await.len(), 201, "what is there stays until all was read");
    app.no_faults().await;
    later(&app, TimeDelta::seconds(30)).await;
    let run = app.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!((&run["state"], &run["done"]), (&json!("succeeded"), &run["total"]), "{run:#}");
    assert!(walk(&app, 500).await.iter().all(|one| one["standardId"] != 9001));
}

#[tokio::test]
async fn each_provider_has_a_catalogue_of_its_own() {
    let app = TestApp::start().await;
    app.fault(one_page(&json!([standard(1, "One")]))).await;
    app.refresh_standards().await;
    let other = app.second_provider().await;
    assert_eq!(other.get("/ace360/standards").await.expect(200)["items"], json!([]));
    assert_eq!(other.get("/ace360/sectors").await.expect(200)["items"], json!([]));
}
