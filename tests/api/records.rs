//! What learners, officers and organisations have in common: put, get, delete, list, and ownership.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::people::kinds;
use crate::support::people::{self, with_id};
use crate::support::{Api, TestApp, faults};

fn places(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    pairs.iter().map(|(at, code)| ((*at).to_owned(), (*code).to_owned())).collect()
}

async fn ids(api: &Api, path: &str, field: &str) -> (Vec<String>, Option<String>) {
    let page = api.get(path).await.expect(200);
    let ids = page["items"].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned());
    (ids.collect(), page["nextPageToken"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn a_record_is_201_when_it_is_new_200_when_it_is_replaced_and_reads_as_it_was_sent() {
    let app = TestApp::start().await;
    for (collection, field, record) in kinds() {
        let path = format!("/{collection}/A-1");
        app.get(&path).await.refused(404, "notFound");
        let made = app.put(&path, &record).await.expect(201);
        assert_eq!(made, with_id(field, "A-1", &record));
        assert_eq!(app.get(&path).await.expect(200), made);
        assert_eq!(app.put(&path, &record).await.expect(200), made);
    }
}

#[tokio::test]
async fn what_was_read_can_be_put_back() {
    let app = TestApp::start().await;
    for (collection, _, record) in kinds() {
        let path = format!("/{collection}/A-1");
        app.put(&path, &record).await.expect(201);
        let read = app.get(&path).await.expect(200);
        assert_eq!(app.put(&path, &read).await.expect(200), read);
        assert_eq!(app.get(&path).await.expect(200), read);
    }
}

#[tokio::test]
async fn a_body_with_another_records_id_is_refused_and_so_are_its_other_faults_with_it() {
    let app = TestApp::start().await;
    for (collection, field, record) in kinds() {
        let at = format!("/{field}");
        for id in [json!("A-2"), json!("a-1"), json!(1), json!(null), json!("A-1 ")] {
            let mut body = record.clone();
            body[field] = id.clone();
            let problem = app.put(&format!("/{collection}/A-1"), &body).await.refused(422, "invalidRequest");
            assert_eq!(faults(&problem), places(&[(&at, "idMismatch")]), "{id}");
        }
        let mut body = with_id(field, "A-2", &record);
        body["shoeSize"] = json!(42);
        let problem = app.put(&format!("/{collection}/A-1"), &body).await.refused(422, "invalidRequest");
        assert_eq!(faults(&problem), places(&[(&at, "idMismatch"), ("/shoeSize", "unknownField")]));
        app.get(&format!("/{collection}/A-1")).await.refused(404, "notFound");
    }
}

#[tokio::test]
async fn a_put_replaces_the_record_whole() {
    let app = TestApp::start().await;
    app.put("/officers/A", &people::officer()).await.expect(201);
    let bare = app.put("/officers/A", &json!({"lastName": "Only"})).await.expect(200);
    let whole = json!({"officerId": "A", "firstName": null, "lastName": "Only", "email": null, "jobTitle": null,
                       "telephone": null, "ident": null});
    assert_eq!(bare, whole);
    assert_eq!(app.get("/officers/A").await.expect(200), whole);
}

#[tokio::test]
async fn of_many_first_puts_at_once_one_alone_makes_the_record() {
    let app = TestApp::start().await;
    let puts = (0..20).map(|n| {
        let app = &app;
        async move { app.put("/officers/A", &json!({"lastName": format!("N{n}")})).await.status }
    });
    let statuses = join_all(puts).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 201].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn a_deleted_record_is_gone_and_deleting_it_again_is_404() {
    let app = TestApp::start().await;
    for (collection, _, record) in kinds() {
        let path = format!("/{collection}/A-1");
        app.delete(&path).await.refused(404, "notFound");
        app.put(&path, &record).await.expect(201);
        app.delete(&path).await.expect(204);
        app.get(&path).await.refused(404, "notFound");
        app.delete(&path).await.refused(404, "notFound");
        app.put(&path, &record).await.expect(201);
    }
}

#[tokio::test]
async fn ids_tell_small_letters_and_kinds_apart() {
    let app = TestApp::start().await;
    app.put("/officers/a", &json!({"lastName": "Small"})).await.expect(201);
    app.put("/officers/A", &json!({"lastName": "Large"})).await.expect(201);
    app.put("/organisations/a", &json!({"name": "Organisation"})).await.expect(201);
    assert_eq!(app.get("/officers/a").await.expect(200)["lastName"], "Small");
    assert_eq!(app.get("/officers/A").await.expect(200)["lastName"], "Large");
    app.delete("/officers/a").await.expect(204);
    app.get("/organisations/a").await.expect(200);
}

#[tokio::test]
async fn an_id_with_a_sign_that_it_cannot_have_is_400_and_names_the_parameter() {
    let app = TestApp::start().await;
    let long = "x".repeat(65);
    for (collection, field, record) in kinds() {
        for id in [
            "a:b", "a%3Ab", "%3A", "a%20b", "%20", ".a", "-a", "_a", "a%2Fb", "%C3%A9", "a%00b", "a%25b",
            "a,b", "a;b", &long,
        ] {
            let path = format!("/{collection}/{id}");
            for answer in [app.get(&path).await, app.delete(&path).await, app.put(&path, &record).await] {
                let at = answer.at.clone();
                let problem = answer.refused(400, "invalidParameter");
                assert_eq!(faults(&problem), places(&[(field, "invalidIdentifier")]), "{at}");
            }
        }
        for id in ["0", "a.b_c-d", &"x".repeat(64)] {
            app.put(&format!("/{collection}/{id}"), &record).await.expect(201);
        }
    }
}

#[tokio::test]
async fn a_list_is_walked_page_by_page_and_shows_each_record_once_in_order() {
    let app = TestApp::start().await;
    for (collection, field, record) in kinds() {
        assert_eq!(ids(&app, &format!("/{collection}"), field).await, (vec![], None));
        for id in ["c", "A", "b.1", "10", "9"] {
            app.put(&format!("/{collection}/{id}"), &record).await.expect(201);
        }
        let (all, next) = ids(&app, &format!("/{collection}"), field).await;
        assert_eq!((all.len(), next), (5, None));
        for size in [1, 2, 5] {
            let mut walked = Vec::new();
            let mut path = format!("/{collection}?pageSize={size}");
            loop {
                let (page, next) = ids(&app, &path, field).await;
                assert!(page.len() <= size);
                walked.extend(page);
                let Some(next) = next else { break };
                path = format!("/{collection}?pageSize={size}&pageToken={next}");
            }
            assert_eq!(walked, all, "{size} a page");
        }
    }
}

#[tokio::test]
async fn a_record_that_goes_between_two_pages_does_not_stop_the_walk() {
    let app = TestApp::start().await;
    for id in ["a", "b", "c"] {
        app.put(&format!("/officers/{id}"), &people::officer()).await.expect(201);
    }
    let (page, next) = ids(&app, "/officers?pageSize=2", "officerId").await;
    assert_eq!(page, ["a", "b"]);
    app.delete("/officers/b").await.expect(204);
    let rest = format!("/officers?pageSize=2&pageToken={}", next.unwrap());
    assert_eq!(ids(&app, &rest, "officerId").await, (vec!["c".to_owned()], None));
}

#[tokio::test]
async fn a_page_has_50_records_if_not_said_and_500_at_most() {
    let app = TestApp::start().await;
    let officers: Vec<Value> =
        (0..501).map(|n| with_id("officerId", &format!("O{n:03}"), &people::officer())).collect();
    app.post("/officers:import", &json!(officers)).await.expect(200);
    for (query, length) in
        [("", 50), ("?pageSize=500", 500), ("?pageSize=501", 500), ("?pageSize=1000000000000", 500)]
    {
        let (page, next) = ids(&app, &format!("/officers{query}"), "officerId").await;
        assert_eq!((page.len(), next.is_some()), (length, true), "{query}");
    }
}

#[tokio::test]
async fn every_wrong_parameter_of_a_list_is_named() {
    let app = TestApp::start().await;
    for (collection, ..) in kinds() {
        for (query, expected) in [
            ("pageSize=0", vec![("pageSize", "outOfRange")]),
            ("pageSize=-1", vec![("pageSize", "outOfRange")]),
            ("pageSize=many", vec![("pageSize", "wrongType")]),
            ("pageSize=", vec![("pageSize", "wrongType")]),
            ("pageToken=***", vec![("pageToken", "invalidPageToken")]),
            ("pageToken=_w", vec![("pageToken", "invalidPageToken")]),
            ("size=5", vec![("size", "unknownParameter")]),
            ("pageSize=1&pageSize=2", vec![("pageSize", "unknownParameter")]),
            ("PageSize=5", vec![("PageSize", "unknownParameter")]),
            (
                "pageSize=0&pageToken=*&colour=red",
                vec![
                    ("pageSize", "outOfRange"),
                    ("pageToken", "invalidPageToken"),
                    ("colour", "unknownParameter"),
                ],
            ),
        ] {
            let answer = app.get(&format!("/{collection}?{query}")).await;
            let problem = answer.refused(400, "invalidParameter");
            assert_eq!(faults(&problem), places(&expected), "{query}");
        }
    }
}

#[tokio::test]
async fn another_providers_record_is_404_and_stays_as_it_was() {
    let app = TestApp::start().await;
    let other = app.second_provider().await;
    for (collection, field, record) in kinds() {
        let path = format!("/{collection}/A-1");
        let ours = app.put(&path, &record).await.expect(201);
        other.get(&path).await.refused(404, "notFound");
        other.delete(&path).await.refused(404, "notFound");
        assert_eq!(ids(&other, &format!("/{collection}"), field).await, (vec![], None));

        // The same id is another record for the other provider.
        let mut theirs = record.clone();
        let name = if collection == "organisations" { "name" } else { "lastName" };
        theirs[name] = json!("Other");
        other.put(&path, &theirs).await.expect(201);
        assert_eq!(app.get(&path).await.expect(200), ours);
        other.delete(&path).await.expect(204);
        assert_eq!(app.get(&path).await.expect(200), ours);
        assert_eq!(ids(&app, &format!("/{collection}"), field).await.0, ["A-1"]);
    }
}
