//! Lines and tables, as the page takes them.

use std::io::{self, Write as _};

/// A line.
pub(crate) fn say(text: impl AsRef<str>) {
    // Nowhere is left to say it if this fails.
    drop(writeln!(io::stdout(), "{}", text.as_ref()));
    drop(io::stdout().flush());
}

/// What is under way, for who waits: not a part of the figures.
pub(crate) fn hint(text: impl AsRef<str>) {
    drop(writeln!(io::stderr(), "{}", text.as_ref()));
}

/// A table of Markdown, of rows of texts.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let head: Vec<_> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rule = vec!["---".to_owned(); head.len()];
    let lines = [line(&head), format!("|{}|", rule.join("|"))];
    let all: Vec<_> = lines.into_iter().chain(rows.iter().map(|row| line(row))).collect();
    all.join("\n")
}

/// A number with commas between thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<_> = digits.as_bytes().rchunks(3).rev().collect();
    let parts: Vec<_> = parts.into_iter().map(|part| String::from_utf8_lossy(part)).collect();
    parts.join(",")
}
