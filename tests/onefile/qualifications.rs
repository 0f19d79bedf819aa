//! Refresh Qualification Links: what a run over OneFile's learning aims stores and reports.

use std::collections::{BTreeMap, BTreeSet};

use picsbridge::auth::scope::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::onefile::{
    SETTINGS, all_calls, behave, calls, connected_with, end_sessions, entries, records, sandbox, working,
};

const REFRESH: &str = "/onefile/qualifications:refresh";
const LIST: &str = "/onefile/qualifications";

async fn app() -> TestApp {
    connected_with(working()).await
}

/// Runs a refresh, and returns the ended run.
async fn refreshed(app: &TestApp) -> Value {
    let run = app.post(REFRESH, &Value::Null).await.good();
    let run = app.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!(run["kind"], "onefile.qualificationsRefresh");
    run
}

/// The code that the run reports for each record.
async fn told(app: &TestApp, run: &Value) -> BTreeMap<String, String> {
    let path = format!("/runs/{}/records?pageSize=500", run["id"].as_str().unwrap());
    let page = app.get(&path).await.expect(200);
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            (item["subject"]["id"].as_str().unwrap().to_owned(), item["code"].as_str().unwrap().to_owned())
        })
        .collect()
}

/// All stored learning aims, by centre and id.
async fn kept(app: &TestApp, filter: &str) -> BTreeMap<String, Value> {
    let (mut found, mut token) = (BTreeMap::new(), String::new());
    loop {
        let page = app.get(&format!("{LIST}?pageSize=60{filter}{token}")).await.expect(200);
        for item in page["items"].as_array().unwrap() {
            let key = format!("{}/{}", item["centreId"].as_str().unwrap(), item["id"].as_str().unwrap());
            assert!(found.insert(key, item.clone()).is_none(), "{item} stands there twice");
        }
        match page["nextPageToken"].as_str() {
            Some(next) => token = format!("&pageToken={next}"),
            None => return found,
        }
    }
}

/// From now on OneFile returns these rows for every search of learning aims.
async fn has(app: &TestApp, rows: Value) {
    app.no_faults().await;
    app.fault(json!({"operation": "searchStandards", "kind": {"replaceBody": {"body": rows}}})).await;
}

async fn centre(app: &TestApp, at: usize) -> u64 {
    let ids: BTreeSet<u64> =
        entries(app, "/onefile/centres").await.keys().map(|id| id.parse().unwrap()).collect();
    *ids.iter().nth(at).unwrap()
}

#[tokio::test]
async fn every_learning_aim_of_every_centre_is_read() {
    let app = app().await;
    assert_eq!(
        app.get(LIST).await.expect(200),
        json!({"items": [], "nextPageToken": null, "refreshedAt": null})
    );
    let run = refreshed(&app).await;
    let theirs = records(&app, "standard").await;
    assert_eq!((&run["state"], &run["succeeded"]), (&json!("succeeded"), &json!(theirs.len())), "{run:#}");
    assert_eq!(
        (&run["upstream"], &run["total"], &run["done"]),
        (&json!("onefile"), &run["done"], &run["total"])
    );
    let all = kept(&app, "").await;
    for standard in &theirs {
        let key = format!("{}/{}", standard["centreId"], standard["id"]);
        let title = standard["fields"]["Title"].as_str().unwrap().trim();
        assert_eq!(all[&key]["title"], title, "{standard:#}");
        assert!(all[&key]["refreshedAt"].is_string());
    }
    assert_eq!(all.len(), theirs.len());
    assert!(told(&app, &run).await.values().all(|code| code == "added"));
    // Nothing is new the second time.
    let run = refreshed(&app).await;
    assert_eq!((&run["succeeded"], &run["unchanged"]), (&json!(0), &json!(theirs.len())), "{run:#}");
    assert!(told(&app, &run).await.is_empty());
}

