//! Standard Webhooks v1: proof for the receiver that a message is ours, whole and fresh.
//!
//! Signed is `{id}.{timestamp}.{body}` with HMAC-SHA256. While a secret is being replaced a message
//! carries a signature by each. Neither ids nor timestamps hold a full stop.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use regulars_core::{Timestamp, TransitionId};
use ring::hmac;

use crate::outcome::Unsendable;

const PREFIX: &str = "whsec_";
const VERSION: &str = "v1";
/// A secret has at least 192 and at most 512 bits.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// A receiver takes messages whose timestamp is this far from its own clock.
const TOLERANCE_SECONDS: i64 = 300;

/// A secret shared with one receiver. It is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// Not a secret of Standard Webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing secret is `whsec_` and then 24 to 64 bytes as base64")]
pub struct SecretError;

impl Secret {
    /// A new secret of random bytes that nobody else knows.
    pub fn new(random: [u8; 32]) -> Self {
        Self(random.to_vec())
    }

    /// Reads `whsec_…`.
    ///
    /// # Errors
    /// When the prefix is missing, the rest is not base64, or has fewer than 24 or more than 64 bytes.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretError)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| SecretError)?;
        if SECRET_BYTES.contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(SecretError)
        }
    }

    /// The secret as the receiver needs it: `whsec_…`.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// A body with the headers that prove it. Always signed. The body is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedMessage {
    id: TransitionId,
    attempted_at: Timestamp,
    signature: String,
    body: Bytes,
}

impl fmt::Debug for SignedMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "SignedMessage({}, {} bytes)",
            self.id,
            self.body.len()
        )
    }
}

impl SignedMessage {
    /// Signs `body` for an attempt at `attempted_at`, by each of `secrets`.
    ///
    /// # Errors
    /// When there is no secret.
    pub fn new(
        id: TransitionId,
        attempted_at: Timestamp,
        body: impl Into<Bytes>,
        secrets: &[Secret],
    ) -> Result<Self, Unsendable> {
        if secrets.is_empty() {
            return Err(Unsendable::NoSecret);
        }
        let body = body.into();
        let seconds = unix_seconds(attempted_at);
        let signed = secrets
            .iter()
            .map(|secret| sign(secret, &id.to_string(), seconds, &body));
        let signature = signed.collect::<Vec<_>>().join(" ");
        Ok(Self {
            id,
            attempted_at,
            signature,
            body,
        })
    }

    /// `webhook-id`: the same in all attempts.
    pub fn id(&self) -> TransitionId {
        self.id
    }

    /// The time of this attempt.
    pub fn attempted_at(&self) -> Timestamp {
        self.attempted_at
    }

    /// `webhook-signature`: one for each secret, separated by spaces.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// The bytes that were signed.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// `webhook-timestamp`: seconds since 1970.
    pub fn timestamp_seconds(&self) -> i64 {
        unix_seconds(self.attempted_at)
    }
}

fn unix_seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1000)
}

/// One signature, `v1,…`, of a message with that id and that second of the attempt.
pub fn sign(secret: &Secret, id: &str, timestamp_seconds: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&secret.key());
    context.update(format!("{id}.{timestamp_seconds}.").as_bytes());
    context.update(body);
    format!("{VERSION},{}", STANDARD.encode(context.sign()))
}

/// The headers of a message, as a receiver has them.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`.
    pub timestamp: &'a str,
    /// `webhook-signature`.
    pub signature: &'a str,
}

/// Why a receiver does not believe a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Look at the clocks of both sides, or somebody repeats an old message.
    #[error("`webhook-timestamp` is no number, or more than five minutes from now")]
    Timestamp,
    /// Another secret, or a changed body.
    #[error("no signature in `webhook-signature` fits the secret and the body")]
    Signature,
}

