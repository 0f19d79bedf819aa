//! Sealing: AES-256-GCM with a random nonce for each record, the id of the key that sealed it, and the row's
//! identity as additional data, so that a sealed value cannot be moved to another row. And blind indexes:
//! HMACs by which a sealed record is found. Knows nothing of tables.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{digest, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

const VERSION: u8 = 1;
const KEY_ID_LEN: usize = 4;
const HEADER_LEN: usize = 1 + KEY_ID_LEN + NONCE_LEN;

type KeyId = [u8; KEY_ID_LEN];

/// Why a value cannot be sealed or unsealed. Says nothing of the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not 32 bytes in base64.
    #[error("a master key is 32 bytes in base64")]
    BadKey,
    /// Sealed with a key that this process does not have.
    #[error(
        "sealed with key {0}, which PICSBRIDGE_MASTER_KEY does not hold: add it there after the present one"
    )]
    UnknownKey(String),
    /// Cut, altered, or moved from another row.
    #[error("a sealed value is damaged or stands in the wrong row")]
    Damaged,
    /// The system's randomness failed.
    #[error("the system gave no randomness")]
    NoRandomness,
}

/// Whether the text is a master key: 32 bytes in base64.
pub fn is_master_key(text: &str) -> bool {
    STANDARD.decode(text.trim()).is_ok_and(|bytes| bytes.len() == 32)
}

/// A new master key, in base64.
///
/// # Errors
/// The system gave no randomness.
pub fn new_master_key() -> Result<SecretString, SealError> {
    Ok(SecretString::from(STANDARD.encode(random::<32>()?)))
}

/// Random bytes.
///
/// # Errors
/// The system gave none.
pub fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| SealError::NoRandomness)?;
    Ok(bytes)
}

/// Seals and unseals. The first key seals; the others only unseal.
pub struct Sealer {
    keys: Vec<(KeyId, LessSafeKey)>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Sealer {
    /// From the master key setting: base64 keys separated by commas, the first one seals.
    ///
    /// # Errors
    /// A key is not 32 bytes in base64.
    pub fn new(master_keys: &SecretString) -> Result<Self, SealError> {
        let keys = master_keys
            .expose_secret()
            .split(',')
            .map(|text| {
                let bytes = STANDARD.decode(text.trim()).map_err(|_| SealError::BadKey)?;
                let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| SealError::BadKey)?;
                Ok((key_id(&bytes), LessSafeKey::new(key)))
            })
            .collect::<Result<Vec<_>, SealError>>()?;
        if keys.is_empty() { Err(SealError::BadKey) } else { Ok(Self { keys }) }
    }

    /// Seals `plain` for the row named `row`, such as `learners/<provider>/<learner>`.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn seal(&self, row: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let (id, key) = self.keys.first().ok_or(SealError::BadKey)?;
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = Vec::with_capacity(HEADER_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let body = sealed.get_mut(HEADER_LEN..).ok_or(SealError::Damaged)?;
        let tag = key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(row.as_bytes()), body)
            .map_err(|_| SealError::Damaged)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what [`Sealer::seal`] made for the same row.
    ///
    /// # Errors
    /// Unknown key; damaged, or from another row.
    pub fn unseal(&self, row: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (header, body) = sealed.split_at_checked(HEADER_LEN).ok_or(SealError::Damaged)?;
        let (version, rest) = header.split_first().ok_or(SealError::Damaged)?;
        let (id, nonce) = rest.split_at_checked(KEY_ID_LEN).ok_or(SealError::Damaged)?;
        if *version != VERSION {
            return Err(SealError::Damaged);
        }
        let (_, key) =
            self.keys.iter().find(|(own, _)| own == id).ok_or_else(|| SealError::UnknownKey(hex(id)))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Damaged)?;
        let mut body = body.to_vec();
        let length = key
            .open_in_place(nonce, Aad::from(row.as_bytes()), &mut body)
            .map_err(|_| SealError::Damaged)?
            .len();
        body.truncate(length);
        Ok(body)
    }

    /// The ids of the keys, the one that seals first. They tell nothing of the keys.
    pub fn key_ids(&self) -> Vec<String> {
        self.keys.iter().map(|(id, _)| hex(id)).collect()
    }

    /// How a value begins that the present key sealed.
    pub fn current_prefix(&self) -> Vec<u8> {
        let id = self.keys.first().map(|(id, _)| *id).unwrap_or_default();
        std::iter::once(VERSION).chain(id).collect()
    }

    /// Whether the value was sealed with the key that seals now.
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        self.keys.first().is_some_and(|(id, _)| sealed.get(1..=KEY_ID_LEN) == Some(id.as_slice()))
    }
}

fn key_id(key: &[u8]) -> KeyId {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"picsbridge sealing key id");
    context.update(key);
    let mut id = KeyId::default();
    id.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    id
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Makes blind indexes: equal values have equal indexes within one provider, and nothing else can be told.
#[derive(Debug)]
pub struct BlindIndex {
    key: hmac::Key,
}

impl BlindIndex {
    /// From the installation's index key, 32 bytes.
    pub fn new(key: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// The index of `parts`, 16 bytes. `purpose` keeps the indexes of different columns apart.
    pub fn of(&self, purpose: &str, parts: &[&[u8]]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.key);
        // Lengths go in, so that ("ab", "c") and ("a", "bc") differ.
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.sign().as_ref().iter().take(16).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(keys: &[u8]) -> Sealer {
        let text: Vec<_> = keys.iter().map(|byte| STANDARD.encode([*byte; 32])).collect();
        Sealer::new(&SecretString::from(text.join(","))).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_only_in_its_own_row() {
        let sealer = sealer(&[1]);
        let sealed = sealer.seal("learners/p/1", b"secret").unwrap();
        assert_eq!(sealer.unseal("learners/p/1", &sealed).unwrap(), b"secret");
        assert_eq!(sealer.unseal("learners/p/2", &sealed), Err(SealError::Damaged));
    }

    #[test]
    fn an_older_key_still_opens_and_the_first_one_seals() {
        let old = sealer(&[1]).seal("r", b"x").unwrap();
        let both = sealer(&[2, 1]);
        assert_eq!(both.unseal("r", &old).unwrap(), b"x");
        assert!(!both.is_current(&old));
        assert!(both.is_current(&both.seal("r", b"x").unwrap()));
        assert!(matches!(sealer(&[2]).unseal("r", &old), Err(SealError::UnknownKey(_))));
    }

    #[test]
    fn any_altered_or_cut_byte_is_noticed() {
        let sealer = sealer(&[1]);
        let sealed = sealer.seal("r", b"some record").unwrap();
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(sealer.unseal("r", &altered).is_err(), "byte {at}");
            assert!(sealer.unseal("r", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn blind_indexes_tell_parts_and_purposes_apart() {
        let index = BlindIndex::new(&[7; 32]);
        assert_eq!(index.of("p", &[b"ab", b"c"]), index.of("p", &[b"ab", b"c"]));
        assert_ne!(index.of("p", &[b"ab", b"c"]), index.of("p", &[b"a", b"bc"]));
        assert_ne!(index.of("p", &[b"ab"]), index.of("q", &[b"ab"]));
    }
}
