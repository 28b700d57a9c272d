//! What a file is by its first bytes: its compression, and files that are no tables.

use crate::Compression;

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Compressed: look inside.
    Packed(Compression),
    /// Parquet.
    Parquet,
    /// Text, perhaps.
    Text,
    /// Something that is no table: what it is, and what to do.
    Wrong(&'static str, &'static str),
}

/// Beginnings of files that are no tables.
const WRONG: &[(&[u8], &str, &str)] = &[
    (
        b"PK\x03\x04",
        "a ZIP archive or an Excel workbook",
        "open it and save the sheet as CSV, or unpack it and name the files inside",
    ),
    (
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
        "an old Excel workbook",
        "open it and save the sheet as CSV",
    ),
    (
        b"\x89PNG\r\n\x1a\n",
        "a picture (PNG)",
        "name a table: CSV, TSV, NDJSON or Parquet",
    ),
    (
        b"\xFF\xD8\xFF",
        "a picture (JPEG)",
        "name a table: CSV, TSV, NDJSON or Parquet",
    ),
    (
        b"GIF8",
        "a picture (GIF)",
        "name a table: CSV, TSV, NDJSON or Parquet",
    ),
    (
        b"%PDF-",
        "a PDF document",
        "export the table as CSV instead",
    ),
    (
        b"BZh",
        "compressed with bzip2",
        "unpack it, or compress it with gzip or zstd",
    ),
    (
        b"\xFD7zXZ\x00",
        "compressed with xz",
        "unpack it, or compress it with gzip or zstd",
    ),
    (
        b"7z\xBC\xAF\x27\x1C",
        "a 7z archive",
        "unpack it and name the files inside",
    ),
    (
        b"Rar!\x1a\x07",
        "a RAR archive",
        "unpack it and name the files inside",
    ),
    (
        b"SQLite format 3\x00",
        "a SQLite database",
        "export the table as CSV",
    ),
    (b"ARROW1", "an Arrow file", "write it as Parquet"),
    (b"ORC", "an ORC file", "write it as Parquet"),
    (b"Obj\x01", "an Avro file", "write it as Parquet"),
    (
        b"\x7FELF",
        "a program",
        "name a table: CSV, TSV, NDJSON or Parquet",
    ),
];

/// Judges the first bytes of a file (512 are enough).
pub(crate) fn sniff(head: &[u8]) -> Kind {
    if head.starts_with(b"\x1f\x8b") {
        return Kind::Packed(Compression::Gzip);
    }
    if head.starts_with(b"\x28\xB5\x2F\xFD") || is_skippable_zstd(head) {
        return Kind::Packed(Compression::Zstd);
    }
    if head.starts_with(b"PAR1") {
        return Kind::Parquet;
    }
    if head.starts_with(b"PARE") {
        return Kind::Wrong("an encrypted Parquet file", "write it without encryption");
    }
    let wrong = WRONG.iter().find(|(magic, ..)| head.starts_with(magic));
    if let Some(&(_, kind, advice)) = wrong.filter(|&&(magic, ..)| magic != b"ORC" || is_orc(head))
    {
        return Kind::Wrong(kind, advice);
    }
    sniff_markup(head)
}

/// `ORC` may begin a header too; in the file format a length byte follows that no text has.
fn is_orc(head: &[u8]) -> bool {
    head.get(3)
        .is_some_and(|&byte| byte < b' ' && !byte.is_ascii_whitespace())
}

/// Frames that hold no data may come first: magic 0x184D2A50 to 0x184D2A5F (RFC 8878, 3.1.2).
fn is_skippable_zstd(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..])
}

fn sniff_markup(head: &[u8]) -> Kind {
    let start = head
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())
        .unwrap_or(head.len());
    let text = head[start..]
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(&head[start..]);
    let begins =
        |with: &[u8]| text.len() >= with.len() && text[..with.len()].eq_ignore_ascii_case(with);
    if begins(b"<!doctype html") || begins(b"<html") || begins(b"<table") {
        return Kind::Wrong("a web page", "open it in a spreadsheet and save it as CSV");
    }
    if begins(b"<?xml") {
        return Kind::Wrong("an XML document", "export the table as CSV");
    }
    if begins(b"{\\rtf") {
        return Kind::Wrong("a text document (RTF)", "save the table as CSV");
    }
    let after_bracket = text.get(1..).unwrap_or_default().trim_ascii_start();
    if begins(b"[") && matches!(after_bracket.first(), Some(b'{' | b'[')) {
        return Kind::Wrong(
            "one JSON array",
            "write one object on each line instead (NDJSON), such as with `jq -c '.[]'`",
        );
    }
    Kind::Text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_the_first_bytes() {
        assert_eq!(sniff(b"\x1f\x8b\x08"), Kind::Packed(Compression::Gzip));
        assert_eq!(sniff(b"\x28\xB5\x2F\xFD"), Kind::Packed(Compression::Zstd));
        assert_eq!(sniff(b"PAR1..."), Kind::Parquet);
        assert_eq!(sniff(b"ORC id,date"), Kind::Text);
        assert_eq!(sniff(b"{\"a\":1}\n"), Kind::Text);
        assert_eq!(sniff(b""), Kind::Text);
        let wrong: [&[u8]; 5] = [
            b"PK\x03\x04",
            b"\x89PNG\r\n\x1a\n",
            b"\n <!DOCTYPE HTML>",
            b"[ {\"a\":1}]",
            b"ORC\x0a\x03",
        ];
        for head in &wrong[..4] {
            assert!(matches!(sniff(head), Kind::Wrong(..)));
        }
    }
}
