//! Paths and methods that do not exist.

use actix_web::test::TestRequest;
use picsbridge::api::paths::Routes;
use reqwest::Method;

use crate::support::TestApp;

#[test]
fn each_path_has_the_template_that_it_is_served_by() {
    let document = picsbridge::app::document();
    let routes = Routes::of(&document);
    assert!(document.paths.paths.len() > 50);
    for template in document.paths.paths.keys() {
        let path = template.split('/').map(|segment| match segment.split_once('}') {
            Some((_, verb)) => format!("L-1.a{verb}"),
            None => segment.to_owned(),
        });
        let path = path.collect::<Vec<_>>().join("/");
        let request = TestRequest::with_uri(&path).to_http_request();
        assert_eq!(routes.template_of(&request).as_deref(), Some(template.as_str()), "{path}");
    }
    for path in ["/nowhere", "/learners/", "/learners/L1/", "/learners/L1/ace360/x"] {
        let request = TestRequest::with_uri(path).to_http_request();
        assert_eq!(routes.template_of(&request), None, "{path}");
    }
}

#[tokio::test]
async fn a_path_that_there_is_not_is_404() {
    let app = TestApp::start().await;
    for path in [
        "/nowhere",
        "/learners/L1/nowhere",
        "/learners/",
        "//learners",
        "/learners/L1/",
        "/Learners",
        "/learners:export",
        "/learners/L1/ace360:upload",
        "/problems",
        "/openapi.yaml",
        "/.env",
        "/admin",
    ] {
        app.get(path).await.refused(404, "notFound");
    }
}

#[tokio::test]
async fn a_method_that_a_path_has_not_is_405_and_allow_lists_those_that_it_has() {
    let app = TestApp::start().await;
    for (method, path, allow) in [
        (Method::POST, "/learners/L1", "DELETE, GET, PUT"),
        (Method::PATCH, "/learners/L1", "DELETE, GET, PUT"),
        (Method::DELETE, "/learners", "GET"),
        (Method::PUT, "/learners", "GET"),
        (Method::GET, "/learners:import", "POST"),
        (Method::PUT, "/tokens", "GET, POST"),
        (Method::GET, "/tokens/0190b0a0-0000-7000-8000-000000000000", "DELETE"),
        (Method::GET, "/learners/L1/ace360:sync", "POST"),
        (Method::GET, "/ace360/status:sync", "POST"),
        (Method::DELETE, "/learners/L1/ace360", "GET, POST"),
        (Method::PUT, "/runs/0190b0a0-0000-7000-8000-000000000000:cancel", "POST"),
        (Method::POST, "/health/live", "GET"),
        (Method::POST, "/openapi.json", "GET"),
    ] {
        let answer = app.call(method, path).send().await;
        let mut found: Vec<&str> = answer.header("allow").unwrap_or_default().split(", ").collect();
        found.sort_unstable();
        assert_eq!(found.join(", "), allow, "{}", answer.at);
        answer.refused(405, "methodNotAllowed");
    }
}
