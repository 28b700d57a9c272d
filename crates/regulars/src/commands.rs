//! The commands: each a file, each from its arguments to its output.

mod accounts;
mod customers;
mod deliver;
mod demo;
mod doctor;
mod doubts;
mod export;
mod files;
mod identity;
mod import;
mod keys;
mod models;
mod recorded;
mod report;
mod segments;
mod serve;
mod served;
mod traits;
mod transitions;
mod try_files;

use std::io::Write;

use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::failure::Done;
use served::Served;

/// Runs the command.
pub(crate) fn run(cli: &Cli) -> anyhow::Result<Done> {
    let _held_to_the_end = match served::through_server(cli)? {
        Served::Done(done) => return Ok(done),
        Served::Lent(loan) => Some(loan),
        Served::Nothing => None,
    };
    match &cli.command {
        Command::Try(args) => try_files::run(cli, args),
        Command::Init(args) => import::init(cli, args),
        Command::Import(args) => import::run(cli, args),
        Command::Score(args) => models::score(cli, args),
        Command::Report(args) => report::run(cli, args),
        Command::Segments(args) => segments::run(cli, args),
        Command::Customers(args) => customers::run(cli, args),
        Command::Accounts(args) => accounts::run(cli, args),
        Command::Explain(args) => customers::explain(cli, args),
        Command::Transitions(args) => transitions::run(cli, args),
        Command::Serve(args) => serve::run(cli, args),
        Command::Doctor => doctor::run(cli),
        Command::Keys(args) => keys::keys(cli, args),
        Command::Tokens(args) => keys::tokens(cli, args),
        Command::Destinations(args) => deliver::destinations(cli, args),
        Command::Deliveries(args) => deliver::deliveries(cli, args),
        Command::Models => models::show(cli),
        Command::Export(args) => export::run(cli, args),
        Command::Traits => traits::run(cli),
        Command::Demo(args) => demo::run(cli, args),
        Command::Generate(args) => demo::generate(cli, args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "regulars", &mut script);
            std::io::stdout().write_all(&script)?;
            Ok(Done::Whole)
        }
    }
}
