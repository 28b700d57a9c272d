//! Ctrl-C while files are imported: says what became of them, and ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::INTERRUPTED;

/// Waits for Ctrl-C beside the import. `commits` is set as soon as the import may count.
pub(crate) fn watch(commits: &Arc<AtomicBool>) {
    let commits = Arc::clone(commits);
    // Without the thread Ctrl-C ends the process without a word, which harms nothing.
    let _ = std::thread::Builder::new().spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let Ok(runtime) = runtime else { return };
        if runtime.block_on(tokio::signal::ctrl_c()).is_err() {
            return;
        }
        let what = if commits.load(Ordering::SeqCst) {
            "the import was at its end: `regulars report` tells whether it counts"
        } else {
            "nothing was imported"
        };
        anstream::eprintln!("\ninterrupted: {what}");
        std::process::exit(INTERRUPTED);
    });
}
