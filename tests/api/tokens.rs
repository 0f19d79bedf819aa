//! Tokens: which are accepted, which are refused, and who may create and revoke them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use picsbridge::auth::scope::{Scope, Scopes};
use picsbridge::store::SigningKey;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::PATIENCE;
use crate::support::client::Api;
use crate::support::{TestApp, faults, on_runtime};

const READ: &str = "/officers";

/// A signer with the service's key that can sign anything.
struct Forger {
    key: SigningKey,
    header: Header,
    claims: Value,
}

impl Forger {
    async fn of(app: &TestApp) -> Self {
        let store = app.parts.store.clone();
        let key = on_runtime(async move { store.signing_keys().await.unwrap().remove(0) }).await;
        let header = jsonwebtoken::decode_header(app.token()).unwrap();
        Self { key, header, claims: claims(app.token()) }
    }

    fn with(&self, changes: Value) -> String {
        self.sign(&self.header, &crate::support::people::but(self.claims.clone(), changes))
    }

    fn with_header(&self, change: impl FnOnce(&mut Header)) -> String {
        let mut header = self.header.clone();
        change(&mut header);
        self.sign(&header, &self.claims)
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &EncodingKey::from_ed_der(&self.key.private)).unwrap()
    }
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

async fn assert_refused(app: &TestApp, what: &str, token: &str) {
    let answer = app.as_token(token).get(READ).await;
    assert_eq!(answer.status, 401, "{what}: {}", answer.text);
    assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer error="invalid_token""#), "{what}");
    answer.refused(401, "unauthenticated");
}

#[tokio::test]
async fn what_a_forger_with_our_key_signs_unchanged_is_taken() {
    // Without this check the tests below would prove nothing.
    let app = TestApp::start().await;
    let token = Forger::of(&app).await.with(json!({}));
    app.as_token(&token).get(READ).await.expect(200);
}

#[tokio::test]
async fn without_a_token_the_answer_is_401_and_says_how_to_send_one() {
    let app = TestApp::start().await;
    let answer = app.without_token().get(READ).await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    let problem = answer.refused(401, "unauthenticated");
    assert!(problem["detail"].as_str().unwrap().contains("Authorization: Bearer"), "{problem}");
}

#[tokio::test]
async fn an_authorization_header_of_another_shape_is_refused() {
    let app = TestApp::start().await;
    let token = app.token().to_owned();
    for header in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        token.clone(),
        format!("Basic {token}"),
        format!("Token {token}"),
        format!("Bearer{token}"),
        format!("Bearer {token} {token}"),
        "Bearer a.b.c".to_owned(),
        "Bearer ..".to_owned(),
        format!("Bearer {}", token.rsplit_once('.').unwrap().0),
        format!("Bearer {token}.{token}"),
    ] {
        let call = app.without_token().call(Method::GET, READ).header("authorization", &header);
        call.send().await.refused(401, "unauthenticated");
    }
    // The scheme's case does not matter (RFC 9110).
    let call =
        app.without_token().call(Method::GET, READ).header("authorization", &format!("bearer {token}"));
    call.send().await.expect(200);
}

#[tokio::test]
async fn a_token_of_another_algorithm_is_refused_whatever_signed_it() {
    let app = TestApp::start().await;
    let forger = Forger::of(&app).await;
    let kid = forger.header.kid.clone().unwrap();
    let payload = encoded(&forger.claims);

    for alg in ["none", "None", "NONE"] {
        let header = encoded(&json!({"alg": alg, "typ": "at+jwt", "kid": kid}));
        assert_refused(&app, alg, &format!("{header}.{payload}.")).await;
        let signature = app.token().rsplit('.').next().unwrap();
        assert_refused(&app, alg, &format!("{header}.{payload}.{signature}")).await;
    }
    // The public key is public, so it must not work as the secret of an HMAC.
    let x = URL_SAFE_NO_PAD.encode(&forger.key.public);
    let secrets =
        [forger.key.public.clone(), x.clone().into_bytes(), STANDARD.encode(&forger.key.public).into_bytes()];
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        for secret in &secrets {
            let header = Header { alg: algorithm, ..forger.header.clone() };
            let token =
                jsonwebtoken::encode(&header, &forger.claims, &EncodingKey::from_secret(secret)).unwrap();
            assert_refused(&app, "HMAC with the public key", &token).await;
            // Also a token that claims EdDSA over an HMAC.
            let (body, signature) = token.rsplit_once('.').unwrap();
            let (_, payload) = body.split_once('.').unwrap();
            let header = app.token().split('.').next().unwrap();
            assert_refused(&app, "EdDSA in name only", &format!("{header}.{payload}.{signature}")).await;
        }
    }
}

