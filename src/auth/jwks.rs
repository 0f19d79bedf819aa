//! Reads another issuer's JWK set (RFC 7517) and takes the keys for supported signature algorithms.
//! Other entries are ignored: encryption keys, secrets, unknown curves.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// A usual set has a few keys and a few kB.
const LARGEST_SET: usize = 256 * 1024;
const MOST_KEYS: usize = 100;
/// Shorter keys are insecure, longer keys are too slow.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// The kind of key. It determines the allowed algorithms, whatever a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Rsa,
    P256,
    Ed25519,
}

/// A key that verifies signatures.
#[derive(Clone)]
pub struct IssuerKey {
    kid: String,
    family: Family,
    /// The only algorithm that the key allows, if it names one.
    alg: Option<String>,
    key: DecodingKey,
    /// The raw parameters, to detect a changed set.
    parts: Vec<String>,
}

impl std::fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IssuerKey({})", self.kid)
    }
}

impl PartialEq for IssuerKey {
    fn eq(&self, other: &Self) -> bool {
        (&self.kid, self.family, &self.alg, &self.parts)
            == (&other.kid, other.family, &other.alg, &other.parts)
    }
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    for_use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The algorithm of a token, if it is supported.
pub fn algorithm(alg: &str) -> Option<Algorithm> {
    match alg {
        "RS256" => Some(Algorithm::RS256),
        "PS256" => Some(Algorithm::PS256),
        "ES256" => Some(Algorithm::ES256),
        "EdDSA" => Some(Algorithm::EdDSA),
        _ => None,
    }
}

/// The usable keys of a set; `None` if it is not a set or has none.
pub fn read(body: &[u8]) -> Option<Vec<IssuerKey>> {
    if body.len() > LARGEST_SET {
        return None;
    }
    let set: Set = crate::http::json(body)?;
    let keys: Vec<_> = set.keys.into_iter().take(MOST_KEYS).filter_map(key).collect();
    (!keys.is_empty()).then_some(keys)
}

fn key(value: Value) -> Option<IssuerKey> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let signs = jwk.for_use.as_deref().is_none_or(|own| own == "sig")
        && jwk.key_ops.as_ref().is_none_or(|own| own.iter().any(|own| own == "verify"));
    if !signs {
        return None;
    }
    let long = |text: &str| URL_SAFE_NO_PAD.decode(text).ok().map(|bytes| bytes.len());
    let (family, key, parts) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => {
            let (n, e) = (jwk.n?, jwk.e?);
            if !RSA_BYTES.contains(&long(&n)?) || !(1..=8).contains(&long(&e)?) {
                return None;
            }
            (Family::Rsa, DecodingKey::from_rsa_components(&n, &e), vec![n, e])
        }
        ("EC", Some("P-256")) => {
            let (x, y) = (jwk.x?, jwk.y?);
            if long(&x)? != 32 || long(&y)? != 32 {
                return None;
            }
            (Family::P256, DecodingKey::from_ec_components(&x, &y), vec![x, y])
        }
        ("OKP", Some("Ed25519")) => {
            let x = jwk.x?;
            if long(&x)? != 32 {
                return None;
            }
            (Family::Ed25519, DecodingKey::from_ed_components(&x), vec![x])
        }
        _ => return None,
    };
    let own = IssuerKey { kid: jwk.kid, family, alg: jwk.alg, key: key.ok()?, parts };
    // A key that names an algorithm of another kind cannot be used.
    let of_some = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];
    of_some.into_iter().any(|alg| own.is_for(alg)).then_some(own)
}

impl IssuerKey {
    /// Whether this is the key that a token names, and allows the token's algorithm.
    pub fn is(&self, kid: &str, alg: Algorithm) -> bool {
        self.kid == kid && self.is_for(alg)
    }

    fn is_for(&self, alg: Algorithm) -> bool {
        let (family, name) = match alg {
            Algorithm::RS256 => (Family::Rsa, "RS256"),
            Algorithm::PS256 => (Family::Rsa, "PS256"),
            Algorithm::ES256 => (Family::P256, "ES256"),
            Algorithm::EdDSA => (Family::Ed25519, "EdDSA"),
            _ => return false,
        };
        // RFC 9864 calls EdDSA with this curve Ed25519.
        let named = |own: &String| own == name || family == Family::Ed25519 && own == "Ed25519";
        self.family == family && self.alg.as_ref().is_none_or(named)
    }

    /// Whether this key made the signature.
    pub fn verifies(&self, alg: Algorithm, message: &str, signature: &str) -> bool {
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.key, alg).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn of_a_set_only_keys_that_verify_are_taken() {
        let (n, x) = (URL_SAFE_NO_PAD.encode([0xc1; 256]), URL_SAFE_NO_PAD.encode([7; 32]));
        let rsa = json!({"kty": "RSA", "kid": "a", "n": n, "e": "AQAB"});
        let with = |field: &str, value: Value| {
            let mut key = rsa.clone();
            key[field] = value;
            key
        };
        let taken = |key: &Value| read(json!({ "keys": [key] }).to_string().as_bytes()).is_some();
        for good in [
            rsa.clone(),
            with("use", json!("sig")),
            with("alg", json!("PS256")),
            with("key_ops", json!(["verify"])),
            json!({"kty": "EC", "kid": "a", "crv": "P-256", "x": x, "y": x}),
            json!({"kty": "OKP", "kid": "a", "crv": "Ed25519", "x": x, "alg": "Ed25519"}),
        ] {
            assert!(taken(&good), "{good}");
        }
        for bad in [
            with("use", json!("enc")),
            with("alg", json!("RSA-OAEP")),
            with("alg", json!("HS256")),
            with("alg", json!("ES256")),
            with("key_ops", json!(["encrypt"])),
            with("kid", json!(1)),
            with("n", json!(URL_SAFE_NO_PAD.encode([0xc1; 128]))),
            with("n", json!(URL_SAFE_NO_PAD.encode([0xc1; 2048]))),
            json!({"kty": "oct", "kid": "a", "k": x, "alg": "HS256"}),
            json!({"kty": "EC", "kid": "a", "crv": "P-384", "x": x, "y": x}),
            json!({"kty": "EC", "kid": "a", "crv": "P-256", "x": n, "y": x}),
            json!({"kty": "OKP", "kid": "a", "crv": "X25519", "x": x}),
            json!({"kty": "RSA", "n": n, "e": "AQAB"}),
        ] {
            assert!(!taken(&bad), "{bad}");
        }
        assert!(read(b"{\"keys\":[]}").is_none() && read(b"[]").is_none() && read(b"<html>").is_none());
    }
}
