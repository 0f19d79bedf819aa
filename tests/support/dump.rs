//! The database as a thief would see it.

use sqlx::AssertSqlSafe;

use super::TestApp;

/// Every row of every table as text, with its table.
pub async fn dump(app: &TestApp) -> Vec<(String, String)> {
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
        rows.extend(found.into_iter().map(|row| (table.clone(), row)));
    }
    rows
}
