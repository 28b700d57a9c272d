//! What goes where: data to stdout, the rest to stderr, colours only where they are wanted.

use std::process::Stdio;

use crate::shop::Shop;

const LOOKS: [&[&str]; 6] = [
    &["report"],
    &["segments"],
    &["segments", "show", "dormant"],
    &["customers", "show", "K01"],
    &["explain", "K01", "dormant"],
    &["models"],
];

#[test]
fn colours_only_where_they_are_wanted() {
    let shop = Shop::tiny_scored();
    let coloured = |arguments: &[&str], no_color: Option<&str>| {
        let mut command = shop.command(arguments);
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout.contains(&0x1b)
    };
    for look in LOOKS {
        let with = |options: &[&'static str]| [look, options].concat();
        assert!(!coloured(&with(&[]), None), "{look:?} into a pipe");
        let never = with(&["--color", "never"]);
        assert!(!coloured(&never, None), "{look:?}");
        let always = with(&["--color", "always"]);
        assert!(coloured(&always, None), "{look:?}");
        // What is said on the command line counts more than the environment.
        assert!(coloured(&always, Some("1")), "{look:?}");
        for format in ["json", "jsonl", "csv"] {
            let data = with(&["--color", "always", "--format", format]);
            assert!(!coloured(&data, None), "{look:?} as {format}");
        }
    }
    let error = shop.command(&["report", "-C", "nowhere"]).output().unwrap();
    assert!(!error.stderr.contains(&0x1b), "{error:?}");
}

#[test]
fn notes_and_progress_are_not_data() {
    let shop = Shop::tiny_scored();
    for look in LOOKS {
        let loud = shop.run(look);
        let quiet = shop.run(&[look, &["--quiet"]].concat());
        assert_eq!(loud.stdout, quiet.stdout, "{look:?}");
        assert_eq!(String::from_utf8_lossy(&quiet.stderr), "", "{look:?}");
    }
    let said = shop.run(&["segments"]).stderr;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("--as-of changes it"), "{said}");
}

/// `regulars … | head`: the reader has gone, and nothing is wrong.
#[test]
fn a_closed_stdout_ends_quietly() {
    let shop = Shop::tiny_scored();
    let more: [&[&str]; 4] = [
        &["segments", "members", "dormant", "--format", "csv"],
        &["export", "customers", "--format", "jsonl"],
        &["traits"],
        &["completions", "bash"],
    ];
    for arguments in LOOKS.iter().chain(&more) {
        let mut command = shop.command(&[arguments, &["--quiet"][..]].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status.code(), &*said),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn completions_are_scripts_of_the_shell() {
    let shop = Shop::empty("EUR");
    let marks = [
        ("bash", "complete -F _regulars"),
        ("zsh", "#compdef regulars"),
        ("fish", "complete -c regulars"),
    ];
    for (shell, mark) in marks {
        let script = shop.good(&["completions", shell]);
        assert!(script.contains(mark), "{shell}");
        for word in ["segments", "preview", "dry-run", "as-of"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}
