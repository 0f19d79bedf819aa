//! Tokens of an identity provider that the operator trusts, beside our own.

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::issuer::{Signer, TestIssuer};
use crate::support::people::{self, but};
use crate::support::trusted::{AUDIENCE, ISSUER, claims, now, trusting};
use crate::support::{TestApp, on_runtime};

const READ: &str = "/officers";

async fn reread(app: &TestApp) {
    let auth = app.parts.auth.clone();
    on_runtime(async move { auth.issuer().unwrap().reread().await }).await;
}

#[tokio::test]
async fn a_users_token_is_taken_with_each_algorithm_and_does_what_its_scopes_say() {
    let keys = [Signer::rsa("r", "RS256"), Signer::rsa("p", "PS256"), Signer::ec("e"), Signer::ed("d")];
    let issuer = TestIssuer::start(&keys.each_ref()).await;
    let app = trusting(&issuer).await;
    for key in &keys {
        let user = app.as_token(&key.token(&claims(&app)));
        user.put("/officers/O1", &people::officer()).await.good();
        user.get("/tokens").await.refused(403, "scopeMissing");
    }
    let told = app.get("/audit?actor=user:u-1&action=record.put").await.expect(200);
    assert_eq!(told["items"].as_array().unwrap().len(), keys.len(), "{told:#}");
    // Our own tokens are still accepted.
    app.get(READ).await.expect(200);
}

#[tokio::test]
async fn what_issuers_do_in_different_ways_is_understood() {
    let key = Signer::ec("e");
    let issuer = TestIssuer::start(&[&key]).await;
    let app = trusting(&issuer).await;
    let now = now(&app);
    for change in [
        json!({"aud": ["account", AUDIENCE]}),
        json!({"scope": ["records:read", "something"]}),
        json!({"nbf": null, "iat": null}),
        // Clocks differ by less than half a minute.
        json!({"nbf": now + 20, "iat": now + 20}),
        json!({"exp": now - 20}),
        json!({"typ": "Bearer", "token_use": "access"}),
    ] {
        let token = key.token(&but(claims(&app), change));
        app.as_token(&token).get(READ).await.expect(200);
    }
    for typ in ["JWT", "jwt", "application/at+jwt"] {
        let header = json!({"alg": "ES256", "typ": typ, "kid": "e"}).to_string();
        app.as_token(&key.token_of(&header, &claims(&app).to_string())).get(READ).await.expect(200);
    }
}

#[tokio::test]
async fn a_user_issues_tokens_only_for_as_long_as_their_own() {
    let key = Signer::ec("e");
    let issuer = TestIssuer::start(&[&key]).await;
    let app = trusting(&issuer).await;
    let ends = now(&app) + 60;
    let own = but(claims(&app), json!({"exp": ends, "scope": "records:read tokens:manage"}));
    let request = json!({"name": "long", "scopes": ["records:read"], "days": 3660});
    let issued = app.as_token(&key.token(&own)).post("/tokens", &request).await.expect(201);
    let expires = chrono::DateTime::parse_from_rfc3339(issued["expiresAt"].as_str().unwrap()).unwrap();
    // An issuer's clock may differ by half a minute.
    assert!((ends..=ends + 30).contains(&expires.timestamp()), "{issued:#}");
    assert_eq!(issued["parentId"], json!(null));
}

