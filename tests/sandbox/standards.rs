//! The catalogue.

use serde_json::Value;

use crate::support::sandbox::standards::{BUSINESS_MIDDLE, BUSINESS_OLD, BUSINESS_OPTIONS, TEAM_LEADER};
use crate::support::sandbox::{Running, contract_keys, keys};

fn by_lars<'a>(standards: &'a [Value], lars: &str) -> Vec<&'a Value> {
    standards.iter().filter(|standard| standard["larsCode"] == lars).collect()
}

#[tokio::test]
async fn the_catalogue_holds_every_published_standard_with_all_documented_keys() {
    let sandbox = Running::start().await;
    let standards = sandbox.standards().await;
    let codes: std::collections::HashSet<&str> =
        standards.iter().map(|standard| &standard["stCode"].as_str().unwrap()[..6]).collect();
    assert_eq!(codes.len(), 736);
    assert_eq!(keys(&standards[0]), contract_keys("Standard"));
    assert_eq!(keys(&standards[0]).len(), 17);
    let archived = standards.iter().filter(|standard| standard["archived"] == true).count();
    assert!((1..60).contains(&archived), "{archived}");
    let id = &standards[7]["id"];
    assert_eq!(sandbox.get(&format!("/standards/{id}")).await.body, standards[7]);
}

#[tokio::test]
async fn business_administrator_has_versions_that_follow_each_other_and_two_options_in_the_last() {
    let sandbox = Running::start().await;
    let standards = sandbox.standards().await;
    let found = by_lars(&standards, "196");
    let rows: Vec<_> = found
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().map(str::to_owned);
            (
                one["id"].as_u64(),
                text("version"),
                text("datePublished"),
                text("endDate"),
                text("courseOption"),
            )
        })
        .collect();
    let row = |id: u32, version: &str, from: &str, to: Option<&str>, option: Option<&str>| {
        let owned = |text: &str| text.to_owned();
        (Some(u64::from(id)), Some(owned(version)), Some(owned(from)), to.map(owned), option.map(owned))
    };
    assert_eq!(
        rows,
        [
            row(BUSINESS_OLD, "1.0", "2017-09-01", Some("2021-07-31"), None),
            row(BUSINESS_MIDDLE, "1.1", "2021-08-01", Some("2024-07-31"), None),
            row(BUSINESS_OPTIONS[0], "1.2", "2024-08-01", None, Some("Operations")),
            row(BUSINESS_OPTIONS[1], "1.2", "2024-08-01", None, Some("Commercial")),
        ]
    );
}

#[tokio::test]
async fn team_leader_leaves_nothing_to_choose() {
    let sandbox = Running::start().await;
    let standards = sandbox.standards().await;
    let found = by_lars(&standards, "105");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["id"], TEAM_LEADER);
    assert!(found[0]["datePublished"].as_str().unwrap() < "2020");
    assert_eq!((&found[0]["endDate"], &found[0]["courseOption"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_standard_counts_the_organisations_apprentices() {
    let sandbox = Running::start().await;
    sandbox.created(&crate::support::sandbox::apprentice()).await;
    let path = format!("/standards/{TEAM_LEADER}");
    assert_eq!(sandbox.get(&path).await.body["numberOfAttachedApprentices"], 1);
    assert_eq!(sandbox.get_as("sandbox-two", &path).await.body["numberOfAttachedApprentices"], 0);
}
