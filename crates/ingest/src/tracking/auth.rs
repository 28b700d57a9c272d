//! The key of a request, as SDKs send it in `Authorization`.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Standard alphabet, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The write key of `Authorization: Basic …`: the user's name in it. The colon that should follow
/// may be missing. `None` when the header is something else or has no key.
pub fn write_key_of_basic(header: &str) -> Option<String> {
    let decoded = BASE64.decode(after_scheme(header, "basic")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let key = text.split_once(':').map_or(text.as_str(), |(key, _)| key);
    let key = key.trim();
    (!key.is_empty()).then(|| key.to_owned())
}

/// The token of `Authorization: Bearer …`. `None` when the header is something else.
pub fn bearer(header: &str) -> Option<&str> {
    after_scheme(header, "bearer")
}

fn after_scheme<'h>(header: &'h str, scheme: &str) -> Option<&'h str> {
    let (found, rest) = header.trim().split_once(' ')?;
    let rest = rest.trim();
    (found.eq_ignore_ascii_case(scheme) && !rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_with_and_without_the_colon() {
        for header in [
            "Basic d2tfdGVzdDo=",
            "basic d2tfdGVzdA==",
            "Basic  d2tfdGVzdA",
            "Basic d2tfdGVzdDpzZWNyZXQ=",
        ] {
            assert_eq!(
                write_key_of_basic(header).as_deref(),
                Some("wk_test"),
                "{header}"
            );
        }
        for header in ["", "Basic", "Basic Og==", "Basic ü", "Bearer d2tfdGVzdDo="] {
            assert_eq!(write_key_of_basic(header), None, "{header}");
        }
    }

    #[test]
    fn bearer_tokens_are_taken_as_they_are() {
        assert_eq!(bearer("Bearer abc.def"), Some("abc.def"));
        assert_eq!(bearer("bearer  abc"), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("Bearer "), None);
    }
}
