//! Ctrl-C while files are imported: says what became of them, and ends.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use crate::failure::INTERRUPTED;

/// Waits for Ctrl-C beside the import. `commits` is set as soon as the import may count.
pub(crate) fn watch(commits: &Arc<AtomicBool>) {
    let commits = Arc::clone(commits);
    let (ready, watched) = sync_channel(1);
    let watcher = std::thread::Builder::new().spawn(move || {
        if interrupted(ready).is_err() {
            return;
        }
        let what = if commits.load(Ordering::SeqCst) {
            "some of it may count already: import the files again, nothing counts twice"
        } else {
            "nothing was imported"
        };
        anstream::eprintln!("\ninterrupted: {what}");
        std::process::exit(INTERRUPTED);
    });
    // Without a watcher Ctrl-C ends the process without a word, which harms nothing.
    if watcher.is_ok() {
        let _ = watched.recv();
    }
}

/// Returns after Ctrl-C; `ready` is told as soon as it is waited for.
fn interrupted(ready: SyncSender<()>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut ready = Some(ready);
    runtime.block_on(async {
        let mut signal = pin!(tokio::signal::ctrl_c());
        poll_fn(|context| {
            let polled = signal.as_mut().poll(context);
            if let Some(ready) = ready.take() {
                let _ = ready.send(());
            }
            polled
        })
        .await
    })
}
