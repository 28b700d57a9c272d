//! The address of a receiver: an absolute `http://` or `https://` URL without credentials.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use serde::{Deserialize, Serialize};

const MAX_BYTES: usize = 2_048;

/// An address to post to. Its text may hold a token, so errors never repeat it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Target {
    uri: Uri,
    text: String,
}

/// Why a text is no address of a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Write it in full.
    #[error("an address begins with `https://` (or `http://` where that is allowed)")]
    Scheme,
    /// Correct it.
    #[error(
        "not an address: write it in ASCII, names of other alphabets as `xn--…`, other characters as `%..`"
    )]
    Syntax,
    /// Leave the credentials out; requests are signed.
    #[error("an address holds no user name or password: requests are signed instead")]
    Credentials,
    /// Leave the fragment out.
    #[error("an address has no part after `#`: it would not be sent")]
    Fragment,
    /// Use a shorter one.
    #[error("an address has at most {MAX_BYTES} bytes")]
    TooLong,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_BYTES {
            return Err(TargetError::TooLong);
        }
        if text.contains('#') {
            return Err(TargetError::Fragment);
        }
        let uri: Uri = text.parse().map_err(|_| TargetError::Syntax)?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(TargetError::Scheme);
        }
        let authority = uri.authority().ok_or(TargetError::Syntax)?;
        if authority.as_str().contains('@') {
            return Err(TargetError::Credentials);
        }
        // A port that is no number is left out by the parser, which would call another one.
        let ends_in_host = authority.as_str().ends_with(authority.host());
        if authority.host().is_empty() || (authority.port_u16().is_none() && !ends_in_host) {
            return Err(TargetError::Syntax);
        }
        let text = text.to_owned();
        Ok(Self { uri, text })
    }
}

impl Target {
    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// True for `https://`.
    pub fn is_https(&self) -> bool {
        is_https(&self.uri)
    }

    /// The port, 443 or 80 where none is written.
    pub fn port(&self) -> u16 {
        port_of(&self.uri)
    }

    /// The host, when it is written as an address.
    pub fn literal_address(&self) -> Option<IpAddr> {
        host_of(&self.uri).parse().ok()
    }
}

pub(crate) fn is_https(uri: &Uri) -> bool {
    uri.scheme() == Some(&http::uri::Scheme::HTTPS)
}

pub(crate) fn port_of(uri: &Uri) -> u16 {
    let usual = if is_https(uri) { 443 } else { 80 };
    uri.port_u16().unwrap_or(usual)
}

/// The host without the brackets of an IPv6 address.
pub(crate) fn host_of(uri: &Uri) -> &str {
    let host = uri.host().unwrap_or_default();
    let inner = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(host)
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Target({}:{}, …)",
            host_of(&self.uri),
            self.port()
        )
    }
}

impl TryFrom<String> for Target {
    type Error = TargetError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_absolute_and_without_credentials() {
        let cases = [
            ("example.com", TargetError::Scheme),
            ("/hook", TargetError::Scheme),
            ("ftp://example.com", TargetError::Scheme),
            ("file:///etc/passwd", TargetError::Syntax),
            ("https://", TargetError::Syntax),
            ("https:///hook", TargetError::Syntax),
            ("https://exa mple.com", TargetError::Syntax),
            ("https://bücher.example", TargetError::Syntax),
            ("https://example.com:99999/", TargetError::Syntax),
            ("https://example.com:/", TargetError::Syntax),
            ("https://me:secret@example.com", TargetError::Credentials),
            ("https://example.com@10.0.0.1/", TargetError::Credentials),
            ("https://example.com/#part", TargetError::Fragment),
            ("", TargetError::Syntax),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Target>(), Err(expected), "{text}");
        }
        let long = format!("https://example.com/{}", "a".repeat(MAX_BYTES));
        assert_eq!(long.parse::<Target>(), Err(TargetError::TooLong));
    }

    #[test]
    fn host_and_port_are_those_that_will_be_called() {
        let target = |text: &str| text.parse::<Target>().unwrap();
        assert_eq!(target("https://example.com/a?b=c").port(), 443);
        assert_eq!(target("http://example.com").port(), 80);
        assert_eq!(target("https://example.com:8443").port(), 8443);
        assert_eq!(
            target("https://[::1]:8443/").literal_address(),
            Some("::1".parse().unwrap())
        );
        assert_eq!(
            target("https://10.0.0.1/").literal_address(),
            Some("10.0.0.1".parse().unwrap())
        );
        assert_eq!(target("https://example.com").literal_address(), None);
        assert_eq!(
            format!("{:?}", target("https://a.example/?token=x")),
            "Target(a.example:443, …)"
        );
    }
}
