use clap::{CommandFactory, Parser};

use super::Cli;

/// Every command and every command below it, with the words that lead to it.
fn commands() -> Vec<(String, clap::Command)> {
    let mut found = Vec::new();
    let mut left = vec![("regulars".to_owned(), Cli::command())];
    while let Some((path, command)) = left.pop() {
        for below in command.get_subcommands() {
            left.push((format!("{path} {}", below.get_name()), below.clone()));
        }
        found.push((path, command));
    }
    found
}

/// The lines of the help that begin with `regulars`.
fn examples(command: &clap::Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string);
    let help = help.unwrap_or_default();
    let lines = help.lines().map(str::trim);
    let examples = lines.filter(|line| line.starts_with("regulars "));
    examples.map(str::to_owned).collect()
}

/// Words as a shell makes them: quotes keep words together, `>` is not the command's.
fn words(line: &str) -> Vec<String> {
    let line = line.split(" > ").next().unwrap();
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_has_examples_that_can_be_typed() {
    for (path, command) in commands() {
        let examples = examples(&command);
        assert!(examples.len() >= 2, "`{path}` has no two examples");
        for example in examples {
            assert!(example.starts_with(&path), "`{example}` below `{path}`");
            // Quotes in a rule are in the way of `" > "`.
            let typed = if example.contains('"') {
                words(&example.replace(" > ", " >\u{a0}"))
            } else {
                words(&example)
            };
            let parsed = Cli::try_parse_from(&typed);
            assert!(parsed.is_ok(), "`{example}`: {}", parsed.unwrap_err());
        }
    }
}

#[test]
fn the_help_tells_the_exit_codes() {
    let help = Cli::command().render_long_help().to_string();
    for code in [
        "0 done",
        "1 failure",
        "2 wrong",
        "3 not",
        "4 invalid",
        "5 done in part",
    ] {
        assert!(help.contains(code), "{code}");
    }
}