#[tokio::test]
async fn the_claims_names_are_settings() {
    let key = Signer::ec("e");
    let issuer = TestIssuer::start(&[&key]).await;
    let url = issuer.jwks_url.clone();
    let settings = move |raw: &mut picsbridge::config::RawConfig| {
        raw.trusted.issuer = Some(ISSUER.to_owned());
        raw.trusted.jwks_url = Some(url);
        raw.trusted.audience = Some(AUDIENCE.to_owned());
        raw.trusted.provider_claim = Some("https://example/provider".to_owned());
        raw.trusted.scope_claim = Some("roles".to_owned());
    };
    let app = TestApp::builder().setting(settings).start().await;
    let own = but(claims(&app), json!({"https://example/provider": "first", "roles": ["records:read"]}));
    app.as_token(&key.token(&own)).get(READ).await.expect(200);
    app.as_token(&key.token(&claims(&app))).get(READ).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_new_key_is_taken_and_an_old_one_refused_without_a_restart() {
    let (old, new) = (Signer::ec("old"), Signer::rsa("new", "RS256"));
    let issuer = TestIssuer::start(&[&old]).await;
    let app = trusting(&issuer).await;
    let (by_old, by_new) = (old.token(&claims(&app)), new.token(&claims(&app)));
    app.as_token(&by_old).get(READ).await.expect(200);
    issuer.publish(&[&old, &new]);
    app.clock_advance(TimeDelta::seconds(31)).await;
    app.as_token(&by_new).get(READ).await.expect(200);
    app.as_token(&by_old).get(READ).await.expect(200);
    // The old key is withdrawn, also for tokens that it verified before.
    issuer.publish(&[&new]);
    reread(&app).await;
    app.as_token(&by_old).get(READ).await.refused(401, "unauthenticated");
    app.as_token(&by_new).get(READ).await.expect(200);
}

#[tokio::test]
async fn another_key_under_the_same_name_takes_its_place() {
    let (old, new) = (Signer::ec("k"), Signer::ec("k"));
    let issuer = TestIssuer::start(&[&old]).await;
    let app = trusting(&issuer).await;
    let by_old = old.token(&claims(&app));
    app.as_token(&by_old).get(READ).await.expect(200);
    issuer.publish(&[&new]);
    reread(&app).await;
    app.as_token(&by_old).get(READ).await.refused(401, "unauthenticated");
    app.as_token(&new.token(&claims(&app))).get(READ).await.expect(200);
}

#[tokio::test]
async fn unknown_keys_do_not_make_us_ask_again_and_again() {
    let (known, unknown) = (Signer::ec("known"), Signer::ec("unknown"));
    let issuer = TestIssuer::start(&[&known]).await;
    let app = trusting(&issuer).await;
    app.as_token(&known.token(&claims(&app))).get(READ).await.expect(200);
    let before = issuer.asked();
    let callers = (0..40).map(|n| {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": format!("unknown-{n}")}).to_string();
        app.as_token(&unknown.token_of(&header, &claims(&app).to_string()))
    });
    let callers: Vec<_> = callers.collect();
    for answer in join_all(callers.iter().map(|caller| caller.get(READ))).await {
        answer.refused(401, "unauthenticated");
    }
    assert!(issuer.asked() - before <= 1, "{}", issuer.asked() - before);
    app.clock_advance(TimeDelta::seconds(31)).await;
    for answer in join_all(callers.iter().map(|caller| caller.get(READ))).await {
        answer.refused(401, "unauthenticated");
    }
    assert!(issuer.asked() - before <= 2, "{}", issuer.asked() - before);
}

#[tokio::test]
async fn the_last_good_set_stays_when_the_issuer_fails() {
    let key = Signer::ec("e");
    let issuer = TestIssuer::start(&[&key]).await;
    let app = trusting(&issuer).await;
    reread(&app).await;
    let big = format!("{{\"keys\":[],\"more\":\"{}\"}}", "x".repeat(300_000));
    for (status, body) in
        [(500, ""), (200, "<html>"), (200, "{\"keys\":[]}"), (302, "{}"), (200, "[]"), (200, big.as_str())]
    {
        issuer.answer_with(status, body);
        reread(&app).await;
        let fresh = key.token(&but(claims(&app), json!({"jti": format!("{status}{}", body.len())})));
        app.as_token(&fresh).get(READ).await.expect(200);
    }
}

#[tokio::test]
async fn while_the_keys_were_never_read_nobody_is_told_that_the_token_is_bad() {
    let key = Signer::ec("e");
    let issuer = TestIssuer::start(&[&key]).await;
    issuer.answer_with(503, "");
    let app = trusting(&issuer).await;
    let token = key.token(&claims(&app));
    app.as_token(&token).get(READ).await.refused(503, "unavailable");
    app.get(READ).await.expect(200);
    issuer.publish(&[&key]);
    app.clock_advance(TimeDelta::seconds(31)).await;
    app.as_token(&token).get(READ).await.expect(200);
}

#[tokio::test]
async fn a_users_token_ends_by_itself() {
    let key = Signer::ec("e");
    let issuer = TestIssuer::start(&[&key]).await;
    let app = trusting(&issuer).await;
    let user = app.as_token(&key.token(&claims(&app)));
    user.get(READ).await.expect(200);
    app.clock_advance(TimeDelta::seconds(640)).await;
    user.get(READ).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_user_sees_its_own_provider_only_and_issues_no_more_than_it_has() {
    let key = Signer::ec("e");
    let issuer = TestIssuer::start(&[&key]).await;
    let app = trusting(&issuer).await;
    app.second_provider().await;
    app.put("/officers/O1", &people::officer()).await.expect(201);
    let of = |change: Value| app.as_token(&key.token(&but(claims(&app), change)));
    of(json!({"provider": "second"})).get("/officers/O1").await.refused(404, "notFound");
    of(json!({})).get("/officers/O1").await.expect(200);
    // The token has no known scope. The caller is known, but may do nothing.
    of(json!({"scope": "openid profile"})).get(READ).await.refused(403, "scopeMissing");
    let manager = of(json!({"scope": "tokens:manage records:read"}));
    let wanted = json!({"name": "more", "scopes": ["records:write"]});
    manager.post("/tokens", &wanted).await.refused(403, "scopeMissing");
    let less = json!({"name": "less", "scopes": ["records:read"]});
    let token = manager.post("/tokens", &less).await.expect(201)["token"].as_str().unwrap().to_owned();
    app.as_token(&token).get(READ).await.expect(200);
}

#[tokio::test]
async fn a_users_limit_is_for_all_of_its_tokens_and_nobody_elses() {
    let key = Signer::ec("e");
    let issuer = TestIssuer::start(&[&key]).await;
    let url = issuer.jwks_url.clone();
    let settings = move |raw: &mut picsbridge::config::RawConfig| {
        raw.trusted.issuer = Some(ISSUER.to_owned());
        raw.trusted.jwks_url = Some(url);
        raw.trusted.audience = Some(AUDIENCE.to_owned());
        raw.requests_per_minute = Some("4".to_owned());
    };
    let app = TestApp::builder().setting(settings).start().await;
    let mut statuses = Vec::new();
    for n in 0..12 {
        let token = key.token(&but(claims(&app), json!({"jti": n.to_string()})));
        statuses.push(app.as_token(&token).call(Method::GET, READ).send().await.status);
    }
    // Twelve may begin in one minute and end in the next.
    assert!(statuses.contains(&429) && statuses[0] == 200, "{statuses:?}");
    let other = key.token(&but(claims(&app), json!({"sub": "u-2"})));
    app.as_token(&other).get(READ).await.expect(200);
}
