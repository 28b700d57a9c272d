//! Compressed bodies. The bound holds while inflating: a bomb costs no more than a large body.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::InflateError;

/// The plain bytes of a body, of which there may be at most `most_bytes`.
///
/// `encoding` is the `Content-Encoding` of the request. A body that is gzip by its first bytes is
/// inflated also without one: no JSON begins so.
///
/// # Errors
/// When the encoding is unknown, the bytes are damaged, or there are too many.
pub fn inflate<'b>(
    body: &'b [u8],
    encoding: Option<&str>,
    most_bytes: usize,
) -> Result<Cow<'b, [u8]>, InflateError> {
    let encoding = encoding.unwrap_or_default().trim().to_ascii_lowercase();
    match encoding.as_str() {
        "gzip" | "x-gzip" => bounded(MultiGzDecoder::new(body), most_bytes),
        "" | "identity" if body.starts_with(&[0x1F, 0x8B]) => {
            bounded(MultiGzDecoder::new(body), most_bytes)
        }
        // RFC 9110 means zlib; some clients send the bare stream.
        "deflate" => match bounded(ZlibDecoder::new(body), most_bytes) {
            Err(InflateError::Damaged) => bounded(DeflateDecoder::new(body), most_bytes),
            done => done,
        },
        "" | "identity" if body.len() > most_bytes => {
            Err(InflateError::TooLarge { most: most_bytes })
        }
        "" | "identity" => Ok(Cow::Borrowed(body)),
        _ => Err(InflateError::UnknownEncoding),
    }
}

fn bounded<'b>(from: impl Read, most: usize) -> Result<Cow<'b, [u8]>, InflateError> {
    let mut plain = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let read = from.take(limit).read_to_end(&mut plain);
    if plain.len() > most {
        return Err(InflateError::TooLarge { most });
    }
    read.map_err(|_| InflateError::Damaged)?;
    Ok(Cow::Owned(plain))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn bodies_are_inflated_whatever_they_are_compressed_with() {
        let plain = br#"{"batch":[]}"#;
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(plain).unwrap();
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflate.write_all(plain).unwrap();
        for (body, encoding) in [
            (plain.to_vec(), None),
            (plain.to_vec(), Some("identity")),
            (gzip(plain), Some("GZIP")),
            (gzip(plain), None),
            (zlib.finish().unwrap(), Some("deflate")),
            (deflate.finish().unwrap(), Some("deflate")),
        ] {
            assert_eq!(*inflate(&body, encoding, 100).unwrap(), plain[..]);
        }
        assert_eq!(
            inflate(plain, Some("br"), 100),
            Err(InflateError::UnknownEncoding)
        );
    }

    #[test]
    fn a_bomb_is_stopped_while_it_inflates() {
        let bomb = gzip(&vec![b' '; 50_000_000]);
        assert!(bomb.len() < 100_000);
        let most = 500 << 10;
        assert_eq!(
            inflate(&bomb, Some("gzip"), most),
            Err(InflateError::TooLarge { most })
        );
        let exact = gzip(&vec![b' '; most]);
        assert_eq!(inflate(&exact, Some("gzip"), most).unwrap().len(), most);
    }

    #[test]
    fn damaged_bodies_are_refused() {
        let mut body = gzip(b"something that is long enough");
        body.truncate(body.len() - 9);
        assert_eq!(
            inflate(&body, Some("gzip"), 100),
            Err(InflateError::Damaged)
        );
        assert_eq!(
            inflate(b"{}", Some("gzip"), 100),
            Err(InflateError::Damaged)
        );
    }
}
