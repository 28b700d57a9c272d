//! What a file does not tell of its orders, and what follows from it: the same words after an
//! import, in a dry run and in a look.

use std::path::Path;

use regulars_pipeline::{DryFile, FileReport, ImportReport, StoredRows};

use crate::text::agreeing;

/// Files that a line names.
const FILES: usize = 3;

/// What an import leaves doubtful, a line each.
pub(super) fn of_import(report: &ImportReport) -> Vec<String> {
    let read = report.files.iter().filter(|file| !file.skipped);
    let mut doubts: Vec<String> = read.flat_map(of_file).collect();
    doubts.extend(stored_without_ids(&report.stored_without_order_id));
    let reassigned = report.orders.reassigned_orders;
    doubts.extend((reassigned > 0).then(|| reassigned_orders(reassigned)));
    doubts
}

fn of_file(file: &FileReport) -> Vec<String> {
    let rows = file.rows - file.rejected;
    let titles = titles(&file.file, file.title_lines);
    let without = without_ids(&file.file, file.rows_without_order_id, rows);
    titles.into_iter().chain(without).collect()
}

/// What an import of a file would leave doubtful, a line each.
pub(super) fn of_dry_run(file: &DryFile) -> Vec<String> {
    let (path, rows) = (&file.recognition.file, file.rows - file.rejected);
    let mut doubts: Vec<String> = titles(path, file.recognition.title_lines)
        .into_iter()
        .collect();
    doubts.extend(without_ids(path, file.rows_without_order_id, rows));
    doubts.extend(stored_without_ids(&file.stored_without_order_id));
    let reassigned = file.reassigned_orders;
    doubts.extend((reassigned > 0).then(|| reassigned_orders(reassigned)));
    doubts
}

fn titles(file: &Path, lines: u64) -> Option<String> {
    let said = "line{|s} above the header of `FILE` {is|are} taken for a title and left out";
    let text = || agreeing(lines, said).replace("FILE", &file.display().to_string());
    (lines > 0).then(text)
}

fn without_ids(file: &Path, rows: u64, all: u64) -> Option<String> {
    let file = file.display();
    let (what, each) = match rows {
        0 => return None,
        rows if rows >= all => ("no order id".to_owned(), "each row"),
        rows => (
            agreeing(rows, "row{|s} without an order id"),
            "each of them",
        ),
    };
    Some(format!(
        "`{file}`: {what}: {each} is an order of its own, and a later export that corrects one adds it \
         again; if a column holds the id, say `--map order_id=COLUMN` in the first import"
    ))
}

fn stored_without_ids(stored: &StoredRows) -> Option<String> {
    if stored.rows == 0 {
        return None;
    }
    let named = stored.files.iter().take(FILES);
    let mut files: Vec<String> = named.map(|file| format!("`{file}`")).collect();
    if stored.files.len() > FILES {
        files.push("…".to_owned());
    }
    let what = "row{|s} of orders {is|are} stored without order ids";
    Some(format!(
        "{} (from {}), and orders with ids do not replace them: what is in both counts twice; to count it \
         once, make a new workspace and import every file there, or name another system with \
         `--source`",
        agreeing(stored.rows, what),
        files.join(", ")
    ))
}

fn reassigned_orders(orders: u64) -> String {
    agreeing(
        orders,
        "order{|s} {names|name} another customer than another version of {it|them}: the version that was changed last counts, else the one imported last, else the one further on its way; if two systems number their orders alike, import each with its own `--source`",
    )
}