#[tokio::test]
async fn the_code_is_of_the_field_else_of_the_last_brackets() {
    let app = app().await;
    let at = centre(&app, 0).await;
    has(
        &app,
        json!([
            {"ID": 1, "Title": "Bricklaying [603/9001/1]", "OrganisationID": at},
            {"ID": 2, "Title": "Bricklaying [Level 2] [196 as]", "OrganisationID": at},
            {"ID": 3, "Title": "Bricklaying", "OrganisationID": at},
            {"ID": 4, "Title": "Bricklaying [wrong]", "NDAQCode": " 196AS ", "OrganisationID": at},
            {"ID": 5, "Title": "Bricklaying []", "NDAQCode": "", "OrganisationID": at},
            {"ID": 6, "OrganisationID": at, "Archived": true},
        ]),
    )
    .await;
    let run = refreshed(&app).await;
    assert_eq!((&run["state"], &run["succeeded"]), (&json!("succeeded"), &json!(6)), "{run:#}");
    let all = kept(&app, "").await;
    let codes: Vec<_> = (1..=6).map(|id| all[&format!("{at}/{id}")]["code"].clone()).collect();
    assert_eq!(json!(codes), json!(["603/9001/1", "196 as", null, "196AS", null, null]));
    assert_eq!(
        (&all[&format!("{at}/6")]["title"], &all[&format!("{at}/6")]["archived"]),
        (&json!(""), &json!(true))
    );
    // A search ignores case and spaces.
    for code in ["196as", "196%20AS", "%5B196AS%5D"] {
        assert_eq!(kept(&app, &format!("&code={code}")).await.len(), 2, "{code}");
    }
    assert_eq!(kept(&app, "&query=LEVEL%202").await.len(), 1);
    assert_eq!(kept(&app, "&query=196as").await.len(), 1, "the code as it is written");
    assert_eq!(kept(&app, &format!("&centreId={at}")).await.len(), 6);
    assert!(kept(&app, "&centreId=nowhere").await.is_empty());
    app.get(&format!("{LIST}?larsCode=196")).await.refused(400, "invalidParameter");
}

#[tokio::test]
async fn what_was_added_changed_and_removed_is_told() {
    let app = app().await;
    let (one, two) = (centre(&app, 0).await, centre(&app, 1).await);
    has(
        &app,
        json!([
            {"ID": 1, "Title": "Stays [A]", "OrganisationID": one}, {"ID": 2, "Title": "Goes [B]", "OrganisationID": one},
            {"ID": 3, "Title": "Changes [C]", "OrganisationID": two}, {"ID": 4, "Title": "Is archived [D]", "OrganisationID": two},
        ]),
    )
    .await;
    refreshed(&app).await;
    has(
        &app,
        json!([
            {"ID": 1, "Title": "Stays [A]", "OrganisationID": one}, {"ID": 3, "Title": "Changes [CC]", "OrganisationID": two},
            {"ID": 4, "Title": "Is archived [D]", "OrganisationID": two, "Archived": true},
            {"ID": 5, "Title": "Comes [E]", "OrganisationID": two},
        ]),
    )
    .await;
    let run = refreshed(&app).await;
    assert_eq!(
        (&run["succeeded"], &run["unchanged"], &run["total"]),
        (&json!(4), &json!(1), &json!(5)),
        "{run:#}"
    );
    let expected = [
        (format!("{one}/2"), "removed"),
        (format!("{two}/3"), "changed"),
        (format!("{two}/4"), "changed"),
        (format!("{two}/5"), "added"),
    ];
    assert_eq!(told(&app, &run).await, expected.map(|(id, code)| (id, code.to_owned())).into());
    assert_eq!(kept(&app, "").await.len(), 4);
}

#[tokio::test]
async fn two_thousand_cost_their_pages_and_a_few_calls() {
    let app = app().await;
    refreshed(&app).await;
    app.sandbox_call(Method::POST, "/onefile/records:more", Some(json!({"standards": 2000}))).await;
    let before = all_calls(&app).await;
    let run = refreshed(&app).await;
    assert_eq!((&run["state"], &run["succeeded"]), (&json!("succeeded"), &json!(2000)), "{run:#}");
    let made = all_calls(&app).await - before;
    assert_eq!(run["calls"], json!({"used": made, "planned": made}), "each call is counted on the run");
    // The customer, the centres, and the calls that find the end of each of the three centres.
    assert!((10..=10 + 6 + 3 * 4).contains(&made), "{made} calls");
}

#[tokio::test]
async fn a_204_or_an_expired_session_in_the_middle_loses_nothing() {
    let app = app().await;
    refreshed(&app).await;
    let whole = kept(&app, "").await.into_keys().collect::<Vec<_>>();
    behave(&app, json!({"pageCap": 40})).await;
    for (skip, status) in [(0, 204), (1, 204), (2, 204), (5, 204), (2, 401), (3, 500)] {
        let kind = json!({"status": {"status": status}});
        app.fault(json!({"operation": "searchStandards", "skip": skip, "times": 1, "kind": kind})).await;
        let run = refreshed(&app).await;
        assert_eq!((&run["state"], &run["succeeded"]), (&json!("succeeded"), &json!(0)), "{status}: {run:#}");
        assert_eq!(kept(&app, "").await.into_keys().collect::<Vec<_>>(), whole, "{status} after {skip}");
    }
    end_sessions(&app).await;
    assert_eq!(refreshed(&app).await["succeeded"], 0);
}

