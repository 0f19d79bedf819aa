//! Forged tokens that an attacker could make from a valid one, with the signer's key, another key,
//! or no key.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::support::issuer::Signer;
use crate::support::people::but;

/// A valid token, and the keys to forge it.
pub struct Target<'a> {
    pub header: Value,
    pub claims: Value,
    pub signer: &'a Signer,
    /// Another signer's key of the same kind.
    pub stranger: &'a Signer,
}

pub type Attacks = BTreeMap<String, String>;

pub fn encoded(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

impl Target<'_> {
    pub fn token(&self) -> String {
        self.signer.token_of(&self.header.to_string(), &self.claims.to_string())
    }

    /// Signed by the right key, with another header.
    pub fn header(&self, changes: Value) -> String {
        self.signer.token_of(&but(self.header.clone(), changes).to_string(), &self.claims.to_string())
    }

    /// Signed by the right key, with other claims.
    pub fn claims(&self, changes: Value) -> String {
        self.signer.token_of(&self.header.to_string(), &but(self.claims.clone(), changes).to_string())
    }

    /// A claim that is null. `but` would remove it.
    fn null(&self, claim: &str) -> String {
        let mut claims = self.claims.clone();
        claims[claim] = Value::Null;
        self.signer.token_of(&self.header.to_string(), &claims.to_string())
    }

    /// Every known attack on a token.
    pub fn attacks(&self) -> Attacks {
        let mut all = Attacks::new();
        self.on_algorithms(&mut all);
        self.on_keys(&mut all);
        self.on_headers(&mut all);
        self.on_claims(&mut all);
        self.on_form(&mut all);
        self.on_signatures(&mut all);
        all
    }

    fn on_algorithms(&self, all: &mut Attacks) {
        let payload = encoded(self.claims.to_string());
        let signature = self.token().rsplit('.').next().unwrap().to_owned();
        for alg in ["none", "None", "NONE", "nOnE", ""] {
            let header = encoded(but(self.header.clone(), json!({"alg": alg})).to_string());
            all.insert(format!("alg `{alg}`, no signature"), format!("{header}.{payload}."));
            all.insert(format!("alg `{alg}`, a signature"), format!("{header}.{payload}.{signature}"));
        }
        for (name, algorithm) in
            [("HS256", Algorithm::HS256), ("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)]
        {
            for (n, secret) in self.signer.public_forms().iter().enumerate() {
                let header = encoded(but(self.header.clone(), json!({"alg": name})).to_string());
                let message = format!("{header}.{payload}");
                let key = EncodingKey::from_secret(secret);
                let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
                all.insert(format!("{name} with public form {n}"), format!("{message}.{mac}"));
            }
        }
        for alg in ["RS256", "RS384", "PS256", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed448", "A128KW"]
        {
            if alg != self.signer.alg() {
                all.insert(format!("named {alg}, signed otherwise"), self.header(json!({"alg": alg})));
            }
        }
        all.insert("no alg".to_owned(), self.header(json!({"alg": null})));
        all.insert("alg a number".to_owned(), self.header(json!({"alg": 1})));
        all.insert("alg a list".to_owned(), self.header(json!({"alg": [self.signer.alg()]})));
    }

    fn on_keys(&self, all: &mut Attacks) {
        let kid = self.signer.kid.as_str();
        let long = "k".repeat(2000);
        for other in [
            "",
            "../../../../../../dev/null",
            "/proc/self/environ",
            "' or '1'='1",
            "'; drop table signing_keys; --",
            "http://127.0.0.1/keys",
            "| id",
            "\u{0}",
            "k\u{e9}y",
            &format!("{kid} "),
            &format!("{kid}\u{0}"),
            &long,
        ] {
            let name = format!("kid {:.30}", other.escape_default().to_string());
            all.insert(name, self.header(json!({"kid": other})));
        }
        for (name, other) in [
            ("kid missing", Value::Null),
            ("kid a number", json!(0)),
            ("kid a list", json!([kid])),
            ("kid an object", json!({"kid": kid})),
            ("kid true", json!(true)),
        ] {
            all.insert(name.to_owned(), self.header(json!({"kid": other})));
        }
        let header = self.header.to_string();
        let claims = self.claims.to_string();
        all.insert("our kid, their key".to_owned(), self.stranger.token_of(&header, &claims));
        let named = but(self.header.clone(), json!({"kid": self.stranger.kid})).to_string();
        all.insert("their kid, their key".to_owned(), self.stranger.token_of(&named, &claims));
        for (field, value) in [
            ("jwk", self.stranger.jwk()),
            ("jku", json!("http://127.0.0.1:1/keys")),
            ("x5u", json!("http://127.0.0.1:1/certificate")),
            ("x5c", json!(["MIIB"])),
        ] {
            let header = but(self.header.clone(), json!({ field: value }));
            let name = format!("a key of its own by {field}");
            all.insert(name.clone(), self.stranger.token_of(&header.to_string(), &claims));
            let nameless = but(header, json!({"kid": null}));
            all.insert(format!("{name}, no kid"), self.stranger.token_of(&nameless.to_string(), &claims));
            all.insert(format!("{name}, well signed"), self.header(json!({ field: value })));
        }
    }

    fn on_headers(&self, all: &mut Attacks) {
        for (name, changes) in [
            ("crit", json!({"crit": ["exp"], "exp": 1})),
            ("crit, empty", json!({"crit": []})),
            ("crit of an own extension", json!({"crit": ["x"], "x": true})),
            ("b64 false", json!({"b64": false, "crit": ["b64"]})),
            ("nested", json!({"cty": "JWT"})),
            ("encrypted", json!({"enc": "A128GCM"})),
            ("compressed", json!({"zip": "DEF"})),
            ("typ missing", json!({"typ": null})),
            ("typ of an ID token", json!({"typ": "id+jwt"})),
            ("typ of a logout token", json!({"typ": "logout+jwt"})),
            ("typ of a security event", json!({"typ": "secevent+jwt"})),
            ("typ of a refresh token", json!({"typ": "refresh+jwt"})),
            ("typ a number", json!({"typ": 1})),
            ("typ a list", json!({"typ": ["at+jwt"]})),
            ("typ with a blank", json!({"typ": "at+jwt "})),
        ] {
            all.insert(format!("header: {name}"), self.header(changes));
        }
        let (alg, kid) = (self.signer.alg(), &self.signer.kid);
        let claims = self.claims.to_string();
        for (name, header) in [
            ("alg twice", format!(r#"{{"alg":"none","alg":"{alg}","typ":"at+jwt","kid":"{kid}"}}"#)),
            (
                "alg twice, other order",
                format!(r#"{{"alg":"{alg}","alg":"none","typ":"at+jwt","kid":"{kid}"}}"#),
            ),
            ("kid twice", format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"x","kid":"{kid}"}}"#)),
            ("a list", format!(r#"[{{"alg":"{alg}","typ":"at+jwt","kid":"{kid}"}}]"#)),
            ("more behind it", format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"{kid}"}}{{}}"#)),
            (
                "a byte order mark",
                format!("\u{feff}{{\"alg\":\"{alg}\",\"typ\":\"at+jwt\",\"kid\":\"{kid}\"}}"),
            ),
            ("empty", "{}".to_owned()),
            ("nothing", String::new()),
            ("deep", format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"{kid}","x":{}}}"#, "[".repeat(1000))),
        ] {
            all.insert(format!("header: {name}"), self.signer.token_of(&header, &claims));
        }
    }

    fn on_claims(&self, all: &mut Attacks) {
        let now = self.claims["nbf"].as_i64().unwrap();
        let wrong = |claim: &str, values: &[Value]| -> Vec<(String, String)> {
            let with = |value: &Value| {
                (format!("{claim}: {:.40}", value.to_string()), self.claims(json!({ claim: value })))
            };
            values.iter().map(with).collect()
        };
        let far = now + 3600;
        all.extend(wrong(
            "exp",
            &[
                json!(null),
                json!(now - 3600),
                json!(0),
                json!(-1),
                json!(i64::MIN),
                json!(i64::MAX),
                json!(u64::MAX),
                json!(1e300),
                json!("9999999999"),
                json!([far]),
                json!({"at": far}),
                json!(true),
            ],
        ));
        all.extend(wrong(
            "nbf",
            &[json!(far), json!("0"), json!([0]), json!(true), json!(1e300), json!(i64::MAX)],
        ));
        all.extend(wrong("iat", &[json!("0"), json!([0]), json!({}), json!(1e300), json!(i64::MAX)]));
        all.extend(wrong(
            "iss",
            &[
                json!(null),
                json!("somebody"),
                json!(1),
                json!([self.claims["iss"]]),
                json!(format!("{}/", self.claims["iss"].as_str().unwrap())),
                json!(self.claims["iss"].as_str().unwrap().to_uppercase()),
                json!(""),
            ],
        ));
        all.extend(wrong(
            "aud",
            &[
                json!(null),
                json!("another"),
                json!(""),
                json!([]),
                json!(["another"]),
                json!(1),
                json!({"0": self.claims["aud"]}),
                json!([[self.claims["aud"]]]),
                json!([self.claims["aud"], 1]),
            ],
        ));
        all.extend(wrong(
            "sub",
            &[
                json!(null),
                json!(""),
                json!(1),
                json!(["u-1"]),
                json!("u\u{0}1"),
                json!("u\n1"),
                json!("u\u{202e}1"),
                json!("u".repeat(256)),
            ],
        ));
        all.extend(wrong(
            "provider",
            &[
                json!(null),
                json!("nobody"),
                json!("FIRST"),
                json!(" first"),
                json!("first\u{0}"),
                json!(["first"]),
                json!({"name": "first"}),
                json!(1),
                json!("first' or '1'='1"),
                json!("%"),
            ],
        ));
        all.extend(wrong("scope", &[json!(1), json!({"records:read": true}), json!([1]), json!(true)]));
        for claim in ["exp", "nbf", "iss", "aud", "sub", "provider", "scope"] {
            all.insert(format!("{claim} null"), self.null(claim));
        }
        let header = self.header.to_string();
        let open = self.claims.to_string();
        let open = open.strip_suffix('}').unwrap();
        for (name, more) in [
            ("exp", format!(r#""exp":{far}"#)),
            ("scope", r#""scope":"audit:read""#.to_owned()),
            ("provider", r#""provider":"second""#.to_owned()),
            ("aud, spelt otherwise", r#""\u0061ud":"another""#.to_owned()),
            ("a name of no meaning", r#""x":1,"x":2"#.to_owned()),
            ("a name within", r#""x":{"y":1,"y":2}"#.to_owned()),
        ] {
            all.insert(
                format!("twice in the claims: {name}"),
                self.signer.token_of(&header, &format!("{open},{more}}}")),
            );
        }
        for (name, claims) in [
            ("a list", format!("[{}]", self.claims)),
            ("a text", json!(self.token()).to_string()),
            ("a token within", self.token()),
            ("nothing", String::new()),
            ("null", "null".to_owned()),
            ("more behind them", format!("{} x", self.claims)),
            ("a byte order mark", format!("\u{feff}{}", self.claims)),
            ("a comment", format!("/**/{}", self.claims)),
            ("deep", format!("{open},\"x\":{}{}}}", "[".repeat(500), "]".repeat(500))),
        ] {
            all.insert(format!("claims: {name}"), self.signer.token_of(&header, &claims));
        }
    }

    fn on_form(&self, all: &mut Attacks) {
        let good = self.token();
        let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else {
            panic!("three parts")
        };
        let padded = |text: &str| URL_SAFE.encode(URL_SAFE_NO_PAD.decode(text).unwrap());
        let standard = |text: &str| STANDARD.encode(URL_SAFE_NO_PAD.decode(text).unwrap());
        let flattened = json!({"protected": header, "payload": claims, "signature": signature}).to_string();
        for (name, token) in [
            ("without its signature", format!("{header}.{claims}")),
            ("an empty signature", format!("{header}.{claims}.")),
            ("an empty header", format!(".{claims}.{signature}")),
            ("empty claims", format!("{header}..{signature}")),
            ("a dot before it", format!(".{good}")),
            ("a dot behind it", format!("{good}.")),
            ("four parts", format!("{good}.{signature}")),
            ("five parts", format!("{header}.{claims}.{claims}.{claims}.{signature}")),
            ("twice", format!("{good}.{good}")),
            ("two, with a comma", format!("{good},{good}")),
            ("dots alone", "..".to_owned()),
            ("one dot", ".".to_owned()),
            ("cut off", good[..good.len() - 1].to_owned()),
            ("cut in the middle", good[..good.len() / 2].to_owned()),
            ("cut in front", good[1..].to_owned()),
            ("padding", format!("{header}.{claims}.{signature}=")),
            (
                "padded",
                format!("{}.{}.{}=", padded(header), padded(claims), padded(signature).trim_end_matches('=')),
            ),
            ("the other alphabet", format!("{}.{claims}.{}+/", standard(header), standard(signature))),
            ("percent signs", format!("{header}%2E{claims}%2E{signature}")),
            ("a blank within", format!("{header}. {claims}.{signature}")),
            ("a tab within", format!("{header}.{claims}.\t{signature}")),
            ("quotation marks", format!("\"{good}\"")),
            ("as JSON", flattened),
            ("a letter of another alphabet", format!("{header}.{claims}.{signature}\u{430}")),
            ("a full-width dot", good.replace('.', "\u{ff0e}")),
            ("lower case", good.to_lowercase()),
            ("oversized", format!("{good}{}", "A".repeat(10_000))),
            ("oversized, dots", ".".repeat(10_000)),
            ("a word", "token".to_owned()),
            ("nothing in words", "null".to_owned()),
            ("another's scheme", format!("DPoP {good}")),
        ] {
            all.insert(format!("form: {name}"), token);
        }
        let padding = "x".repeat(9000);
        all.insert("form: oversized, well signed".to_owned(), self.claims(json!({ "x": padding })));
    }

    fn on_signatures(&self, all: &mut Attacks) {
        let good = self.token();
        let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else {
            panic!("three parts")
        };
        let length = URL_SAFE_NO_PAD.decode(signature).unwrap().len();
        let bytes = |byte: u8| encoded(vec![byte; length]);
        let altered = |text: &str| {
            let at = text.len() / 2;
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            format!("{}{other}{}", &text[..at], &text[at + 1..])
        };
        let more =
            encoded(but(self.claims.clone(), json!({"scope": "tokens:manage audit:read"})).to_string());
        let later = encoded(
            but(self.claims.clone(), json!({"exp": self.claims["exp"].as_i64().unwrap() + 60})).to_string(),
        );
        let other = self.claims(json!({"x": 1}));
        let last = signature.as_bytes()[signature.len() - 1];
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let at = alphabet.bytes().position(|own| own == last).unwrap();
        // The last letter of most lengths contains unused bits.
        let twin = alphabet.as_bytes()[at ^ 1] as char;
        for (name, token) in [
            ("all zeros", format!("{header}.{claims}.{}", bytes(0))),
            ("all ones", format!("{header}.{claims}.{}", bytes(0xff))),
            ("altered", format!("{header}.{claims}.{}", altered(signature))),
            ("longer", format!("{header}.{claims}.{signature}AAAA")),
            ("of other claims", format!("{header}.{claims}.{}", other.rsplit('.').next().unwrap())),
            ("more scopes", format!("{header}.{more}.{signature}")),
            ("a later end", format!("{header}.{later}.{signature}")),
            ("claims altered", format!("{header}.{}.{signature}", altered(claims))),
            ("header altered", format!("{}.{claims}.{signature}", altered(header))),
            ("header and claims changed about", format!("{claims}.{header}.{signature}")),
            (
                "bits that mean nothing",
                format!("{header}.{claims}.{}{twin}", &signature[..signature.len() - 1]),
            ),
        ] {
            all.insert(format!("signature: {name}"), token);
        }
    }
}
