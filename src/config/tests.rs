use std::net::SocketAddr;

use super::*;

const ISSUER: &str = "PICSBRIDGE_TRUSTED_ISSUER";
const JWKS_URL: &str = "PICSBRIDGE_TRUSTED_JWKS_URL";
const AUDIENCE: &str = "PICSBRIDGE_TRUSTED_AUDIENCE";

#[test]
fn all_faults_are_told_at_once() {
    let raw = RawConfig {
        listen: Some("nowhere".to_owned()),
        database_url: Some("mysql://x".to_owned()),
        ace360_calls_per_minute: Some("0".to_owned()),
        webhook_allow_private: Some("perhaps".to_owned()),
        log_format: Some("xml".to_owned()),
        timings: Some("lease=1s,nap=3s".to_owned()),
        ..RawConfig::default()
    };
    let faults = Config::check(&raw).unwrap_err();
    let settings: Vec<_> = faults.iter().map(|fault| fault.setting).collect();
    assert_eq!(
        settings,
        [
            "DATABASE_URL",
            "PICSBRIDGE_MASTER_KEY",
            "PICSBRIDGE_LISTEN",
            "PICSBRIDGE_ACE360_CALLS_PER_MINUTE",
            "PICSBRIDGE_WEBHOOK_ALLOW_PRIVATE",
            "PICSBRIDGE_LOG_FORMAT",
            "PICSBRIDGE_TIMINGS",
            "PICSBRIDGE_TIMINGS",
        ]
    );
}

#[test]
fn nothing_given_is_the_embedded_default_with_a_sandbox() {
    let config = Config::check(&RawConfig::default()).unwrap();
    assert!(matches!(config.database, Database::Embedded));
    assert_eq!(config.sandbox_listen, Some(SocketAddr::from(([127, 0, 0, 1], 8090))));
    assert_eq!(config.upstreams.onefile_calls_per_minute, 285);
    assert_eq!(config.timings, Timings::default());
}

#[test]
fn the_summary_shows_no_secret() {
    let raw = RawConfig {
        database_url: Some("postgres://me:hush@db.example:5433/p".to_owned()),
        master_key: Some("q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=".to_owned()),
        ..RawConfig::default()
    };
    let config = Config::check(&raw).unwrap();
    let shown = format!("{} {config:?}", config.summary());
    assert!(!shown.contains("hush") && !shown.contains("q6ur"), "{shown}");
    assert!(shown.contains("db.example:5433/p"));
}

fn with(issuer: &str, jwks_url: &str, audience: &str) -> RawConfig {
    let trusted = RawTrusted {
        issuer: Some(issuer.to_owned()),
        jwks_url: Some(jwks_url.to_owned()),
        audience: Some(audience.to_owned()),
        ..RawTrusted::default()
    };
    RawConfig { trusted, ..RawConfig::default() }
}

fn faults(raw: &RawConfig) -> Vec<&'static str> {
    Config::check(raw).unwrap_err().iter().map(|fault| fault.setting).collect()
}

#[test]
fn an_issuer_needs_all_its_settings_or_none() {
    assert_eq!(Config::check(&RawConfig::default()).unwrap().trusted, None);
    let whole = with("https://login.example", "https://login.example/keys", "api");
    let trusted = Config::check(&whole).unwrap().trusted.unwrap();
    assert_eq!((trusted.provider_claim.as_str(), trusted.scope_claim.as_str()), ("provider", "scope"));
    assert_eq!(faults(&with("https://login.example", "", "")), [JWKS_URL, AUDIENCE]);
    assert_eq!(faults(&with("", "", "api")), [ISSUER, JWKS_URL]);
}

#[test]
fn what_cannot_be_trusted_is_a_fault() {
    assert_eq!(faults(&with("picsbridge", "ftp://login.example", "api")), [ISSUER, JWKS_URL]);
    for unsafe_url in ["http://login.example/keys", "login.example", "https://", "file:///keys"] {
        assert_eq!(faults(&with("https://login.example", unsafe_url, "api")), [JWKS_URL], "{unsafe_url}");
    }
    assert!(Config::check(&with("x", "http://127.0.0.1:9/keys", "api")).is_ok());
    let mut raw = with("x", "https://login.example/keys", "api");
    raw.trusted.provider_claim = Some("sub".to_owned());
    assert_eq!(faults(&raw), ["PICSBRIDGE_TRUSTED_PROVIDER_CLAIM"]);
}
