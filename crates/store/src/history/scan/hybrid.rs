//! Small numbers as Parquet packs them: runs of one number, and numbers of a few bits side by side
//! (Parquet format, "Run Length Encoding / Bit-Packing Hybrid").

use bytes::Bytes;

use crate::history::values::Unusable;

/// Numbers unpacked at a time.
const BUFFER: usize = 256;

/// Packed numbers, some of which were read.
#[derive(Debug, Default)]
pub(super) struct Hybrid {
    data: Bytes,
    at: usize,
    width: usize,
    run: Run,
    /// Numbers of the run that are still to come.
    left: usize,
}

#[derive(Debug, Clone, Copy)]
enum Run {
    Same(u32),
    /// Where its bytes start, and how many numbers of it were read.
    Packed {
        start: usize,
        read: usize,
    },
}

impl Default for Run {
    fn default() -> Self {
        Self::Same(0)
    }
}

impl Hybrid {
    /// Numbers of `width` bits.
    pub(super) fn new(data: Bytes, width: usize) -> Result<Self, Unusable> {
        if width > 32 {
            return Err(format!("numbers of {width} bits"));
        }
        Ok(Self {
            data,
            width,
            ..Self::default()
        })
    }

    /// Appends what the next `count` numbers stand for in `meanings`.
    pub(super) fn read<T: Clone>(
        &mut self,
        mut count: usize,
        meanings: &[T],
        out: &mut Vec<T>,
    ) -> Result<(), Unusable> {
        let unknown = || "a number that is not in its dictionary".to_owned();
        let mut numbers = [0; BUFFER];
        while count > 0 {
            if self.left == 0 {
                self.next_run()?;
                continue;
            }
            let take = match &mut self.run {
                Run::Same(number) => {
                    let take = count.min(self.left);
                    let meaning = meanings.get(*number as usize).ok_or_else(unknown)?;
                    out.extend(std::iter::repeat_n(meaning.clone(), take));
                    take
                }
                Run::Packed { start, read } => {
                    let take = count.min(self.left).min(BUFFER);
                    let packed = self.data.get(*start..).unwrap_or_default();
                    let some = &mut numbers[..take];
                    unpack(packed, self.width, *read, some)?;
                    let largest = some.iter().fold(0, |largest, &n| largest.max(n));
                    if largest as usize >= meanings.len() {
                        return Err(unknown());
                    }
                    out.extend(some.iter().map(|&n| meanings[n as usize].clone()));
                    *read += take;
                    take
                }
            };
            self.left -= take;
            count -= take;
        }
        Ok(())
    }

    fn next_run(&mut self) -> Result<(), Unusable> {
        let header = self.varint()?;
        let count = (header >> 1) as usize;
        if header & 1 == 0 {
            let bytes = self.width.div_ceil(8);
            let mut number = [0; 4];
            let told = self.data.get(self.at..self.at + bytes);
            number[..bytes].copy_from_slice(told.ok_or_else(cut_short)?);
            self.at += bytes;
            self.run = Run::Same(u32::from_le_bytes(number));
            self.left = count;
        } else {
            self.run = Run::Packed {
                start: self.at,
                read: 0,
            };
            self.at = self.at.saturating_add(count.saturating_mul(self.width));
            self.left = count.saturating_mul(8);
        }
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, Unusable> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = *self.data.get(self.at).ok_or_else(cut_short)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a run without an end".to_owned())
    }
}

fn cut_short() -> Unusable {
    "a page is cut short".to_owned()
}

/// Numbers of `width` bits from the one with index `first` on.
fn unpack(packed: &[u8], width: usize, first: usize, out: &mut [u32]) -> Result<(), Unusable> {
    if packed.len() < ((first + out.len()) * width).div_ceil(8) {
        return Err(cut_short());
    }
    // Eight numbers take as many bytes as one has bits.
    let apart = (first.next_multiple_of(8) - first).min(out.len());
    let (head, rest) = out.split_at_mut(apart);
    unpack_any(packed, width, first, head);
    let first = first + apart;
    let groups = packed.get(first / 8 * width..).unwrap_or_default();
    macro_rules! by_width {
        ($($width:literal)*) => {
            match width {
                $($width => unpack_groups::<$width>(groups, rest),)*
                _ => unpack_any(packed, width, first, rest),
            }
        };
    }
    by_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
    Ok(())
}

