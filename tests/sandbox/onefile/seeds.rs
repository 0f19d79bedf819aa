//! The records at the start.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::support::sandbox::onefile::OneFile;

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}

#[tokio::test]
async fn the_seed_is_the_same_each_time() {
    let everything = async || {
        let onefile = OneFile::start().await;
        let mut all = Vec::new();
        for kind in ["User", "Placement", "Classroom", "Standard", "Unit", "LearningAim", "Review"] {
            all.push(onefile.rows(&format!("/{kind}/Search"), json!({})).await);
        }
        all
    };
    assert_eq!(everything().await, everything().await);
}

#[tokio::test]
async fn assessors_are_as_untidy_as_in_life() {
    let onefile = OneFile::start().await;
    let mut rows = Vec::new();
    for role in [4, 5] {
        rows.extend(
            onefile.rows("/User/Search", json!({ "Role": role, "OrganisationID": onefile.main })).await,
        );
    }
    let mut by_mis: HashMap<&str, usize> = HashMap::new();
    for row in &rows {
        *by_mis.entry(text(row, "MISID")).or_default() += 1;
    }
    assert_eq!((rows.len(), by_mis.get("O-05"), by_mis.get("")), (30, Some(&2), Some(&4)));
    assert_eq!(rows.iter().filter(|row| row["Archived"] == true).count(), 3);
    let id = onefile.assessor("O-09").await;
    assert_eq!(onefile.record(&format!("/User/{id}")).await["Email"], Value::Null);
    let twice = onefile.rows("/User/Search", json!({ "MISID": "O-01" })).await;
    assert_eq!(twice.len(), 2, "one person in two centres");
}

#[tokio::test]
async fn placements_have_a_nameless_one_and_names_that_are_nearly_the_same() {
    let onefile = OneFile::start().await;
    let rows = onefile.rows("/Placement/Search", json!({})).await;
    assert_eq!(rows.len(), 60);
    assert_eq!(rows.iter().filter(|row| text(row, "Name").is_empty()).count(), 1);
    let alike = rows.iter().filter(|row| {
        let plain: String =
            text(row, "Name").to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        plain.starts_with("larkriseservicesl")
    });
    assert_eq!(alike.count(), 4);
    assert!(rows.iter().any(|row| !text(row, "Name").is_ascii()));
    assert!(rows.iter().any(|row| !text(row, "MISID").is_empty()));
}

#[tokio::test]
async fn codes_stand_in_brackets_or_in_ndaqcode_or_nowhere() {
    let onefile = OneFile::start().await;
    let rows = onefile.rows("/Standard/Search", json!({ "OrganisationID": onefile.main })).await;
    let titles: Vec<&str> = rows.iter().map(|row| text(row, "Title")).collect();
    let coded = |row: &&Value| !text(row, "NDAQCode").is_empty();
    let bracketed = |row: &&Value| text(row, "Title").contains('[');
    assert!(rows.iter().filter(coded).any(|row| bracketed(&row)), "both");
    assert!(rows.iter().filter(coded).any(|row| !bracketed(&row)), "only the field");
    assert!(rows.iter().filter(bracketed).any(|row| !coded(&row)), "only brackets");
    assert!(rows.iter().any(|row| !coded(&row) && !bracketed(&row)), "neither");
    assert!(titles.iter().any(|title| title.matches('[').count() > 2), "several brackets");
    assert!(titles.iter().any(|title| title.contains("as ]")), "other case and spaces");
    for letters in ["AS", "OP", "GW", "EP"] {
        let count = |code: String| titles.iter().filter(|title| title.contains(&code)).count();
        assert_eq!(count(format!("[105{letters}]")), 1, "the clean one");
        assert_eq!(count(format!("[196{letters}]")), 2, "pathways");
        assert_eq!(count(format!("[2{letters}]")), 0, "in another centre only");
        assert_eq!(rows.iter().filter(|row| row["NDAQCode"] == format!("119{letters}")).count(), 1);
    }
    assert!(rows.iter().any(|row| row["Archived"] == true));
    let north =
        onefile.rows("/Standard/Search", json!({ "OrganisationID": onefile.north, "Title": "[2AS]" })).await;
    assert_eq!(north.len(), 1);
    let assigned = onefile.record(&format!("/Organisation/{}/AssignedStandards", onefile.main)).await;
    assert_eq!(assigned, Value::from(rows));
}

#[tokio::test]
async fn a_centre_has_statuses_and_reads_singly() {
    let onefile = OneFile::start().await;
    let one = onefile.record(&format!("/Organisation/{}", onefile.main)).await;
    assert_eq!(one, onefile.rows("/Organisation/Search", json!({})).await[0]);
    let customer = onefile.record("/Customer").await["ID"].clone();
    assert_eq!(onefile.rows("/Organisation/Search", json!({ "CustomerID": customer })).await.len(), 3);
    assert!(onefile.rows("/Organisation/Search", json!({ "CustomerID": 1 })).await.is_empty());
    let statuses =
        async |centre: u64| onefile.record(&format!("/Organisation/{centre}/LearnerStatuses")).await;
    assert_ne!(statuses(onefile.main).await, statuses(onefile.south).await, "each centre has its own");
    let aims = onefile.record(&format!("/Organisation/{}/LearningAimStatuses", onefile.main)).await;
    assert_eq!(aims[1], json!({ "ID": 1, "Name": "Achieved" }));
    assert_eq!(onefile.get("/Organisation/1/LearnerStatuses").await.status, 404);
}
