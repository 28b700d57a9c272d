//! Text encodings: which one a file has, and its text as UTF-8.
//!
//! The decision looks at the first megabyte. Where that is all ASCII, it looks on until the
//! first other character, so that a name with an accent on the last page decides as well.

use std::io::{self, Cursor, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::read_up_to;
use crate::Encoding;

/// How much of a file decides its encoding.
const SAMPLE_BYTES: usize = 1 << 20;
const CHUNK_BYTES: usize = 1 << 16;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Why a file is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Bytes that no text has.
    Binary,
    /// Neither UTF-8 nor Windows-1252.
    UnknownEncoding,
}

/// Decides the encoding of a text, reading as far as needed.
pub(crate) fn decide_encoding(stream: &mut dyn Read) -> io::Result<Result<Encoding, Unreadable>> {
    let mut sample = Vec::new();
    read_up_to(stream, SAMPLE_BYTES, &mut sample)?;
    if let Some(encoding) = utf16(&sample) {
        return Ok(Ok(encoding));
    }
    if sample.contains(&0) {
        return Ok(Err(Unreadable::Binary));
    }
    while sample.is_ascii() {
        if sample.len() < SAMPLE_BYTES {
            return Ok(Ok(Encoding::Utf8));
        }
        // What was seen tells nothing: look on, in pieces of the same size.
        sample.clear();
        read_up_to(stream, SAMPLE_BYTES, &mut sample)?;
    }
    // The sample may end within a character, or begin its only one: a little more of the text
    // completes it.
    let end = sample.len() + 4;
    read_up_to(stream, end, &mut sample)?;
    Ok(eight_bit(&sample))
}

/// UTF-16, by its byte order mark or by the zeros beside ASCII characters.
fn utf16(sample: &[u8]) -> Option<Encoding> {
    match sample {
        [0xFF, 0xFE, ..] => return Some(Encoding::Utf16Le),
        [0xFE, 0xFF, ..] => return Some(Encoding::Utf16Be),
        _ => {}
    }
    let head = &sample[..sample.len().min(4096)];
    let pairs = head.len() / 2;
    let zeros = |offset: usize| {
        head.iter()
            .skip(offset)
            .step_by(2)
            .filter(|&&b| b == 0)
            .count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    if pairs >= 4 && odd * 10 >= pairs * 7 && even * 20 < pairs {
        return Some(Encoding::Utf16Le);
    }
    (pairs >= 4 && even * 10 >= pairs * 7 && odd * 20 < pairs).then_some(Encoding::Utf16Be)
}

/// UTF-8 or Windows-1252, of text with characters beyond ASCII.
fn eight_bit(sample: &[u8]) -> Result<Encoding, Unreadable> {
    let (mut characters, mut stray, mut rest) = (0_usize, 0_usize, sample);
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) => {
                characters += beyond_ascii(valid);
                break;
            }
            Err(error) => {
                let (valid, after) = rest.split_at(error.valid_up_to());
                characters += beyond_ascii(std::str::from_utf8(valid).unwrap_or_default());
                // No length: the sample ends within a character.
                let Some(length) = error.error_len() else {
                    break;
                };
                stray += 1;
                rest = &after[length..];
            }
        }
    }
    // A few stray bytes among many characters are rows that somebody pasted in: they are
    // rejected one by one. A text of mostly stray bytes is another encoding.
    if stray <= characters {
        return Ok(Encoding::Utf8);
    }
    if sample.iter().any(|&byte| is_undefined(byte)) {
        return Err(Unreadable::UnknownEncoding);
    }
    Ok(Encoding::Windows1252)
}

fn beyond_ascii(text: &str) -> usize {
    // Bytes that begin a character of several.
    text.bytes().filter(|&byte| byte >= 0xC0).count()
}

/// The bytes that Windows-1252 leaves undefined.
fn is_undefined(byte: u8) -> bool {
    matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D)
}

/// The text of `stream` as UTF-8, without its byte order mark.
pub(super) fn text(
    mut stream: Box<dyn Read + Send>,
    encoding: Encoding,
) -> io::Result<Box<dyn Read + Send>> {
    let decoder = match encoding {
        Encoding::Utf8 => {
            let mut head = Vec::new();
            read_up_to(&mut stream, BOM.len(), &mut head)?;
            if head == BOM {
                head.clear();
            }
            return Ok(Box::new(Cursor::new(head).chain(stream)));
        }
        Encoding::Utf16Le => UTF_16LE.new_decoder_with_bom_removal(),
        Encoding::Utf16Be => UTF_16BE.new_decoder_with_bom_removal(),
        Encoding::Windows1252 => WINDOWS_1252.new_decoder_without_bom_handling(),
    };
    Ok(Box::new(Transcoded {
        stream,
        encoding,
        decoder,
        bytes: Vec::new(),
        text: vec![0; CHUNK_BYTES * 3 + 16],
        ready: 0..0,
        ended: false,
    }))
}

/// Stands for what an encoding does not have: no UTF-8, so that the row is rejected like one of
/// a UTF-8 file.
const FOREIGN: u8 = 0xFF;

