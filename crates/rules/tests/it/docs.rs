//! Every example of the user's page is a rule, and its JSON is one too.

use regulars_rules::{Rule, check, describe, parse};

use crate::language::vocabulary;

const PAGE: &str = include_str!("../../../../docs/rules.md");

/// The text between pairs of `mark`.
fn between<'a>(text: &'a str, mark: &str) -> Vec<&'a str> {
    text.split(mark).skip(1).step_by(2).collect()
}

fn is_rule(text: &str) -> Result<(), String> {
    let vocabulary = vocabulary(&["loyal", "price_sensitive"]);
    let rule = parse(text).map_err(|error| error.render(text))?;
    check(&rule, &vocabulary).map_err(|error| error.render(text))?;
    let again = parse(&rule.to_string()).map_err(|error| error.render(&rule.to_string()))?;
    assert_eq!(again, rule, "{text}");
    assert_eq!(
        Rule::from_json(&rule.to_json()).as_ref(),
        Ok(&rule),
        "{text}"
    );
    assert!(describe(&rule).ends_with('.'), "{text}");
    Ok(())
}

#[test]
fn every_example_of_the_tables_is_a_rule() {
    let rows = PAGE
        .lines()
        .skip_while(|line| *line != "| construct | example |")
        .filter(|line| line.starts_with("| ") && !line.starts_with("| construct |"));
    let mut examples = 0;
    for row in rows.take_while(|row| !row.starts_with("| part |")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        // Tables of examples have two columns, the second of which is one example.
        if let [_, example] = cells[..] {
            let example = example.trim_matches('`');
            is_rule(example).unwrap_or_else(|error| panic!("{error}"));
            examples += 1;
        }
    }
    assert!(examples >= 80, "{examples} examples were found");
}

#[test]
fn the_examples_in_the_text_are_rules() {
    for block in between(PAGE, "```")
        .into_iter()
        .filter_map(|block| block.strip_prefix("rule\n"))
    {
        is_rule(block).unwrap_or_else(|error| panic!("{error}"));
    }
    let is_sentence = |line: &&str| !line.starts_with(['|', '{', ' ']) && !line.starts_with("```");
    let sentences = PAGE.lines().filter(is_sentence);
    let quoted = sentences.flat_map(|line| between(line, "`"));
    let examples: Vec<&str> = quoted
        .filter(|text| text.contains(">=") || text.contains("= '"))
        .collect();
    assert!(examples.len() >= 7, "{examples:?}");
    for example in examples {
        let example = example.replace("{lifecycle.dormant_days}", "60");
        is_rule(&example).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_json_of_the_page_is_a_rule() {
    let blocks = between(PAGE, "```");
    let json = blocks
        .iter()
        .find_map(|block| block.strip_prefix("json\n"))
        .unwrap();
    let rule = Rule::from_json(json).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        rule.to_string(),
        "orders >= 3 and orders where category = 'Shoes' in last 180 days >= 1 \
         and last order where (discounted) before 30 days ago \
         and events 'Product Viewed' where price >= 50 in last 7 days >= 3 \
         and event 'Product Added' then not event 'Order Completed' within 2 hours \
         and traits.gender in ('f', 'd') \
         and (everyone or not in segment loyal)"
    );
}
