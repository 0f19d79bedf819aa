//! An app that trusts an identity provider, and that provider's tokens.

use serde_json::{Value, json};

use super::TestApp;
use super::issuer::TestIssuer;

pub const ISSUER: &str = "https://login.example/realm";

pub const AUDIENCE: &str = "https://api.example";

pub async fn trusting(issuer: &TestIssuer) -> TestApp {
    let url = issuer.jwks_url.clone();
    let settings = move |raw: &mut picsbridge::config::RawConfig| {
        raw.trusted.issuer = Some(ISSUER.to_owned());
        raw.trusted.jwks_url = Some(url);
        raw.trusted.audience = Some(AUDIENCE.to_owned());
    };
    TestApp::builder().setting(settings).start().await
}

pub fn now(app: &TestApp) -> i64 {
    app.parts.auth.clock().now().timestamp()
}

/// The claims of a valid token.
pub fn claims(app: &TestApp) -> Value {
    let now = now(app);
    json!({"iss": ISSUER, "sub": "u-1", "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 600, "jti": "x",
           "provider": "first", "scope": "openid records:read records:write"})
}