/// Turns another encoding into UTF-8; what the encoding does not have becomes [`FOREIGN`].
struct Transcoded {
    stream: Box<dyn Read + Send>,
    encoding: Encoding,
    decoder: Decoder,
    bytes: Vec<u8>,
    text: Vec<u8>,
    ready: std::ops::Range<usize>,
    ended: bool,
}

impl Transcoded {
    fn refill(&mut self) -> io::Result<()> {
        self.bytes.clear();
        read_up_to(&mut self.stream, CHUNK_BYTES, &mut self.bytes)?;
        let last = self.bytes.len() < CHUNK_BYTES;
        let (mut at, mut written) = (0, 0);
        loop {
            let rest = &self.bytes[at..];
            let known = match self.encoding {
                // The decoder would make control characters of the bytes that are undefined.
                Encoding::Windows1252 => rest.iter().position(|&byte| is_undefined(byte)),
                Encoding::Utf8 | Encoding::Utf16Le | Encoding::Utf16Be => None,
            };
            let end = known.unwrap_or(rest.len());
            let (result, read, n) = self.decoder.decode_to_utf8_without_replacement(
                &rest[..end],
                &mut self.text[written..],
                last && known.is_none(),
            );
            (at, written) = (at + read, written + n);
            match (result, known) {
                (DecoderResult::InputEmpty, None) => break,
                (DecoderResult::InputEmpty, Some(_)) => at += 1,
                (DecoderResult::Malformed(..) | DecoderResult::OutputFull, _) => {}
            }
            self.text[written] = FOREIGN;
            written += 1;
        }
        self.ready = 0..written;
        self.ended = last;
        Ok(())
    }
}

impl Read for Transcoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.ready.is_empty() {
            if self.ended {
                return Ok(0);
            }
            self.refill()?;
        }
        let n = self.ready.len().min(buffer.len());
        buffer[..n].copy_from_slice(&self.text[self.ready.start..self.ready.start + n]);
        self.ready.start += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(mut bytes: &[u8]) -> Result<Encoding, Unreadable> {
        decide_encoding(&mut bytes).unwrap()
    }

    fn decoded(bytes: &[u8], encoding: Encoding) -> io::Result<String> {
        let mut out = String::new();
        text(Box::new(Cursor::new(bytes.to_vec())), encoding)?.read_to_string(&mut out)?;
        Ok(out)
    }

    fn utf16_bytes(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn encodings_are_decided_and_decoded() {
        let text = "Käufer;Größe;€\nJürgen;5;1\n".repeat(20_000);
        let little = utf16_bytes(&text, u16::to_le_bytes);
        let big = utf16_bytes(&text, u16::to_be_bytes);
        let (latin, _, _) = WINDOWS_1252.encode(&text);
        let cases: [(&[u8], Encoding); 4] = [
            (text.as_bytes(), Encoding::Utf8),
            (&little, Encoding::Utf16Le),
            (&big, Encoding::Utf16Be),
            (&latin, Encoding::Windows1252),
        ];
        for (bytes, encoding) in cases {
            assert_eq!(decided(bytes), Ok(encoding));
            assert_eq!(decoded(bytes, encoding).unwrap(), text, "{encoding:?}");
        }
        let marked = [BOM, text.as_bytes()].concat();
        assert_eq!(decoded(&marked, Encoding::Utf8).unwrap(), text);
        let marked = [b"\xFF\xFE", &little[..]].concat();
        assert_eq!(decoded(&marked, Encoding::Utf16Le).unwrap(), text);
    }

    #[test]
    fn the_first_accent_decides_however_late_it_comes() {
        let mut bytes = b"a,b\n".repeat(600_000);
        assert_eq!(decided(&bytes), Ok(Encoding::Utf8));
        bytes.extend(b"Ren\xE9,1\n");
        assert_eq!(decided(&bytes), Ok(Encoding::Windows1252));
    }

    #[test]
    fn what_no_text_has_is_an_error() {
        assert_eq!(
            decided(b"a\x00\x01\x02\x03b\x04\x05"),
            Err(Unreadable::Binary)
        );
        assert_eq!(
            decided(b"caf\xE9 \x81\x8D"),
            Err(Unreadable::UnknownEncoding)
        );
    }

    #[test]
    fn what_an_encoding_does_not_have_is_left_to_its_row() {
        let raw = |bytes: &[u8], encoding| {
            let mut out = Vec::new();
            let mut stream = text(Box::new(Cursor::new(bytes.to_vec())), encoding).unwrap();
            stream.read_to_end(&mut out).unwrap();
            out
        };
        let late = [b"Ren\xE9\n".repeat(40_000), b"a\x81b\nc".to_vec()].concat();
        let expected = ["Ren\u{e9}\n".repeat(40_000).as_bytes(), b"a\xFFb\nc"].concat();
        assert_eq!(raw(&late, Encoding::Windows1252), expected);
        // A surrogate that stands alone, and half a character at the end.
        let alone = b"a\x00\x00\xD8b\x00c";
        assert_eq!(raw(alone, Encoding::Utf16Le), b"a\xFFb\xFF");
    }
}
