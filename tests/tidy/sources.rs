//! Every source file: what it is for, how long it is, what is not in it.

use std::path::{Path, PathBuf};

/// A file that other files are measured by: the lines before its tests.
const LINES_MAX: usize = 300;

/// The checkout.
pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files of an ending below these folders, by their path from the checkout, with their text.
pub(super) fn files(folders: &[&str], ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in folders {
        walk(&root().join(folder), ending, &mut found);
    }
    assert!(!found.is_empty(), "no .{ending} below {folders:?}");
    let root = root();
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target" && name != "node_modules") {
                walk(&path, ending, found);
            }
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
}

/// All our Rust files.
pub(super) fn sources() -> Vec<(String, String)> {
    files(&["shared", "functions", "infra", "tests"], "rs")
}

/// A file without its test module at the end.
pub(super) fn before_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap()
}

#[test]
fn every_file_says_what_it_is_for() {
    for (name, text) in sources() {
        assert!(text.starts_with("//! "), "{name} does not begin with `//!`");
    }
}

#[test]
fn no_file_is_too_long() {
    for (name, text) in sources() {
        let is_tests = name.starts_with("tests/") || name.contains("/tests");
        let lines = before_tests(&text).lines().count();
        let max = if is_tests { 2 * LINES_MAX } else { LINES_MAX + LINES_MAX / 5 };
        assert!(lines <= max, "{name} has {lines} lines; at most {max}");
    }
}

#[test]
fn nine_files_in_ten_are_short() {
    let mut lengths: Vec<_> = sources()
        .iter()
        .filter(|(name, _)| !name.contains("tests"))
        .map(|(_, text)| before_tests(text).lines().count())
        .collect();
    lengths.sort_unstable();

    let ninth = lengths[lengths.len() * 9 / 10];
    assert!(ninth <= LINES_MAX, "{ninth}");
}

#[test]
fn nothing_is_left_for_later() {
    for (name, text) in sources() {
        for word in ["TO".to_owned() + "DO", "FIX".to_owned() + "ME"] {
            assert!(!text.contains(&word), "{name} contains {word}");
        }
    }
}
