//! Protection of the service and its users: limits, slow senders, other origins, and security
//! headers.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{TestApp, people};

async fn limited(per_minute: &str) -> TestApp {
    let per_minute = per_minute.to_owned();
    TestApp::builder()
        .no_worker()
        .setting(move |raw| raw.requests_per_minute = Some(per_minute))
        .start()
        .await
}

#[tokio::test]
async fn a_token_has_so_many_requests_a_minute_and_is_told_with_every_answer() {
    let app = limited("5").await;
    let token = app.with_scopes(&[picsbridge::auth::scope::Scope::RecordsRead]).await;
    let mut refused = 0;
    for _ in 0..12 {
        let answer = token.get("/learners").await;
        assert_eq!(answer.header("ratelimit-policy"), Some("\"token\";q=5;w=60"));
        let told = answer.header("ratelimit").unwrap().to_owned();
        assert!(told.starts_with("\"token\";r=") && told.contains(";t="), "{told}");
        if answer.status == 429 {
            assert!(told.contains(";r=0;"), "{told}");
            let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=60).contains(&wait));
            answer.refused(429, "rateLimited");
            refused += 1;
        }
    }
    // If a minute ended in between, two windows of five calls passed.
    assert!(refused >= 2, "{refused}");
    // Calls that are refused for another reason count too.
    let other = app.with_scopes(&[picsbridge::auth::scope::Scope::RecordsRead]).await;
    let body = json!({});
    let answers = join_all((0..12).map(|_| other.put("/learners/L1", &body))).await;
    assert!(answers.iter().any(|answer| answer.status == 429));
    assert!(answers.iter().any(|answer| answer.status == 403), "others' limits are their own");
    // Calls without a token have no limit, because health checks are frequent.
    for _ in 0..12 {
        let answer = app.without_token().get("/health/live").await;
        assert_eq!((answer.status, answer.header("ratelimit")), (200, None));
    }
}

#[tokio::test]
async fn scripts_of_the_origins_that_the_operator_named_may_call_and_no_others() {
    let app = TestApp::builder()
        .no_worker()
        .setting(|raw| raw.cors_origins = Some("https://front.example, https://other.example".to_owned()))
        .start()
        .await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = async |origin: &str, method: Method| {
        let url = format!("{}/learners/L1", app.base());
        let call = http.request(method, url).bearer_auth(app.token()).header("origin", origin);
        let call = call
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "authorization,content-type,idempotency-key");
        call.send().await.unwrap()
    };
    for origin in ["https://front.example", "https://other.example"] {
        let preflight = asked(origin, Method::OPTIONS).await;
        assert_eq!(preflight.status(), 200);
        assert_eq!(preflight.headers()["access-control-allow-origin"], origin);
        assert!(preflight.headers()["access-control-allow-methods"].to_str().unwrap().contains("PUT"));
        // Browsers can read errors too.
        let answer = asked(origin, Method::GET).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["access-control-allow-origin"]),
            (404, &origin.parse().unwrap())
        );
        assert!(
            answer.headers()["access-control-expose-headers"]
                .to_str()
                .unwrap()
                .contains("idempotent-replayed")
        );
    }
    for origin in
        ["https://evil.example", "http://front.example", "https://front.example.evil.example", "null"]
    {
        let answer = asked(origin, Method::GET).await;
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{origin}");
    }
}

#[tokio::test]
async fn every_answer_tells_browsers_to_keep_to_themselves() {
    let app = TestApp::builder().no_worker().start().await;
    app.put("/learners/L1", &people::learner(1)).await.good();
    for path in ["/learners/L1", "/learners/L2", "/nowhere", "/health/live", "/openapi.json"] {
        let answer = app.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert!(
            answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"),
            "{path}"
        );
    }
    let page = app.page("/docs/").await;
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
    assert_eq!(page.headers()["x-frame-options"], "DENY");
}

#[tokio::test]
async fn who_sends_a_body_byte_by_byte_is_not_waited_for_and_harms_nobody() {
    let app = TestApp::builder().no_worker().start().await;
    let address = app.base().strip_prefix("http://").unwrap().to_owned();
    let slow = join_all((0..50).map(|_| async {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "PUT /learners/L1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{{",
            app.token()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }))
    .await;
    for n in 1..20 {
        app.put(&format!("/learners/L{n}"), &people::learner(n)).await.good();
    }
    for mut stream in slow {
        let mut answer = vec![0; 4096];
        let read = stream.read(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(text.starts_with("HTTP/1.1 408") && text.contains("bodyTooSlow"), "{text}");
    }
}
