//! Work over chunks of fixed size on several threads, with results that do not depend on how many.
//!
//! The chunks are the same for any number of threads and their results come back in order, so a sum
//! over them has one order of additions.

use std::num::NonZeroUsize;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// How many threads a computation may use. Never affects a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parallelism(NonZeroUsize);

impl Parallelism {
    /// One thread: the caller's.
    pub const ONE: Self = Self(NonZeroUsize::MIN);

    /// At most `threads` threads; zero is taken as one.
    pub fn threads(threads: usize) -> Self {
        Self(NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN))
    }

    /// The number of threads.
    pub fn get(self) -> usize {
        self.0.get()
    }
}

impl Default for Parallelism {
    fn default() -> Self {
        Self::ONE
    }
}

/// Applies `work` to each chunk `[k · chunk, (k + 1) · chunk)` of `0..len`; results in chunk order.
///
/// Each thread takes one contiguous run of chunks.
pub fn map_chunks<T, F>(len: usize, chunk: usize, parallelism: Parallelism, work: F) -> Vec<T>
where
    T: Send,
    F: Fn(Range<usize>) -> T + Sync,
{
    let chunk = chunk.max(1);
    let n_chunks = len.div_ceil(chunk);
    let n_threads = parallelism.get().min(n_chunks).max(1);
    let range = |k: usize| k * chunk..((k + 1) * chunk).min(len);
    if n_threads == 1 {
        return (0..n_chunks).map(|k| work(range(k))).collect();
    }
    let per_thread = n_chunks.div_ceil(n_threads);
    let run = |thread: usize| -> Vec<T> {
        let last = ((thread + 1) * per_thread).min(n_chunks);
        (thread * per_thread..last)
            .map(|k| work(range(k)))
            .collect()
    };
    std::thread::scope(|scope| {
        let run = &run;
        let others: Vec<_> = (1..n_threads)
            .map(|thread| scope.spawn(move || run(thread)))
            .collect();
        let mut results = run(0);
        for other in others {
            match other.join() {
                Ok(part) => results.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consistency_any_number_of_threads_gives_the_same_chunks() {
        let one = map_chunks(1_003, 10, Parallelism::ONE, |range| range);
        for threads in [2, 3, 7, 500] {
            assert_eq!(
                one,
                map_chunks(1_003, 10, Parallelism::threads(threads), |range| range)
            );
        }
        assert_eq!(one.last(), Some(&(1_000..1_003)));
    }

    #[test]
    fn inputchecks_nothing_to_do_is_no_chunk() {
        assert!(map_chunks(0, 10, Parallelism::threads(4), |range| range).is_empty());
    }
}