#[tokio::test]
async fn what_a_page_that_shifted_hides_is_looked_for_once_more() {
    let app = app().await;
    refreshed(&app).await;
    let whole = kept(&app, "").await.into_keys().collect::<Vec<_>>();
    let before = calls(&app, "searchStandards").await;
    refreshed(&app).await;
    let usual = calls(&app, "searchStandards").await - before;
    // The first page lacks all rows that it had.
    let at = centre(&app, 0).await;
    let body = json!([{"ID": 999_901, "Title": "Only now [X]", "OrganisationID": at}]);
    app.fault(json!({"operation": "searchStandards", "times": 1, "kind": {"replaceBody": {"body": body}}}))
        .await;
    let run = refreshed(&app).await;
    assert_eq!(run["succeeded"], 1, "{run:#}");
    assert!(calls(&app, "searchStandards").await - before <= 3 * usual, "one centre was read twice");
    let all = kept(&app, "").await;
    assert!(whole.iter().all(|key| all.contains_key(key)), "{all:?}");
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_told_and_the_others_go_on() {
    let app = app().await;
    let at = centre(&app, 0).await;
    let good = json!({"ID": 1, "Title": "Good [A]", "OrganisationID": at});
    let other = json!({"ID": 2, "Title": "Perhaps the one without an id [B]", "OrganisationID": at});
    has(&app, json!([good, other])).await;
    refreshed(&app).await;
    app.no_faults().await;
    let odd = json!([good, {"Title": "No id"}, 7]);
    has(&app, odd).await;
    let run = refreshed(&app).await;
    assert_eq!((&run["state"], &run["unchanged"]), (&json!("partial"), &json!(1)), "{run:#}");
    let told = told(&app, &run).await;
    assert_eq!(told[&format!("{at} page 1 row 2")], "unreadable", "{told:?}");
    assert_eq!(told[&format!("{at} page 1 row 3")], "unreadable");
    assert!(told.values().all(|code| code == "unreadable"));
    assert_eq!(kept(&app, "").await.len(), 2, "in such a centre nothing is removed");
}

#[tokio::test]
async fn a_run_that_fails_in_the_middle_removes_nothing() {
    let app = app().await;
    refreshed(&app).await;
    let whole = kept(&app, "").await.len();
    let kind = json!({"status": {"status": 400, "body": {"message": "Not yours."}}});
    app.fault(json!({"operation": "searchStandards", "skip": 2, "kind": kind})).await;
    assert_eq!(refreshed(&app).await["state"], "failed");
    app.no_faults().await;
    app.fault(json!({"operation": "searchOrganisations", "kind": {"status": {"status": 204}}})).await;
    let run = refreshed(&app).await;
    assert_eq!(run["state"], "failed", "{run:#}");
    assert_eq!(kept(&app, "").await.len(), whole);
}

#[tokio::test]
async fn a_refresh_goes_on_over_many_slices() {
    let app = connected_with(working().timings("slice=50ms,tick=24h")).await;
    behave(&app, json!({"pageCap": 20})).await;
    app.fault(json!({"operation": "searchStandards", "kind": {"delay": {"ms": 30}}})).await;
    let run = refreshed(&app).await;
    let theirs = records(&app, "standard").await.len();
    assert_eq!((&run["state"], &run["succeeded"]), (&json!("succeeded"), &json!(theirs)), "{run:#}");
    assert_eq!(kept(&app, "").await.len(), theirs);
    // One page of three, and the calls that find the end.
    assert_eq!(calls(&app, "searchOrganisations").await, 4, "the centres were read once");
    let mut sql = app.sql().await;
    let slices: i32 = sqlx::query_scalar("select slice from runs").fetch_one(&mut sql).await.unwrap();
    assert!(slices > 2, "{slices}");
}

#[tokio::test]
async fn without_a_token_no_run_is_made_and_other_scopes_do_not_do() {
    let app = working().start().await;
    app.post(REFRESH, &Value::Null).await.refused(409, "integrationNotConfigured");
    let reader = app.with_scopes(&[Scope::OnefileRead, Scope::Ace360Sync]).await;
    reader.post(REFRESH, &Value::Null).await.refused(403, "scopeMissing");
    reader.get(LIST).await.expect(200);
}

#[tokio::test]
async fn another_providers_learning_aims_are_its_own() {
    let app = app().await;
    refreshed(&app).await;
    let other = app.second_provider().await;
    assert_eq!(other.get(LIST).await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_run_is_stopped_and_taken_again_by_whoever_may_synchronise_with_its_upstream() {
    let app = app().await;
    app.fault(json!({"operation": "getCustomer", "kind": {"status": {"status": 503}}})).await;
    let run = app.post(REFRESH, &Value::Null).await.good();
    let verb = |verb: &str| format!("/runs/{}:{verb}", run["id"].as_str().unwrap());
    let other =
        app.with_scopes(&[Scope::Ace360Sync, Scope::Ace360Write, Scope::OnefileRead, Scope::RunsRead]).await;
    for verb in [verb("cancel"), verb("retry")] {
        let problem = other.post(&verb, &Value::Null).await.refused(403, "scopeMissing");
        assert!(problem["detail"].as_str().unwrap().contains("`onefile:sync`"), "{problem}");
    }
    let own = app.with_scopes(&[Scope::OnefileSync]).await;
    own.post(&verb("cancel"), &Value::Null).await.expect(200);
    let ended = app.wait_run(run["id"].as_str().unwrap()).await;
    assert_eq!(ended["state"], "cancelled");
    // It has no records of its own to retry, and the error says so.
    own.post(&verb("retry"), &Value::Null).await.refused(409, "nothingToRetry");
    other.post(&verb("retry"), &Value::Null).await.refused(403, "scopeMissing");
}

#[tokio::test]
async fn whoever_may_synchronise_with_onefile_alone_stops_no_run_of_ace360s() {
    let app = app().await;
    app.put("/ace360/settings", &json!({"enabled": true, "environment": "sandbox", "token": "sandbox"}))
        .await
        .good();
    app.fault(json!({"upstream": "ace360", "kind": {"status": {"status": 503}}})).await;
    let run = app.post("/ace360/standards:refresh", &Value::Null).await.good();
    let cancel = format!("/runs/{}:cancel", run["id"].as_str().unwrap());
    let own = app.with_scopes(&[Scope::OnefileSync]).await;
    let problem = own.post(&cancel, &Value::Null).await.refused(403, "scopeMissing");
    assert!(problem["detail"].as_str().unwrap().contains("`ace360:sync`"), "{problem}");
    app.with_scopes(&[Scope::Ace360Sync]).await.post(&cancel, &Value::Null).await.expect(200);
}

/// A refresh in the middle of its pages, which arrive slowly.
async fn half_way(app: &TestApp) -> String {
    behave(app, json!({"pageCap": 20})).await;
    app.fault(json!({"operation": "searchStandards", "kind": {"delay": {"ms": 50}}})).await;
    let run = app.post(REFRESH, &Value::Null).await.good();
    let id = run["id"].as_str().unwrap().to_owned();
    app.eventually(&format!("/runs/{id}"), |run| run["done"].as_u64().is_some_and(|done| done >= 40)).await;
    id
}

#[tokio::test]
async fn a_token_that_changes_in_the_middle_mixes_no_two_customers() {
    let app = app().await;
    let run = half_way(&app).await;
    app.put(SETTINGS, &sandbox("sandbox-other")).await.expect(200);
    app.no_faults().await;
    let run = app.wait_run(&run).await;
    assert_eq!(run["state"], "failed", "{run:#}");
    assert!(run["problem"].as_str().unwrap().contains("another customer"), "{run:#}");
    assert!(kept(&app, "").await.is_empty(), "what was the other customer's is gone");
    assert_eq!(app.get(LIST).await.expect(200)["refreshedAt"], Value::Null);
    assert_eq!(refreshed(&app).await["state"], "succeeded");
    let path = "/onefile/records?kind=standard&limit=1000&forToken=sandbox-other";
    let theirs = app.sandbox_call(Method::GET, path, None).await;
    let theirs: BTreeSet<_> =
        theirs.as_array().unwrap().iter().map(|it| format!("{}/{}", it["centreId"], it["id"])).collect();
    assert_eq!(kept(&app, "").await.into_keys().collect::<BTreeSet<_>>(), theirs);
}

#[tokio::test]
async fn other_settings_that_change_in_the_middle_cost_no_page_twice() {
    let app = app().await;
    let run = half_way(&app).await;
    let mut settings = sandbox("sandbox");
    settings["uploadReviews"] = json!(true);
    app.put(SETTINGS, &settings).await.expect(200);
    app.no_faults().await;
    let run = app.wait_run(&run).await;
    let theirs = records(&app, "standard").await.len();
    assert_eq!((&run["state"], &run["total"]), (&json!("succeeded"), &json!(theirs)), "{run:#}");
    // The page in progress may be read again.
    let pages = calls(&app, "searchStandards").await;
    let whole = theirs as u64 / 20 + 3 + 3 * 4;
    assert!(pages <= whole + 1, "{pages} of {whole}");
}