#[tokio::test]
async fn a_token_with_any_part_altered_is_refused() {
    let app = TestApp::start().await;
    let little = app.issue([Scope::RecordsRead].into_iter().collect(), 1).await;
    let parts: Vec<&str> = little.split('.').collect();
    let mut more = claims(&little);
    more["scope"] = json!(Scopes::all().claim());
    assert_refused(&app, "more scopes", &format!("{}.{}.{}", parts[0], encoded(&more), parts[2])).await;
    for (part, text) in parts.iter().enumerate() {
        // In the middle, because the last letter contains unused bits.
        let at = text.len() / 2;
        let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
        let mut altered = parts.clone();
        let text = format!("{}{other}{}", &text[..at], &text[at + 1..]);
        altered[part] = &text;
        assert_refused(&app, "a letter", &altered.join(".")).await;
    }
    // The token is valid before and after.
    app.as_token(&little).get(READ).await.expect(200);
}

#[tokio::test]
async fn a_token_is_refused_from_the_second_on_at_which_it_ends() {
    let app = TestApp::start().await;
    let token = app.issue(Scopes::all(), 1).await;
    let ends = claims(&token)["exp"].as_i64().unwrap();
    // It is in the cache of verified tokens now.
    app.as_token(&token).get(READ).await.expect(200);
    let left = ends - app.parts.auth.clock().now().timestamp();
    app.clock_advance(TimeDelta::seconds(left - 60)).await;
    app.as_token(&token).get(READ).await.expect(200);
    app.clock_advance(TimeDelta::seconds(60)).await;
    let problem = app.as_token(&token).get(READ).await.refused(401, "unauthenticated");
    assert!(problem["detail"].as_str().unwrap().contains("expired"), "{problem}");
    // The same for a token that was never seen before, without leeway.
    let forger = Forger::of(&app).await;
    let now = app.parts.auth.clock().now().timestamp();
    assert_refused(&app, "expired a second ago", &forger.with(json!({"exp": now - 1}))).await;
}

#[tokio::test]
async fn a_token_is_refused_until_it_is_valid() {
    let app = TestApp::start().await;
    let later = app.parts.auth.clock().now().timestamp() + 3600;
    let token = Forger::of(&app).await.with(json!({"nbf": later}));
    assert_refused(&app, "not yet valid", &token).await;
    app.clock_advance(TimeDelta::seconds(3601)).await;
    app.as_token(&token).get(READ).await.expect(200);
}

#[tokio::test]
async fn a_token_that_says_something_else_of_itself_is_refused() {
    let app = TestApp::start().await;
    app.second_provider().await;
    let forger = Forger::of(&app).await;
    for changes in [
        json!({"iss": "somebody"}),
        json!({"iss": null}),
        json!({"aud": "another"}),
        json!({"aud": null}),
        json!({"aud": ["another"]}),
        json!({"exp": null}),
        json!({"exp": "never"}),
        json!({"nbf": null}),
        json!({"sub": null}),
        json!({"jti": null}),
        json!({"jti": "1"}),
        json!({"scope": null}),
        json!({"provider": null}),
        // The provider is the token's owner in the table, and no other.
        json!({"provider": "second"}),
        json!({"provider": "nobody"}),
    ] {
        assert_refused(&app, &changes.to_string(), &forger.with(changes.clone())).await;
    }
    for type_ in [None, Some("JWT"), Some("at+JWT"), Some("jwt")] {
        let token = forger.with_header(|header| header.typ = type_.map(str::to_owned));
        assert_refused(&app, &format!("typ {type_:?}"), &token).await;
    }
}