/// What a receiver does: checks that one of the signatures fits, in constant time.
///
/// # Errors
/// When the timestamp is too far from `now` or no signature fits.
pub fn verify(
    secret: &Secret,
    headers: Headers<'_>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), VerifyError> {
    let sent_seconds: i64 = headers
        .timestamp
        .parse()
        .map_err(|_| VerifyError::Timestamp)?;
    if unix_seconds(now).abs_diff(sent_seconds) > TOLERANCE_SECONDS as u64 {
        return Err(VerifyError::Timestamp);
    }
    let signed = [format!("{}.{sent_seconds}.", headers.id).as_bytes(), body].concat();
    let key = secret.key();
    let fits = |one: &str| {
        let encoded = one.strip_prefix(VERSION)?.strip_prefix(',')?;
        let tag = STANDARD.decode(encoded).ok()?;
        hmac::verify(&key, &signed, &tag).ok()
    };
    let found = headers.signature.split(' ').find_map(fits);
    found.ok_or(VerifyError::Signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SECONDS: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn known() -> Secret {
        Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
    }

    fn headers<'a>(timestamp: &'a str, signature: &'a str) -> Headers<'a> {
        let id = ID;
        Headers {
            id,
            timestamp,
            signature,
        }
    }

    /// The vector that the libraries of the Standard Webhooks repository are tested with.
    #[test]
    fn signs_as_the_reference_libraries_do() {
        assert_eq!(sign(&known(), ID, SECONDS, BODY), SIGNATURE);
        let now = Timestamp(SECONDS * 1000);
        let timestamp = SECONDS.to_string();
        let found = verify(&known(), headers(&timestamp, SIGNATURE), BODY, now);
        assert_eq!(found, Ok(()));
    }

    #[test]
    fn changed_old_and_foreign_messages_are_not_believed() {
        let now = Timestamp(SECONDS * 1000);
        let timestamp = SECONDS.to_string();
        let check =
            |signature, body, now| verify(&known(), headers(&timestamp, signature), body, now);
        assert_eq!(check(SIGNATURE, b"{}", now), Err(VerifyError::Signature));
        for wrong in [
            "",
            "v1",
            "v1,",
            "v1,AAAA",
            "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ] {
            assert_eq!(
                check(wrong, BODY, now),
                Err(VerifyError::Signature),
                "{wrong}"
            );
        }
        let foreign = sign(&Secret::new([1; 32]), ID, SECONDS, BODY);
        assert_eq!(check(&foreign, BODY, now), Err(VerifyError::Signature));
        for seconds in [-301, 301] {
            let later = now.plus_ms(seconds * 1000);
            assert_eq!(check(SIGNATURE, BODY, later), Err(VerifyError::Timestamp));
        }
        let odd = verify(&known(), headers("soon", SIGNATURE), BODY, now);
        assert_eq!(odd, Err(VerifyError::Timestamp));
    }

    #[test]
    fn while_a_secret_is_replaced_both_fit() {
        let (old, new) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let at = Timestamp(1_700_000_000_999);
        let both = [new.clone(), old.clone()];
        let message = SignedMessage::new(TransitionId(5), at, BODY.to_vec(), &both).unwrap();
        assert_eq!(
            SignedMessage::new(TransitionId(5), at, BODY.to_vec(), &[]),
            Err(Unsendable::NoSecret)
        );
        assert_eq!(message.timestamp_seconds(), 1_700_000_000);
        let (id, timestamp) = (
            message.id.to_string(),
            message.timestamp_seconds().to_string(),
        );
        let headers = Headers {
            id: &id,
            timestamp: &timestamp,
            signature: &message.signature,
        };
        for secret in [&old, &new] {
            assert_eq!(verify(secret, headers, &message.body, at), Ok(()));
        }
    }

    #[test]
    fn a_secret_reads_as_shown_and_is_not_shown_by_accident() {
        let secret = Secret::new([0xfb; 32]);
        assert_eq!(Secret::parse(&secret.reveal()), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        let short = STANDARD.encode([0; 23]);
        let long = STANDARD.encode([0; 65]);
        for wrong in [
            "",
            "whsec_",
            "whsec_?",
            &format!("whsec_{short}"),
            &format!("whsec_{long}"),
        ] {
            assert_eq!(Secret::parse(wrong), Err(SecretError), "{wrong}");
        }
        assert_eq!(Secret::parse(&STANDARD.encode([0; 32])), Err(SecretError));
    }
}
