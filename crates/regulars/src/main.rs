//! The `regulars` command: arguments in, one flow of the pipeline, text or data out.
//!
//! Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 failure, 2 wrong usage,
//! 3 not found, 4 invalid input, 5 done in part (some rows were rejected).

mod cli;
mod clock;

mod commands;

mod disk_space;
mod failure;
mod interrupt;
mod log;
mod open_files;
mod output;
mod progress;
mod remote;
mod serving;
mod session;
mod text;

use std::process::ExitCode;

use clap::Parser;

/// Folding allocates small things by the million on several threads: the system's allocator
/// takes a fifth of the time there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    cli.color.apply();
    match commands::run(&cli) {
        Ok(done) => done.exit_code(),
        Err(error) => failure::report(&error),
    }
}