#[tokio::test]
async fn a_token_of_an_unknown_key_or_with_another_keys_name_is_refused() {
    let app = TestApp::start().await;
    let stranger = TestApp::start().await;
    let (forger, other) = (Forger::of(&app).await, Forger::of(&stranger).await);
    assert_refused(&app, "another installation's", stranger.token()).await;
    assert_refused(&app, "no kid", &forger.with_header(|header| header.kid = None)).await;
    assert_refused(&app, "unknown kid", &forger.with_header(|header| header.kid = Some("0".repeat(16))))
        .await;
    let posing = other.sign(&forger.header, &forger.claims);
    assert_refused(&app, "our kid, their key", &posing).await;
}

#[tokio::test]
async fn a_token_that_was_never_issued_or_is_no_longer_in_the_table_is_refused() {
    let app = TestApp::start().await;
    let forger = Forger::of(&app).await;
    assert_refused(&app, "unknown jti", &forger.with(json!({"jti": Uuid::new_v4()}))).await;

    let token = app.issue(Scopes::all(), 1).await;
    let id: Uuid = claims(&token)["jti"].as_str().unwrap().parse().unwrap();
    let mut sql = app.sql().await;
    sqlx::query("delete from tokens where id = $1").bind(id).execute(&mut sql).await.unwrap();
    assert_refused(&app, "deleted", &token).await;
}

