//! The test's own identity provider: keys of each kind, and a server for its JWK set.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::on_runtime;

/// A signing key with its algorithm.
pub struct Signer {
    pub kid: String,
    key: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>, &'static str),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Signer {
    pub fn rsa(kid: &str, alg: &'static str) -> Self {
        let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        Self { kid: kid.to_owned(), key: Pair::Rsa(Box::new(pair), alg) }
    }

    pub fn ec(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { kid: kid.to_owned(), key: Pair::Ec(pair) }
    }

    pub fn ed(kid: &str) -> Self {
        Self { kid: kid.to_owned(), key: Pair::Ed(Ed25519KeyPair::generate().unwrap()) }
    }

    /// Reads a stored key.
    pub fn of_pkcs8(kid: &str, der: &[u8]) -> Self {
        Self { kid: kid.to_owned(), key: Pair::Ed(Ed25519KeyPair::from_pkcs8(der).unwrap()) }
    }

    pub fn alg(&self) -> &'static str {
        match &self.key {
            Pair::Rsa(_, alg) => alg,
            Pair::Ec(_) => "ES256",
            Pair::Ed(_) => "EdDSA",
        }
    }

    pub fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.key {
            Pair::Rsa(pair, _) => {
                let public = pair.public_key();
                json!({"kty": "RSA", "kid": self.kid, "use": "sig",
                       "n": text(public.modulus().big_endian_without_leading_zero()),
                       "e": text(public.exponent().big_endian_without_leading_zero())})
            }
            Pair::Ec(pair) => {
                let public = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig", "alg": "ES256",
                       "x": text(&public[1..33]), "y": text(&public[33..])})
            }
            Pair::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": text(pair.public_key().as_ref())})
            }
        }
    }

    /// The public key in the forms in which a verifier may mistake it for a secret.
    pub fn public_forms(&self) -> Vec<Vec<u8>> {
        let jwk = self.jwk();
        let part = jwk.get("n").or(jwk.get("x")).unwrap().as_str().unwrap().to_owned();
        let der = match &self.key {
            Pair::Rsa(pair, _) => pair.public_key().as_der().unwrap().as_ref().to_vec(),
            Pair::Ec(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ed(pair) => pair.public_key().as_ref().to_vec(),
        };
        vec![der, URL_SAFE_NO_PAD.decode(&part).unwrap(), part.into_bytes(), jwk.to_string().into_bytes()]
    }

    pub fn sign(&self, message: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Pair::Rsa(pair, alg) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let how = if *alg == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                pair.sign(how, &random, message.as_bytes(), &mut signature).unwrap();
                signature
            }
            Pair::Ec(pair) => pair.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
        }
    }

    /// A token with any header and any claims, unchanged.
    pub fn token_of(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.sign(&message)))
    }

    /// An access token with these claims.
    pub fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": self.alg(), "typ": "at+jwt", "kid": self.kid});
        self.token_of(&header.to_string(), &claims.to_string())
    }
}

#[derive(Clone, Debug)]
pub struct TestIssuer {
    pub jwks_url: String,
    answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<AtomicUsize>,
}

impl TestIssuer {
    pub async fn start(keys: &[&Signer]) -> Self {
        let answer = Arc::new(Mutex::new((200, String::new())));
        let asked = Arc::new(AtomicUsize::new(0));
        let (told, counted) = (Arc::clone(&answer), Arc::clone(&asked));
        let address = on_runtime(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                loop {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    counted.fetch_add(1, Ordering::SeqCst);
                    let (status, body) = told.lock().unwrap().clone();
                    // Its requests are short, so one read is enough.
                    let mut request = [0; 4096];
                    let _ = stream.read(&mut request).await;
                    let answer = format!(
                        "HTTP/1.1 {status} Is\r\ncontent-type: application/json\r\nlocation: /elsewhere\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            });
            address
        })
        .await;
        let issuer = Self { jwks_url: format!("http://{address}/keys"), answer, asked };
        issuer.publish(keys);
        issuer
    }

    /// Publishes these keys from now on.
    pub fn publish(&self, keys: &[&Signer]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        self.answer_with(200, &json!({ "keys": keys }).to_string());
    }

    pub fn answer_with(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }

    /// The number of reads of its key set.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}
