//! Changing the master key: nothing is sealed with a key that a running process lacks.

use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::TestApp;
use crate::support::app::MASTER_KEY;
use crate::support::people::learner;

fn rotate(app: &TestApp, keys: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_picsbridge"))
        .args(["keys", "rotate"])
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("DATABASE_URL", app.database_url())
        .env("PICSBRIDGE_MASTER_KEY", keys)
        .output()
        .unwrap()
}

#[tokio::test]
async fn nothing_is_sealed_with_a_key_that_a_running_process_lacks_unless_that_is_said() {
    let app = TestApp::start().await;
    app.put("/learners/L1", &learner(1)).await.expect(201);
    let mut sql = app.sql().await;
    // The process reported this at its start.
    for _ in 0..200 {
        let seen: i64 =
            sqlx::query_scalar("select count(*) from processes").fetch_one(&mut sql).await.unwrap();
        if seen == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let keys = format!("{},{MASTER_KEY}", STANDARD.encode([7; 32]));
    let refused = rotate(&app, &keys, &[]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    for part in ["1 running process", "works jobs", "PICSBRIDGE_MASTER_KEY", "--force"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    app.get("/learners/L1").await.expect(200);

    // A killed process no longer reports, and does not count after a while.
    sqlx::query("update processes set seen_at = seen_at - interval '4 minutes'")
        .execute(&mut sql)
        .await
        .unwrap();
    let rotated = rotate(&app, &keys, &[]);
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    let said = String::from_utf8(rotated.stdout).unwrap();
    assert!(said.contains("records: 1 sealed again") && said.contains("PICSBRIDGE_MASTER_KEY"), "{said}");
    // And this is what would have befallen all records.
    app.get("/learners/L1").await.refused(503, "unavailable");

    sqlx::query("update processes set seen_at = app_now()").execute(&mut sql).await.unwrap();
    let newest = format!("{},{keys}", STANDARD.encode([8; 32]));
    assert!(!rotate(&app, &newest, &[]).status.success());
    assert!(rotate(&app, &newest, &["--force"]).status.success());
}

#[tokio::test]
async fn a_process_that_stops_says_goodbye() {
    let app = TestApp::start().await;
    let second = app.second().await;
    let mut sql = app.sql().await;
    let mut seen: i64 = 0;
    for _ in 0..200 {
        seen = sqlx::query_scalar("select count(*) from processes").fetch_one(&mut sql).await.unwrap();
        if seen == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert_eq!(seen, 2);
    second.stop().await;
    seen = sqlx::query_scalar("select count(*) from processes").fetch_one(&mut sql).await.unwrap();
    assert_eq!(seen, 1);
}
