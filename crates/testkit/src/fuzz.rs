//! Bytes that were good and are damaged, for whatever reads what it did not write itself.
//!
//! A reader must not panic, whatever the bytes are, must end soon and must not take much memory.
//! The damage is drawn from a fixed seed, so the same inputs come in the same order each time; how
//! many there are depends on the time: `REGULARS_FUZZ_SECONDS` for each reader, two without it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const USUAL_SECONDS: u64 = 2;
/// No input may take longer.
const LONGEST: Duration = Duration::from_secs(10);
/// All inputs together may not make the process larger by more than this, in bytes.
const MOST_MEMORY: u64 = 1 << 30;
/// Inputs are not made larger than this, in bytes.
const LARGEST: usize = 64 << 10;
/// Numbers that readers stumble over, as lengths and counts.
const NUMBERS: [u64; 10] = [
    0,
    1,
    0x7f,
    0xff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    1 << 40,
    u64::MAX >> 1,
    u64::MAX,
];

/// What a reader is tried with.
#[derive(Debug, Clone)]
pub struct Fuzz<'a> {
    good: Vec<&'a [u8]>,
    words: Vec<&'a [u8]>,
}

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// Number of inputs.
    pub inputs: u64,
    /// The longest time that one took.
    pub slowest: Duration,
}

/// Shows an input that panics.
struct Shown<'a> {
    number: u64,
    input: &'a [u8],
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let text = String::from_utf8_lossy(self.input);
            let hex = self.input.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            // The test has failed already; this only says with what.
            let _ = writeln!(
                std::io::stderr(),
                "input {}, as text: {text}\nin hexadecimal: {hex}",
                self.number
            );
        }
    }
}

impl<'a> Fuzz<'a> {
    /// Inputs that are read well: what is tried is made of them.
    ///
    /// # Panics
    /// Without any.
    pub fn of(good: &[&'a [u8]]) -> Self {
        assert!(!good.is_empty(), "nothing to damage");
        Self {
            good: good.to_vec(),
            words: Vec::new(),
        }
    }

    /// Pieces that mean something to the reader, put in here and there.
    #[must_use]
    pub fn words(mut self, words: &[&'a [u8]]) -> Self {
        self.words.extend_from_slice(words);
        self
    }

    /// Tries damaged inputs on `reader` until the time is over.
    ///
    /// # Panics
    /// When `reader` does, takes too long or takes too much memory.
    pub fn run(&self, mut reader: impl FnMut(&[u8])) -> Tried {
        let seconds = std::env::var("REGULARS_FUZZ_SECONDS").ok();
        let seconds = seconds.map_or(USUAL_SECONDS, |text| text.parse().expect("whole seconds"));
        let (begun, size) = (Instant::now(), largest_size());
        let mut rng = ChaCha8Rng::seed_from_u64(2026);
        let mut tried = Tried {
            inputs: 0,
            slowest: Duration::ZERO,
        };
        // What is good as it is comes first, then all of the time something else.
        while begun.elapsed() < Duration::from_secs(seconds) {
            let input = match self
                .good
                .get(usize::try_from(tried.inputs).unwrap_or(usize::MAX))
            {
                Some(good) => good.to_vec(),
                None => self.damaged(&mut rng),
            };
            let shown = Shown {
                number: tried.inputs,
                input: &input,
            };
            let began = Instant::now();
            reader(shown.input);
            let took = began.elapsed();
            assert!(took < LONGEST, "it takes {took:?}");
            tried.slowest = tried.slowest.max(took);
            tried.inputs += 1;
        }
        if let (Some(before), Some(now)) = (size, largest_size()) {
            let grown = now.saturating_sub(before);
            assert!(grown < MOST_MEMORY, "it takes {grown} bytes");
        }
        tried
    }

    fn damaged(&self, rng: &mut impl Rng) -> Vec<u8> {
        let mut input = self.good[rng.random_range(0..self.good.len())].to_vec();
        for _ in 0..rng.random_range(1..8) {
            self.damage(&mut input, rng);
        }
        input.truncate(LARGEST);
        input
    }

    fn damage(&self, input: &mut Vec<u8>, rng: &mut impl Rng) {
        let at = rng.random_range(0..=input.len());
        let end = rng.random_range(at..=input.len().min(at + 64));
        match rng.random_range(0..9) {
            0 => input.truncate(at),
            1 => drop(input.drain(at..end)),
            2 => {
                let again = input[at..end].repeat(rng.random_range(1..40));
                input.splice(at..at, again);
            }
            3 => {
                let other = self.good[rng.random_range(0..self.good.len())];
                let from = rng.random_range(0..=other.len());
                input.splice(at.., other[from..].iter().copied());
            }
            4 if !self.words.is_empty() => {
                let word = self.words[rng.random_range(0..self.words.len())];
                input.splice(at..end.min(at + word.len()), word.iter().copied());
            }
            5 => {
                let number = NUMBERS[rng.random_range(0..NUMBERS.len())].to_le_bytes();
                let bytes = [1, 2, 4, 8][rng.random_range(0..4)];
                input.splice(
                    at..input.len().min(at + bytes),
                    number[..bytes].iter().copied(),
                );
            }
            6 => input.insert(at, rng.random()),
            _ => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << rng.random_range(0..8);
                }
            }
        }
    }
}

/// The most memory that this process has had, in bytes; `None` where the system does not say.
fn largest_size() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}
