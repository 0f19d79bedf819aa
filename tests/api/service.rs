//! Health, metrics, request ids, compression, and the pages about errors.

use picsbridge::api::problem::Code;
use reqwest::Method;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::support::TestApp;
use crate::support::app::PATIENCE;
use crate::support::people::learner;

#[tokio::test]
async fn a_service_that_is_well_lives_and_is_ready() {
    let app = TestApp::start().await;
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(app.without_token().get(path).await.expect(200), json!({"status": "ok"}));
    }
}

#[tokio::test]
async fn a_service_without_its_database_lives_but_is_not_ready_until_it_is_back() {
    let app = TestApp::start().await;
    app.get("/health/ready").await.expect(200);
    let url = url::Url::parse(&app.database_url()).unwrap();
    let name = url.path().trim_start_matches('/').to_owned();
    let mut elsewhere = url.clone();
    elsewhere.set_path("postgres");
    let mut admin = sqlx::PgConnection::connect(elsewhere.as_str()).await.unwrap();
    let mut run = async |sql: String| {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
    };
    run(format!("alter database {name} with allow_connections false")).await;
    run(format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")).await;

    let problem = app.get("/health/ready").await.refused(503, "unavailable");
    assert_eq!(problem["retryable"], true);
    app.get("/health/live").await.expect(200);

    run(format!("alter database {name} with allow_connections true")).await;
    let begun = std::time::Instant::now();
    while app.get("/health/ready").await.status != 200 {
        assert!(begun.elapsed() < PATIENCE, "it does not come back");
    }
    app.get("/learners").await.expect(200);
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_never_by_what_is_in_the_path() {
    let app = TestApp::start().await;
    app.put("/learners/METRIC-ID-1", &learner(1)).await.expect(201);
    app.get("/learners/METRIC-ID-1").await.expect(200);
    app.get("/learners/METRIC-ID-2").await.refused(404, "notFound");
    app.get("/METRIC-ID-3/x").await.refused(404, "notFound");
    let metrics = app.without_token().get("/metrics").await;
    assert_eq!(metrics.status, 200);
    let line = metrics.text.lines().find(|line| {
        line.starts_with("picsbridge_request_seconds_count")
            && line.contains("route=\"/learners/{learnerId}\"")
            && line.contains("method=\"GET\"")
            && line.contains("status=\"404\"")
    });
    assert!(line.is_some(), "{}", metrics.text);
    assert!(!metrics.text.contains("METRIC-ID"), "{}", metrics.text);
}

#[tokio::test]
async fn invented_methods_are_one_metric() {
    let app = TestApp::start().await;
    for n in 0..50 {
        let method = Method::from_bytes(format!("INVENTED{n}").as_bytes()).unwrap();
        let answer = app.without_token().call(method, "/learners").send().await;
        assert!(answer.status >= 400, "{answer:?}");
    }
    let metrics = app.without_token().get("/metrics").await;
    assert!(metrics.text.contains(r#"method="other""#), "{}", metrics.text);
    assert!(!metrics.text.contains("INVENTED"), "{}", metrics.text);
}

#[tokio::test]
async fn a_request_id_that_was_sent_comes_back_and_one_that_cannot_be_used_is_replaced() {
    let app = TestApp::start().await;
    for id in ["abc", "A.b_c-9", &"x".repeat(64)] {
        for path in ["/health/live", "/nowhere", "/learners?x=1"] {
            let answer = app.call(Method::GET, path).header("x-request-id", id).send().await;
            assert_eq!(answer.header("x-request-id"), Some(id), "{path}");
        }
    }
    for id in ["", " ", "a b", "a\"b", "<script>", "é", &"x".repeat(65)] {
        let answer = app.call(Method::GET, "/health/live").header("x-request-id", id).send().await;
        let made = answer.header("x-request-id").unwrap();
        assert!(uuid::Uuid::parse_str(made).is_ok(), "{id}: {made}");
    }
    let made = async || app.get("/health/live").await.header("x-request-id").unwrap().to_owned();
    assert_ne!(made().await, made().await);
}

#[tokio::test]
async fn every_error_code_has_its_page() {
    let app = TestApp::start().await;
    for code in Code::ALL {
        let page = app.without_token().get(&format!("/problems/{}", code.as_str())).await.expect(200);
        assert_eq!((&page["code"], &page["status"]), (&json!(code.as_str()), &json!(code.status())));
        assert!(!page["about"].as_str().unwrap().is_empty() && !page["title"].as_str().unwrap().is_empty());
    }
    for code in ["nothing", "NotFound", "notfound"] {
        app.get(&format!("/problems/{code}")).await.refused(404, "notFound");
    }
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_its_page() {
    let app = TestApp::start().await;
    let problem = app.get("/learners/L1").await.refused(404, "notFound");
    let page = reqwest::get(problem["type"].as_str().unwrap()).await.unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(page.json::<serde_json::Value>().await.unwrap()["code"], "notFound");
}

#[tokio::test]
async fn the_type_of_a_problem_is_at_the_public_address() {
    let app = TestApp::builder()
        .setting(|raw| raw.public_url = Some("https://picsbridge.example/api/".to_owned()))
        .start()
        .await;
    let problem = app.get("/learners/L1").await.refused(404, "notFound");
    assert_eq!(problem["type"], "https://picsbridge.example/api/problems/notFound");
}

#[tokio::test]
async fn an_answer_is_compressed_for_who_asks_for_it() {
    let app = TestApp::start().await;
    let plain = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
    let get = async |encoding: Option<&str>| {
        let mut request = plain.get(format!("{}/openapi.json", app.base()));
        if let Some(encoding) = encoding {
            request = request.header("accept-encoding", encoding);
        }
        request.send().await.unwrap()
    };
    let without = get(None).await;
    assert!(!without.headers().contains_key("content-encoding"));
    let length = without.bytes().await.unwrap().len();
    let with = get(Some("gzip")).await;
    assert_eq!(with.headers()["content-encoding"], "gzip");
    assert!(with.headers().contains_key("vary"), "a cache must know");
    assert!(with.bytes().await.unwrap().len() * 4 < length);
    assert!(!get(Some("identity")).await.headers().contains_key("content-encoding"));
}
