//! What a stolen database shows: ids and states, but no name, number or address.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::dump::dump;
use crate::support::people::{self, but};

#[tokio::test]
async fn a_dump_of_all_tables_shows_no_personal_value_and_no_secret() {
    let app = TestApp::start().await;
    let settings = json!({"enabled": true, "environment": "sandbox", "token": "sandbox-plantedtoken",
                          "dailySync": {"enabled": false, "at": "05:00"}});
    app.put("/ace360/settings", &settings).await.expect(200);
    app.refresh_standards().await;

    let uln = people::uln(77);
    let planted = json!({"firstName": "Zephyrine", "lastName": "Plantagenet-Quux", "dateOfBirth": "2003-03-29",
        "nationalInsuranceNumber": "AB987654D", "uln": uln, "email": "zephyrine@planted.example",
        "telephone": "01632 960987", "mainTag": "Planted tag",
        "address": {"line1": "99 Planted Passage", "line2": "Plantville", "line3": "Plantshire", "line4": null, "postcode": "OX9 9XX"}});
    app.put_ready("OTHER", 1).await;
    app.put(
        "/officers/OFF12",
        &but(people::officer(), json!({"lastName": "Plantedofficer", "email": "officer@planted.example"})),
    )
    .await
    .expect(200);
    let organisation =
        but(people::organisation(), json!({"name": "Plantedcorp Ltd", "telephone": "01632 960654"}));
    app.put("/organisations/ORG7", &organisation).await.expect(200);
    app.put("/learners/L1", &but(people::learner(1), planted.clone())).await.expect(201);
    app.post("/learners/L1/ace360", &json!({})).await.expect(201);

    // An upstream's message may repeat sent values: refused once, and refused permanently.
    app.put("/learners/L2", &but(people::learner(2), planted)).await.expect(201);
    let body = json!({"message": "Zephyrine Plantagenet-Quux is refused", "errors": {"ulnNumber": [format!("{uln} is taken")]}});
    app.fault(json!({"operation": "createApprentice", "kind": {"status": {"status": 422, "body": body}}}))
        .await;
    app.post("/learners/L2/ace360", &json!({"allowDuplicate": true})).await.refused(422, "upstreamRejected");
    app.no_faults().await;
    let run = app.post("/ace360/status:sync", &Value::Null).await;
    app.wait_run(run.body["id"].as_str().unwrap()).await;

    let rows = dump(&app).await;
    assert!(rows.iter().any(|(table, _)| table == "ace360_mirror"), "the mirror was read");
    for value in [
        "Zephyrine",
        "Plantagenet",
        "2003-03-29",
        "AB987654D",
        &uln,
        "planted.example",
        "960987",
        "960654",
        "Planted Passage",
        "Plantville",
        "OX9 9XX",
        "OX99XX",
        "Plantedofficer",
        "Plantedcorp",
        "sandbox-plantedtoken",
        "Planted tag",
    ] {
        let hex = picsbridge::seal::hex(value.as_bytes());
        // The base64 of the value begins like this, whatever follows it.
        let base64 = STANDARD.encode(&value[..value.len() / 3 * 3]);
        for form in [value.to_lowercase(), hex, base64.to_lowercase()] {
            let found = rows.iter().find(|(_, row)| row.to_lowercase().contains(&form));
            assert!(found.is_none(), "{value} stands in {found:?}");
        }
    }
    // A caller with access can read all of it.
    assert_eq!(app.get("/learners/L1").await.expect(200)["lastName"], "Plantagenet-Quux");
}

#[tokio::test]
async fn a_sealed_record_that_is_moved_to_another_row_cannot_be_read_there() {
    let app = TestApp::start().await;
    for n in 1..=2 {
        app.put(&format!("/learners/L{n}"), &people::learner(n)).await.expect(201);
    }
    let moved = "update records set sealed = (select sealed from records where record_id = 'L1') where record_id = 'L2'";
    sqlx::query(moved).execute(&mut app.sql().await).await.unwrap();
    let answer = app.get("/learners/L2").await;
    assert!(!answer.text.contains("Okonedo"), "{}", answer.text);
    answer.refused(500, "internal");
    app.get("/learners/L1").await.expect(200);
}
