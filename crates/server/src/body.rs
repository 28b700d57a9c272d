//! Bodies of the tracking API on their way in: bounded in size, in time and, all together, in
//! memory.
//!
//! A body is charged for as its bytes arrive, so that a client that announces much and sends
//! little takes nothing from the others; the charge is held until the events of the body are on
//! disk.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::answer::Problem;
use crate::api::asked::{cut_short, too_large};

/// Of a body that is too large so many times the bound is read and forgotten, so that its sender
/// gets to reading the answer.
const READ_AND_FORGOTTEN: usize = 8;

/// Bytes that all bodies may take together.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Arc<Semaphore>,
    whole: usize,
}

/// What one request takes of it, as long as this lives.
#[derive(Debug)]
pub(crate) struct Charge {
    left: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        let whole = bytes.min(Semaphore::MAX_PERMITS);
        Self {
            left: Arc::new(Semaphore::new(whole)),
            whole,
        }
    }

    /// Bytes of bodies that are being read or wait.
    pub(crate) fn used(&self) -> usize {
        self.whole - self.left.available_permits()
    }

    /// For a request that has brought nothing yet.
    pub(crate) fn charge(&self) -> Charge {
        Charge {
            left: Arc::clone(&self.left),
            held: None,
        }
    }
}

impl Charge {
    /// Charges for so many bytes more.
    pub(crate) fn add(&mut self, bytes: usize) -> Result<(), Problem> {
        let bytes = u32::try_from(bytes).map_err(|_| Problem::busy())?;
        let more = Arc::clone(&self.left).try_acquire_many_owned(bytes);
        let more = more.map_err(|_| Problem::busy())?;
        match &mut self.held {
            Some(held) => held.merge(more),
            held => *held = Some(more),
        }
        Ok(())
    }
}

/// Reads a body of at most `most` bytes within `patience`, charging for it.
pub(crate) async fn read(
    body: Body,
    most: usize,
    patience: Duration,
    charge: &mut Charge,
) -> Result<Bytes, Problem> {
    tokio::time::timeout(patience, read_all(body, most, charge))
        .await
        .unwrap_or_else(|_| Err(Problem::too_slow(patience)))
}

async fn read_all(mut body: Body, most: usize, charge: &mut Charge) -> Result<Bytes, Problem> {
    let mut whole = Vec::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| cut_short())?;
        // Trailers say nothing here.
        let Ok(bytes) = frame.into_data() else {
            continue;
        };
        seen += bytes.len();
        if seen > most {
            whole = Vec::new();
            if seen > most.saturating_mul(READ_AND_FORGOTTEN) {
                break;
            }
            continue;
        }
        charge.add(bytes.len())?;
        whole.extend_from_slice(&bytes);
    }
    if seen > most {
        return Err(too_large());
    }
    Ok(whole.into())
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::HttpBody;
    use hyper::body::Frame;

    use super::*;

    /// The body of a client that sends its head and then nothing.
    struct Never;

    impl HttpBody for Never {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
            Poll::Pending
        }
    }

    fn read_now(body: Body, most: usize, charge: &mut Charge) -> Result<Bytes, Problem> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(read(body, most, Duration::from_secs(30), charge))
    }

    fn code(read: Result<Bytes, Problem>) -> &'static str {
        read.unwrap_err().code
    }

    #[test]
    fn what_is_charged_is_given_back_when_the_request_ends() {
        let budget = Budget::new(10);
        let (mut one, mut other) = (budget.charge(), budget.charge());
        assert_eq!(read_now("abcdef".into(), 10, &mut one).unwrap(), "abcdef");
        assert_eq!(budget.used(), 6);
        assert_eq!(code(read_now("abcdef".into(), 10, &mut other)), "busy");
        assert_eq!(read_now("abcd".into(), 10, &mut other).unwrap(), "abcd");
        drop(one);
        assert_eq!(budget.used(), 4);
        drop(other);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_body_that_is_too_large_is_charged_for_up_to_the_bound_alone() {
        let budget = Budget::new(100);
        let mut charge = budget.charge();
        let body = Body::from("a".repeat(1_000));
        assert_eq!(code(read_now(body, 50, &mut charge)), "too_large");
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_body_that_never_comes_is_given_up() {
        let budget = Budget::new(100);
        let mut charge = budget.charge();
        assert_eq!(
            code(read_now(Body::new(Never), 50, &mut charge)),
            "too_slow"
        );
    }
}
