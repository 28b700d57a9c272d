//! `docs/json.md` names every field of every document, with the types that it has.
//!
//! The page has a section for each command and for each object that several commands share. A
//! row of a section's table is `` | `path` | types | meaning | ``; a type may be a link to the section
//! of an object, `any` covers whatever lies below, `*` in a path stands for any name. A meaning that
//! lists words lists all that a text may be.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Fields that no sample has: what it takes is rare.
const NOT_IN_SAMPLES: [&str; 3] = [
    "import---dry-run: files[].columns[].role.personal",
    "import---dry-run: files[].notes[]",
    "value: at_least",
];

struct Row {
    path: String,
    types: String,
    meaning: String,
}

impl Row {
    /// The words that a text may be, where the page lists them: at the start of the meaning, or after
    /// its first colon.
    fn words(&self) -> Option<Vec<&str>> {
        let at = match self.meaning.starts_with('`') {
            true => 0,
            false => self.meaning.find(": `")?,
        };
        let list = &self.meaning[at..];
        (!list.contains("and the like")).then(|| list.split('`').skip(1).step_by(2).collect())
    }
}

/// The rows of each section, by the title as links have it.
fn sections() -> BTreeMap<String, Vec<Row>> {
    let page = crate::shop::repository().join("docs/json.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut sections: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    let mut section = String::new();
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = anchor(title);
        } else if let Some(row) = line.strip_prefix("| `") {
            let cells: Vec<&str> = row.split(" | ").collect();
            sections.entry(section.clone()).or_default().push(Row {
                path: cells[0].trim_end_matches('`').to_owned(),
                types: cells[1].to_owned(),
                meaning: cells[2].to_owned(),
            });
        }
    }
    sections
}

/// A title as a link to it is written.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| !"`.".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.split('.'), path.split('.'));
    pattern.clone().count() == path.clone().count()
        && pattern.zip(path).all(|(pattern, part)| {
            let name = pattern.replace('*', "");
            pattern == part || pattern.starts_with('*') && part.ends_with(&name)
        })
}

struct Check<'a> {
    sections: &'a BTreeMap<String, Vec<Row>>,
    used: BTreeSet<(String, String)>,
    missing: BTreeSet<String>,
}

impl Check<'_> {
    fn value(&mut self, section: &str, path: &str, value: &Value) {
        let rows = self.sections.get(section);
        let rows = rows.unwrap_or_else(|| panic!("docs/json.md has no section `{section}`"));
        let row = rows.iter().find(|row| matches(&row.path, path));
        if let Some(row) = row {
            let used = (section.to_owned(), row.path.clone());
            self.used.insert(used);
            if row.types.contains("any") {
                return;
            }
        }
        let seen = match value {
            Value::Array(items) => {
                for item in items {
                    self.value(section, &format!("{path}[]"), item);
                }
                return;
            }
            Value::Object(fields) => {
                let link = row.and_then(|row| row.types.split("(#").nth(1));
                let linked = link.and_then(|rest| rest.split(')').next());
                for (name, value) in fields {
                    match linked {
                        Some(linked) => self.value(linked, name, value),
                        None if path.is_empty() => self.value(section, name, value),
                        None => self.value(section, &format!("{path}.{name}"), value),
                    }
                }
                return;
            }
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(text) => {
                if let Some(words) = row.and_then(Row::words)
                    && !words.contains(&text.as_str())
                {
                    self.missing.insert(format!("{section}: {path}: `{text}`"));
                }
                "string"
            }
        };
        let known = row.is_some_and(|row| row.types.split(" or ").any(|of| of == seen));
        if !known {
            self.missing.insert(format!("{section}: {path}: {seen}"));
        }
    }
}

#[test]
fn the_page_names_every_field_and_no_other() {
    let sections = sections();
    let mut check = Check {
        sections: &sections,
        used: BTreeSet::new(),
        missing: BTreeSet::new(),
    };
    for sample in crate::json::samples() {
        let section = match sample.command {
            "try" => "report",
            "score" => "models",
            "segments preview" => "segments show",
            "destinations add" => "Destination",
            "deliveries replay" => "Delivery",
            command => command,
        };
        check.value(&anchor(section), "", &sample.document);
    }
    let missing: Vec<String> = check.missing.into_iter().collect();
    assert!(
        missing.is_empty(),
        "not in docs/json.md:\n{}",
        missing.join("\n")
    );
    let mut unused = Vec::new();
    for (section, rows) in &sections {
        for row in rows {
            let key = (section.clone(), row.path.clone());
            let place = format!("{section}: {}", row.path);
            if !check.used.contains(&key) && !NOT_IN_SAMPLES.contains(&&*place) {
                unused.push(place);
            }
        }
    }
    assert!(
        unused.is_empty(),
        "in docs/json.md but nowhere else:\n{}",
        unused.join("\n")
    );
}
