//! Sealing: personal data, encrypted with the key of the identity that it is about.
//!
//! `version u8 (1) | nonce 12 bytes | ChaCha20-Poly1305 ciphertext and tag`; version and identity are
//! authenticated with it, so that sealed data cannot be passed off as another person's.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};

use super::IdentityId;
use crate::StoreError;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;

/// Random bytes, drawn from the system in larger pieces.
#[derive(Default)]
pub(super) struct Randomness {
    unused: Vec<u8>,
}

impl std::fmt::Debug for Randomness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Randomness")
    }
}

impl Randomness {
    const PIECE: usize = 4000;

    pub(super) fn draw<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        if self.unused.len() < N {
            self.unused.resize(Self::PIECE, 0);
            fill(&mut self.unused)?;
        }
        let rest = self.unused.len() - N;
        let drawn = self.unused[rest..]
            .try_into()
            .expect("exactly N bytes are left");
        self.unused.truncate(rest);
        Ok(drawn)
    }
}

pub(super) fn fill(bytes: &mut [u8]) -> Result<(), StoreError> {
    getrandom::fill(bytes).map_err(|error| {
        StoreError::io("draw random numbers for", std::path::Path::new("vault"))(
            std::io::Error::other(error.to_string()),
        )
    })
}

pub(super) fn seal(
    key: &[u8; 32],
    identity: IdentityId,
    plaintext: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0; NONCE_BYTES];
    fill(&mut nonce)?;
    let payload = Payload {
        msg: plaintext,
        aad: &context(identity),
    };
    let ciphertext = ChaCha20Poly1305::new(&(*key).into())
        .encrypt(&Nonce::from(nonce), payload)
        .map_err(|_| StoreError::Sealed("it is too long to be sealed"))?;
    let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + ciphertext.len());
    sealed.push(VERSION);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    Ok(sealed)
}

pub(super) fn open(
    key: &[u8; 32],
    identity: IdentityId,
    sealed: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let (&version, rest) = sealed
        .split_first()
        .ok_or(StoreError::Sealed("it is empty"))?;
    if version != VERSION {
        return Err(StoreError::Sealed("a later version of Regulars sealed it"));
    }
    let (nonce, ciphertext) = rest
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(StoreError::Sealed("it is cut short"))?;
    let payload = Payload {
        msg: ciphertext,
        aad: &context(identity),
    };
    ChaCha20Poly1305::new(&(*key).into())
        .decrypt(&Nonce::from(*nonce), payload)
        .map_err(|_| StoreError::Sealed("it is damaged, or of another identity"))
}

fn context(identity: IdentityId) -> [u8; 9] {
    let mut context = [VERSION; 9];
    context[1..].copy_from_slice(&identity.0.to_le_bytes());
    context
}