fn unpack_any(packed: &[u8], width: usize, first: usize, out: &mut [u32]) {
    let mask = (1_u64 << width) - 1;
    for (index, number) in (first..).zip(out) {
        let bit = index * width;
        *number = (word_at(packed, bit / 8) >> (bit % 8) & mask) as u32;
    }
}

/// Numbers of up to 16 bits that start at a byte.
fn unpack_groups<const WIDTH: usize>(packed: &[u8], out: &mut [u32]) {
    let mask = (1_u64 << WIDTH) - 1;
    let mut at = 0;
    for numbers in out.chunks_mut(8) {
        let word = word_at(packed, at);
        // Four numbers always fit into a word, eight only if they are narrow.
        let upper = if WIDTH <= 8 {
            word >> (4 * WIDTH)
        } else {
            word_at(packed, at + WIDTH / 2) >> (WIDTH % 2 * 4)
        };
        let unpacked: [u32; 8] = std::array::from_fn(|index| {
            let half = if index < 4 { word } else { upper };
            (half >> (index % 4 * WIDTH) & mask) as u32
        });
        numbers.copy_from_slice(&unpacked[..numbers.len()]);
        at += WIDTH;
    }
}

/// Eight bytes; those beyond the end are 0.
fn word_at(packed: &[u8], at: usize) -> u64 {
    if let Some(bytes) = packed.get(at..).and_then(<[u8]>::first_chunk) {
        return u64::from_le_bytes(*bytes);
    }
    let rest = packed.get(at..).unwrap_or_default();
    let mut bytes = [0; 8];
    bytes[..rest.len()].copy_from_slice(rest);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Packs runs as the format tells it: bit by bit.
    fn pack(runs: &[(bool, Vec<u32>)], width: usize) -> (Vec<u8>, Vec<u32>) {
        let (mut data, mut numbers) = (Vec::new(), Vec::new());
        for (same, run) in runs {
            if *same {
                data.push((run.len() as u8) << 1);
                data.extend_from_slice(&run[0].to_le_bytes()[..width.div_ceil(8)]);
                numbers.extend(run.iter().map(|_| run[0]));
                continue;
            }
            let groups = run.len().div_ceil(8);
            data.push((groups as u8) << 1 | 1);
            let start = data.len();
            data.resize(start + groups * width, 0);
            for (index, number) in run.iter().enumerate() {
                for bit in 0..width {
                    let place = index * width + bit;
                    data[start + place / 8] |= ((number >> bit & 1) as u8) << (place % 8);
                }
            }
            numbers.extend(run);
            numbers.extend(std::iter::repeat_n(0, groups * 8 - run.len()));
        }
        (data, numbers)
    }

    proptest! {
        #[test]
        fn numbers_are_what_was_packed(
            width in 0_usize..=20,
            runs in proptest::collection::vec(
                (any::<bool>(), proptest::collection::vec(any::<u32>(), 1..60)),
                1..6,
            ),
            step in 1_usize..50,
        ) {
            let meanings: Vec<u32> = (0..1 << width).collect();
            let narrow = |n: &u32| (u64::from(*n) % (1 << width)) as u32;
            let runs: Vec<_> = runs
                .iter()
                .map(|(same, run)| (*same, run.iter().map(narrow).collect()))
                .collect();
            let (data, numbers) = pack(&runs, width);
            let mut hybrid = Hybrid::new(data.clone().into(), width).unwrap();
            let mut read = Vec::new();
            while read.len() < numbers.len() {
                let count = step.min(numbers.len() - read.len());
                hybrid.read(count, &meanings, &mut read).unwrap();
            }
            prop_assert_eq!(&read, &numbers);
            prop_assert!(hybrid.read(1, &meanings, &mut read).is_err());
            // Cut anywhere, it is an error and nothing worse.
            for cut in 0..data.len() {
                let mut hybrid = Hybrid::new(data[..cut].to_vec().into(), width).unwrap();
                let whole = hybrid.read(numbers.len(), &meanings, &mut Vec::new());
                prop_assert!(whole.is_err() || width == 0);
            }
            // So are numbers that mean nothing.
            let known = &meanings[..meanings.len() / 2];
            let mut hybrid = Hybrid::new(data.into(), width).unwrap();
            let unknown = numbers.iter().any(|&n| n as usize >= known.len());
            let all = hybrid.read(numbers.len(), known, &mut Vec::new());
            prop_assert_eq!(all.is_err(), unknown);
        }
    }
}
