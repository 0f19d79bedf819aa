//! Tokens, sessions and environments.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::sandbox::Running;
use crate::support::sandbox::onefile::{BASE, OneFile, authenticate};

const PRACTICE: &str = "/onefile/practice/api/v2.1";
const BETA: &str = "/onefile/beta/api/v2.1";

async fn customer(onefile: &OneFile, base: &str, session: &str) -> u16 {
    let url = format!("{}{base}/Customer", onefile.running.sandbox.url());
    let request = onefile.running.client.get(url).header("X-TokenID", session);
    onefile.send("GET", "/Customer", request).await.status
}

#[tokio::test]
async fn a_session_is_the_body_as_it_is() {
    let onefile = OneFile::start().await;
    assert!(onefile.session.len() > 300 && !onefile.session.contains('"'), "{}", onefile.session);
    let customer = onefile.record("/Customer").await;
    assert!(customer["ID"].is_u64() && customer["Name"].is_string());
}

#[tokio::test]
async fn a_session_can_be_a_json_string() {
    let onefile = OneFile::start().await;
    onefile.settings(json!({ "sessionAsJson": true })).await;
    let (_, text) = authenticate(&onefile.running, BASE, "sandbox").await;
    let session: String = serde_json::from_str(&text).unwrap();
    assert_eq!(customer(&onefile, BASE, &session).await, 200);
}

#[tokio::test]
async fn without_a_good_session_nothing_is_answered() {
    let onefile = OneFile::start().await;
    for session in ["", "wrong", "sandbox"] {
        assert_eq!(customer(&onefile, BASE, session).await, 401, "{session}");
    }
    let url = format!("{}{BASE}/Customer", onefile.running.sandbox.url());
    assert_eq!(onefile.running.client.get(url).send().await.unwrap().status(), 401);
    assert_eq!(onefile.state().await["unauthorised"], 4);
}

#[tokio::test]
async fn a_wrong_customer_token_opens_no_session() {
    let running = Running::start().await;
    for (token, status) in [("", 401), ("wrong", 401), ("sandbox-", 401), ("Sandbox", 401), ("disabled", 403)]
    {
        assert_eq!(authenticate(&running, BASE, token).await, (status, String::new()), "{token}");
    }
}

#[tokio::test]
async fn a_token_of_another_environment_is_refused() {
    let running = Running::start().await;
    let tokens = ["sandbox", "sandbox-two", "sandbox-practice", "sandbox-practice-two", "sandbox-beta"];
    for (base, accepted) in [(BASE, &tokens[..2]), (PRACTICE, &tokens[2..4]), (BETA, &tokens[4..])] {
        for token in tokens {
            let expected = if accepted.contains(&token) { 200 } else { 401 };
            assert_eq!(authenticate(&running, base, token).await.0, expected, "{token} at {base}");
        }
    }
}

#[tokio::test]
async fn a_session_of_another_environment_is_refused() {
    let onefile = OneFile::start().await;
    let (_, beta) = authenticate(&onefile.running, BETA, "sandbox-beta").await;
    assert_eq!(customer(&onefile, BETA, &beta).await, 200);
    assert_eq!(customer(&onefile, BASE, &beta).await, 401);
    assert_eq!(customer(&onefile, BETA, &onefile.session).await, 401);
}

#[tokio::test]
async fn customers_have_records_of_their_own() {
    let onefile = OneFile::start().await;
    let ours = onefile.enrolled().await;
    let (_, session) = authenticate(&onefile.running, BASE, "sandbox-two").await;
    let path = format!("/User/{ours}");
    let request = onefile.request(Method::GET, &path);
    assert_eq!(onefile.send("GET", &path, request).await.status, 200);
    let url = format!("{}{BASE}{path}", onefile.running.sandbox.url());
    let theirs = onefile.running.client.get(url).header("X-TokenID", session);
    assert_eq!(onefile.send("GET", &path, theirs).await.status, 404);
}

#[tokio::test]
async fn a_session_ends_after_24_hours_and_a_new_one_is_to_be_had() {
    let onefile = OneFile::start().await;
    onefile.settings(json!({ "clockAheadSeconds": 24 * 3600 - 60 })).await;
    assert_eq!(customer(&onefile, BASE, &onefile.session).await, 200);
    onefile.settings(json!({ "clockAheadSeconds": 24 * 3600 })).await;
    assert_eq!(customer(&onefile, BASE, &onefile.session).await, 401);
    let (_, session) = authenticate(&onefile.running, BASE, "sandbox").await;
    assert_eq!(customer(&onefile, BASE, &session).await, 200);
}

#[tokio::test]
async fn two_sessions_of_one_customer_are_valid_at_a_time_until_all_are_ended() {
    let onefile = OneFile::start().await;
    let (_, second) = authenticate(&onefile.running, BASE, "sandbox").await;
    for session in [&onefile.session, &second] {
        assert_eq!(customer(&onefile, BASE, session).await, 200);
    }
    assert_eq!(onefile.state().await["customers"]["sandbox"]["sessions"], 2);
    assert_eq!(onefile.control("/sessions:end", Value::Null).await.status, 204);
    for session in [&onefile.session, &second] {
        assert_eq!(customer(&onefile, BASE, session).await, 401);
    }
}

#[tokio::test]
async fn paths_are_taken_in_any_case_and_with_a_slash_at_the_end() {
    let onefile = OneFile::start().await;
    for path in ["/customer", "/CUSTOMER/", "/Customer/"] {
        let request = onefile.request(Method::GET, path);
        assert_eq!(onefile.send("GET", "/Customer", request).await.status, 200, "{path}");
    }
    for path in ["/organisation/search/", "/Organisation/Search", "/ORGANISATION/SEARCH"] {
        let request = onefile.request(Method::POST, path);
        assert_eq!(onefile.send("POST", "/Organisation/Search", request).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let onefile = OneFile::start().await;
    for path in ["/User/1", "/Placement/1", "/Standard/1", "/LearningAim/1", "/Review/1", "/Unit/KS_COMM1"] {
        assert_eq!(onefile.get(path).await.status, 404, "{path}");
    }
    let placement = onefile.first_id("/Placement/Search", json!({})).await;
    assert_eq!(onefile.get(&format!("/User/{placement}")).await.status, 404, "a placement is no user");
    for (method, path) in [(Method::GET, "/Users"), (Method::POST, "/Standard"), (Method::PUT, "/User/1")] {
        assert_eq!(onefile.request(method, path).send().await.unwrap().status(), 404, "{path}");
    }
}
