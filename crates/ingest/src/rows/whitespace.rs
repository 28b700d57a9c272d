//! Lines whose cells are separated by runs of spaces and tabs, without quotes.

use memchr::memchr_iter;

use super::text::Found;
use crate::RejectReason;

/// The cells of a line, as ranges of `line`.
pub(crate) fn split_line(line: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at
            + line[at..]
                .iter()
                .position(|byte| !byte.is_ascii_whitespace())?;
        let length = line[start..].iter().position(u8::is_ascii_whitespace);
        at = length.map_or(line.len(), |length| start + length);
        Some((start, at))
    })
}

/// Splits the complete lines of `block` into `width` cells each.
pub(super) fn split(block: &[u8], width: usize, max_rows: usize) -> Found {
    let mut found = Found::default();
    for end in memchr_iter(b'\n', block) {
        if found.lines.len() + found.rejected.len() >= max_rows {
            break;
        }
        let (start, line) = (found.consumed, found.line_breaks);
        let first_cell = found.bounds.len();
        let cells = split_line(&block[start..end]);
        found
            .bounds
            .extend(cells.map(|(s, e)| ((start + s) as u32, (start + e) as u32)));
        match found.bounds.len() - first_cell {
            0 => found.skipped.blank_rows += 1,
            n if n == width => found.lines.push(line),
            n => {
                found.bounds.truncate(first_cell);
                found.rejected.push((
                    line,
                    RejectReason::Ragged {
                        expected: width,
                        found: n,
                    },
                ));
            }
        }
        found.consumed = end + 1;
        found.line_breaks += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_space_separate_cells() {
        let found = split(b" 00004 0001\t2.5 \n\nx y\n1  2   3\nopen", 3, 100);
        assert_eq!(found.lines, [0, 3]);
        assert_eq!(found.skipped.blank_rows, 1);
        assert_eq!(
            found.rejected,
            [(
                2,
                RejectReason::Ragged {
                    expected: 3,
                    found: 2
                }
            )]
        );
        assert_eq!(found.consumed, 31);
    }
}
