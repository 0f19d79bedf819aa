//! Look-ups: from what was read last, with its age; read again when asked to.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::onefile::{SETTINGS, all_calls, behave, connected, entries, records, refresh, sandbox};

#[tokio::test]
async fn they_are_read_at_first_use_and_then_only_when_asked_to() {
    let app = connected().await;
    assert_eq!(
        app.get("/onefile").await.expect(200)["directory"][3],
        json!({"kind": "placement", "refreshedAt": null})
    );
    let first = app.get("/onefile/placements").await.expect(200);
    let after_first = all_calls(&app).await;
    app.clock_advance(TimeDelta::days(3)).await;
    let second = app.get("/onefile/placements").await.expect(200);
    assert_eq!(second, first, "with the same age");
    assert_eq!(second["items"][0]["refreshedAt"], second["refreshedAt"]);
    assert_eq!(all_calls(&app).await, after_first);
    let third = refresh(&app, "placements").await;
    assert!(third["refreshedAt"].as_str() > first["refreshedAt"].as_str(), "{third:#}");
    let page = app.get("/onefile").await.expect(200);
    assert_eq!(page["directory"][3]["refreshedAt"], third["refreshedAt"]);
}

#[tokio::test]
async fn assessors_have_roles_4_and_5_and_archived_ones_are_marked() {
    let app = connected().await;
    let wanted: BTreeSet<(String, i64, bool)> = records(&app, "user")
        .await
        .iter()
        .filter(|user| matches!(user["fields"]["Role"].as_i64(), Some(4 | 5)))
        .map(|user| {
            (
                user["id"].to_string(),
                user["fields"]["Role"].as_i64().unwrap(),
                user["archived"].as_bool().unwrap(),
            )
        })
        .collect();
    let found = entries(&app, "/onefile/assessors").await;
    let found: BTreeSet<_> = found
        .into_iter()
        .map(|(id, entry)| (id, entry["role"].as_i64().unwrap(), entry["archived"].as_bool().unwrap()))
        .collect();
    assert_eq!(found, wanted);
    let archived = found.iter().filter(|(_, _, archived)| *archived).count();
    assert!(archived > 0);
    assert_eq!(entries(&app, "/onefile/assessors?archived=true").await.len(), archived);
    assert_eq!(entries(&app, "/onefile/assessors?archived=false").await.len(), found.len() - archived);
}

#[tokio::test]
async fn a_query_finds_any_part_of_name_email_or_mis_value_in_either_case() {
    let app = connected().await;
    behave(&app, json!({"detailedPages": true})).await;
    let users = records(&app, "user").await;
    let user = users.iter().find(|user| user["fields"]["MISID"] == "O-01").unwrap();
    let (id, fields) = (user["id"].to_string(), &user["fields"]);
    let text = |name: &str| fields[name].as_str().unwrap();
    let whole = format!("{} {}", text("FirstName"), text("LastName"));
    for query in [
        text("LastName").to_uppercase(),
        text("FirstName")[1..].to_lowercase(),
        whole.clone(),
        "o-01".to_owned(),
        text("Email").to_uppercase(),
        text("Email").split('@').next().unwrap().to_owned(),
    ] {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let found = entries(&app, &format!("/onefile/assessors?query={query}")).await;
        assert_eq!(found[&id]["name"], whole, "{query}");
        assert!(found.len() < users.len());
    }
    assert!(entries(&app, "/onefile/assessors?query=nobody-of-that-name").await.is_empty());
    // `%` and `_` have no special meaning.
    assert!(entries(&app, "/onefile/assessors?query=%25").await.is_empty());
}

#[tokio::test]
async fn a_placement_without_a_name_is_there_and_found_by_its_mis_value() {
    let app = connected().await;
    let found = entries(&app, "/onefile/placements?query=noname").await;
    let (_, only) = found.first_key_value().unwrap();
    assert_eq!((found.len(), &only["name"], &only["misId"]), (1, &Value::Null, &json!("E-NONAME")));
}

