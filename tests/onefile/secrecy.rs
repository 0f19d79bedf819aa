//! What a stolen database shows of OneFile: ids and states.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sqlx::AssertSqlSafe;

use crate::support::onefile::enrolment::{CENTRE, enrol, enrolling_with, learner, tab};
use crate::support::onefile::{SETTINGS, TEST, behave, builder, entries, records, sandbox};
use crate::support::{TestApp, people};

/// Every row of every table as text, with its table.
async fn dump(app: &TestApp) -> Vec<(String, String)> {
    let mut sql = app.sql().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
    )
    .fetch_all(&mut sql)
    .await
    .unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let query = format!(r#"select to_jsonb(own)::text from public."{table}" own"#);
        let found: Vec<String> = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut sql).await.unwrap();
        rows.extend(found.into_iter().map(|row| (table.clone(), row.to_lowercase())));
    }
    rows
}

#[tokio::test]
async fn a_dump_of_all_tables_shows_no_token_no_name_no_address_and_no_mis_value() {
    let app = builder().start().await;
    let token = "sandbox-Nw7Qx41kPlanted";
    app.put(SETTINGS, &sandbox(token)).await.expect(200);
    behave(&app, serde_json::json!({"detailedPages": true})).await;
    app.post(TEST, &Value::Null).await.expect(200);
    for part in ["centres", "classrooms", "assessors", "placements"] {
        assert!(!entries(&app, &format!("/onefile/{part}")).await.is_empty());
    }
    let placement = entries(&app, "/onefile/placements?query=larkrise").await.into_keys().next().unwrap();
    app.put("/organisations/E1", &serde_json::json!({"name": "Sample"})).await.good();
    let link = serde_json::json!({"kind": "organisation", "localId": "E1", "remoteId": placement});
    let link = app.post("/onefile/links", &link).await.expect(201);
    assert!(link["remoteName"].as_str().unwrap().to_lowercase().contains("larkrise"));
    let rows = dump(&app).await;
    for table in ["onefile_settings", "onefile_sessions", "onefile_directory", "onefile_links"] {
        assert!(rows.iter().any(|(own, _)| own == table), "{table} has rows");
    }
    let placements = records(&app, "placement").await;
    let name = placements[0]["fields"]["Name"].as_str().unwrap();
    shows_none_of(
        &rows,
        &[token, "Copperfold", "copperfold.example", "Larkrise", "E-NONAME", "Autumn 2025", name],
    );
}

/// Checks that no row contains these values as text, in hex or in base64.
fn shows_none_of(rows: &[(String, String)], values: &[&str]) {
    for value in values {
        let hex = picsbridge::seal::hex(value.as_bytes());
        // The base64 of the value begins like this, whatever follows it.
        let base64 = STANDARD.encode(&value[..value.len() / 3 * 3]);
        for form in [value.to_lowercase(), hex, base64.to_lowercase()] {
            let found = rows.iter().find(|(_, row)| row.contains(&form));
            assert!(found.is_none(), "{value} stands in {found:?}");
        }
    }
}

#[tokio::test]
async fn an_enrolment_leaves_nothing_personal_in_clear_and_nothing_at_all_when_the_learner_is_erased() {
    let app =
        enrolling_with(serde_json::json!({"classroomFromMainTag": true, "createMissingClassrooms": true}))
            .await;
    let planted =
        serde_json::json!({"firstName": "Plantedfirst", "lastName": "Plantedlast", "mainTag": "Plantedtag"});
    learner(&app, 1, planted).await;
    enrol(&app, 1).await;
    learner(&app, 2, serde_json::json!({"lastName": "Plantedother"})).await;
    let no =
        serde_json::json!({"status": {"status": 400, "body": {"message": "Plantedwords of Plantedother"}}});
    app.fault(serde_json::json!({"operation": "assignStandard", "times": 1, "kind": no})).await;
    app.post(&tab(2), &serde_json::json!({"centreId": CENTRE})).await.expect(202);
    let rows = dump(&app).await;
    for table in ["onefile_enrolments", "onefile_portfolios", "intents", "changes"] {
        assert!(rows.iter().any(|(own, _)| own == table), "{table} has rows");
    }
    let own = people::learner(1);
    let text = |field: &str| own[field].as_str().unwrap().to_owned();
    let (uln, email, born, number) =
        (text("uln"), text("email"), text("dateOfBirth"), text("nationalInsuranceNumber"));
    let values = [
        "Plantedfirst",
        "Plantedlast",
        "Plantedtag",
        "Plantedother",
        "Plantedwords",
        &uln,
        &email,
        &born,
        &number,
    ];
    shows_none_of(&rows, &values);
    for n in 1..3 {
        app.delete(&format!("/learners/L{n}")).await.expect(204);
    }
    for (table, row) in dump(&app).await {
        let audit = table == "audit" || table.starts_with("river");
        assert!(audit || !row.contains("\"l1\"") && !row.contains("\"l2\""), "{table}: {row}");
        assert!(!["onefile_enrolments", "onefile_portfolios"].contains(&table.as_str()), "{table}: {row}");
    }
}

#[tokio::test]
async fn the_token_is_never_shown_and_stays_when_it_is_not_sent() {
    let app = builder().start().await;
    let token = "sandbox-Nw7Qx41kPlanted";
    let kept = app.put(SETTINGS, &sandbox(token)).await.expect(200);
    assert_eq!(kept["tokenSet"], true);
    for body in [
        serde_json::json!({"enabled": false, "environment": "sandbox"}),
        serde_json::json!({"enabled": false, "environment": "sandbox", "customerToken": null}),
    ] {
        assert_eq!(app.put(SETTINGS, &body).await.expect(200), kept);
    }
    assert_eq!(app.post(TEST, &Value::Null).await.expect(200)["ok"], true, "it is still that one");
    for path in [SETTINGS, "/onefile", "/onefile/centres", "/changes", "/runs"] {
        assert!(!app.get(path).await.text.contains(token), "{path}");
    }
    app.put(SETTINGS, &sandbox("wrong-Nw7Qx41kPlanted")).await.expect(200);
    let test = app.post(TEST, &Value::Null).await;
    assert!(!test.text.contains("Nw7Qx41k"), "{}", test.text);
}
