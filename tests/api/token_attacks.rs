//! Named attacks on tokens. All are refused with 401, for our tokens and a trusted issuer's alike.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::support::issuer::{Signer, TestIssuer};
use crate::support::people::but;
use crate::support::{TestApp, on_runtime};

use crate::support::forgery::{Attacks, Target, encoded};
use crate::support::trusted::{self, ISSUER};

const READ: &str = "/officers";

async fn assert_all_refused(app: &TestApp, attacks: &Attacks) {
    let mut taken = Vec::new();
    for (name, token) in attacks {
        // A client cannot write every attack into a header. Those attacks never reach the service.
        let Ok(value) = reqwest::header::HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()) else {
            continue;
        };
        let answer = app.without_token().call_with(reqwest::Method::GET, READ, value).send().await;
        if (answer.status, answer.body["code"].as_str()) != (401, Some("unauthenticated")) {
            taken.push(format!("{name}: {} {}", answer.status, answer.text));
        }
    }
    assert!(taken.is_empty(), "{} of {} were not refused:\n{}", taken.len(), attacks.len(), taken.join("\n"));
}

async fn own_signer(app: &TestApp) -> Signer {
    let store = app.parts.store.clone();
    let key = on_runtime(async move { store.signing_keys().await.unwrap().remove(0) }).await;
    Signer::of_pkcs8(&key.kid, &key.private)
}

fn read(token: &str, part: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(part).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn every_attack_on_a_token_of_ours_is_refused() {
    let app = TestApp::start().await;
    app.second_provider().await;
    let elsewhere = TestApp::start().await;
    let (signer, stranger) = (own_signer(&app).await, own_signer(&elsewhere).await);
    let target = Target {
        header: read(app.token(), 0),
        claims: read(app.token(), 1),
        signer: &signer,
        stranger: &stranger,
    };
    app.as_token(&target.token()).get(READ).await.expect(200);

    let mut attacks = target.attacks();
    let revoked = app.issue(picsbridge::auth::scope::Scopes::all(), 1).await;
    app.delete(&format!("/tokens/{}", read(&revoked, 1)["jti"].as_str().unwrap())).await.expect(204);
    for (name, token) in [
        ("revoked", revoked),
        ("another installation's", elsewhere.token().to_owned()),
        ("another provider's name", target.claims(json!({"provider": "second"}))),
        ("never issued", target.claims(json!({"jti": uuid::Uuid::new_v4(), "sub": "token:x"}))),
        ("no jti", target.claims(json!({"jti": null}))),
        ("jti a number", target.claims(json!({"jti": 1}))),
        ("another's sub", target.claims(json!({"sub": format!("token:{}", uuid::Uuid::new_v4())}))),
        ("aud a list with ours", target.claims(json!({"aud": ["picsbridge"]}))),
        ("typ JWT", target.header(json!({"typ": "JWT"}))),
        ("a life of a thousand years", target.claims(json!({"exp": 33_000_000_000_i64}))),
        ("an issuer that nobody trusts", target.claims(json!({"iss": ISSUER}))),
    ] {
        attacks.insert(name.to_owned(), token);
    }
    assert!(attacks.len() >= 60, "{}", attacks.len());
    assert_all_refused(&app, &attacks).await;
    // The token is still valid after all attacks, and valid tokens were not affected.
    app.as_token(&target.token()).get(READ).await.expect(200);
}

#[tokio::test]
async fn every_attack_on_a_token_of_a_trusted_issuer_is_refused() {
    let kinds = [
        (Signer::rsa("key-1", "RS256"), Signer::rsa("key-2", "RS256")),
        (Signer::rsa("key-1", "PS256"), Signer::rsa("key-2", "PS256")),
        (Signer::ec("key-1"), Signer::ec("key-2")),
        (Signer::ed("key-1"), Signer::ed("key-2")),
    ];
    for (signer, stranger) in &kinds {
        let issuer = TestIssuer::start(&[signer]).await;
        // Other content of a key set: a secret, and a key that is not for signatures.
        let mut secret = json!({"kty": "oct", "kid": "secret", "alg": "HS256", "k": encoded("secret")});
        let mut encrypts = stranger.jwk();
        (encrypts["kid"], encrypts["use"]) = (json!("encrypts"), json!("enc"));
        issuer.answer_with(200, &json!({"keys": [signer.jwk(), secret.take(), encrypts]}).to_string());
        let app = trusted::trusting(&issuer).await;
        app.second_provider().await;
        let header = json!({"alg": signer.alg(), "typ": "at+jwt", "kid": signer.kid});
        let target = Target { header, claims: trusted::claims(&app), signer, stranger };
        app.as_token(&target.token()).get(READ).await.expect(200);

        let mut attacks = target.attacks();
        let now = trusted::now(&app);
        let hmac = |alg: Algorithm, name: &str| {
            let header = encoded(json!({"alg": name, "typ": "at+jwt", "kid": "secret"}).to_string());
            let message = format!("{header}.{}", encoded(target.claims.to_string()));
            let key = EncodingKey::from_secret(b"secret");
            format!("{message}.{}", jsonwebtoken::crypto::sign(message.as_bytes(), &key, alg).unwrap())
        };
        let named = |kid: &str| but(target.header.clone(), json!({ "kid": kid })).to_string();
        let own = own_signer(&app).await;
        let as_ours = but(read(app.token(), 1), json!({}));
        for (name, token) in [
            ("the set's secret", hmac(Algorithm::HS256, "HS256")),
            (
                "the set's key for encryption",
                stranger.token_of(&named("encrypts"), &target.claims.to_string()),
            ),
            ("an ID token by its hash", target.claims(json!({"at_hash": "x"}))),
            ("an ID token by its use", target.claims(json!({"token_use": "id"}))),
            ("an ID token by its type", target.claims(json!({"typ": "ID"}))),
            ("a refresh token", target.claims(json!({"typ": "Refresh"}))),
            ("a logout token", target.claims(json!({"events": {}}))),
            ("a life of more than a day", target.claims(json!({"exp": now + 25 * 3600}))),
            ("over for longer than clocks differ", target.claims(json!({"exp": now - 31}))),
            ("begins later than clocks differ", target.claims(json!({"nbf": now + 1200}))),
            ("made later than clocks differ", target.claims(json!({"iat": now + 1200}))),
            (
                "a token of ours by their key",
                signer.token_of(&target.header.to_string(), &as_ours.to_string()),
            ),
            (
                "their token by our key",
                own.token_of(
                    &json!({"alg": "EdDSA", "typ": "at+jwt", "kid": own.kid}).to_string(),
                    &target.claims.to_string(),
                ),
            ),
            ("our audience", target.claims(json!({"aud": "picsbridge"}))),
        ] {
            attacks.insert(name.to_owned(), token);
        }
        assert!(attacks.len() >= 60, "{}", attacks.len());
        assert_all_refused(&app, &attacks).await;
        app.as_token(&target.token()).get(READ).await.expect(200);
    }
}