#[tokio::test]
async fn an_oversized_token_is_refused_without_a_look_inside() {
    let app = TestApp::start().await;
    let good_but_large = Forger::of(&app).await.with(json!({"padding": "x".repeat(4096)}));
    assert!(good_but_large.len() > 4096);
    assert_refused(&app, "large", &good_but_large).await;
    assert_refused(&app, "nonsense", &"x".repeat(20_000)).await;
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_here_and_elsewhere_after_the_next_pulse() {
    let app = TestApp::start().await;
    let elsewhere = app.second_with(false).await;
    let token = app.issue(Scopes::all(), 1).await;
    let id = claims(&token)["jti"].as_str().unwrap().to_owned();
    for place in [&app, &elsewhere] {
        place.as_token(&token).get(READ).await.expect(200);
    }
    app.delete(&format!("/tokens/{id}")).await.expect(204);
    let problem = app.as_token(&token).get(READ).await.refused(401, "unauthenticated");
    assert!(problem["detail"].as_str().unwrap().contains("revoked"), "{problem}");

    let parts = elsewhere.parts.clone();
    on_runtime(async move { parts.auth.pulse(&parts.store).await.unwrap() }).await;
    elsewhere.as_token(&token).get(READ).await.refused(401, "unauthenticated");
    // A process that starts later knows it too.
    let later = app.second_with(false).await;
    later.as_token(&token).get(READ).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_token_that_revokes_itself_is_refused_from_then_on() {
    let app = TestApp::start().await;
    let token = app.issue(Scopes::all(), 1).await;
    let own = app.as_token(&token);
    own.delete(&format!("/tokens/{}", claims(&token)["jti"].as_str().unwrap())).await.expect(204);
    own.get(READ).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn nobody_is_let_in_when_revocations_could_not_be_read_for_ten_seconds() {
    let app = TestApp::builder().timings("revocations=24h").start().await;
    app.get(READ).await.expect(200);
    let begun = std::time::Instant::now();
    let refused = loop {
        let answer = app.get(READ).await;
        if answer.status != 200 {
            break answer;
        }
        assert!(begun.elapsed() < PATIENCE, "it still lets everybody in");
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    };
    refused.refused(503, "unavailable");
    // The response is not 401, because the token may be valid.
    let parts = app.parts.clone();
    on_runtime(async move { parts.auth.pulse(&parts.store).await.unwrap() }).await;
    app.get(READ).await.expect(200);
}

#[tokio::test]
async fn a_token_works_in_every_process_and_after_a_restart() {
    let app = TestApp::start().await;
    let issued = app.post("/tokens", &json!({"name": "front end", "scopes": ["records:read"]})).await;
    let token = issued.expect(201)["token"].as_str().unwrap().to_owned();
    let elsewhere = app.second_with(false).await;
    elsewhere.as_token(&token).get(READ).await.expect(200);
    app.stop().await;
    elsewhere.second_with(false).await.as_token(&token).get(READ).await.expect(200);
}

#[tokio::test]
async fn a_missing_scope_is_403_and_named() {
    let app = TestApp::start().await;
    let reader = app.with_scopes(&[Scope::RecordsRead]).await;
    reader.get("/learners").await.expect(200);
    let answer = reader.put("/officers/O1", &json!({"lastName": "A"})).await;
    let challenge = r#"Bearer error="insufficient_scope", scope="records:write""#;
    assert_eq!(answer.header("www-authenticate"), Some(challenge));
    let problem = answer.refused(403, "scopeMissing");
    assert!(problem["detail"].as_str().unwrap().contains("`records:write`"), "{problem}");
    app.get("/officers/O1").await.refused(404, "notFound");
}

#[tokio::test]
async fn a_token_cannot_issue_one_that_may_do_more_than_itself() {
    let app = TestApp::start().await;
    let manager = app.with_scopes(&[Scope::TokensManage, Scope::RecordsRead]).await;
    let wanted = json!({"name": "more", "scopes": ["records:read", "records:write", "audit:read"]});
    let problem = manager.post("/tokens", &wanted).await.refused(403, "scopeMissing");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("`records:write`") && detail.contains("`audit:read`"), "{detail}");
    assert!(!detail.contains("`records:read`"), "{detail}");
    let less = json!({"name": "less", "scopes": ["records:read"]});
    let token = manager.post("/tokens", &less).await.expect(201)["token"].as_str().unwrap().to_owned();
    app.as_token(&token).get(READ).await.expect(200);
    app.as_token(&token).post("/tokens", &less).await.refused(403, "scopeMissing");
}

#[tokio::test]
async fn an_issued_token_has_the_scopes_and_the_end_it_was_asked_with_and_is_not_cached() {
    let app = TestApp::start().await;
    let wanted =
        json!({"name": "  front end ", "scopes": ["runs:read", "records:read", "runs:read"], "days": 7});
    let answer = app.post("/tokens", &wanted).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let issued = answer.expect(201);
    assert_eq!(issued["name"], "front end");
    assert_eq!(issued["scopes"], json!(["records:read", "runs:read"]));
    let claims = claims(issued["token"].as_str().unwrap());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 7 * 24 * 3600);
    assert_eq!((&claims["aud"], &claims["provider"]), (&json!("picsbridge"), &json!("first")));
    assert_eq!(claims["scope"], "records:read runs:read");
    assert_eq!(claims["jti"], issued["id"]);
}

#[tokio::test]
async fn everything_wrong_with_a_token_request_is_told_at_once() {
    let app = TestApp::start().await;
    let problem = app.post("/tokens", &json!({"name": " ", "scopes": [], "days": 3661})).await;
    let expected = [("/days", "outOfRange"), ("/name", "invalidName"), ("/scopes", "required")];
    let found = faults(&problem.refused(422, "invalidRequest"));
    assert_eq!(found, expected.map(|(at, code)| (at.to_owned(), code.to_owned())).into());

    let wrong = json!({"name": 1, "scopes": ["records:read", "records:admin"], "days": 0, "scope": "all"});
    let found = faults(&app.post("/tokens", &wrong).await.refused(422, "invalidRequest"));
    let places: Vec<&str> = found.iter().map(|(at, _)| at.as_str()).collect();
    for place in ["/name", "/scope", "/scopes/1"] {
        assert!(places.contains(&place), "{place}: {found:?}");
    }
}

#[tokio::test]
async fn the_list_shows_the_tokens_that_are_good_and_never_a_token_itself() {
    let app = TestApp::start().await;
    let issue = async |name: &str, days: u32| {
        let request = json!({"name": name, "scopes": ["records:read"], "days": days});
        app.post("/tokens", &request).await.expect(201)
    };
    let (short, long, revoked) =
        (issue("short", 1).await, issue("long", 30).await, issue("revoked", 30).await);
    app.delete(&format!("/tokens/{}", revoked["id"].as_str().unwrap())).await.expect(204);
    let names = |list: &Value| -> Vec<String> {
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let answer = app.get("/tokens").await;
    for issued in [&short, &long, &revoked] {
        assert!(!answer.text.contains(issued["token"].as_str().unwrap()));
    }
    assert_eq!(names(&answer.expect(200)), ["test", "short", "long"]);
    let page = app.get("/tokens?pageSize=2").await.expect(200);
    let rest = format!("/tokens?pageSize=2&pageToken={}", page["nextPageToken"].as_str().unwrap());
    assert_eq!(names(&app.get(&rest).await.expect(200)), ["long"]);

    app.clock_advance(TimeDelta::days(2)).await;
    assert_eq!(names(&app.get("/tokens").await.expect(200)), ["test", "long"]);
}

#[tokio::test]
async fn a_tokens_last_use_is_written_down() {
    let app = TestApp::start().await;
    let request = json!({"name": "used", "scopes": ["records:read"]});
    let issued = app.post("/tokens", &request).await.expect(201);
    assert_eq!(issued["lastUsedAt"], Value::Null);
    app.as_token(issued["token"].as_str().unwrap()).get(READ).await.expect(200);
    app.eventually("/tokens", |list| !list["items"][1]["lastUsedAt"].is_null()).await;
}

#[tokio::test]
async fn a_token_ends_no_later_than_the_one_that_issued_it_and_is_revoked_with_it() {
    let app = TestApp::start().await;
    let issue = async |api: &Api, days: u32| {
        let request = json!({"name": "child", "scopes": ["records:read", "tokens:manage"], "days": days});
        api.post("/tokens", &request).await.expect(201)
    };
    let parent = issue(&app, 1).await;
    let as_parent = app.as_token(parent["token"].as_str().unwrap());
    let child = issue(&as_parent, 3660).await;
    let ends = |token: &Value| token["expiresAt"].as_str().unwrap().parse::<chrono::DateTime<Utc>>().unwrap();
    // A token says when it ends in whole seconds.
    let earlier = ends(&parent) - ends(&child);
    assert!((TimeDelta::zero()..TimeDelta::seconds(1)).contains(&earlier), "{child:#}");
    assert_eq!(child["parentId"], parent["id"], "{child:#}");
    let as_child = app.as_token(child["token"].as_str().unwrap());
    let grandchild = issue(&as_child, 1).await;
    let as_grandchild = app.as_token(grandchild["token"].as_str().unwrap());
    as_grandchild.get(READ).await.expect(200);
    app.delete(&format!("/tokens/{}", parent["id"].as_str().unwrap())).await.expect(204);
    for api in [&as_parent, &as_child, &as_grandchild] {
        api.get(READ).await.refused(401, "unauthenticated");
    }
    assert_eq!(app.get("/tokens").await.expect(200)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn only_its_own_provider_can_revoke_a_token_and_only_once() {
    let app = TestApp::start().await;
    let other = app.second_provider().await;
    let path = format!("/tokens/{}", claims(app.token())["jti"].as_str().unwrap());
    other.delete(&path).await.refused(404, "notFound");
    app.get(READ).await.expect(200);
    let ids: Vec<String> = other.get("/tokens").await.expect(200)["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, [claims(other.token())["jti"].as_str().unwrap()]);

    let token = app.issue(Scopes::all(), 1).await;
    let path = format!("/tokens/{}", claims(&token)["jti"].as_str().unwrap());
    app.delete(&path).await.expect(204);
    app.delete(&path).await.refused(404, "notFound");
    let problem = app.delete("/tokens/1").await.refused(400, "invalidParameter");
    assert_eq!(faults(&problem), [("id".to_owned(), "invalidId".to_owned())].into());
}

#[tokio::test]
async fn the_published_keys_verify_a_token() {
    let app = TestApp::start().await;
    let keys = app.without_token().get("/.well-known/jwks.json").await.expect(200);
    let kid = jsonwebtoken::decode_header(app.token()).unwrap().kid.unwrap();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid.as_str()).unwrap();
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")));
    assert!(key.get("d").is_none(), "the private part stays here");
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.set_audience(&["picsbridge"]);
    rules.set_issuer(&["picsbridge"]);
    let decoding = DecodingKey::from_ed_components(key["x"].as_str().unwrap()).unwrap();
    let verified = jsonwebtoken::decode::<Value>(app.token(), &decoding, &rules).unwrap();
    assert!(verified.claims["exp"].as_i64().unwrap() > Utc::now().timestamp());
}
