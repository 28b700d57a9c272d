//! How an attempt ended. Nothing here holds personal data, an address or what a receiver wrote:
//! it is kept, shown and logged.

use serde::{Deserialize, Serialize};

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it: any status from 200 to 299.
    Delivered {
        /// The status.
        status: u16,
    },
    /// The receiver answered otherwise.
    Refused {
        /// The status.
        status: u16,
        /// Milliseconds that it asks us to wait.
        retry_after_ms: Option<i64>,
    },
    /// The receiver answered 410: it wants nothing more.
    Gone,
    /// No answer.
    Unreachable {
        /// What failed.
        error: Fault,
    },
    /// We do not call that address.
    Blocked {
        /// What stands against it.
        why: Barrier,
    },
    /// There was nothing that could be sent; another attempt would change nothing.
    Unsendable {
        /// What is missing.
        why: Unsendable,
    },
}

impl Outcome {
    /// What went wrong, if anything did.
    pub fn error(self) -> Option<AttemptError> {
        match self {
            Self::Delivered { .. } => None,
            Self::Refused { status, .. } => Some(AttemptError::Refused { status }),
            Self::Gone => Some(AttemptError::Gone),
            Self::Unreachable { error } => Some(AttemptError::Unreachable { error }),
            Self::Blocked { why } => Some(AttemptError::Blocked { why }),
            Self::Unsendable { why } => Some(AttemptError::Unsendable { why }),
        }
    }
}

/// What went wrong in an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AttemptError {
    /// See what the receiver has against it.
    #[error("the receiver answered {status}")]
    Refused {
        /// The status.
        status: u16,
    },
    /// The destination is disabled; enable it once the receiver is back.
    #[error("the receiver answered 410: it wants nothing more")]
    Gone,
    /// See whether the receiver runs.
    #[error("{error}")]
    Unreachable {
        /// What failed.
        error: Fault,
    },
    /// Change the settings or the address.
    #[error("{why}")]
    Blocked {
        /// What stands against it.
        why: Barrier,
    },
    /// Change the destination's form.
    #[error("{why}")]
    Unsendable {
        /// What is missing.
        why: Unsendable,
    },
    /// Replay it once the receiver is back.
    #[error("more waited for this destination than `pending_at_most` allows")]
    Crowded,
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The name has no address.
    #[error("the name of the host has no address")]
    UnknownHost,
    /// Nobody listens there.
    #[error("the connection was refused")]
    ConnectionRefused,
    /// No connection in time.
    #[error("no connection in time")]
    ConnectTimedOut,
    /// No connection for another reason.
    #[error("no connection")]
    ConnectFailed,
    /// The certificate is not one to trust.
    #[error("the certificate is not valid for this host")]
    Certificate,
    /// TLS failed otherwise.
    #[error("no secure connection")]
    Tls,
    /// Connected, but no answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// The connection ended before the answer did.
    #[error("the connection was closed before the answer")]
    Closed,
    /// The answer is not HTTP.
    #[error("the answer is not HTTP")]
    InvalidAnswer,
}

/// Why we do not call an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Barrier {
    /// A private, loopback, link-local, shared, reserved or multicast address.
    #[error("the host has an address that is not public: `allow_private_targets` allows ranges")]
    PrivateAddress,
    /// `http://` without leave.
    #[error("the address is not `https://`: `allow_http` allows it")]
    NotHttps,
    /// A port that is not on the list.
    #[error("the port is not among `ports`")]
    Port,
}

/// Why nothing could be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Unsendable {
    /// The form needs an id, and the customer has none that a receiver knows.
    #[error("the customer has neither a customer id nor an anonymous id, which this form needs")]
    NobodyKnown,
    /// The ids alone are too long.
    #[error("the body would be larger than 20 KB")]
    TooLarge,
    /// The secrets of the destination are not in the vault.
    #[error("the destination has no signing secret")]
    NoSecret,
}