#[tokio::test]
async fn a_placement_that_is_not_active_counts_as_archived_where_onefile_says_so() {
    let app = connected().await;
    behave(&app, json!({"detailedPages": true})).await;
    let idle = records(&app, "placement").await.iter().filter(|own| own["fields"]["Active"] == false).count();
    assert!(idle > 0);
    assert_eq!(entries(&app, "/onefile/placements?archived=true").await.len(), idle);
}

#[tokio::test]
async fn each_is_in_its_centre() {
    let app = connected().await;
    let centres = entries(&app, "/onefile/centres").await;
    assert_eq!(centres.len(), 3);
    for (part, kind) in [("classrooms", "classroom"), ("placements", "placement")] {
        let all = records(&app, kind).await;
        let mut sum = 0;
        for (centre, own) in &centres {
            assert_eq!(own["centreId"], **centre);
            let found = entries(&app, &format!("/onefile/{part}?centreId={centre}")).await;
            let wanted =
                all.iter().filter(|record| record["centreId"].as_u64() == centre.parse().ok()).count();
            assert_eq!(found.len(), wanted, "{part} of {centre}");
            sum += found.len();
        }
        assert_eq!(sum, all.len());
    }
    assert!(entries(&app, "/onefile/placements?centreId=999999").await.is_empty());
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let app = connected().await;
    let whole = entries(&app, "/onefile/placements").await;
    for query in ["", "&query=a"] {
        let wanted = entries(&app, &format!("/onefile/placements?archived=false{query}")).await;
        let mut found = Vec::new();
        let mut token = String::new();
        loop {
            let page = app
                .get(&format!("/onefile/placements?pageSize=7&archived=false{query}{token}"))
                .await
                .expect(200);
            found.extend(
                page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()),
            );
            match page["nextPageToken"].as_str() {
                Some(next) => token = format!("&pageToken={next}"),
                None => break,
            }
        }
        let numbers: Vec<u64> = found.iter().map(|id| id.parse().unwrap()).collect();
        assert!(numbers.is_sorted());
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), wanted.into_keys().collect());
    }
    assert!(!whole.is_empty());
    for wrong in ["pageSize=0", "archived=maybe", "refresh=1", "centre=1"] {
        app.get(&format!("/onefile/placements?{wrong}")).await.refused(400, "invalidParameter");
    }
}

#[tokio::test]
async fn what_is_gone_from_onefile_is_gone_after_the_next_reading() {
    let app = connected().await;
    let before = entries(&app, "/onefile/assessors").await;
    let id = before.keys().next_back().unwrap();
    app.sandbox_call(Method::POST, &format!("/users/{id}:remove"), None).await;
    assert_eq!(entries(&app, "/onefile/assessors").await, before);
    refresh(&app, "assessors").await;
    let after = entries(&app, "/onefile/assessors").await;
    assert!(!after.contains_key(id));
    assert_eq!(after.len(), before.len() - 1);
}

#[tokio::test]
async fn of_several_who_ask_at_once_one_reads_for_all() {
    let app = connected().await;
    let second = app.second().await;
    app.get("/onefile/centres").await.expect(200);
    let before = all_calls(&app).await;
    app.get("/onefile/classrooms").await.expect(200);
    let alone = all_calls(&app).await - before;
    let path = "/onefile/placements";
    let (a, b, c, d) = tokio::join!(app.get(path), second.get(path), app.get(path), second.get(path));
    let first = a.expect(200);
    for other in [b, c, d] {
        assert_eq!(other.expect(200), first);
    }
    assert_eq!(all_calls(&app).await - before - alone, alone, "as many calls as one alone makes");
}

#[tokio::test]
async fn the_token_of_another_customer_begins_anew() {
    let app = connected().await;
    let ours = entries(&app, "/onefile/centres").await;
    app.put(SETTINGS, &sandbox("sandbox-other")).await.expect(200);
    let theirs = entries(&app, "/onefile/centres").await;
    assert!(theirs.keys().all(|id| !ours.contains_key(id)));
    // The same token sent again deletes nothing.
    let before = all_calls(&app).await;
    app.put(SETTINGS, &sandbox("sandbox-other")).await.expect(200);
    assert_eq!(entries(&app, "/onefile/centres").await, theirs);
    assert_eq!(all_calls(&app).await, before);
}
