//! The settings of a trusted issuer: all of them, or none.

use url::{Host, Url};

use super::reader::{Reader, given};

/// The settings as they came in.
#[derive(clap::Args, Clone, Debug, Default)]
#[allow(missing_docs, reason = "each field's help text, shown by --help, is its documentation")]
pub struct RawTrusted {
    /// Identity provider whose users' tokens are taken beside ours: its `iss`, letter by letter
    #[arg(long = "trusted-issuer", global = true, env = "PICSBRIDGE_TRUSTED_ISSUER")]
    pub issuer: Option<String>,
    /// Where its keys are: the address of its JWK set
    #[arg(long = "trusted-jwks-url", global = true, env = "PICSBRIDGE_TRUSTED_JWKS_URL")]
    pub jwks_url: Option<String>,
    /// The `aud` of its tokens for this service
    #[arg(long = "trusted-audience", global = true, env = "PICSBRIDGE_TRUSTED_AUDIENCE")]
    pub audience: Option<String>,
    /// The claim of its tokens that names the provider: `provider` if not said
    #[arg(long = "trusted-provider-claim", global = true, env = "PICSBRIDGE_TRUSTED_PROVIDER_CLAIM")]
    pub provider_claim: Option<String>,
    /// The claim of its tokens that holds the scopes: `scope` if not said
    #[arg(long = "trusted-scope-claim", global = true, env = "PICSBRIDGE_TRUSTED_SCOPE_CLAIM")]
    pub scope_claim: Option<String>,
}

/// An identity provider whose users' tokens are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedIssuer {
    pub issuer: String,
    /// Where its keys are.
    pub jwks_url: String,
    /// The `aud` that its tokens must have.
    pub audience: String,
    /// The claim that names the provider.
    pub provider_claim: String,
    /// The claim that holds the scopes.
    pub scope_claim: String,
}

const ISSUER: &str = "PICSBRIDGE_TRUSTED_ISSUER";
const JWKS_URL: &str = "PICSBRIDGE_TRUSTED_JWKS_URL";
const AUDIENCE: &str = "PICSBRIDGE_TRUSTED_AUDIENCE";

/// Claims that mean something else.
const TAKEN: [&str; 8] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "typ"];

pub(super) fn check(raw: &RawTrusted, reader: &mut Reader) -> Option<TrustedIssuer> {
    let given = |value: &Option<String>| given(value.as_deref()).map(str::to_owned);
    let (issuer, jwks_url, audience) = (given(&raw.issuer), given(&raw.jwks_url), given(&raw.audience));
    let settings = [(ISSUER, &issuer), (JWKS_URL, &jwks_url), (AUDIENCE, &audience)];
    if settings.iter().any(|(_, value)| value.is_some()) {
        for (setting, _) in settings.iter().filter(|(_, value)| value.is_none()) {
            reader.fault(setting, "is missing: a trusted issuer needs PICSBRIDGE_TRUSTED_ISSUER, _JWKS_URL and _AUDIENCE, all three");
        }
    }
    if issuer.as_deref() == Some("picsbridge") {
        reader.fault(ISSUER, "`picsbridge` is this service's own: write the identity provider's `iss`");
    }
    if let Some(url) = &jwks_url
        && !is_safe(url)
    {
        reader.fault(
            JWKS_URL,
            format!("`{url}` is not an address that is safe to take keys from: write one that starts with https://"),
        );
    }
    let mut claim = |setting: &'static str, value: &Option<String>, default: &str| {
        let name = given(value).unwrap_or_else(|| default.to_owned());
        if TAKEN.contains(&name.as_str()) {
            reader.fault(
                setting,
                format!("`{name}` means something else in every token: write another claim's name"),
            );
        }
        name
    };
    let provider_claim = claim("PICSBRIDGE_TRUSTED_PROVIDER_CLAIM", &raw.provider_claim, "provider");
    let scope_claim = claim("PICSBRIDGE_TRUSTED_SCOPE_CLAIM", &raw.scope_claim, "scope");
    Some(TrustedIssuer {
        issuer: issuer?,
        jwks_url: jwks_url?,
        audience: audience?,
        provider_claim,
        scope_claim,
    })
}

/// Whoever could change the answer on its way could make tokens: without TLS only on this machine.
fn is_safe(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return false,
    };
    url.scheme() == "https" || url.scheme() == "http" && here
}
