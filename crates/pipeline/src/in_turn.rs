//! Numbered pieces of work on several threads, each of which takes the next piece when it is done
//! with one.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::PipelineError;

/// Does `work` for each of `0..count` on `threads` threads, each with a `start()` of its own that
/// it uses again from piece to piece; the results come in the order of the pieces.
///
/// # Errors
/// When a piece fails; no other is begun then.
pub(crate) fn in_turn<S, T: Send>(
    count: usize,
    threads: usize,
    start: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> Result<T, PipelineError> + Sync,
) -> Result<Vec<T>, PipelineError> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(count));
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let mut state = start();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let result = work(&mut state, index);
                    if result.is_err() {
                        next.store(count, Ordering::Relaxed);
                    }
                    results
                        .lock()
                        .expect("no thread panics while it holds it")
                        .push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("all threads have ended");
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_on_any_number_of_threads() {
        for threads in [0, 1, 3, 20] {
            let squares = in_turn(10, threads, || (), |(), index| Ok(index * index));
            let expected: Vec<usize> = (0..10).map(|index| index * index).collect();
            assert_eq!(squares.unwrap(), expected);
        }
    }

    #[test]
    fn an_error_ends_it() {
        let done = AtomicUsize::new(0);
        let failed = in_turn(
            1_000,
            1,
            || (),
            |(), index| {
                done.fetch_add(1, Ordering::Relaxed);
                match index {
                    3 => Err(PipelineError::NoOrders),
                    _ => Ok(()),
                }
            },
        );
        assert!(matches!(failed, Err(PipelineError::NoOrders)));
        assert_eq!(done.into_inner(), 4);
    }
}
