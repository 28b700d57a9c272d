//! What docs/operations.md says: its backup, by its own commands, and its metrics.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::server::Server;
use crate::shop::{Shop, repository};

fn page() -> String {
    std::fs::read_to_string(repository().join("docs/operations.md")).unwrap()
}

/// The commands of the page's section, but for `regulars` itself.
fn commands() -> Vec<String> {
    let page = page();
    let (_, section) = page.split_once("\n## Backup\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let commands = section.lines().filter_map(|line| line.strip_prefix("$ "));
    let commands = commands.filter(|command| !command.starts_with("regulars "));
    commands.map(str::to_owned).collect()
}

fn copy(shop: &Shop) {
    let commands = commands();
    assert!(commands.len() >= 5, "{commands:?}");
    for command in commands {
        let mut shell = Command::new("sh");
        let done = shell
            .args(["-c", &command])
            .current_dir(shop.directory())
            .status();
        assert!(done.unwrap().success(), "{command}");
    }
}

fn batch(name: &str, customers: &str, from: u32) -> Value {
    let event = |number: u32| {
        json!({
            "type": "track",
            "userId": format!("{customers}-{}", number % 9),
            "messageId": format!("{name} {number}"),
            "event": name,
        })
    };
    (from..from + 20).map(event).collect()
}

/// Ids of those in the segment, in the workspace or in its copy.
fn searchers(shop: &Shop, of: &Path) -> Vec<String> {
    let of = of.to_str().unwrap();
    let members = shop.json(&["segments", "members", "searchers", "-C", of]);
    let members = members["members"].as_array().unwrap().iter();
    let ids = members.map(|member| member["customer_id"].as_str().unwrap().to_owned());
    ids.collect()
}

fn check(shop: &Shop, expected: &[String]) {
    let backup = shop.directory().join("backup");
    let looked = shop.run(&["doctor", "-C", "backup"]);
    assert!(looked.status.success(), "{looked:?}");
    assert_eq!(searchers(shop, &backup), expected);
    std::fs::remove_dir_all(backup).unwrap();
}

#[test]
fn a_copy_made_while_it_runs_and_one_made_after_it_stopped_are_whole() {
    let shop = Shop::tiny();
    shop.own_segment("searchers", "events 'Products Searched' >= 3");
    let server = Server::start(&shop);
    server.track(&batch("Products Searched", "c", 0));
    let expected = searchers(&shop, &shop.root());
    assert_eq!(expected, ["c-0", "c-1"]);
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            for number in 0..80 {
                server.track(&batch("Product Viewed", "other", number * 20));
            }
        });
        while !sending.is_finished() {
            copy(&shop);
            check(&shop, &expected);
        }
    });
    server.stop();
    copy(&shop);
    check(&shop, &expected);
}

#[test]
fn the_page_names_every_metric_and_no_other() {
    let shop = Shop::empty("EUR");
    let server = Server::start(&shop);
    let metrics = server.ask("GET", "/metrics", "", "").body;
    server.stop();
    let types = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    let names = types.map(|line| line.split(' ').next().unwrap());
    let mut served: Vec<&str> = names.collect();
    served.sort_unstable();
    let page = page();
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `regulars_"));
    let names = rows.map(|row| format!("regulars_{}", row.split(['`', '{']).next().unwrap()));
    let mut told: Vec<String> = names.collect();
    told.sort_unstable();
    assert_eq!(served, told);
}
