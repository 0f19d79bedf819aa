//! Parses the outer form of a token strictly, before any verification: three parts of canonical
//! base64url, and a header and claims that are JSON objects without duplicate names. The header
//! must not say where to find keys or how to read the rest.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::domain::parse::strict_json;

/// Header fields that would take a key or an algorithm from the token itself, or change how it is
/// read.
const REFUSED: [&str; 9] = ["crit", "b64", "cty", "enc", "zip", "jku", "jwk", "x5u", "x5c"];

/// The parts of a token, not verified yet.
#[derive(Debug)]
pub struct Jwt<'a> {
    /// Header and claims, in the form that was signed.
    pub message: &'a str,
    pub signature: &'a str,
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
}

impl<'a> Jwt<'a> {
    /// Splits a token into its parts; `None` if it is not a token or has a form that is not
    /// supported.
    pub fn parse(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        // The decoder accepts only the canonical spelling, so it also refuses dots, spaces and
        // padding.
        URL_SAFE_NO_PAD.decode(signature).ok().filter(|bytes| !bytes.is_empty())?;
        let header = object(header)?;
        let claims = object(claims)?;
        (!REFUSED.iter().any(|field| header.contains_key(*field))).then_some(Self {
            message,
            signature,
            header,
            claims,
        })
    }

    /// A text field of the header.
    pub fn header_text(&self, field: &str) -> Option<&str> {
        self.header.get(field)?.as_str()
    }

    pub fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    match strict_json(&URL_SAFE_NO_PAD.decode(part).ok()?)? {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn only_one_spelling_of_a_token_is_read() {
        let good = token(r#"{"alg":"EdDSA"}"#, r#"{"sub":"a","more":[{"a":1.5},null,true,-1]}"#);
        assert!(Jwt::parse(&good).is_some());
        let (message, _) = good.rsplit_once('.').unwrap();
        for wrong in [
            String::new(),
            message.to_owned(),
            format!("{message}."),
            format!("{message}.c2ln="),
            format!("{message}.c2l "),
            // The last character has four bits more than a byte needs.
            format!("{message}.c2lnc1"),
            format!("{message}.c2+n"),
            format!("{good}.c2ln"),
            format!(".{good}"),
            token(r#"{"alg":"EdDSA","alg":"EdDSA"}"#, "{}"),
            token(r#"{"alg":"EdDSA"}"#, r#"{"sub":"a","sub":"a"}"#),
            token(r#"{"alg":"EdDSA"}"#, r#"{"a":{"b":1,"\u0062":2}}"#),
            token(r#"{"alg":"EdDSA"}"#, "[]"),
            token(r#"{"alg":"EdDSA"}"#, "{} {}"),
            token(r#"{"alg":"EdDSA","crit":[]}"#, "{}"),
            token(r#"{"alg":"EdDSA","jwk":null}"#, "{}"),
        ] {
            assert!(Jwt::parse(&wrong).is_none(), "{wrong}");
        }
    }
}
