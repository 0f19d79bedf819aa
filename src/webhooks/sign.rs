//! Signatures of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, one for each valid
//! secret.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::seal::{SealError, random};
use crate::store::Time;

const PREFIX: &str = "whsec_";

/// A new secret of 32 random bytes. Fails if the system provides no randomness.
pub fn new_secret() -> Result<SecretString, SealError> {
    Ok(SecretString::from(format!("{PREFIX}{}", STANDARD.encode(random::<32>()?))))
}

pub(super) fn headers(
    id: Uuid,
    now: Time,
    body: &[u8],
    secrets: &[SecretString],
) -> Vec<(&'static str, String)> {
    let (id, timestamp) = (id.to_string(), now.timestamp().to_string());
    let signatures: Vec<_> =
        secrets.iter().filter_map(|secret| signature(&id, &timestamp, body, secret)).collect();
    vec![("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signatures.join(" "))]
}

/// `None`: the secret is malformed, which only a damaged row can contain.
fn signature(id: &str, timestamp: &str, body: &[u8], secret: &SecretString) -> Option<String> {
    let key = STANDARD.decode(secret.expose_secret().strip_prefix(PREFIX)?).ok()?;
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        context.update(part);
    }
    Some(format!("v1,{}", STANDARD.encode(context.sign())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_that_other_implementations_make() {
        // The published example of the specification's libraries.
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let made =
            signature("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#, &secret);
        assert_eq!(made.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_long_and_differ() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(one.expose_secret(), other.expose_secret());
        let key = STANDARD.decode(one.expose_secret().strip_prefix(PREFIX).unwrap()).unwrap();
        assert_eq!(key.len(), 32);
    }
}
